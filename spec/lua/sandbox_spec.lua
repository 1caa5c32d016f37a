local core = require "headway_core"

--- A parser whose feed runs `body` (which sees `record`) and gives what it returns as the message.
local function parser(body, user_dir, head)
  local text = ([[
    %s
    local M = { api = 1, name = "t" }
    local function run(record) %s end
    function M.new() return { feed = function(_, record)
      local value = run(record)
      return { done = 1, message = tostring(value) }
    end } end
    return M]]):format(head or "", body)
  return assert(core.host.new(text, "t", nil, false, user_dir))
end

local function value_of(body, user_dir)
  local sample, why = parser(body, user_dir):feed("a record")
  return sample and sample.message or why
end

-- Every name that a script can see. A new one is a decision: think of what it can cost before adding it here.
local names = {
  "_G", "_VERSION", "assert", "coroutine.close", "coroutine.create", "coroutine.isyieldable", "coroutine.resume",
  "coroutine.running", "coroutine.status", "coroutine.wrap", "coroutine.yield", "error", "getmetatable", "ipairs",
  "math.abs", "math.acos", "math.asin", "math.atan", "math.ceil", "math.cos", "math.deg", "math.exp", "math.floor",
  "math.fmod", "math.huge", "math.log", "math.max", "math.maxinteger", "math.min", "math.mininteger", "math.modf",
  "math.pi", "math.rad", "math.random", "math.randomseed", "math.sin", "math.sqrt", "math.tan", "math.tointeger",
  "math.type", "math.ult", "next", "pairs", "pcall", "print", "rawequal", "rawget", "rawlen", "rawset", "require",
  "select", "setmetatable", "string.byte", "string.char", "string.find", "string.format", "string.gmatch",
  "string.gsub", "string.len", "string.lower", "string.match", "string.pack", "string.packsize", "string.rep",
  "string.reverse", "string.sub", "string.unpack", "string.upper", "table.concat", "table.insert", "table.move",
  "table.pack", "table.remove", "table.sort", "table.unpack", "tonumber", "tostring", "type", "utf8.char",
  "utf8.charpattern", "utf8.codepoint", "utf8.codes", "utf8.len", "utf8.offset",
}

describe("sandbox, names:", function()
  it("only those of the list are seen, all of them", function()
    local h = parser [[
      for name, value in pairs(_G) do
        if type(value) == "table" and name ~= "_G" then
          for inner in pairs(value) do print(name .. "." .. inner) end
        else print(name) end
      end]]
    h:feed "x"
    local seen = h:printed()
    table.sort(seen)
    assert.same(names, seen)
  end)

  it("string methods are the same ones", function()
    local h = parser [[ for name in pairs(string) do print(name, ("").rep == string.rep, ("")[name] == string[name]) end
      print("dump", ("").dump)]]
    h:feed "x"
    for _, line in ipairs(h:printed()) do
      assert.is_truthy(line:find "\ttrue\ttrue$" or line == "dump\tnil", line)
    end
  end)

  local absent = { "io", "os", "debug", "package", "load", "loadfile", "dofile", "loadstring", "collectgarbage",
    "xpcall", "warn", "module", "bit32", "jit", "arg" }
  for _, name in ipairs(absent) do
    it("no " .. name, function()
      assert.equal("nil", value_of("return " .. name))
      assert.equal("nil", value_of("return _G." .. name))
      assert.equal("nil", value_of("return rawget(_G, '" .. name .. "')"))
    end)
  end
end)

-- What must fail, and the words of the error.
local refused = {
  -- name                          body                                                         error
  { "a global",                  "x = 1",                                                     "global 'x' can't be made" },
  { "a global function",         "function helper() end",                                     "global 'helper' can't be made" },
  { "a global with no name",     "_ENV[1] = 1",                                               "global '.' can't be made" },
  { "a new name in _G",          "_G.x = 1",                                                  "shared" },
  { "a name of _G",              "_G.pairs = nil",                                            "shared" },
  { "a library's function",      "string.rep = print",                                        "shared" },
  { "the same by rawset",        "rawset(string, 'rep', print)",                              "shared" },
  { "rawset on _G",              "rawset(_G, 'x', 1)",                                        "shared" },
  { "rawset on _ENV",            "rawset(_ENV, 'x', 1)",                                      "shared" },
  { "table.insert",              "table.insert(math, 1)",                                     "shared" },
  { "table.move",                "table.move({ 1 }, 1, 1, 1, string)",                        "shared" },
  { "a library's metatable",     "setmetatable(string, {})",                                  "protected metatable" },
  { "the metatable of _ENV",     "setmetatable(_ENV, {})",                                    "protected metatable" },
  { "a string's metatable",      "getmetatable('').__index = {}",                             "index a boolean value" },
  { "a finalizer",               "setmetatable({}, { __gc = function() end })",               "__gc is not for parsers" },
  { "an odd finalizer",          "setmetatable({}, { __gc = true })",                         "__gc is not for parsers" },
  { "bytecode by a dump",        "return string.dump(print)",                                 "nil value %(field 'dump'%)" },
  { "a yield out of feed",       "coroutine.yield(1)",                                        "outside a coroutine" },
  { "a path as a module",        "require '../x'",                                            "no name of a module" },
  { "an absolute module",        "require '/etc/passwd'",                                     "no name of a module" },
  { "an empty segment",          "require 'a..b'",                                            "no name of a module" },
  { "no module",                 "require 'nothere'",                                         "module 'nothere' not found" },
}

