local case = require "spec.support.parser_case"

local function bytes(done, total, objects, more)
  return case.with({ done = done, total = total, unit = "bytes", also = { objects } }, more)
end
local function objects(done, total, more)
  return case.with({ done = done, total = total, unit = "objects" }, more)
end

local function bar(done, total, n, of) return ("99.13%%  ━━━━━━━━━  %s / %s (678.72 kB/s) 0s left (%d/%d)"):format(done, total, n, of) end
local function line(size) return ('{"operation":"cp","success":true,"source":"a","destination":"s3://demo/a","object":{"type":"file","size":%d}}'):format(size) end
local ERROR = 'ERROR "cp photos/img_001.raw s3://no/img_001.raw": NoSuchBucket: The specified bucket does not exist status code: 404, request id: x, host id:'
local ONE = "cp photos/img_002.raw s3://demo/s1/img_002.raw"
local SCAN = { scanning = true }

describe("s5cmd, one record:", function()
  case.rows(it, "s5cmd", {
    { "a bar, of many",         bar("625.16 kB", "630.62 kB", 130, 133),                                bytes(625160, 630620, objects(130, 133), SCAN) },
    { "a bar, of one",          bar("26.21 MB", "40.00 MB", 0, 1),                                      bytes(26210000, 40000000, objects(0, 1)) },
    { "a bar, all done",        "100.00%  ━━━━  9.00 MB / 9.00 MB (521.61 kB/s) 17s (1800/1800)",      bytes(9000000, 9000000, objects(1800, 1800)) },
    { "no rate is known",       "96.13%  ━━━━───  103.86 kB / 108.04 kB ? p/s ? (20/23)",              bytes(103860, 108040, objects(20, 23), SCAN) },
    { "bytes",                  "0.00%  ────  0 B / 999 B ? p/s ? (0/1)",                               bytes(0, 999, objects(0, 1)) },
    { "bars glued together",    bar("1.00 MB", "2.00 MB", 1, 2) .. bar("1.50 MB", "2.00 MB", 1, 2),     bytes(1500000, 2000000, objects(1, 2), SCAN) },
    { "an error behind a bar",  bar("3.00 MB", "3.00 MB", 0, 6) .. ERROR,
                                bytes(3000000, 3000000, objects(0, 6), { scanning = true, message = "NoSuchBucket: The specified bucket does not exist" }) },
    { "a bar behind an error",  ERROR .. bar("3.00 MB", "3.00 MB", 0, 1),
        bytes(3000000, 3000000, objects(0, 1), { message = "NoSuchBucket: The specified bucket does not exist" }) },
    { "an object",              ONE,                                                                    objects(1) },
    { "one that is removed",    "rm s3://demo/s1/img_002.raw",                                          objects(1) },
    { "an error",               ERROR,
        { message = "NoSuchBucket: The specified bucket does not exist" } },
    { "--json",                 line(164981),                                                           bytes(164981, nil, objects(1)) },
    { "--json, no size",        '{"operation":"rm","success":true,"source":"s3://demo/a"}',             objects(1) },
    { "--json, an error",       '{"operation":"cp","command":"cp a s3://b/","error":"given object a not found"}', { message = "given object a not found" } },
    { "--json --stat",          '{"operation":"cp","success":1,"error":0}' },
    { "other JSON",             '{"msg":"s3://"}' },
    { "more objects than all",  bar("1.00 MB", "2.00 MB", 3, 2) },
    { "a ratio",                "copied 3 / 10 s3" },
    { "a listing",              "2026/11/25 04:58:00  500000  img_001.raw" },
  })

  it("says when a line of JSON is broken", function()
    local sample, why = case.new("s5cmd"):feed '{"operation":"cp","success":tr'
    assert.is_nil(sample)
    assert.is_string(why)
  end)
end)

describe("s5cmd, from line to line:", function()
  case.rows(it, "s5cmd", {
    { "the total stands still",     { bar("1.00 MB", "2.00 MB", 1, 3), bar("1.10 MB", "2.00 MB", 1, 3) },    bytes(1100000, 2000000, objects(1, 3)) },
    { "it grows again",             { bar("1.00 MB", "2.00 MB", 1, 3), bar("1.10 MB", "2.50 MB", 1, 4) },    bytes(1100000, 2500000, objects(1, 4), SCAN) },
    { "a part is sent again",       { bar("1.00 MB", "2.00 MB", 1, 3), bar("0.90 MB", "2.00 MB", 1, 3) },    bytes(1000000, 2000000, objects(1, 3)) },
    { "another command",            { bar("2.00 MB", "2.00 MB", 3, 3), bar("10.00 kB", "1.00 MB", 0, 1) },   bytes(10000, 1000000, objects(0, 1), { restart = true }) },
    { "objects add up",             { ONE, ONE, ONE },                                                        objects(3) },
    { "sizes add up",               { line(5), line(7) },                                                     bytes(12, nil, objects(2)) },
    { "sizes behind a bar",         { bar("2.00 MB", "2.00 MB", 3, 3), line(5) },                             bytes(2000005, nil, objects(4)) },
    { "a bar behind sizes",         { line(5), bar("1.00 MB", "2.00 MB", 1, 3) },                             bytes(1000000, 2000000, objects(1, 3), SCAN) },
    { "beside a bar lines are not counted", { bar("1.00 MB", "2.00 MB", 1, 3), ONE } },
  })

  case.ends(it, "s5cmd", {
    { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil }, { { ERROR }, nil, "failed" }, { { ONE, ERROR }, nil, "partial" }, { { ONE, ERROR }, 1, "partial" },
    { { ERROR }, 1, "failed" }, { { ONE }, 1, "failed" }, { { ONE, ERROR }, 137, "failed" }, { { bar("3.00 MB", "3.00 MB", 0, 6) .. ERROR }, 1, "failed" },
  })

  local wide = 60000 -- bytes, of 64 KiB
  case.quick(it, "s5cmd", {
    (" / "):rep(wide // 3), ("1 B / 1 B"):rep(wide // 9), ("("):rep(wide), "1 B / 1 B" .. ("("):rep(wide), "1 B / 1 B " .. ("(1/1"):rep(wide // 4),
    ('ERROR "'):rep(wide // 7),
    'ERROR "' .. ('": '):rep(wide // 3), ("c"):rep(wide) .. "s3://", "cp " .. ("s3:/"):rep(wide // 4), '{"operation":' .. ("["):rep(30000) .. "}",
    ("9"):rep(24) .. " PB / " .. ("9"):rep(24) .. " PB (1/1)",
    bar("1 B", "2 B", 1, 2):gsub("1/2", ("9"):rep(40) .. "/" .. ("9"):rep(40)) .. "",
  })

  it("a sum over 63 bits stays at the greatest count", function()
    local h = case.new "s5cmd"
    h:feed(line(math.maxinteger))
    assert.equal(math.maxinteger, h:feed(line(math.maxinteger)).done)
  end)
end)
