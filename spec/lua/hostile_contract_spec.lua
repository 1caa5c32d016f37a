--- Parsers whose module, options, instance, samples or last word mean harm, or are just wrong, in the real worker.
local core = require "headway_core"
local hostile = require "spec.support.hostile"

local LIMIT, MEMORY, SLOW = hostile.LIMIT, hostile.MEMORY, hostile.SLOW

local function module(fields)
  return ("return { api = 1, %s, new = function() return { feed = function() end } end }"):format(fields)
end
local function made_by(new) return ("return { api = 1, new = %s }"):format(new) end
local function finish(body)
  return made_by(("function() return { feed = function() end, finish = function(self, code) %s end } end"):format(body))
end
local LOOP = "setmetatable({}, { __index = function() while true do end end, __len = function() while true do end end, "
  .. "__pairs = function() while true do end end })"
local ENDLESS = "table.move({}, 1, math.maxinteger - 1, 1)"

local groups = {
  ["the module"] = {
    { "no text",                    "",                                                   "load_failed", "chunk returns a nil" },
    { "bytecode",                   "\27Lua",                                             "load_failed", "binary chunk" },
    { "NULs",                       "\0\0",                                               "load_failed", "unexpected symbol" },
    { "a number",                   "return 5",                                           "load_failed", "chunk returns a number" },
    { "a function",                 "return print",                                       "load_failed", "chunk returns a function" },
    { "fields that loop",           "return " .. LOOP,                                    "load_failed", LIMIT },
    { "fields that never come",     ("return setmetatable({}, { __index = function() return %s end })"):format(ENDLESS),
                                                                                          "load_failed", "loading it took longer than 2 s" },
    { "a list that loops",          module("hints = " .. LOOP),                           "silent" },
    { "options that loop",          module("options = " .. LOOP),                         "silent" },
    { "an option that loops",       module("options = { a = " .. LOOP .. " }"),           "load_failed", LIMIT },
    { "choices that loop",          module("options = { a = { type = 'string', help = 'x', choices = " .. LOOP .. " } }"), "silent" },
    { "many hints",                 "local t = {} for i = 1, 1e5 do t[i] = 'x' end " .. module "hints = t", "load_failed", "more than 16 hints" },
    { "many commands",              "local t = {} for i = 1, 1e5 do t[i] = 'x' end " .. module "commands = t", "load_failed", "more than 16 commands" },
    { "many options",               "local t = {} for i = 1, 1e4 do t['a' .. i] = { type = 'string', help = 'x' } end " .. module "options = t",
                                                                                          "load_failed", "more than 16 options" },
    { "a long hint",                module "hints = { ('x'):rep(1e6) }",                  "load_failed", "hints[1] must be 1 to 47 bytes" },
    { "a long name",                module "name = ('x'):rep(1e6)",                       "load_failed", "name is longer than 63 bytes" },
    { "a module that is called",    "return setmetatable({}, { __call = function() while true do end end })", "load_failed", "module: api is a nil" },
  },
  ["new"] = {
    { "loops",                      made_by "function() while true do end end",           "load_failed", LIMIT },
    { "never comes back",           made_by("function() " .. ENDLESS .. " end"),          "load_failed", "loading it took longer than 2 s" },
    { "takes all memory",           made_by "function() local t = {} while true do t[#t + 1] = {} end end", "load_failed", MEMORY },
    { "yields",                     made_by "coroutine.yield",                            "load_failed", "attempt to yield" },
    { "raises a table",             made_by("function() error(" .. LOOP .. ") end"),      "load_failed", "error value is a table" },
    { "is a table",                 made_by "setmetatable({}, { __call = function() end })", "load_failed", "new is a table" },
    { "gives nothing",              made_by "function() end",                             "load_failed", "new returns a nil" },
    { "gives true",                 made_by "pcall",                                      "load_failed", "new returns a boolean" },
    { "gives what loops",           made_by("function() return " .. LOOP .. " end"),      "load_failed", LIMIT },
    { "gives what finds itself",    made_by "function() local t = setmetatable({}, {}) getmetatable(t).__index = t return t end",
                                                                                          "load_failed", "possible loop" },
    { "gives no feed",              made_by "function() return {} end",                   "load_failed", "feed is a nil" },
    { "gives a table as feed",      made_by "function() return { feed = setmetatable({}, { __call = function() end }) } end",
                                                                                          "load_failed", "feed is a table" },
    { "gives a number as finish",   made_by "function() return { feed = function() end, finish = 5 } end", "load_failed", "finish is a number" },
    { "gives a function of C",      made_by "function() return { feed = error } end",     "refused",     "bad argument" },
    { "makes its options loop",     made_by("function(o) setmetatable(o, { __index = function() while true do end end }) "
                                      .. "return { feed = function() return { done = o.x } end } end"), "refused",     LIMIT },
  },
  ["a sample"] = {
    { "whose fields loop",          hostile.parser("return " .. LOOP),                    "refused",     "says nothing" },
    { "whose counts loop",          hostile.parser("return { done = 1, also = " .. LOOP .. " }"), "sample" },
    { "whose phase loops",          hostile.parser("return { phase = " .. LOOP .. " }"),  "refused",     "phase without index" },
    { "in itself",                  hostile.parser "local t = { done = 1 } t.also = { t } return t", "refused", "no field 'also.also'" },
    { "with many counts",           hostile.parser "local t = {} for i = 1, 1e4 do t[i] = { done = 1 } end return { done = 1, also = t }",
                                                                                          "refused",     "also has 10000 counts" },
    { "with many fields",           hostile.parser "local t = {} for i = 1, 1e4 do t['x' .. i] = i end return t", "refused", "no field" },
    { "with a field of 3 MB",       hostile.parser "return { [('x'):rep(3e6)] = 1 }",     "refused",     "no field" },
    { "with a message of 2 MB",     hostile.parser "return { message = ('x\\27'):rep(1e6) }", "sample" },
    { "with a table as a field",    hostile.parser "return { [{}] = 1 }",                 "refused",     "key is a table" },
    { "and another one",            hostile.parser "return { done = 1 }, { done = 2 }",   "refused",     "returned table and table" },
    { "and many values",            hostile.parser "return nil, nil, table.unpack({}, 1, 1e5)", "silent" },
    { "that is a coroutine",        hostile.parser "return coroutine.create(print)",      "refused",     "returned thread and nil" },
    { "a reason that is a table",   hostile.parser("return nil, " .. LOOP),               "refused",     "returned nil and table" },
    { "a reason of 3 MB",           hostile.parser "return nil, ('x'):rep(3e6)",          "refused",     "xxxx" },
  },
  ["finish"] = {
    { "loops",                      finish "while true do end",                           "refused",     LIMIT },
    { "loops in pcall",             finish "while true do pcall(function() while true do end end) end", "refused", LIMIT },
    { "loops in __close",           finish "local x <close> = setmetatable({}, { __close = function() while true do end end })", "refused", LIMIT },
    { "never comes back",           finish(ENDLESS),                                      "set_aside",   SLOW },
    { "takes all memory",           finish "local t = {} while true do t[#t + 1] = {} end", "refused",   MEMORY },
    { "recurses",                   finish "local function f() return 1 + f() end return f()", "refused", MEMORY },
    { "yields",                     finish "coroutine.yield()",                           "refused",     "attempt to yield" },
    { "raises a table",             finish("error(" .. LOOP .. ")"),                      "refused",     "error value is a table" },
    { "gives true",                 finish "return true",                                 "refused",     "returned boolean and nil" },
    { "gives what loops",           finish("return " .. LOOP),                            "refused",     "says nothing" },
    { "gives another end",          finish "return { ended = 'yes' }",                    "refused",     "ended must be" },
  },
}

