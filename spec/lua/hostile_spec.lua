--- Parsers that mean harm, in the real worker: each is refused or set aside in time, and the parser beside it goes on.
local core = require "headway_core"
local hostile = require "spec.support.hostile"

local exe, parser, of_kind = hostile.exe, hostile.parser, hostile.of_kind
local LIMIT, MEMORY, SLOW = hostile.LIMIT, hostile.MEMORY, hostile.SLOW

local good = [[return { api = 1, name = "good", new = function() return { feed = function(_, record)
  return { done = tonumber(record) } end } end }]]

-- kind: what becomes of the bad parser; words of its reason. "either": it is near both limits, refused or set aside.
local cases = {
  -- name                           kind         words     feed, head
  { "an endless loop",            "refused",     LIMIT,    "while true do end" },
  { "the same in pcall",          "refused",     LIMIT,    "while true do pcall(function() while true do end end) end" },
  { "the same in pcall in pcall", "either",      LIMIT,    "local function f() pcall(f) return f() end f()" },
  { "a loop of empty pcalls",     "either",      LIMIT,    "while true do pcall(error) end" },
  { "in a coroutine",             "refused",     LIMIT,    "coroutine.wrap(function() while true do end end)()" },
  { "in coroutine after coroutine", "refused",   LIMIT,
    "while true do coroutine.resume(coroutine.create(function() while true do end end)) end" },
  { "in coroutines too short to count", "either", LIMIT,
    "while true do coroutine.wrap(function() for i = 1, 400 do local x = i end end)() end" },
  { "in a metamethod",            "refused",     LIMIT,
    "local t = setmetatable({}, { __index = function(t, k) while true do end end }) return t.x" },
  { "in __tostring",              "refused",     LIMIT,
    "return tostring(setmetatable({}, { __tostring = function() while true do end end }))" },
  { "in __tostring of an error",  "refused",     "error value is a table",
    "error(setmetatable({}, { __tostring = function() while true do end end }))" },
  { "in __close",                 "refused",     LIMIT,
    "local x <close> = setmetatable({}, { __close = function() while true do end end })" },
  { "in __close of a coroutine",  "refused",     LIMIT,
    "local c = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() while true do end end }) "
    .. "coroutine.yield() end) coroutine.resume(c) coroutine.close(c)" },
  { "in __gc",                    "refused",     "__gc is not for parsers",
    "setmetatable({}, { __gc = function() while true do end end })" },
  { "in the order of a sort",     "refused",     LIMIT,
    "table.sort({ 3, 2, 1 }, function() while true do end end)" },
  { "in the replacement of gsub", "refused",     LIMIT,
    "(('x'):rep(1000)):gsub('x', function() while true do end end)" },
  { "a string that doubles",      "refused",     MEMORY,   "local s = 'x' while true do s = s .. s end" },
  { "the same in pcall",          "either",      LIMIT,
    "local s = 'x' while true do local ok, t = pcall(function() return s .. s end) if ok then s = t end end" },
  { "a string of 2 GB",           "refused",     MEMORY,   "return ('x'):rep(2^30)" },
  { "a string over all",          "refused",     "resulting string too large", "return ('x'):rep(math.maxinteger)" },
  { "a table that grows",         "refused",     MEMORY,   "local t = {} while true do t[#t + 1] = {} end" },
  { "tables in tables",           "refused",     MEMORY,   "local t = {} while true do t = { t } end" },
  { "closures",                   "refused",     MEMORY,
    "local f = print while true do local g = f f = function() return g end end" },
  { "coroutines",                 "refused",     MEMORY,
    "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end" },
  { "table.concat of much",       "refused",     MEMORY,
    "local t = {} for i = 1, 1e5 do t[i] = ('x'):rep(1000) end return table.concat(t)" },
  { "string.format of much",      "refused",     MEMORY,
    "local s = ('x'):rep(3e6) return ('%s%s%s'):format(s, s, s)" },
  { "gsub that explodes",         "refused",     MEMORY,   "return (('x'):rep(1e5):gsub('x', ('y'):rep(1000)))" },
  { "unpack of much",             "refused",     "too many results to unpack", "return table.unpack({}, 1, 1e8)" },
  { "a deep recursion",           "refused",     MEMORY, "local function f() return 1 + f() end return f()" },
  { "a recursion through C",      "refused",     "overflow",
    "local function f() return (('x'):gsub('x', f)) end return f()" },
  { "a recursion of coroutines",  "refused",     "bad.lua:2: bad.lua:2:",
    "local function f() return coroutine.wrap(f)() end return f()" },
  { "a recursion of metatables",  "refused",     "loop",
    "local t = {} for i = 1, 3000 do t = setmetatable({}, { __index = t }) end return t.x" },
  { "a pattern of deep captures", "refused",     "too many captures", "return ('x'):rep(99):find(('(x'):rep(99))" },
  { "files",                      "refused",     "global 'io'", "return io.open('/etc/passwd')" },
  { "commands",                   "refused",     "global 'os'", "return os.execute('true')" },
  { "modules of C",               "refused",     "module 'socket' not found", "return require 'socket'" },
  { "a poisoned library",         "refused",     "shared", "string.format = function() return { done = 1 } end" },
  { "in __close of a loop",       "refused",     LIMIT,
    "for _ in next, {}, nil, setmetatable({}, { __close = function() while true do end end }) do end" },
  { "in __pairs",                 "refused",     LIMIT,
    "for _ in pairs(setmetatable({}, { __pairs = function() while true do end end })) do end" },
  { "in the iterator of __pairs", "either",     LIMIT,
    "for _ in pairs(setmetatable({}, { __pairs = function() return function() return 1 end end })) do end" },
  { "in __len",                   "refused",     LIMIT,
    "return #setmetatable({}, { __len = function() while true do end end })" },
  { "in __eq",                    "refused",     LIMIT,
    "local m = { __eq = function() while true do end end } return setmetatable({}, m) == setmetatable({}, m)" },
  { "in __concat",                "refused",     LIMIT,
    "return 'x' .. setmetatable({}, { __concat = function() while true do end end })" },
  { "in __newindex",              "refused",     LIMIT,
    "setmetatable({}, { __newindex = function() while true do end end }).x = 1" },
  { "in an environment of its own", "refused",   LIMIT,
    "local _ENV = setmetatable({}, { __index = function() while true do end end }) return x" },
  { "in what print shows",        "refused",     LIMIT,
    "print(setmetatable({}, { __tostring = function() while true do end end }))" },
  { "a flood of prints",          "either",      LIMIT,    "while true do print(('x'):rep(100)) end" },
  { "prints without an end, each long", "set_aside", SLOW, "local s = ('x'):rep(1e6) while true do print(s) end" },
  { "next to the same key",       "either",     LIMIT,    "local t = { 1 } while true do next(t) end" },
  { "a coroutine that yields for ever", "either", LIMIT,
    "local f = coroutine.wrap(function() while true do coroutine.yield() end end) while true do f() end" },
  { "an iterator that never ends", "either",    LIMIT,
    "for _ in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end" },
  { "a yield out of feed",        "refused",     "attempt to yield from outside a coroutine", "coroutine.yield()" },
  { "errors that are no string",  "refused",     "error value is a function", "error(print)" },
  { "an error of nil",            "refused",     "error value is a nil", "error(nil)" },
  { "an error of a table in __close", "refused", "error value is a table",
    "local x <close> = setmetatable({}, { __close = function() error({}) end }) return { done = 1 }" },
  { "an error of 3 MB",           "refused",     MEMORY,   "error(('x'):rep(3e6))" },
  { "a type's name of 2 MB",      "refused",     MEMORY,
    "string.rep(setmetatable({}, { __name = ('%s'):rep(1e6) }))" },
  { "string.rep with a separator", "set_aside",  SLOW,     "return (''):rep(1e17, '')" },
  { "string.rep over all, with a separator", "refused", "resulting string too large", "return ('x'):rep(1e9, ('y'):rep(1e6))" },
  { "string.format of many",      "refused",     MEMORY,
    "local t = {} for i = 1, 2e5 do t[i] = 1e308 end return ('%99.99f'):rep(2e5):format(table.unpack(t))" },
  { "string.format with a width", "refused",     "invalid conversion", "return ('%999d'):format(1)" },
  { "string.format of %q",        "refused",     MEMORY,   "return ('%q'):format(('\\0'):rep(3e6))" },
  { "string.unpack of many",      "refused",     MEMORY,   "return string.unpack(('B'):rep(1e6), ('x'):rep(1e6))" },
  { "table.concat of what never ends", "either", MEMORY,
    "return table.concat(setmetatable({}, { __index = function() return 'x' end }), '', 1, math.maxinteger - 1)" },
  { "the same by a function of C", "either",     MEMORY,
    "return table.concat(setmetatable({}, { __index = rawlen }), '', 1, math.maxinteger - 1)" },
  { "table.insert into a length that lies", "set_aside", SLOW,
    "table.insert(setmetatable({}, { __len = function() return math.maxinteger - 1 end }), 1, 'x')" },
  { "table.sort of a length that lies", "set_aside", SLOW,
    "table.sort(setmetatable({}, { __len = function() return 1 << 30 end, __index = rawlen }))" },
  { "table.unpack of what never ends", "refused", "too many results",
    "return table.unpack(setmetatable({}, { __index = rawlen }), 1, 9e5)" },
  { "utf8.char of many",          "refused",     MEMORY,
    "local t = {} for i = 1, 2e5 do t[i] = 0x7FFFFFFF end while true do utf8.char(table.unpack(t)) end" },
  { "utf8.codes over and over",   "either",      LIMIT,
    "local s = ('\\u{7FF}'):rep(1e6) while true do for _ in utf8.codes(s) do end end" },
  { "utf8.len over and over",     "set_aside",   SLOW,
    "local s = ('\\u{7FF}'):rep(2e6) while true do utf8.len(s) end" },
  { "gmatch on much",             "set_aside",   SLOW,     "for _ in (('a'):rep(4e6)):gmatch('()a-b') do end" },
  { "a pattern of long classes",  "set_aside",   SLOW,
    "return ('a'):rep(1e5):find(('[' .. ('a'):rep(1e5) .. ']'):rep(3) .. 'b')" },
  { "modules that are not there, over and over", "either", LIMIT,
    "while true do pcall(require, 'x' .. math.random(1e9)) end" },
  { "the linter as a module",     "refused",     "module 'tools.lint' not found", "return require 'tools.lint'" },
  { "a path as a module",         "refused",     "no name of a module", "require '../../etc/passwd'" },
  { "an absolute path as a module", "refused",   "no name of a module", "require '/etc/passwd'" },
  { "a name of 3 MB as a module", "refused",     "no name of a module", "require(('a'):rep(3e6))" },
  { "a table as a module",        "refused",     "string expected", "require {}" },
  { "poisoned modules, to another's harm", "sample", nil,
    "return { done = 1 }", "local u = require 'headway.units' u.integer, u.size, u.scale = nil, nil, function() while true do end end" },
  { "poisoned modules, to its own", "refused",   LIMIT,
    "return { done = require('headway.units').integer '1' }", "require('headway.units').integer = function() while true do end end" },
  { "a poisoned core",            "refused",     "shared",  "require('headway.core').nm = nil" },
  { "a poisoned core, raw",       "refused",     "shared",  "rawset(require 'headway.core', 'nm', nil)" },
  { "a poisoned _G, raw",         "refused",     "shared",  "rawset(_G, 'tonumber', nil)" },
  { "methods of strings",         "refused",     "attempt to index a boolean", "getmetatable('').__index = nil" },
  { "a global that is made",      "refused",     "can't be made", "tonumber = nil" },
  { "deep parentheses at load",   "load_failed", "overflow", "", "return " .. ("("):rep(1e5) },
  { "a long chain at load",       "load_failed", "overflow", "", "local s = 'x' local t = s" .. (" .. s"):rep(1e5) },
  { "a yield at load",            "load_failed", "attempt to yield", "", "coroutine.yield()" },
  { "an endless loop at load",    "load_failed", LIMIT,    "", "while true do end" },
  { "memory at load",             "load_failed", MEMORY,   "", "local t = {} while true do t[#t + 1] = {} end" },
  { "deep nesting at load",       "load_failed", "overflow", "", "return " .. ("{"):rep(1000) },
  { "a pattern bomb",             "set_aside",   SLOW,
    "return (('a'):rep(400)):find(('a-'):rep(6) .. 'b')" },
  { "string.rep without an end",  "set_aside",   SLOW, "return (''):rep(math.maxinteger)" },
  { "table.move without an end",  "set_aside",   SLOW,
    "table.move({}, 1, math.maxinteger - 1, 1)" },
  { "the same in pcall",          "set_aside",   SLOW,
    "while true do pcall(table.move, {}, 1, math.maxinteger - 1, 1) end" },
  { "the same in a coroutine",    "set_aside",   SLOW,
    "coroutine.wrap(table.move)({}, 1, math.maxinteger - 1, 1)" },
  { "table.move at load",         "load_failed", "loading it took longer than 2 s",
    "", "table.move({}, 1, math.maxinteger - 1, 1)" },
}

