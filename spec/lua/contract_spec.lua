--- What C takes from a parser: the module, the three outcomes, every field of a sample.
local core = require "headway_core"

local function load_text(text, opts, strict) return core.host.new(text, "t", opts, strict) end

--- A parser whose feed gives the values of that Lua expression list.
local function giving(values)
  return assert(load_text(("return { api = 1, name = 't', new = function(opts) return { feed = function(self, record) "
    .. "return %s end } end }"):format(values)))
end

local BIG = "9223372036854775807"

local samples = {
  -- name                         sample
  { "a count",                  "{ done = 3, total = 10 }",                     { done = 3, total = 10 } },
  { "no total",                 "{ done = 3 }",                                 { done = 3 } },
  { "whole floats",             "{ done = 3.0, total = 1e3 }",                  { done = 3, total = 1000 } },
  { "2^53 as a float",          "{ done = 2^53 }",                              { done = 2 ^ 53 | 0 } },
  { "63 bits",                  "{ done = " .. BIG .. ", total = " .. BIG .. " }",
                                                                                { done = math.maxinteger, total = math.maxinteger } },
  { "done over total",          "{ done = 3, total = 2 }",                      { done = 3, total = 2 } },
  { "a unit",                   "{ done = 1, unit = 'MiB' }",                   { done = 1, unit = "MiB" } },
  { "a fraction",               "{ fraction = 0.42 }",                          { fraction = 0.42 } },
  { "fraction 0",               "{ fraction = 0 }",                             { fraction = 0 } },
  { "fraction 1",               "{ fraction = 1 }",                             { fraction = 1 } },
  { "a message alone",          "{ message = 'copying' }",                      { message = "copying" } },
  { "a message, cleaned",       "{ message = ' a\\n\\27[1mb\\xff ' }",          { message = "a [1mb\u{FFFD}" } },
  { "a message, no credentials", "{ message = 'http://u:p@h/x?token=1' }",      { message = "http://h/x" } },
  { "credentials at the cut",   "{ message = ('x'):rep(190) .. ' http://u:secret@h/x' }",
                                                                                { message = ("x"):rep(190) .. " http:/..." } },
  { "a phase",                  "{ phase = { index = 2 } }",                    { phase = { index = 2 } } },
  { "a whole phase",            "{ done = 1, phase = { name = 'copy', index = 2, count = 3, weight = 0.5 } }",
                                                  { done = 1, phase = { name = "copy", index = 2, count = 3, weight = 0.5 } } },
  { "flags",                    "{ done = 1, scanning = true, restart = true }",
                                                                                { done = 1, scanning = true, restart = true } },
  { "flags that are false",     "{ done = 1, scanning = false, restart = false }", { done = 1 } },
  { "the end",                  "{ ended = 'partial' }",                        { ended = "partial" } },
  { "also",                     "{ done = 1, also = { { done = 5, total = 7, unit = 'bytes' }, { done = 2 } } }",
                                      { done = 1, also = { { done = 5, total = 7, unit = "bytes" }, { done = 2 } } } },
  { "an empty also",            "{ done = 1, also = {} }",                      { done = 1 } },
  { "fields by __index are not seen", "setmetatable({ done = 1 }, { __index = { total = 2 } })", { done = 1 } },
}

describe("contract, samples:", function()
  for _, case in ipairs(samples) do
    local name, expression, expected = table.unpack(case)
    it(name, function() assert.same(expected, giving(expression):feed "x") end)
  end
end)