describe("sandbox, refused:", function()
  for _, case in ipairs(refused) do
    local name, body, err = table.unpack(case)
    it(name, function()
      local sample, why, code = parser(body):feed "x"
      assert.is_nil(sample)
      assert.is_truthy(why:find(err), why)
      assert.equal("lua", code)
    end)
  end

  it("bytecode as a parser", function()
    local dump = string.dump(assert(load "return { api = 1, name = 't', new = function() end }"))
    local h, why, code = core.host.new(dump, "t")
    assert.is_nil(h)
    assert.is_truthy(why:find "attempt to load a binary chunk", why)
    assert.equal("lua", code)
  end)
end)

local views = {
  -- name                              body                                                     value
  { "getmetatable of a string",      "return getmetatable('')",                               "false" },
  { "getmetatable of a library",     "return getmetatable(string)",                           "false" },
  { "getmetatable of _ENV",          "return getmetatable(_ENV)",                             "false" },
  { "next sees nothing to hold",     "return next(string)",                                   "nil" },
  { "pairs hands out the view",      "local _, t = pairs(string) return t == string",         "true" },
  { "a __gc added later is dead",    "local m = {} local t = setmetatable({}, m) m.__gc = error t = nil " ..
                                     "for _ = 1, 1e4 do local x = {} end return 'fine'",      "fine" },
  { "own metatables work",           "return setmetatable({}, { __index = { a = 5 } }).a",    "5" },
  { "own protected metatables too",  "local t = setmetatable({}, { __metatable = 'x' }) return getmetatable(t)", "x" },
  { "rawset on a table of one's own", "local t = rawset({}, 'a', 1) return t.a",              "1" },
  { "pcall keeps errors of any type", "local ok, e = pcall(error, { 7 }) return e[1]",        "7" },
  { "coroutines work",               "return coroutine.wrap(function() return 4 end)()",      "4" },
  { "random is the same each time",  "return math.random(1, 1000000)",                        nil },
  { "headway.core is a view",        "local c = require 'headway.core' return pcall(rawset, c, 'nm', 1)", "false" },
  { "headway.core is one table",     "return require 'headway.core' == require 'headway.core'", "true" },
}

describe("sandbox, views:", function()
  for _, case in ipairs(views) do
    local name, body, value = table.unpack(case, 1, 3)
    it(name, function() assert.equal(value or value_of(body), value_of(body)) end)
  end
end)

describe("sandbox, modules of the user's:", function()
  local dir

  local function write(name, text)
    local f = assert(io.open(dir .. "/" .. name, "w"))
    f:write(text)
    f:close()
  end

  setup(function()
    dir = os.tmpname()
    os.remove(dir)
    os.execute("mkdir -p '" .. dir .. "/my'")
    write("my/tool.lua", "local name = ... return { name = name, twice = function(x) return 2 * x end }")
    write("broken.lua", "return {")
    write("fails.lua", "error 'no luck'")
    write("nothing.lua", "local x = 1")
    write("global.lua", "y = 1 return {}")
    write("ring.lua", "return require 'ring'")
    write("pollutes.lua", "string.rep = nil return {}")
  end)
  teardown(function() os.execute("rm -r '" .. dir .. "'") end)

  local function load_with(head) return core.host.new(head ..
    [[ return { api = 1, name = "t", new = function() return { feed = function()
         return { done = tool and tool.twice(4) or 0, message = tool and tool.name } end } end }]],
    "t", nil, false, dir) end

  it("are found while the parser loads", function()
    assert.same({ done = 8, message = "my.tool" }, load_with("local tool = require 'my.tool'"):feed "x")
  end)

  it("are not asked for later: a parser is a pure function of its records", function()
    assert.is_truthy(value_of("return require 'my.tool'", dir):find "not found")
  end)

  local failing = {
    { "broken", "broken:1: unexpected symbol" },
    { "fails", "fails:1: no luck" },
    { "nothing", "returns nothing" },
    { "global", "global 'y' can't be made" },
    { "ring", "requires itself" },
    { "pollutes", "shared" },
    { "missing", "not found" },
  }
  for _, case in ipairs(failing) do
    it("one that is " .. case[1], function()
      local h, why, code = load_with("local tool = require '" .. case[1] .. "'")
      assert.is_nil(h)
      assert.is_truthy(why:find(case[2]), why)
      assert.equal("lua", code)
    end)
  end
end)