describe("hostile parsers:", function()
  for _, case in ipairs(cases) do
    local name, kind, words, feed, head = table.unpack(case, 1, 5)
    it(name, function() hostile.check(parser(feed, head), kind, words) end)
  end
end)

describe("hostile parsers, in time:", function()
  it("a slow parser that answers within 2 s a record is no hostile one", function()
    local w = assert(core.worker.new { exe = exe })
    local id = w:load(parser "for i = 1, 1e6 do local x = i end return { done = 1 }", "slow")
    local records = {}
    for i = 1, 200 do records[i] = "x" end
    w:feed(id, records)
    local events = w:run(60000)
    w:close()
    assert.equal(200, #of_kind(events, "sample"))
    assert.equal(0, #of_kind(events, "set_aside"))
  end)

  it("sixteen errors in a row set it aside, fifteen and a good record do not", function()
    local w = assert(core.worker.new { exe = exe })
    local id = w:load(parser "if record == 'good' then return { done = 1 } end error 'no luck'", "bad")
    local records = {}
    for i = 1, 15 do records[i] = "x" end
    records[16] = "good"
    for i = 17, 31 do records[i] = "x" end
    w:feed(id, records)
    local events = w:run(5000)
    assert.equal(30, #of_kind(events, "refused"))
    assert.equal(0, #of_kind(events, "set_aside"))
    w:feed(id, { "x" })
    events = w:run(5000)
    assert.equal(1, #of_kind(events, "set_aside", id))
    assert.is_truthy(of_kind(events, "set_aside")[1].why:find "^16 errors in a row, the last: .*no luck")
    local taken, why = w:feed(id, { "x" })
    assert.is_nil(taken)
    assert.equal("the parser is not loaded any more", why)
    w:close()
  end)

  it("refusals are no errors", function()
    local w = assert(core.worker.new { exe = exe })
    local id = w:load(parser "return nil, 'no good'", "strict")
    local records = {}
    for i = 1, 100 do records[i] = "x" end
    w:feed(id, records)
    local events = w:run(5000)
    w:close()
    assert.equal(100, #of_kind(events, "refused"))
    assert.equal(0, #of_kind(events, "set_aside"))
  end)

  it("memory of one that is gone can be used again", function()
    local w = assert(core.worker.new { exe = exe })
    for _ = 1, 10 do
      local id = w:load(parser("local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end"), "bad")
      w:feed(id, { "x" })
      local events = w:run(5000)
      assert.is_truthy(of_kind(events, "refused", id)[1].why:find(MEMORY, 1, true))
      w:unload(id)
    end
    local id = w:load(good, "good")
    w:feed(id, { "3" })
    assert.same({ done = 3 }, of_kind(w:run(5000), "sample", id)[1].sample)
    w:close()
  end)
end)
