local case = require "spec.support.parser_case"

local function items(done, total) return { done = done, total = total, unit = "items" } end
local function bytes(done, total) return { done = done, total = total, unit = "bytes" } end
local MIB, GIB = 1 << 20, 1 << 30

--- A form with %s in the place of the number that grows.
local function growing(form, ...)
  local list = {}
  for i, n in ipairs { ... } do list[i] = (form:gsub("@", tostring(n))) end
  return list
end

describe("auto, taken:", function()
  case.rows(it, "auto", {
    { "N/M alone, at once",        "40/100",                                                    items(40, 100) },
    { "N/M alone, spaced",         "  040 / 100 ",                                              items(40, 100) },
    { "a pair",                    growing("Copied @/10", 3, 4),                                items(4, 10) },
    { "a pair in brackets",        growing("[@/10] Building x.o", 3, 4),                        items(4, 10) },
    { "in parentheses",            growing("loading (@/10)", 3, 4),                             items(4, 10) },
    { "behind a name",             growing("step=@/10 lr=0.1", 3, 4),                           items(4, 10) },
    { "with spaces",               growing("chunk @ / 10 done", 3, 4),                          items(4, 10) },
    { "x of y",                    growing("Copied @ of 10 files", 3, 4),                       { done = 4, total = 10, unit = "files" } },
    { "x out of y",                growing("Copied @ out of 10 objects.", 3, 4),                { done = 4, total = 10, unit = "objects" } },
    { "the end of a sentence",     growing("Copied @ of 10.", 3, 4),                            items(4, 10) },
    { "grouped",                   growing("@,000/10,000 rows", 3, 4),                          { done = 4000, total = 10000, unit = "rows" } },
    { "bytes of bytes",            growing("@ MiB / 4 GiB", 1, 2),                              bytes(2 * MIB, 4 * GIB) },
    { "one unit for both",         growing("@/10MiB", 1, 2),                                    bytes(2 * MIB, 10 * MIB) },
    { "decimals",                  growing("@.5MiB/10MiB(5%) CN:1", 1, 2),                      bytes(2 * MIB + MIB // 2, 10 * MIB) },
    { "bytes of bytes in words",   growing("@.0 KiB of 2 MiB downloaded", 1, 2),                bytes(2048, 2 * MIB) },
    { "an estimate",               growing("Completed @ MiB/~10 MiB (1 MiB/s)", 1, 2),          { done = 2 * MIB, total = 10 * MIB, unit = "bytes", scanning = true } },
    { "a date in front",           growing("2026-11-23 19:05:10 copied @/10", 3, 4),            items(4, 10) },
    { "a path in front",           growing("/srv/data/a/b: @/10", 3, 4),                        items(4, 10) },
    { "the rate behind it",        growing("@/10 (5.0 MB/s)", 3, 4),                            items(4, 10) },
    { "a percent",                 growing("downloading @%", 1, 2, 3),                          { fraction = 0.03 } },
    { "a percent with decimals",   growing("downloading @.5%", 1, 2, 3),                        { fraction = 0.035 } },
    { "a decimal comma",           growing("@,5 %", 1, 2, 3),                                   { fraction = 0.035 } },
    { "a percent of a size",       growing("@% of 10.00MiB at 1MiB/s", 1, 2, 3),                { fraction = 0.03 } },
    { "behind a bar",              { "[=>   ] 1%", "[==>  ] 2%", "[===> ] 3%" },                { fraction = 0.03 } },
    { "a bar of tqdm",             "x:  42%|████▏     | 42/100 [00:04<00:05,  9.93it/s]",       items(42, 100) },
    { "from the end to the begin", growing("file @/10", 9, 10, 1),                              { done = 1, total = 10, unit = "items", restart = true } },
    { "a step back is none",       growing("file @/10", 7, 8, 6),                               items(8, 10) },
    { "a total that grows later",  { "file 1/10", "file 2/10", "file 3/20" },                   items(3, 20) },
    { "between other lines",       { "file 1/10", "GET /a/b 1/2", "file 2/10" },                items(2, 10) },
  })
end)

describe("auto, not fooled:", function()
  case.rows(it, "auto", {
    { "one pair is none",          "Copied 3/10" },
    { "a pair that stays",         growing("Copied 3/10", 1, 1, 1) },
    { "tests passed",              growing("@/11 tests passed", 9, 10, 11) },
    { "passed tests",              growing("PASS: @/11", 9, 10, 11) },
    { "attempts",                  growing("Attempt @/3 failed", 1, 2, 3) },
    { "retries",                   growing("retry @ of 5", 1, 2, 3) },
    { "a compression ratio",       { "0.4 MiB / 1.2 MiB = 0.330", "0.6 MiB / 1.9 MiB = 0.316", "0.9 MiB / 2.6 MiB = 0.341" } },
    { "what is left of 100%",      { "x ==> 34%", "x ==> 35%", "x ==> 36%" } },
    { "ratio in words",            growing("ratio @/10", 3, 4, 5) },
    { "a rate",                    growing("@ MB/s", 3, 4, 5) },
    { "a rate over a rate",        growing("in 3@ MB/s out 4@ MB/s", 3, 4, 5) },
    { "dates",                     { "2026/11/23", "2026/11/24", "2026/11/25" } },
    { "a date of two",             { "11/23 19:06:56 a", "11/24 19:06:57 a", "11/25 19:06:57 a" } },
    { "versions",                  { "Mozilla/5.0 rv/1.0", "Mozilla/6.0 rv/2.0", "Mozilla/7.0 rv/3.0" } },
    { "addresses",                 { "10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24" } },
    { "ports and paths",           { "GET /v1/2/3", "GET /v1/3/4", "GET /v1/4/5" } },
    { "parts of a name",           { "part-1/10.bin", "part-2/10.bin", "part-3/10.bin" } },
    { "a fraction of one",         growing("x @/1", 0, 1, 1) },
    { "more done than there is",   growing("@/10", 11, 12, 13) },
    { "a percent of words",        growing("@% of budget", 1, 2, 3) },
    { "cpu",                       growing("cpu @%", 1, 2, 3) },
    { "disk usage",                growing("disk used @ GiB / 10 GiB", 1, 2, 3) },
    { "a percent that falls",      growing("x @%", 3, 2, 1) },
    { "a percent that stays",      growing("x @%", 100, 100, 100) },
    { "over 100%",                 growing("x @%", 101, 102, 103) },
    { "url escapes",               { "/a%20b", "/a%21b", "/a%22b" } },
    { "printf",                    { "1%d", "2%d", "3%d" } },
    { "minus",                     growing("-@/10", 1, 2, 3) },
    { "plus",                      growing("+@%", 1, 2, 3) },
    { "a sum",                     growing("1+@/10", 1, 2, 3) },
    { "seconds of minutes",        growing("0:@/1:30", 1, 2, 3) },
    { "what is left, of rsync",    { "(xfr#3, ir-chk=1077/1121)", "(xfr#4, ir-chk=1078/1121)", "(xfr#5, ir-chk=1079/1121)" } },
    { "different words",           { "a 1/10", "b 2/10", "c 3/10" } },
    { "over 63 bits",              growing("@99999999999999999999/99999999999999999999999", 1, 2, 3) },
    { "nothing",                   "" },
  })

  it("once a line was N/M and nothing else, only those count", function()
    local h = case.new "auto"
    h:feed "1/10"
    for _, record in ipairs(growing("file @/20", 1, 2, 3)) do assert.is_nil((h:feed(record))) end
    assert.same(items(2, 10), h:feed "2/10")
  end)

  case.ends(it, "auto", { { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil } })
  case.quick(it, "auto", {
    ("/"):rep(4096), ("1/"):rep(2048), ("1/2 "):rep(1024), ("%"):rep(4096), ("1%"):rep(2048), (" of "):rep(1024), ("1 of 2 "):rep(585), ("1"):rep(4000) .. "/1",
    "1/" .. ("1"):rep(4000), (" "):rep(4000) .. "/1", ("a1 "):rep(1300) .. "1/2", ("=> "):rep(1300) .. "1%", ("\xff"):rep(4000) .. "1/2", (" [00:00"):rep(580) .. "it/s",
    "1/2" .. ("a"):rep(4000), ("1,"):rep(2000) .. "/1", ("1."):rep(2000) .. "%",
  })

  it("watches so many series and no more", function()
    local h = case.new "auto"
    for i = 1, 5000 do
      local word = ""
      for _, digit in utf8.codes(tostring(i)) do word = word .. string.char(digit + 49) end
      h:feed(word .. " 1/10")
    end
    assert.is_true(h:memory() < 1 << 20)
  end)
end)
