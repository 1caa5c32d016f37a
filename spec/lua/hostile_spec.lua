--- Parsers that mean harm, in the real worker: each is refused or set aside in time, and the parser beside it goes on.
local core = require "headway_core"
local system = require "system"

local exe = os.getenv "HEADWAY_BUILD" .. "/headway"

local good = [[return { api = 1, name = "good", new = function() return { feed = function(_, record)
  return { done = tonumber(record) } end } end }]]

local function parser(feed, head)
  return ([[%s
    return { api = 1, name = "bad", new = function() return { feed = function(_, record) %s end } end }]])
    :format(head or "", feed)
end

local function of_kind(events, kind, id)
  local found = {}
  for _, event in ipairs(events) do
    if event.kind == kind and (not id or event.id == id) then found[#found + 1] = event end
  end
  return found
end

--- Loads both parsers, feeds "x" to the bad and then "7" to the good one. Returns all events, both ids, the seconds.
local function run(bad)
  local w = assert(core.worker.new { exe = exe })
  local good_id = assert(w:load(good, "good"))
  local events = w:run(10000)
  local began = system.monotime()
  local bad_id = assert(w:load(bad, "bad"))
  assert(w:feed(bad_id, { "x" }))
  assert(w:feed(good_id, { "7" }))
  for _, event in ipairs(w:run(30000)) do events[#events + 1] = event end
  local took = system.monotime() - began
  w:close()
  return events, bad_id, good_id, took
end

local SLOW = "a record took longer than 2 s"
local LIMIT = "instruction limit: more than 20 million"
local MEMORY = "out of memory: more than 8 MiB"

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

--- The event that tells what became of the bad parser: the only one of its kind.
local function verdict(events, kind, bad)
  local found = of_kind(events, kind == "either" and "refused" or kind, bad)
  if kind == "either" and #found == 0 then
    found = of_kind(events, "set_aside", bad)
    assert.equal(SLOW, found[1] and found[1].why)
    return found[1], SLOW
  end
  assert.equal(1, #found)
  return found[1]
end

describe("hostile parsers:", function()
  for _, case in ipairs(cases) do
    local name, kind, words, feed, head = table.unpack(case, 1, 5)
    it(name, function()
      local events, bad, good_id, took = run(parser(feed, head))
      local event, other = verdict(events, kind, bad)
      assert.is_truthy(event.why:find(other or words, 1, true), event.why)
      assert.is_true(took < 12, "took " .. took .. " s") -- 2 s and a new start, on a machine that does much else
      local samples = of_kind(events, "sample")
      assert.equal(1, #samples)
      assert.same({ done = 7 }, samples[1].sample)
      assert.equal(good_id, samples[1].id)
      assert.equal(0, #of_kind(events, "trouble"))
    end)
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