for what, cases in pairs(groups) do
  describe("hostile parsers, " .. what .. ":", function()
    for _, case in ipairs(cases) do
      it(case[1], function() hostile.check(case[2], case[3], case[4]) end)
    end
  end)
end

-- ---- options ----------------------------------------------------------------------------------------

describe("hostile options:", function()
  local text = [[return { api = 1,
    options = { a = { type = "string", help = "x" }, n = { type = "integer", help = "x", min = 1, max = 9 } },
    new = function(o) return { feed = function() return { done = 1, message = o.a or tostring(o.n) } end } end }]]
  for _, case in ipairs {
    { "a control sequence",   { a = "\27[2J" },               "sample" },
    { "bytes that are no text", { a = "\xff\xfe" },           "sample" },
    { "100 KB",               { a = ("x"):rep(100000) },      "sample" },
    { "a pattern",            { a = "(%d+)(%d+)(%d+)$" },     "sample" },
    { "Lua",                  { a = "]] while true do end" }, "sample" },
    { "a number that is none", { n = "0x1p400" },             "load_failed", "expected an integer" },
    { "a number of 3000 digits", { n = ("9"):rep(3000) },     "load_failed", "expected an integer" },
    { "a number out of range", { n = "10" },                  "load_failed", "expected an integer: 1 to 9" },
    { "an unknown one",       { b = "x" },                    "load_failed", "has no option 'b'" },
    { "one of headway's own", { strict = "x" },               "sample" },
  } do
    it(case[1], function() hostile.check(text, case[3], case[4], case[2]) end)
  end
end)

-- ---- wrong types, in every field ----------------------------------------------------------------------

