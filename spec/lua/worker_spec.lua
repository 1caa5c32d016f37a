--- The worker process, seen from main: what it does for honest parsers, and how it is started again.
local core = require "headway_core"
local of_kind = require("spec.support.hostile").of_kind
local system = require "system"

local exe = os.getenv "HEADWAY_BUILD" .. "/headway"

local function parser(feed, head)
  return ([[%s
    return { api = 1, new = function(opts) return { n = 0, feed = function(self, record) %s end,
      finish = function(self, code) return { done = self.n, message = "code " .. tostring(code) } end } end }]])
    :format(head or "", feed)
end
local counting = parser "self.n = self.n + 1 return { done = self.n, message = record }"
local echo = parser "return { done = 1, message = record }"

local function add(events, more)
  for _, event in ipairs(more) do events[#events + 1] = event end
end

local function kinds(events)
  local list = {}
  for i, event in ipairs(events) do list[i] = event.kind end
  return table.concat(list, " ")
end

local function numbers(n, prefix)
  local records = {}
  for i = 1, n do records[i] = (prefix or "") .. i end
  return records
end

describe("worker:", function()
  local w
  before_each(function() w = assert(core.worker.new { exe = exe }) end)
  after_each(function() w:close() end)

  it("is started by the first load, shut in, and gives events in order", function()
    assert.equal(0, w:pid())
    local id = w:load(counting, "counting")
    assert.is_true(w:feed(id, { "a", "b" }, 7))
    assert.is_true(w:finish(id, 3, 8))
    local events = w:run(5000)
    assert.equal("started loaded sample sample fed sample fed", kinds(events))
    assert.equal(os.getenv "HEADWAY_PRESET" == "dev" and "filter" or "strict", events[1].confined)
    assert.same({ api = 1, name = "counting", record_max = 4096 }, events[2].meta)
    assert.same({ kind = "sample", id = id, seq = 7, index = 1, sample = { done = 2, message = "b" } }, events[4])
    assert.same({ kind = "fed", id = id, seq = 7 }, events[5])
    assert.same({ kind = "sample", id = id, seq = 8, index = 0, sample = { done = 2, message = "code 3" } }, events[6])
  end)

  it("holds no right, no file and no way to get one", function()
    w:load(counting, "counting")
    w:run(5000)
    local status = assert(io.open("/proc/" .. w:pid() .. "/status")):read "a"
    assert.is_truthy(status:find "NoNewPrivs:\t1")
    assert.is_truthy(status:find(os.getenv "HEADWAY_PRESET" == "dev" and "Seccomp:\t2" or "Seccomp:\t1"))
    local environ = io.open("/proc/" .. w:pid() .. "/environ") -- readable by root only
    if environ then
      local text = environ:read "a"
      assert.is_nil(text:find "HEADWAY")
      assert.is_nil(text:find "PATH")
    end
    local limits = assert(io.open("/proc/" .. w:pid() .. "/limits")):read "a"
    for _, name in ipairs { "Max open files", "Max processes", "Max core file size", "Max file size" } do
      assert.is_truthy(limits:find(name .. " +0 +0 "), name)
    end
    local fds = {}
    for fd in io.popen("ls /proc/" .. w:pid() .. "/fd 2>/dev/null"):lines() do fds[#fds + 1] = fd end
    if #fds > 0 then assert.same({ "0", "1", "2" }, fds) end
  end)

  it("keeps parsers apart", function()
    local a, b = w:load(counting, "a"), w:load(counting, "b")
    w:feed(a, { "x", "x", "x" })
    w:feed(b, { "x" })
    w:feed(a, { "x" })
    local events = w:run(5000)
    local last = {}
    for _, event in ipairs(of_kind(events, "sample")) do last[event.id] = event.sample.done end
    assert.same({ [a] = 4, [b] = 1 }, last)
  end)

  it("records that say nothing are counted, in their place", function()
    local id = w:load(parser "if record == 'go' then return { done = 1 } elseif record == 'no' then return nil, 'no good' end", "p")
    w:feed(id, { "a", "b", "go", "c", "no", "d" })
    local events = w:run(5000)
    assert.equal("started loaded silent sample silent refused silent fed", kinds(events))
    assert.equal(2, events[3].count)
    assert.equal(1, events[5].count)
    assert.equal("no good", events[6].why)
    assert.equal(4, events[6].index)
  end)

  it("takes batches of any size, empty ones too", function()
    local id = w:load(counting, "counting")
    assert.is_true(w:feed(id, {}, 1))
    assert.is_true(w:feed(id, numbers(30000), 2))
    local events = w:run(20000)
    local samples = of_kind(events, "sample")
    assert.equal(30000, #samples)
    for i, event in ipairs(samples) do
      if event.index ~= i - 1 or event.sample.message ~= tostring(i) then error("sample " .. i .. " is wrong") end
    end
    assert.same({ 1, 2 }, { of_kind(events, "fed")[1].seq, of_kind(events, "fed")[2].seq })
  end)

  it("gives what a slow parser said so far, several times a second", function()
    local id = w:load(parser "for i = 1, 2e6 do local x = i end return { done = 1 }", "slow")
    w:feed(id, numbers(100))
    w:run(5000, "loaded")
    local first = w:run(20000, "sample")
    local rest = w:run(60000)
    assert.is_true(#of_kind(first, "sample") < 70, #of_kind(first, "sample"))
    assert.equal(100, #of_kind(first, "sample") + #of_kind(rest, "sample"))
    assert.equal(1, #of_kind(rest, "fed"))
  end)

  it("answers that fill a frame to the last record make no frame too many", function()
    local id = w:load(parser("return nil, ('x'):rep(tonumber(record))"), "p")
    local sum = 0
    for count = 80, 120 do -- reasons of 300 bytes in a frame of 32 KiB: one of these fills it with its last record
      local records = {}
      for i = 1, count do records[i] = "300" end
      while not w:feed(id, records, count) do w:run(20000, "fed") end
      sum = sum + count
    end
    local events = w:run(20000)
    assert.equal(41, #of_kind(events, "fed"))
    assert.equal(sum, #of_kind(events, "refused"))
    assert.equal(0, #of_kind(events, "trouble"))
  end)

  it("takes records of 64 KiB, and none that is longer", function()
    local id = w:load((parser "return { done = #record }":gsub("api = 1", "api = 1, record_max = 65536")), "p")
    assert.is_true(w:feed(id, { ("x"):rep(65536), "", "\0\n\255" }))
    local done = {}
    for i, event in ipairs(of_kind(w:run(5000), "sample")) do done[i] = event.sample.done end
    assert.same({ 65536, 0, 3 }, done)
    local taken, why, code = w:feed(id, { "fine", ("x"):rep(65537) })
    assert.is_nil(taken)
    assert.equal("record of 65537 bytes, more than 65536", why)
    assert.equal("limit", code)
  end)

  it("a record is cut to what its parser takes, 4096 bytes unless it says more", function()
    local id = w:load(parser "return { done = #record }", "p")
    assert.is_true(w:feed(id, { ("x"):rep(4096), ("x"):rep(4097), ("x"):rep(65536) }))
    local done = {}
    for i, event in ipairs(of_kind(w:run(5000), "sample")) do done[i] = event.sample.done end
    assert.same({ 4096, 4096, 4096 }, done)
  end)

  it("says when it is busy, and has room again", function()
    local id = w:load(parser "return nil", "p")
    local batch, taken = {}, 0
    for i = 1, 100 do batch[i] = ("x"):rep(1000) end
    while w:feed(id, batch, taken + 1) do taken = taken + 1 end
    assert.is_true(taken >= 9 and taken <= 11, taken)
    local events = w:run(10000, "fed")
    assert.is_true(w:feed(id, batch, 99))
    add(events, w:run(10000))
    assert.equal(taken + 1, #of_kind(events, "fed"))
  end)

  it("a parser that can't be loaded takes its batches with it", function()
    local bad, good = w:load("return {", "bad"), w:load(echo, "good")
    w:feed(bad, { "x" })
    w:feed(good, { "y" })
    local events = w:run(5000)
    assert.equal(1, #of_kind(events, "load_failed", bad))
    assert.is_truthy(of_kind(events, "load_failed")[1].why:find "bad.lua:1: unexpected symbol")
    assert.equal(1, #of_kind(events, "fed"))
    assert.equal("y", of_kind(events, "sample", good)[1].sample.message)
    assert.is_nil((w:feed(bad, { "x" })))
  end)

  it("a parser can be unloaded at any time", function()
    local a, b = w:load(echo, "a"), w:load(echo, "b")
    w:unload(a)
    w:feed(b, { "1" })
    assert.equal(1, #of_kind(w:run(5000), "sample", b))
    w:feed(b, numbers(100))
    local c = w:load(echo, "c")
    w:feed(c, { "2" })
    w:unload(b)
    local events = w:run(5000)
    assert.equal(1, #of_kind(events, "sample", c))
    assert.equal(0, #of_kind(events, "sample", b))
  end)

  it("takes 32 parsers", function()
    local first = assert(w:load(echo, "p"))
    for _ = 2, 32 do assert(w:load(echo, "p")) end
    local id, why = w:load(echo, "p")
    assert.is_nil(id)
    assert.equal("more than 32 parsers", why)
    w:feed(first, { "x" })
    assert.equal(32, #of_kind(w:run(20000), "loaded"))
    w:unload(first)
    assert.is_truthy(w:load(echo, "p"))
    assert.equal(1, #of_kind(w:run(5000), "loaded"))
  end)

  it("nm, the default parser, is built in", function()
    local id = assert(w:load_named("nm", true))
    w:feed(id, { "40/100 copying" })
    assert.same({ done = 40, total = 100, unit = "items", message = "copying" }, of_kind(w:run(5000), "sample")[1].sample)
  end)

  it("ends with main", function()
    w:load(echo, "p")
    w:run(5000)
    local pid = w:pid()
    w:close()
    assert.is_nil(io.open("/proc/" .. pid .. "/status"))
    w = assert(core.worker.new { exe = exe })
  end)

  it("can be freed while it works, and before it is up", function()
    local id = w:load(echo, "p")
    w:feed(id, numbers(10000))
    w:close()
    w = assert(core.worker.new { exe = exe })
    id = w:load(echo, "p")
    w:feed(id, numbers(10000))
    w:run(5000, "loaded")
    w:close()
    w = assert(core.worker.new { exe = exe })
  end)
end)

describe("worker, modules of the user's:", function()
  it("are read by main while a parser loads", function()
    local dir = os.tmpname()
    os.remove(dir)
    os.execute("mkdir -p '" .. dir .. "/my'")
    local f = assert(io.open(dir .. "/my/tool.lua", "w"))
    f:write "return { word = ... }"
    f:close()
    f = assert(io.open(dir .. "/own.lua", "w"))
    f:write(parser("return { done = 1, message = tool.word }", "local tool = require 'my.tool'"))
    f:close()
    local w = assert(core.worker.new { exe = exe, user_dir = dir })
    local own = assert(w:load_named "own")
    local missing = w:load("require 'my.missing'", "missing")
    local after = w:load(echo, "after")
    w:feed(own, { "x" })
    w:feed(after, { "y" })
    local events = w:run(5000)
    w:close()
    os.execute("rm -r '" .. dir .. "'")
    assert.equal("my.tool", of_kind(events, "sample", own)[1].sample.message)
    assert.is_truthy(of_kind(events, "load_failed", missing)[1].why:find "module 'my.missing' not found")
    assert.equal("y", of_kind(events, "sample", after)[1].sample.message)
  end)
end)

describe("worker, killed from outside:", function()
  local w
  before_each(function() w = assert(core.worker.new { exe = exe }) end)
  after_each(function() w:close() end)

  it("is started again, nothing is lost and nothing comes twice", function()
    local slow = w:load(parser "for i = 1, 2e6 do local x = i end return { done = 1, message = record }", "slow")
    local other = w:load(echo, "other")
    w:feed(slow, numbers(60), 1)
    w:feed(other, numbers(60), 2)
    local events = w:run(10000, "sample")
    for _ = 1, 3 do
      add(events, w:run(150))
      os.execute("kill -9 " .. w:pid())
      add(events, w:run(10000, "sample"))
    end
    add(events, w:run(60000))
    for _, id in ipairs { slow, other } do
      local samples = of_kind(events, "sample", id)
      assert.equal(60, #samples)
      for i, event in ipairs(samples) do
        assert.equal(i - 1, event.index)
        assert.equal(tostring(i), event.sample.message)
      end
      assert.equal(1, #of_kind(events, "fed", id))
      assert.equal(1, #of_kind(events, "loaded", id))
    end
    assert.equal(3, #of_kind(events, "trouble"))
    assert.equal("parser worker: ended by signal 9", of_kind(events, "trouble")[1].why)
    assert.equal(4, #of_kind(events, "started"))
  end)

  it("while idle: it is up again for the next record", function()
    local id = w:load(counting, "p")
    w:feed(id, { "x" })
    w:run(5000)
    local pid = w:pid()
    os.execute("kill -9 " .. pid)
    assert.equal(1, #of_kind(w:run(5000, "started"), "started"))
    assert.is_true(w:pid() ~= pid)
    w:feed(id, { "y" })
    local events = w:run(5000)
    assert.equal("sample fed", kinds(events))
    assert.equal(1, events[1].sample.done) -- it began anew
  end)

  it("is not moved by the signals of a terminal", function()
    local id = w:load(echo, "p")
    w:run(5000)
    local pid = w:pid()
    os.execute(("kill -INT %d; kill -TERM %d; kill -HUP %d; kill -QUIT %d"):format(pid, pid, pid, pid))
    w:feed(id, { "x" })
    assert.equal("sample fed", kinds(w:run(5000)))
    assert.equal(pid, w:pid())
  end)
end)

-- ---- what is no worker ------------------------------------------------------------------------------

local function frame(kind, ...)
  local body = table.concat { ... }
  return ("<I4I4"):pack(#body, kind) .. body
end
local function u32(n) return ("<I4"):pack(n) end
local function u64(n) return ("<I8"):pack(n) end

local HELLO, LOADED, FAILED, RESULT, MODULE, LOG, UNLOADED = 1, 2, 3, 4, 5, 6, 7
local hello = frame(HELLO, u32(1), u32(2))
local loaded = hello .. frame(LOADED, u32(1), u32(0))
local function result(...) return loaded .. frame(RESULT, u32(1), u64(1), ...) end
local SAMPLE, COUNTED, FRACTION, ALSO, MESSAGE = 0, 1, 4, 8, 256

-- before: the worker says it before it was asked for anything, so no parser can be blamed.
local lies = {
  -- name                              bytes
  { "text",                          "hello, world, this is no worker\n", "before" },
  { "another protocol",              frame(HELLO, u32(2), u32(2)), "before" },
  { "confined in an unknown way",    frame(HELLO, u32(1), u32(9)), "before" },
  { "a short HELLO",                 frame(HELLO, u32(1)), "before" },
  { "a frame of 4 GB",               u32(0xffffffff) .. u32(HELLO), "before" },
  { "an answer before HELLO",        frame(LOADED, u32(1), u32(0)), "before" },
  { "kind 0",                        hello .. frame(0) },
  { "an unknown kind",               hello .. frame(99) },
  { "a kind of ours",                hello .. frame(16, u32(1)) },
  { "HELLO twice",                   hello .. hello },
  { "LOADED for another",            hello .. frame(LOADED, u32(2), u32(0)) },
  { "LOADED without its pairs",      hello .. frame(LOADED, u32(1), u32(1000000)) },
  { "LOADED, a pair too long",       hello .. frame(LOADED, u32(1), u32(1), u32(0x7fffffff)) },
  { "FAILED without a reason",       hello .. frame(FAILED, u32(1)) },
  { "a module that nobody needs",    loaded .. frame(MODULE, u32(1), u32(1), "x") },
  { "a module with NUL",             hello .. frame(MODULE, u32(1), u32(3), "a\0b") },
  { "a module with a long name",     hello .. frame(MODULE, u32(1), u32(64), ("x"):rep(64)) },
  { "modules without end",           hello .. frame(MODULE, u32(1), u32(1), "x"):rep(100) },
  { "UNLOADED, unasked",             loaded .. frame(UNLOADED, u32(1)) },
  { "a log line without text",       loaded .. frame(LOG, u32(1), u32(100)) },
  { "RESULT while it loads",         hello .. frame(RESULT, u32(1), u64(1), u32(2), u32(0)) },
  { "RESULT of another batch",       loaded .. frame(RESULT, u32(1), u64(5), u32(2), u32(0)) },
  { "RESULT of another parser",      loaded .. frame(RESULT, u32(2), u64(1), u32(2), u32(0)) },
  { "RESULT beyond the batch",       result(u32(3), u32(0)) },
  { "RESULT without its items",      result(u32(2), u32(5)) },
  { "an item beyond the batch",      result(u32(2), u32(1), u32(2), u32(SAMPLE), u32(COUNTED), u64(1), u64(2)) },
  { "an item beyond upto",           result(u32(1), u32(1), u32(1), u32(SAMPLE), u32(COUNTED), u64(1), u64(2)) },
  { "an item of an unknown kind",    result(u32(2), u32(1), u32(0), u32(3)) },
  { "a short sample",                result(u32(2), u32(1), u32(0), u32(SAMPLE), u32(COUNTED), u64(1)) },
  { "a negative count",              result(u32(2), u32(1), u32(0), u32(SAMPLE), u32(COUNTED), u64(-5), u64(2)) },
  { "a total of -2",                 result(u32(2), u32(1), u32(0), u32(SAMPLE), u32(COUNTED), u64(5), u64(-2)) },
  { "a fraction of 5",               result(u32(2), u32(1), u32(0), u32(SAMPLE), u32(FRACTION), ("<d"):pack(5)) },
  { "a fraction that is no number",  result(u32(2), u32(1), u32(0), u32(SAMPLE), u32(FRACTION), ("<d"):pack(0 / 0)) },
  { "a thousand counts",             result(u32(2), u32(1), u32(0), u32(SAMPLE), u32(ALSO), u32(1000)) },
  { "a message of 201 bytes",        result(u32(2), u32(1), u32(0), u32(SAMPLE), u32(MESSAGE), u32(201), ("x"):rep(201)) },
  { "an empty sample",               result(u32(2), u32(1), u32(0), u32(SAMPLE), u32(0)) },
}

--- A program that says these bytes and then stays. Returns its path, and the function that removes it.
local function liar(bytes, more)
  local path = os.tmpname()
  local octal = bytes:gsub("[%z\1-\255]", function(c) return ("\\%03o"):format(c:byte()) end)
  local f = assert(io.open(path, "w"))
  f:write("#!/bin/sh\nprintf '", octal, "'\n", more or "exec cat >/dev/null", "\n")
  f:close()
  os.execute("chmod +x " .. path)
  return path
end

describe("worker that lies:", function()
  for _, case in ipairs(lies) do
    local name, bytes, before = table.unpack(case, 1, 3)
    it(name, function()
      local path = liar(bytes)
      local w = assert(core.worker.new { exe = path })
      local id = w:load(echo, "p")
      w:feed(id, { "a", "b" }, 1)
      local events = w:run(before and 800 or 5000)
      w:close()
      os.remove(path)
      assert.equal(0, #of_kind(events, "sample"))
      assert.equal(0, #of_kind(events, "fed"))
      for _, event in ipairs(of_kind(events, "trouble")) do
        assert.equal("parser worker: gave an answer that makes no sense", event.why)
      end
      assert.is_true(#of_kind(events, "trouble") >= 2)
      if before then
        assert.equal(0, #of_kind(events, "load_failed"))
      else -- the second time at the same place the parser is blamed
        local last = of_kind(events, bytes:find(loaded, 1, true) and "set_aside" or "load_failed", id)
        assert.equal(1, #last)
        assert.is_truthy(last[1].why:find "ended the worker twice %(it gave an answer that makes no sense%)$", last[1].why)
      end
    end)
  end

  it("good items in front of a lie are taken once", function()
    local path = liar(result(u32(2), u32(2), u32(0), u32(SAMPLE), u32(COUNTED), u64(1), u64(2), u32(0), u32(SAMPLE), u32(0)))
    local w = assert(core.worker.new { exe = path })
    local id = w:load(echo, "p")
    w:feed(id, { "a", "b" }, 1)
    local events = w:run(5000)
    w:close()
    os.remove(path)
    assert.equal(1, #of_kind(events, "sample"))
    assert.same({ done = 1, total = 2 }, of_kind(events, "sample")[1].sample)
    assert.equal(1, #of_kind(events, "set_aside"))
  end)
end)

describe("worker that does not stay:", function()
  local function run(exe_path, ms)
    local w = assert(core.worker.new { exe = exe_path })
    local id = w:load(echo, "p")
    w:feed(id, { "a" })
    local began = system.monotime()
    local events = w:run(ms)
    local took = system.monotime() - began
    w:close()
    return events, took
  end

  it("no such program: says so, and tries more and more rarely", function()
    local events, took = run("/nonexistent/headway", 1600)
    local trouble = of_kind(events, "trouble")
    assert.is_true(#trouble >= 3 and #trouble <= 5, #trouble)
    assert.equal("parser worker: start the worker '/nonexistent/headway': no such file or directory", trouble[1].why)
    assert.same({ 0, 250, 500 }, { trouble[1].retry_ms, trouble[2].retry_ms, trouble[3].retry_ms })
    assert.is_true(took < 2)
  end)

  local ends = {
    { "ends at once",        "",    "exit 5",          "ended with status 5" },
    { "crashes at once",     "",    "kill -SEGV $$",   "ended by signal 11" },
    { "closes its pipe",     "",    "exec >&-; exec sleep 60", "ended by signal 9" },
  }
  for _, case in ipairs(ends) do
    it(case[1], function()
      local path = liar(case[2], case[3])
      local events = run(path, 600)
      os.remove(path)
      local trouble = of_kind(events, "trouble")
      assert.is_true(#trouble >= 2 and #trouble <= 4, #trouble)
      assert.equal("parser worker: " .. case[4], trouble[1].why)
      assert.equal(0, #of_kind(events, "load_failed"))
    end)
  end

  it("`headway worker`, typed by a person, says what it is", function()
    local pipe = io.popen(exe .. " worker 2>&1; echo $?")
    assert.equal("headway worker is started by headway itself; it is no command for people\n2\n", pipe:read "a")
    pipe:close()
  end)
end)

describe("arena:", function()
  it("blocks keep their bytes, heaps their ceiling, and all is given back", function()
    for seed = 1, 5 do assert.is_true(core.arena_torture(seed, 20000) >= 0) end
  end)
end)
