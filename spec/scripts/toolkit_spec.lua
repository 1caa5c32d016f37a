--- headway.duration, percent, phases, bars, jsonl, in the sandbox that parsers have.
local core = require "headway_core"

--- Runs a chunk of Lua that returns values, inside a host, and gives them as text.
local function run(chunk)
  local h, why = core.host.new(([[
    local duration, percent = require "headway.duration", require "headway.percent"
    local phases = require "headway.phases"
    local bars, jsonl = require "headway.bars", require "headway.jsonl"
    local _ = { duration, percent, phases, bars, jsonl }
    local function body() %s end
    return { api = 1, new = function() return { feed = function()
      local t = table.pack(body())
      for i = 1, t.n do t[i] = tostring(t[i]) end
      return { done = 1, message = table.concat(t, " ") .. "." } end } end }]]):format(chunk), "t")
  if not h then return nil, why end
  local sample, err = h:feed "x"
  return sample and sample.message:sub(1, -2), err
end

local function rows(what, expression, cases)
  describe(what, function()
    for _, case in ipairs(cases) do
      it(("%q"):format(case[1]):sub(1, 80), function()
        assert.equal(tostring(case[2]), run("return " .. expression:format(("%q"):format(case[1]))))
      end)
    end
  end)
end

rows("duration.seconds:", "duration.seconds(%s)", {
  { "0:00:12", 12 }, { "1:02:03", 3723 }, { "123:45:56", 445556 }, { "02:03", 123 }, { "00:01.5", 1.5 }, { "0:00:01,25", 1.25 },
  { "1h2m3s", 3723 }, { "10m39s", 639 }, { "17s", 17 }, { "250ms", 0.25 }, { "162.782µs", 162.782e-6 }, { "1.5s", 1.5 }, { "1,5 s", 1.5 },
  { "2 min 5 s", 125 }, { "3 days", 259200 }, { "1d 2h", 93600 }, { " 5s ", 5 }, { "0s", 0 },
  { "", nil }, { "-", nil }, { "--:--", nil }, { "??:??:??", nil }, { "5", nil }, { "5x", nil }, { "s", nil }, { "1m2h", nil }, { "1s1s", nil },
  { "1:60", nil }, { "1:2:3", nil }, { "1:00:99", nil }, { "1:00:", nil }, { "-5s", nil }, { "5s ago", nil }, { "99999999999999999d", nil },
  { "9999999999:00", nil }, { ("1s"):rep(100), nil }, { "1e5s", nil }, { "nan s", nil },
})

rows("percent.fraction:", "percent.fraction(%s)", {
  { "0%", 0.0 }, { "42%", 0.42 }, { "42.5 %", 0.425 }, { "42,5%", 0.425 }, { " 100% ", 1.0 }, { "100.0%", 1.0 },
  { "100.1%", nil }, { "101%", nil }, { "1000%", nil }, { "-1%", nil }, { "42", nil }, { "%", nil }, { ".5%", nil }, { "4 2%", nil }, { "42%%", nil }, { "", nil },
  { ("1"):rep(100) .. "%", nil },
})

local values = {
  -- name                          chunk                                                                        values
  { "percent.of",                "return percent.of(1, 4), percent.of(0, 5), percent.of(5, 0), percent.of(6, 5), percent.of(-1, 5)", "0.25 0.0 nil nil nil" },
  { "no bar",                    "return bars.new():sum()",                                                   "0 0" },
  { "bars",                      "local b = bars.new() b:set('a', 10, 100) b:set('b', 5, 50) b:set('a', 20, 100) return b:sum()", "25 150" },
  { "a bar without a total",     "local b = bars.new() b:set('a', 10, 100) b:set('b', 5) return b:sum()",     "15 nil" },
  { "a bar that falls",          "local b = bars.new() b:set('a', 10, 100) b:set('a', 5, 100) return b:sum()", "10 100" },
  { "a total below its count",   "local b = bars.new() b:set('a', 10, 5) return b:sum()",                     "10 10" },
  { "many bars that are full",   "local b = bars.new() for i = 1, 1000 do b:set('a' .. i, 2, 2) end return b:sum()", "2000 2000" },
  { "too many bars",             "local b, n = bars.new(), 0 for i = 1, 1000 do n = n + (b:set('a' .. i, 1, 2) and 1 or 0) end local d, t = b:sum() return n, d, t",
                                 "256 256 512" },
  { "bars stay below 2^63",      "local b = bars.new() b:set('a', math.maxinteger, math.maxinteger) b:set('b', 5, 5) return b:sum()",
                                 "9223372036854775807 9223372036854775807" },
  { "json behind a date",        "return jsonl.get(jsonl.decode('2026-01-31 INFO {\"a\":{\"b\":7}}'), 'a', 'b')", "7" },
  { "no json",                   "return jsonl.decode('hello')",                                              "nil" },
  { "broken json",               "return jsonl.decode('x {\"a\":')",                                          "nil not JSON: unexpected end at byte 5" },
  { "a member that is missing",  "return jsonl.get({ a = 5 }, 'a', 'b'), jsonl.get(nil, 'a'), jsonl.get({}, 'a', 'b'), jsonl.get(5)", "nil nil nil 5" },
  { "counts",                    "return jsonl.count(5), jsonl.count(0), jsonl.count(-1), jsonl.count(5.5), jsonl.count(2^60), jsonl.count('5'), jsonl.count(nil)",
                                 "5 0 nil nil nil nil nil" },
}

describe("toolkit:", function()
  for _, case in ipairs(values) do
    it(case[1], function() assert.equal(case[3], run(case[2])) end)
  end
end)

describe("phases:", function()
  local function of(calls)
    return run("local p, s = phases.new(), {} for i, c in ipairs { " .. calls .. " } do local f = p:of(c[1], c[2]) s[i] = f.name .. f.index end "
      .. 'return table.concat(s, " ")')
  end

  it("of another name are the next one", function()
    assert.equal("scan1 scan1 copy2 scan3", of '{ "scan" }, { "scan" }, { "copy" }, { "scan" }')
  end)

  it("of the same name are the next one where it is said", function()
    assert.equal("scan1 scan2 scan2 copy3", of '{ "scan", true }, { "scan", true }, { "scan", false }, { "copy", true }')
  end)

  it("are counted up to 999", function()
    assert.equal("999", run "local p, f = phases.new() for _ = 1, 2000 do f = p:of('a', true) end return f.index")
  end)
end)

describe("toolkit:", function()
  it("stays quick on text that is made to be slow", function()
    local h = assert(core.host.new([[local duration, percent, jsonl = require "headway.duration", require "headway.percent", require "headway.jsonl"
      return { api = 1, record_max = 65536, new = function() return { feed = function(_, record)
        duration.seconds(record) percent.fraction(record) duration.seconds(record:sub(1, 64)) percent.fraction(record:sub(1, 32))
        local _, why = jsonl.decode(record)
        return nil, why end } end }]], "t"))
    for _, record in ipairs { ("1"):rep(65536), (" "):rep(65536), ("1s"):rep(32768), ("1:"):rep(32768), ("{"):rep(65536), ("1 "):rep(32768) .. "%" } do
      local began = os.clock()
      for _ = 1, 100 do h:feed(record) end
      assert.is_true(os.clock() - began < 1, record:sub(1, 20))
    end
  end)
end)