local faults = {
  -- name                         values                                         words of the fault
  { "an unknown field",         "{ done = 1, totl = 2 }",                      "no field 'totl', did you mean 'total'" },
  { "a far unknown field",      "{ done = 1, percentage = 2 }",                "no field 'percentage'$" },
  { "a numbered field",         "{ done = 1, 7 }",                             "key is a number" },
  { "a table as a field",       "{ [{}] = 1 }",                                "key is a table" },
  { "an empty sample",          "{}",                                          "says nothing" },
  { "total alone",              "{ total = 5 }",                               "total without done" },
  { "done a string",            "{ done = '3' }",                              "done is a string, expected an integer" },
  { "done 3.5",                 "{ done = 3.5 }",                              "done is 3.5, expected an integer" },
  { "done infinite",            "{ done = 1 / 0 }",                            "done is inf, expected an integer" },
  { "done no number",           "{ done = 0 / 0 }",                            "done is %-?nan, expected an integer" },
  { "done 1e300",               "{ done = 1e300 }",                            "expected an integer" },
  { "done 2^63",                "{ done = 2^63 }",                             "expected an integer" },
  { "done negative",            "{ done = -1 }",                               "done is %-1, out of range" },
  { "total negative",           "{ done = 1, total = -1 }",                    "total is %-1, out of range" },
  { "total a table",            "{ done = 1, total = {} }",                    "total is a table" },
  { "total false",              "{ done = 1, total = false }",                 "total is a boolean" },
  { "unit a number",            "{ done = 1, unit = 5 }",                      "unit is a number, expected a string" },
  { "unit too long",            "{ done = 1, unit = ('x'):rep(25) }",          "at most 24" },
  { "unit with NUL",            "{ done = 1, unit = 'a\\0b' }",                "unit is no unit" },
  { "unit with an escape",      "{ done = 1, unit = '\\27' }",                 "unit holds a character" },
  { "fraction a string",        "{ fraction = '0.5' }",                        "fraction is a string" },
  { "fraction over 1",          "{ fraction = 1.5 }",                          "fraction is 1.5, expected 0 to 1" },
  { "fraction negative",        "{ fraction = -0.5 }",                         "fraction is %-0.5" },
  { "fraction no number",       "{ fraction = 0 / 0 }",                        "fraction is %-?nan" },
  { "message a number",         "{ done = 1, message = 5 }",                   "message is a number" },
  { "message a function",       "{ done = 1, message = print }",               "message is a function" },
  { "scanning a number",        "{ done = 1, scanning = 1 }",                  "scanning is a number, expected a boolean" },
  { "restart a string",         "{ done = 1, restart = 'yes' }",               "restart is a string" },
  { "ended another word",       "{ ended = 'done' }",                          "ended must be" },
  { "ended true",               "{ ended = true }",                            "ended is a boolean" },
  { "phase a string",           "{ phase = 'copy' }",                          "phase is a string, expected a table" },
  { "phase without index",      "{ phase = { name = 'copy' } }",               "phase without index" },
  { "phase, index 0",           "{ phase = { index = 0 } }",                   "phase.index is 0, out of range" },
  { "phase, index 1000",        "{ phase = { index = 1000 } }",                "phase.index is 1000" },
  { "phase, index over count",  "{ phase = { index = 3, count = 2 } }",        "index 3 is over count 2" },
  { "phase, weight 0",          "{ phase = { index = 1, weight = 0 } }",       "phase.weight is 0, expected above 0" },
  { "phase, weight 2",          "{ phase = { index = 1, weight = 2 } }",       "phase.weight is 2" },
  { "phase, unknown field",     "{ phase = { index = 1, nmae = 'x' } }",       "no field 'phase.nmae', did you mean 'name'" },
  { "also a number",            "{ done = 1, also = 5 }",                      "also is a number" },
  { "also of numbers",          "{ done = 1, also = { 5 } }",                  "also.element is a number" },
  { "also without done",        "{ done = 1, also = { { total = 5 } } }",      "also without done" },
  { "also, too many",           "{ done = 1, also = { {}, {}, {}, {}, {} } }", "also has 5 counts" },
  { "also, wrong unit",         "{ done = 1, also = { { done = 1, unit = '\\n' } } }", "also: unit" },
  { "also, unknown field",      "{ done = 1, also = { { done = 1, phase = 1 } } }", "no field 'also.phase'" },
  { "a boolean",                "true",                                        "returned boolean and nil" },
  { "false",                    "false",                                       "returned boolean and nil" },
  { "a number",                 "5",                                           "returned number and nil" },
  { "a sample and a reason",    "{ done = 1 }, 'why'",                         "returned table and string" },
  { "nil and a table",          "nil, {}",                                     "returned nil and table" },
  { "nil and a number",         "nil, 5",                                      "returned nil and number" },
  { "false and a reason",       "false, 'why'",                                "returned boolean and string" },
}

describe("contract, faults:", function()
  for _, case in ipairs(faults) do
    local name, values, words = table.unpack(case)
    it(name, function()
      local sample, why, code = giving(values):feed "x"
      assert.is_nil(sample)
      assert.is_truthy(why:find(words), why)
      assert.equal("lua", code)
    end)
  end
end)

