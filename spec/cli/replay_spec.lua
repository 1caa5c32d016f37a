local cjson = require "cjson"
local cli = require "spec.support.cli"
local process = require "spec.support.process"
local recording = require "spec.support.recording"
local shell = require "spec.support.cluster_shell"

local HEADER = '{"version": 2, "width": 80, "height": 24, "timestamp": 1700000000, "command": "t"}\n'

-- Parsers of this spec, by name.
local parsers = {
  -- Says something of every record: how many there were.
  count = [[
local M = { api = 1, name = "count", unit = "records" }
M.__index = M
function M.new() return setmetatable({ n = 0 }, M) end
function M:feed() self.n = self.n + 1; return { done = self.n, unit = "records" } end
return M]],
  -- How long the record is.
  len = [[
local M = { api = 1, name = "len", record_max = 100 }
M.__index = M
function M.new() return setmetatable({}, M) end
function M:feed(r) return { done = #r } end
return M]],
  -- "N of M" counts, "bad" is refused, "oops" raises, "hang" never ends; its last word is the exit status.
  tool = [[
local M = { api = 1, name = "tool", unit = "files", newest = true, record_max = 100, options = { unit = { type = "string", help = "x" } } }
M.__index = M
function M.new(o) return setmetatable({ unit = o.unit or "files" }, M) end
function M:feed(r)
  if r == "bad" then return nil, "a bad record" end
  if r == "oops" then error "oops" end
  if r == "hang" then return ("a"):rep(220):find(("a-"):rep(4) .. "b") end
  local n, m = r:match "^(%d+) of (%d+)"
  if not n then return nil end
  return { done = math.tointeger(tonumber(n)), total = math.tointeger(tonumber(m)), unit = self.unit }
end
function M:finish(code) return { done = 10, total = 10, unit = self.unit, message = "code " .. tostring(code) } end
return M]],
}

local dir, done
setup(function()
  dir, done = cli.temp_dir()
  for name, text in pairs(parsers) do shell.write(("%s/%s.lua"):format(dir, name), text) end
end)
teardown(function() done() end)

local function file(name, bytes)
  shell.write(dir .. "/" .. name, bytes)
  return dir .. "/" .. name
end

--- headway replay --parser-dir DIR ARGS, with the input as a file of that name.
local function replay(args, options)
  local argv = { "replay", "--parser-dir", dir }
  for _, arg in ipairs(args) do argv[#argv + 1] = arg end
  return cli.run(argv, options)
end

local function objects(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = cjson.decode(line) end
  return list
end

--- A recording of events { seconds, bytes }.
local function cast(events)
  local lines = { HEADER }
  for _, e in ipairs(events) do lines[#lines + 1] = cjson.encode { e[1], "o", e[2] } .. "\n" end
  return table.concat(lines)
end

describe("headway replay -o json", function()
  it("a line for each sample, a last one with the counts", function()
    local run = replay({ "-o", "json", "--parser", "tool", file("j.cast", cast {
      { 0.5, "1 of 10\n" }, { 1.25, "noise\nbad\n" }, { 2, "3 of 10\n2 of 10\n" },
    }) })
    assert.equal("", run.stderr)
    assert.equal(0, run.status)
    local list = objects(run.stdout)
    assert.equal(6, #list)
    assert.same({ t = 0.5, offset = 8, progress = "1/10", done = 1, total = 10, unit = "files", fraction = 0.1,
      state = "running", parser = "tool", started = "2023-11-14T22:13:20Z", updated = "2023-11-14T22:13:20Z" }, list[1])
    assert.same({ t = 1.25, offset = 18, refused = "a bad record" }, list[2])
    assert.same({ 2, 26, 3, nil }, { list[3].t, list[3].offset, list[3].done, list[3].held_back })
    assert.same({ 2, 34, 3, true }, { list[4].t, list[4].offset, list[4].done, list[4].held_back })
    assert.same({ 2, 34, "10/10", "code nil" }, { list[5].t, list[5].offset, list[5].progress, list[5].message })
    local last = list[6]
    assert.same({ true, 5, 4, 1, 0, 1 },
      { last.final, last.records, last.samples, last.refusals, last.cut, last.held })
    assert.same({ 2, 34, "10/10", "running", "all counted, task still working" },
      { last.t, last.offset, last.progress, last.state, last.reason })
  end)

  it("an unknown total is null, a log has no time", function()
    local run = replay { "-o", "json", "--parser", "count", file("a.log", "x\ny") }
    assert.truthy(run.stdout:find('^{"t":null,"offset":2,"progress":"0/100","done":1,"total":null,"unit":"records",'), run.stdout)
    assert.truthy(run.stdout:find('\n{"t":null,"offset":3,[^\n]*"final":true,"records":2,"samples":2,"refusals":0,"cut":0,"held":0}\n$'))
  end)

  it("without a date in the recording none is told", function()
    local run = replay { "-o", "json", file("n.cast", '{"version":2,"width":1,"height":1}\n[1,"o","1/2\\n"]\n') }
    assert.falsy(run.stdout:find "started")
    assert.truthy(run.stdout:find '"t":1.0,')
  end)

  it("--samples newest: one of each moment, the same end", function()
    local path = file("b.cast", cast { { 1, "1 of 9\n2 of 9\n" }, { 1, "3 of 9\n" }, { 2, "4 of 9\n" } })
    local all = objects(replay({ "-o", "json", "--parser", "tool", path }).stdout)
    local newest = objects(replay({ "-o", "json", "--parser", "tool", "--samples", "newest", path }).stdout)
    assert.same({ 6, 4 }, { #all, #newest })
    assert.same({ 3, 4, 10 }, { newest[1].done, newest[2].done, newest[3].done })
    assert.same(all[6], newest[4])
  end)
end)

describe("a recording is cut into records as live output is", function()
  for _, name in ipairs(recording.names()) do
    it(name, function()
      local expected = recording.records(name)
      local run = replay { "-o", "json", "--parser", "count", recording.dir .. name .. ".cast" }
      assert.same({ 0, "" }, { run.status, run.stderr })
      local list = objects(run.stdout)
      assert.equal(#expected + 1, #list)
      for i, record in ipairs(expected) do
        assert.equal(record.offset, list[i].offset)
        assert.is_true(math.abs(record.at - list[i].t) < 0.002, i .. " at " .. list[i].t)
      end
      -- The bytes alone: no pauses.
      list = objects(replay({ "-o", "json", "--parser", "count", recording.dir .. name .. ".log" }).stdout)
      expected = recording.records(name, false)
      assert.equal(#expected + 1, #list)
      for i, record in ipairs(expected) do assert.equal(record.offset, list[i].offset) end
    end)
  end
end)

describe("the same output, always", function()
  it("fast, slow, from a file, from a pipe in pieces", function()
    local events = {}
    for i = 1, 1500 do events[i] = { i / 1000, ("%d of 1500\n%s"):format(i, i % 7 == 0 and "bad\n" or "") } end
    local bytes = cast(events)
    local path = file("c.cast", bytes)
    local args = { "-o", "json", "--parser", "tool" }
    local function with(...)
      local more = { table.unpack(args) }
      for _, arg in ipairs { ... } do more[#more + 1] = arg end
      return more
    end
    local first = replay(with(path))
    assert.equal(0, first.status)
    assert.equal(1500 + 214 + 2, #objects(first.stdout))
    assert.equal(first.stdout, replay(with("--speed", "20", path)).stdout)
    assert.equal(first.stdout, replay(with("-"), { stdin = bytes }).stdout)
    local pieces = process.start { "sh", "-c", ("dd if=%s bs=777 status=none | %s replay --parser-dir %s -o json --parser tool -")
      :format(path, process.headway, dir) }
    finally(function() pieces:close() end)
    assert.equal(0, pieces:wait())
    assert.equal(first.stdout, pieces:out())
  end)

  it("although a parser is set aside on the way", function()
    local events = {}
    for i = 1, 30 do events[i] = { i, ("%d of 50\n"):format(i) } end
    events[31] = { 31, "hang\n31 of 50\n" }
    local path = file("h.cast", cast(events))
    local run = replay { "-o", "json", "--parser", "tool", path }
    assert.equal(1, run.status)
    assert.truthy(run.stderr:find "^headway replay: between byte %d+ and %d+ of the output: parser tool: .*longer than 2 s")
    local list = objects(run.stdout)
    assert.truthy(list[#list].final)
    assert.truthy(list[#list].reason:find "longer than 2 s")
    assert.equal(run.stdout, replay({ "-o", "json", "--parser", "tool", path }).stdout)
  end)
end)

describe("times", function()
  it("stalled when nothing came for stall.after, on the recording's clock", function()
    local path = file("s.cast", cast { { 1, "1 of 9\n" }, { 1000, "2 of 9\n" } })
    assert.truthy(replay({ "--parser", "tool", path }).stdout:find("\n 181.000s  1/9        stalled: no change, 11%, 1/9 files\n", 1, true))
    local run = replay { "--parser", "tool", "--stall-after", "10s", path }
    assert.truthy(run.stdout:find("\n  11.000s  1/9        stalled: no change, 11%", 1, true), run.stdout)
  end)

  it("a pause ends a record", function()
    local path = file("p.cast", cast { { 1, "5 of 9 (x)" }, { 2, "6 of 9 (x)" }, { 2.1, "\r7 of 9 (x)" } })
    local list = objects(replay({ "-o", "json", "--parser", "tool", path }).stdout)
    assert.same({ 1.15, 10, 5 }, { list[1].t, list[1].offset, list[1].done })
    assert.same({ 2.1, 21, 6 }, { list[2].t, list[2].offset, list[2].done })
  end)

  it("--speed 4: not before its time", function()
    local from = os.time()
    local run = replay { "--parser", "tool", "--speed", "4", file("t.cast", cast { { 0, "1 of 9\n" }, { 9, "2 of 9\n" } }) }
    assert.equal(0, run.status)
    assert.is_true(os.time() - from >= 2)
  end)

  it("--speed: what came is shown while the rest is awaited", function()
    local path = file("u.cast", cast { { 0, "1 of 9\n" }, { 3600, "2 of 9\n" } })
    local p = process.start { process.headway, "replay", "--parser-dir", dir, "--parser", "tool", "--speed", "1", path }
    finally(function() p:close() end)
    assert.truthy(p:expect("out", "0.000s  1/9"))
    p:kill "TERM"
    assert.equal(128 + 15, p:wait())
  end)

  it("from a pipe that pauses: what came is shown", function()
    local p = process.start { "sh", "-c", ("{ printf '1/9\\n'; cat %s/never; } | exec %s replay -"):format(dir, process.headway) }
    shell.run("mkfifo " .. dir .. "/never")
    finally(function()
      shell.run(("timeout 5 sh -c ': > %s/never'"):format(dir))
      p:close()
    end)
    assert.truthy(p:expect("out", "@4  1/9"))
  end)
end)

describe("--raw", function()
  for _, name in ipairs { "rsync/vanished-exit24-pipe", "tqdm/nested-pty", "juicefs/warmup-small-files-pty" } do
    it(name .. ": the bytes as they were", function()
      local run = replay { "--raw", "--speed", "max", recording.dir .. name .. ".cast" }
      assert.equal(0, run.status)
      assert.equal(recording.bytes(name), run.stdout)
      assert.equal(recording.bytes(name), replay({ "--raw", recording.dir .. name .. ".log" }).stdout)
    end)
  end

  it("in their time", function()
    local from = os.time()
    local run = replay { "--raw", file("r.cast", cast { { 0, "a" }, { 2.1, "b" } }) }
    assert.equal("ab", run.stdout)
    assert.is_true(os.time() - from >= 2)
  end)

  it("half a surrogate pair is U+FFFD, a whole one what it is", function()
    local text = '[0,"o","a\\ud800b\\udc00\\\\ud800 \\ud83d\\ude00\\uD800"]\n'
    assert.equal("a\xEF\xBF\xBDb\xEF\xBF\xBD\\ud800 \xF0\x9F\x98\x80\xEF\xBF\xBD", replay({ "--raw", file("sp.cast", HEADER .. text) }).stdout)
  end)

  it("NUL and all", function()
    assert.equal("a\0b\27[1m", replay({ "--raw", file("z.cast", HEADER .. '[0,"o","a\\u0000b\\u001b[1m"]\n') }).stdout)
  end)
end)

describe("--exit", function()
  local path
  setup(function() path = file("e.cast", cast { { 1, "3 of 10\n" } }) end)
  local cases = {
    -- name, parser, code, state, progress, reason
    { "unknown: a log is no proof", "tool", nil, "running", "10/10", "all counted, task still working" },
    { "0: all is done", "count", "0", "complete", "100/100" },
    { "3", "tool", "3", "failed", "10/10", "exit status 3" },
    { "a signal", "tool", "143", "failed", "10/10", "ended by signal 15 (Terminated)" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local args = { "-o", "json", "--parser", case[2], path }
      if case[3] then args[#args + 1] = "--exit=" .. case[3] end
      local list = objects(replay(args).stdout)
      local last = list[#list]
      if case[2] == "tool" then assert.equal("code " .. (case[3] or "nil"), last.message) end
      if case[2] == "count" then assert.equal("1/1", last.progress) else assert.equal(case[5], last.progress) end
      assert.same({ case[4], case[6] }, { last.state, last.reason })
    end)
  end

  it("a killed command's last line may be torn", function()
    local torn = file("k.log", "1/100\n50/10")
    assert.truthy(replay({ torn }).stdout:find("end  50/10", 1, true) == nil)
    assert.truthy(replay({ torn, "--exit", "137" }).stdout:find("end  1/100", 1, true))
    assert.truthy(replay({ file("k2.log", "1/100\n50/100"), "--exit", "1" }).stdout:find("end  50/100", 1, true))
  end)
end)

describe("whose word a count is", function()
  local function own(name, fields)
    shell.write(("%s/%s.lua"):format(dir, name), ([[
local M = { api = 1, name = "%s", unit = "files" %s }
M.__index = M
function M.new() return setmetatable({}, M) end
function M:feed(r)
  local n = math.tointeger(tonumber(r))
  return n and { done = n, total = 9, unit = "files" } or nil
end
return M]]):format(name, fields))
    local list = objects(replay({ "-o", "json", "--parser", name, file("word.log", "5\n3\n") }).stdout)
    return list[#list].progress, list[#list].restarts, list[#list].held
  end
  it("the task's, where its parser says so: less is a restart", function()
    assert.same({ "3/9", 1, 0 }, { own("honest", ", word = true") })
  end)
  it("else the tool's: less is held back", function()
    assert.same({ "5/9", nil, 1 }, { own("plain", "") })
  end)
  it("whatever the parser is called", function()
    assert.same({ "5/9", nil, 1 }, { own("nm", "") })
    os.remove(dir .. "/nm.lua")
  end)
end)

describe("--expect", function()
  it("what came", function()
    assert.equal(0, replay({ "--expect", "2/4", file("x.log", "1/4\n2/4\n") }).status)
  end)
  it("something else: exit 1 and a line", function()
    local run = replay { "--expect", "100/100", file("x.log", "1/4\n2/4\n") }
    assert.equal(1, run.status)
    assert.equal("headway replay: expected 100/100, the progress at the end is 2/4 (running)\n", run.stderr)
    assert.truthy(run.stdout:find("end  2/4", 1, true))
  end)
  it("with how it ended", function()
    local run = replay { "--expect", "4/4", "--exit", "3", file("x.log", "1/4\n2/4\n") }
    assert.equal("headway replay: expected 4/4, the progress at the end is 2/4 (failed: exit status 3)\n", run.stderr)
  end)
end)

describe("settings", function()
  it("unit, total, options", function()
    local path = file("o.log", "x\ny\n")
    assert.truthy(replay({ "--parser", "count", "--total", "8", path }).stdout:find("end  2/8", 1, true))
    path = file("o2.log", "3 of 9\n")
    assert.truthy(replay({ "--parser", "tool", "--parser-options", "unit=cats", path }).stdout:find("9/10 cats", 1, true) == nil)
    assert.truthy(replay({ "--parser", "tool", "--parser-options", "unit=cats", path }).stdout:find("3/9 cats", 1, true))
  end)
  it("a total or a unit that does not fit is said", function()
    local path = file("o5.log", "x\ny\nz\n")
    local function reason(...)
      local list = objects(replay({ "-o", "json", "--parser", "count", ..., path }).stdout)
      return list[#list].reason, list[#list].state, list[#list].progress
    end
    assert.same({ "--total 2 is below the count 3 (records)", "scanning", "1/2" }, { reason("--total=2") })
    assert.same({ "--total is in bytes: the count is in records", "scanning", "0/100" }, { reason("--total=8KiB") })
    assert.same({ "--unit cats: the progress is in records", "scanning", "0/100" }, { reason("--unit=cats") })
    assert.same({ nil, "running", "3/4" }, { reason("--total=4") })
  end)
  it("a .lua file", function()
    assert.truthy(cli.run({ "replay", "--parser", dir .. "/tool.lua", file("o3.log", "3 of 9\n") }).stdout:find("3/9 files", 1, true))
  end)
end)

describe("a parser that errs", function()
  it("is refused, with its reason", function()
    local run = replay { "--parser", "tool", file("f.log", "1 of 9\noops\n2 of 9\n") }
    assert.equal(0, run.status)
    assert.truthy(run.stdout:find("@12  refused: .*tool.lua:6: oops\n"), run.stdout)
    assert.truthy(run.stdout:find("3 records, 3 samples, 1 refused\n", 1, true))
  end)
  it("is told once for each cause, with where it was", function()
    local run = replay { "--parser", "tool", "-o", "json", file("f2.log", "1 of 9\noops\noops\n2 of 9\n") }
    local list = objects(run.stdout)
    assert.matches("^parser tool: %S+tool.lua:6: oops$", list[2].refused)
    assert.equal(2, list[#list].refusals)
    local _, lines = run.stderr:gsub("\n", "")
    assert.equal(1, lines, run.stderr)
    assert.matches("warn replay: parser tool: %S+tool.lua:6: oops; traceback: %[C%]: in %a+ 'error' <%- %S+tool.lua:6: in function ",
      run.stderr)
  end)
  it("too often: exit 1, with what is known", function()
    local run = replay { "--parser", "tool", file("g.log", "1 of 9\n" .. ("oops\n"):rep(40)) }
    assert.equal(1, run.status)
    assert.truthy(run.stderr:find "16 errors in a row")
    assert.truthy(run.stdout:find "end  1/9")
  end)
  it("can't be loaded", function()
    local run = replay { "--parser", file("broken.lua", "return {{"), file("x.log", "1/2\n") }
    assert.same({ 1, "" }, { run.status, run.stdout })
    assert.truthy(run.stderr:find "^headway replay: parser broken: .*broken.lua:1")
  end)
  it("is not there", function()
    local run = replay { "--parser", "toool", file("x.log", "1/2\n") }
    assert.same({ 2, "" }, { run.status, run.stdout })
    assert.truthy(run.stderr:find "'tool'")
  end)
  it("records are cut to its record_max", function()
    local run = replay { "--parser", "len", "-o", "json", file("l.log", ("x"):rep(100) .. "\n" .. ("y"):rep(101) .. "\n" .. ("z"):rep(70000) .. "\n") }
    local list = objects(run.stdout)
    assert.same({ 100, 100, 100, 2 }, { list[1].done, list[2].done, list[3].done, list[4].cut })
  end)
end)

describe("an input that is odd", function()
  local ok = '[1,"o","1/4\\n"]\n'
  local cases = {
    -- name, file's name, content, status, stdout has, stderr has
    { "empty log", "0.log", "", 0, "end  0/100      waiting\n0 records", "^$" },
    { "empty .cast", "0.cast", "", 3, "^$", "line 1: no header" },
    { "a .cast that is none", "1.cast", "1/2\n", 3, "^$", "1.cast': line 1: no header of an asciicast v2 recording" },
    { "a log of JSON", "j.log", '{"a": 1}\n3/4\n', 0, "@13  3/4", "^$" },
    { "a log that begins like a header", "j2.log", '{"version": 2, "level": "info"}\n3/4\n', 0, "3/4", "^$" },
    { "a long first line", "j3.log", "{" .. (" "):rep(70000) .. "\n3/4\n", 0, "@70006  3/4", "^$" },
    { "a recording of another name", "r.txt", HEADER .. ok, 0, "1.000s  1/4", "^$" },
    { "a BOM", "b.cast", "\xEF\xBB\xBF" .. HEADER .. ok, 0, "1.000s  1/4", "^$" },
    { "CRLF", "crlf.cast", (HEADER .. ok):gsub("\n", "\r\n"), 0, "1.000s  1/4", "^$" },
    { "blank lines", "bl.cast", HEADER .. "\n \n" .. ok .. "\n", 0, "1.000s  1/4", "^$" },
    { "header alone", "ha.cast", HEADER, 0, "end  0/100", "^$" },
    { "header without end", "hb.cast", (HEADER:gsub("\n", "")), 0, "end  0/100", "^$" },
    { "version 1", "v1.cast", '{"version": 1, "width": 80, "height": 24, "stdout": []}\n', 3, "^$", "asciicast version 1, only version 2" },
    { "version 3", "v3.cast", '{"version": 3, "term": {"cols": 80}}\n', 3, "^$", "asciicast version 3, only version 2" },
    { "other events", "oe.cast", HEADER .. '[0,"i","x"]\n[0.5,"m",""]\n[0.6,"r","80x24"]\n[0.7,"q",null]\n' .. ok, 0, "1.000s  1/4", "^$" },
    { "more in an event", "me.cast", HEADER .. '[1,"o","1/4\\n",7]\n', 0, "1.000s  1/4", "^$" },
    { "no JSON", "nj.cast", HEADER .. ok .. "nonsense\n" .. ok, 3, "1/4", "line 3: .* near 'nonsense'" },
    { "no event", "ne.cast", HEADER .. '{"a":1}\n', 3, "^$", "line 2: no event, expected" },
    { "no time", "nt.cast", HEADER .. '["1","o","x"]\n', 3, "^$", "line 2: no time, expected" },
    { "no text", "nx.cast", HEADER .. '[1,"o",7]\n', 3, "^$", "line 2: no text, expected" },
    { "an empty event", "ee.cast", HEADER .. "[]\n", 3, "^$", "line 2: no time, expected" },
    { "time goes back", "tb.cast", HEADER .. '[5,"o","1/4\\n"]\n[3,"o","2/4\\n"]\n[6,"o","3/4\\n"]\n', 0,
      "5.000s  1/4 .*5.000s  2/4 .*6.000s  3/4", "times go back 1 times, first in line 3" },
    { "time below 0", "tn.cast", HEADER .. '[-1,"o","1/4\\n"]\n', 3, "^$", "line 2: time %-1 is out of range" },
    { "a huge time", "th.cast", HEADER .. '[1e300,"o","1/4\\n"]\n', 3, "^$", "line 2: time 1e%+300 is out of range" },
    { "no number at all", "ti.cast", HEADER .. '[1e999,"o","1/4\\n"]\n', 3, "^$", "line 2: real number overflow" },
    { "broken UTF-8", "u8.cast", HEADER .. ok .. '[2,"o","\xff"]\n', 3, "1/4", "line 3: unable to decode byte 0xff" },
    { "no width", "hw.cast", '{"version": 2, "height": 24}\n', 3, "^$", "line 1: header of an asciicast v2 recording: width is missing" },
    { "a height that is none", "hh.cast", '{"version": 2, "width": 80, "height": "24"}\n', 3, "^$", "recording: height is no number" },
    { "no version", "hv.cast", '{"width": 80, "height": 24}\n', 3, "^$", "recording: version is missing" },
    { "a header that is a list", "hl.cast", "[2]\n", 3, "^$", "asciicast v2 recording: not an object" },
    { "half a surrogate pair", "ls.cast", HEADER .. '[2,"o","a\\ud800b\\udc00\\\\\\ud83d\\ude00\\uD800\\n3/4\\n"]\n', 0, "2.000s  3/4", "^$" },
    { "half a pair in the header", "lh.cast", HEADER:gsub('"t"', '"t\\udcff"') .. ok, 0, "1.000s  1/4", "^$" },
    { "half a pair, and no JSON", "lj.cast", HEADER .. '[2,"o","\\ud800"\n', 3, "^$", "line 2: '%]' expected" },
    { "a broken escape", "be.cast", HEADER .. '[2,"o","\\x"]\n', 3, "^$", "line 2: invalid escape" },
    { "a torn last line", "tl.cast", HEADER .. ok .. '[2,"o","2/4\\', 0, "end  1/4", "the recording breaks off" },
    { "a last line without end", "ll.cast", HEADER .. '[2,"o","2/4\\n"]', 0, "end  2/4", "^$" },
    { "a last line of something else", "le.cast", HEADER .. ok .. "gone", 3, "1/4", "line 3: .* near 'gone'" },
    { "a torn character", "tc.cast", HEADER .. ok .. '[2,"o","\xe2\x82', 0, "end  1/4", "the recording breaks off" },
    { "a line of 5 MiB", "l5.cast", HEADER .. '[1,"o","' .. ("x"):rep(5 * 2 ^ 20 | 0) .. '"]\n', 3, "^$", "line 2: longer than 4 MiB" },
    { "a line of 3 MiB", "l3.cast", HEADER .. '[1,"o","' .. ("x"):rep(3 * 2 ^ 20 | 0) .. '\\n2/4\\n"]\n', 0, "1.000s  2/4", "^$" },
    { "deep nesting", "dn.cast", HEADER .. ("["):rep(100000) .. "\n", 3, "^$", "line 2: maximum parsing depth" },
    { "ESC in the log", "es.log", "\27[31m1/4\27[0m\n", 0, "1/4 ", "^$" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local run = replay { file(case[2], case[3]) }
      assert.truthy(run.stdout:find(case[5]), run.stdout)
      assert.truthy(run.stderr:find(case[6]), run.stderr)
      assert.equal(case[4], run.status)
    end)
  end

  it("a directory, no file, no rights to the terminal's escape codes", function()
    assert.equal(3, replay({ dir }).status)
    local run = replay { dir .. "/none\27[1m" }
    assert.equal(3, run.status)
    assert.falsy(run.stderr:find "\27")
  end)

  it("a line of 1 GiB from a pipe: memory stays", function()
    local fifo = dir .. "/gib"
    shell.run("mkfifo " .. fifo)
    local from = process.start { "sh", "-c", "{ head -c 1G /dev/zero | tr '\\0' 7; printf '\\n3/4\\n'; } > " .. fifo }
    local p = process.start { process.headway, "replay", fifo }
    finally(function() from:close() p:close() end)
    local most = 0
    assert.truthy(shell.wait_until(function()
      local status = shell.read(("/proc/%d/status"):format(p.pid)) or ""
      most = math.max(most, math.tointeger(tonumber(status:match "VmHWM:%s*(%d+)")) or 0)
      return shell.read(p.dir .. "/status")
    end, 180))
    assert.equal(0, p:wait())
    assert.truthy(p:out():find "@1073741829  3/4")
    assert.is_true(most > 1000 and most < 300 * 1024, most .. " KiB")
  end)
end)

describe("a FIFO", function()
  it("that nobody writes to yet is waited for, which is said", function()
    local path = dir .. "/fifo"
    shell.run("mkfifo " .. path)
    local p = process.start { process.headway, "replay", path }
    finally(function() p:close() os.remove(path) end)
    assert.truthy(p:expect("err", "fifo' is a FIFO: waiting for somebody who writes to it"))
    shell.run(("printf '3/4\\n' > %s"):format(path))
    assert.equal(0, p:wait())
    assert.truthy(p:out():find("end  3/4", 1, true))
  end)
  it("that is waited for can be left", function()
    local path = dir .. "/fifo2"
    shell.run("mkfifo " .. path)
    local p = process.start { process.headway, "replay", path }
    finally(function() p:close() os.remove(path) end)
    assert.truthy(p:expect("err", "waiting for somebody"))
    p:kill "TERM"
    assert.equal(128 + 15, p:wait())
  end)
end)

describe("standard output", function()
  it("that can't be written", function()
    local run = replay({ file("w.log", ("1/4\n2/4\n"):rep(10000)) }, { out = "/dev/full" })
    assert.equal(3, run.status)
    assert.truthy(run.stderr:find "^headway: write standard output")
  end)
  it("whose reader is gone: an endless input is left", function()
    local p = process.start { "sh", "-c", ("yes 1/2 | %s replay -o json - | head -n 1"):format(process.headway) }
    finally(function() p:close() end)
    assert.equal(0, p:wait())
    assert.truthy(p:out():find '"progress":"1/2"')
  end)
  it("a terminal gets columns", function()
    local path = file("tty.cast", cast { { 1, "1 of 9\n" }, { 2, "bad\n4 of 9\n" } })
    local p = process.start({ process.headway, "replay", "--parser-dir", dir, "--parser", "tool", path },
      { TERM = "xterm", NO_COLOR = "1" }, true)
    finally(function() p:close() end)
    assert.equal(0, p:wait())
    assert.truthy(p:out():find "^ +TIME +N/M +UNIT +RATE +LEFT +STATE +MESSAGE\r\n")
    assert.truthy(p:out():find "\n +1%.000s +1/9 +11%% +files +%- +%- +running")
    assert.truthy(p:out():find "\n +2%.000s +refused: +a bad record\r\n")
  end)
end)

describe("wrong use", function()
  local cases = {
    { "no file", {}, "expected FILE" },
    { "two files", { "a", "b" }, "unexpected argument 'b'" },
    { "--speed 0", { "--speed", "0", "a" }, "%-%-speed '0': expected" },
    { "--speed fast", { "--speed", "fast", "a" }, "%-%-speed 'fast': expected" },
    { "--speed nan", { "--speed", "nan", "a" }, "%-%-speed 'nan': expected" },
    { "--exit 256", { "--exit", "256", "a" }, "%-%-exit '256': expected" },
    { "--exit x", { "--exit", "x", "a" }, "%-%-exit 'x': expected" },
    { "--expect 9/4", { "--expect", "9/4", "a" }, "%-%-expect: N is over M" },
    { "--expect half", { "--expect", "half", "a" }, "%-%-expect: not N/M" },
    { "--expect with a message", { "--expect", "1/2 x", "a" }, "only N/M" },
    { "--samples some", { "--samples", "some", "a" }, "%-%-samples 'some': expected" },
    { "--raw --expect", { "--raw", "--expect", "1/2", "a" }, "%-%-raw plays" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local run = replay(case[2])
      assert.truthy(run.stderr:find(case[3]), run.stderr)
      assert.same({ 2, "" }, { run.status, run.stdout })
    end)
  end
end)