local NO_COUNT = [[false, "3", -1, 1.5, 0/0, 1/0, -1/0, 1e300, 2.0^63, {}, print, co]]
local NO_TEXT = [[false, 5, {}, print, co]]
local NO_FLAG = [[0, "true", {}, print, co]]
local NO_SHARE = [[false, "0.5", -0.1, 1.1, 0/0, 1/0, {}, print, co]]
local fields = {
  done = NO_COUNT, total = NO_COUNT, fraction = NO_SHARE, message = NO_TEXT, scanning = NO_FLAG, restart = NO_FLAG,
  unit = NO_TEXT .. [[, "\0", "\27[", ("x"):rep(25)]],
  ended = NO_TEXT .. [[, "", "yes", "COMPLETE"]],
  phase = [[false, 5, "x", print, co, {}, { 1 }, { index = 0 }, { index = 1000 }, { index = "1" }, { index = 1.5 }, { index = 1, count = 0 },
    { index = 1, name = 5 }, { index = 1, weight = 0 }, { index = 1, weight = 1.1 }, { index = 1, weight = "x" }, { index = 1, x = 1 }]],
  also = [[false, 5, "x", print, co, { 5 }, { {} }, { { done = -1 } }, { { done = 1, total = -1 } }, { { done = 1, total = "1" } },
    { { done = 1, unit = 5 } }, { { done = 1, x = 1 } }, { { total = 1 } }, { { done = 1 }, 5 }, { {}, {}, {}, {}, {} }]],
  other = [[1]],
}

describe("wrong types in a sample:", function()
  for field, values in pairs(fields) do
    it(field, function()
      local w = assert(core.worker.new { exe = hostile.exe })
      local id = assert(w:load(hostile.parser([[
        if record == "ok" then return { done = 1 } end
        local s = { done = 1 }
        s[FIELD] = values[tonumber(record)]
        return s]], ("local co, FIELD = coroutine.create(print), %q local values = { %s }"):format(field, values)), "bad"))
      local count = assert(load(("local co = print return select('#', %s)"):format(values)))()
      for i = 1, count do w:feed(id, { tostring(i), "ok" }) end -- sixteen errors in a row would set it aside
      local events = w:run(20000)
      w:close()
      assert.equal(count, #hostile.of_kind(events, "sample"))
      local refused = hostile.of_kind(events, "refused")
      assert.equal(count, #refused)
      for _, event in ipairs(refused) do assert.is_truthy(event.why:find "^sample: ", event.why) end
    end)
  end
end)

local STRINGS = { "true", "5", "{}", "print", "coroutine.create(print)" }
local module_fields = {
  api = { "nil", "true", "'1'", "0", "2", "1.5", "0/0", "{}", "print", "math.maxinteger" },
  name = STRINGS, unit = STRINGS, tool = STRINGS, versions = STRINGS,
  record_max = { "true", "'5'", "0", "-1", "1.5", "65537", "1/0", "{}", "print" },
  newest = { "1", "'true'", "{}", "print" },
  shows = { "true", "5", "'x'", "print", "{ 5 }", "{ {} }", "{ true }", "{ print }" },
  commands = { "true", "5", "'x'", "print", "{ 5 }", "{ {} }", "{ true }", "{ print }" },
  hints = { "true", "5", "'x'", "print", "{ 5 }", "{ '' }", "{ {} }", "{ print }" },
  options = {
    "true", "5", "'x'", "print", "{ 5 }", "{ a = 5 }", "{ a = {} }", "{ A = { type = 'string', help = 'x' } }", "{ a = { type = 'table', help = 'x' } }",
    "{ a = { type = 'string' } }", "{ a = { type = 'string', help = 5 } }", "{ a = { type = 'string', help = 'x', default = 5 } }",
    "{ a = { type = 'integer', help = 'x', default = 1.5 } }", "{ a = { type = 'string', help = 'x', min = 5 } }",
    "{ a = { type = 'integer', help = 'x', min = 'x' } }", "{ a = { type = 'integer', help = 'x', choices = { 'x' } } }",
    "{ a = { type = 'string', help = 'x', choices = { 5 } } }", "{ a = { type = 'string', help = 'x', default = print } }",
  },
  new = { "nil", "true", "5", "'x'", "{}", "coroutine.create(print)" },
}

describe("wrong types in a module:", function()
  for field, values in pairs(module_fields) do
    it(field, function()
      local w = assert(core.worker.new { exe = hostile.exe })
      for _, value in ipairs(values) do
        local text = ([[local M = { api = 1, new = function() return { feed = function() end } end } M.%s = %s return M]]):format(field, value)
        local id = assert(w:load(text, "bad"))
        local failed = hostile.of_kind(w:run(10000), "load_failed", id)
        assert.equal(1, #failed, value)
        assert.is_truthy(failed[1].why:find("module: ", 1, true), failed[1].why)
      end
      w:close()
    end)
  end
end)