describe("contract, outcomes:", function()
  it("nothing", function()
    for _, values in ipairs { "", "nil", "nil, nil" } do
      local sample, why = giving(values):feed "x"
      assert.is_nil(sample)
      assert.is_nil(why)
    end
  end)

  it("a reason is the parser's word: cleaned, cut, without credentials", function()
    local _, why, code = giving("nil, 'bad:\\n\\27 ' .. record"):feed("http://u:p@h/?a=b " .. ("x"):rep(400))
    assert.equal("input", code)
    assert.is_truthy(why:find "^bad: http://h/ x+%.%.%.$", why)
    assert.is_true(#why <= 300)
  end)

  it("records are any bytes", function()
    local h = giving "{ done = #record, message = record:byte(1) .. ' ' .. record:byte(-1) }"
    assert.same({ done = 4, message = "0 255" }, h:feed "\0a\n\255")
    assert.same({ done = 4096, message = "120 120" }, h:feed(("x"):rep(4096)))
    assert.same({ done = 0 }, giving("{ done = #record }"):feed "")
  end)

  local raised = {
    { "a string",  "error 'no luck'",                            "t.lua:1: no luck" },
    { "a table",   "error {}",                                   "error value is a table" },
    { "nil",       "error(nil)",                                 "error value is a nil" },
    { "a number",  "error(5)",                                   "error value is a number" },
    { "one that tells", "error(setmetatable({}, { __tostring = function() while true do end end }))",
                                                                 "error value is a table" },
    { "an index",  "local x = nil .. 'a'",                       "attempt to concatenate a nil value" },
  }
  for _, case in ipairs(raised) do
    it("raised: " .. case[1], function()
      local h = assert(load_text("return { api = 1, new = function() return { feed = function(_, r) if r == 'go' then "
        .. "return { done = 1 } end " .. case[2] .. " end } end }"))
      local sample, why, code = h:feed "x"
      assert.is_nil(sample)
      assert.is_truthy(why:find(case[3], 1, true), why)
      assert.equal("lua", code)
      assert.is_truthy(h:trace():find "stack traceback", h:trace())
      assert.same({ done = 1 }, h:feed "go")
    end)
  end

  it("finish", function()
    local h = assert(load_text [[return { api = 1, new = function() return { feed = function() end,
      finish = function(self, code) return { done = code or 77, ended = "failed" } end } end }]])
    assert.same({ done = 3, ended = "failed" }, h:finish(3))
    assert.same({ done = 77, ended = "failed" }, h:finish())
    assert.is_nil((giving "nil"):finish(0))
  end)

  it("a count that names no unit has the module's", function()
    local h = assert(load_text [[return { api = 1, unit = "frobs", new = function() return { feed = function(_, r)
      return r == "own" and { done = 1, unit = "MiB" } or r == "percent" and { fraction = 0.5 } or { done = 1, also = { { done = 2 } } } end } end }]])
    assert.same({ done = 1, unit = "frobs", also = { { done = 2 } } }, h:feed "")
    assert.same({ done = 1, unit = "MiB" }, h:feed "own")
    assert.same({ fraction = 0.5 }, h:feed "percent")
  end)

  it("options and strict reach new", function()
    local h = assert(load_text([[return { api = 1, options = { unit = { type = "string", help = "what" } },
      new = function(o) return { feed = function()
      return { done = 1, unit = o.unit, message = tostring(o.strict) } end } end }]], { unit = "files" }, true))
    assert.same({ done = 1, unit = "files", message = "true" }, h:feed "x")
  end)

  it("state is kept from record to record", function()
    local h = assert(load_text [[return { api = 1, new = function() return { n = 0, feed = function(self)
      self.n = self.n + 1 return { done = self.n } end } end }]])
    for i = 1, 1000 do assert.equal(i, h:feed("x").done) end
  end)
end)

local modules = {
  -- name                      text                                                                words
  { "bad syntax",            "return {",                                                           "t.lua:1: unexpected symbol" },
  { "nothing",               "",                                                                   "chunk returns a nil" },
  { "a function",            "return function() end",                                              "chunk returns a function" },
  { "no api",                "return { new = function() end }",                                    "api is a nil, expected a number" },
  { "another api",           "return { api = 2, new = function() end }",                           "api is 2, this headway knows 1" },
  { "api 1.5",               "return { api = 1.5, new = function() end }",                         "api must be an integer" },
  { "no new",                "return { api = 1 }",                                                 "new is a nil, expected a function" },
  { "new gives nothing",     "return { api = 1, new = function() end }",                           "new returns a nil" },
  { "no feed",               "return { api = 1, new = function() return {} end }",                 "feed is a nil" },
  { "feed a table",          "return { api = 1, new = function() return { feed = {} } end }",      "feed is a table" },
  { "finish a string",       "return { api = 1, new = function() return { feed = print, finish = '' } end }",
                                                                                                   "finish is a string" },
  { "name a number",         "return { api = 1, name = 5, new = function() end }",                 "name is a number" },
  { "a name without end",    "return { api = 1, name = ('x'):rep(64), new = function() end }",     "name is longer than 63" },
  { "record_max 0",          "return { api = 1, record_max = 0, new = function() end }",           "record_max must be" },
  { "record_max too big",    "return { api = 1, record_max = 65537, new = function() end }",       "from 1 to 65536" },
  { "newest a number",       "return { api = 1, newest = 1, new = function() end }",               "newest is a number" },
  { "word a string",         "return { api = 1, word = 'yes', new = function() end }",             "word is a string" },
  { "an error at load",      "error 'no luck'",                                                    "t.lua:1: no luck" },
  { "an error in new",       "return { api = 1, new = function() error('option unit: no unit', 2) end }", "option unit: no unit" },
}

describe("contract, modules:", function()
  for _, case in ipairs(modules) do
    local name, text, words = table.unpack(case)
    it(name, function()
      local h, why, code = load_text(text)
      assert.is_nil(h)
      assert.is_truthy(why:find(words, 1, true), why)
      assert.equal("lua", code)
    end)
  end

  it("what one says of itself", function()
    local h = assert(load_text [[return { api = 1, name = "rsync", unit = "bytes", record_max = 65536, newest = true, word = true,
      new = function() return { feed = function() end } end }]])
    assert.same({ api = 1, name = "rsync", unit = "bytes", record_max = 65536, newest = true, word = true }, h:meta())
  end)

  it("the name is the file's when the module has none", function()
    assert.equal("t", giving("nil"):meta().name)
  end)
end)
