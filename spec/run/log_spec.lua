--- `headway run` over a log, from outside. How the log is followed through rotations is in spec/source/tail_spec.lua.
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local sidecar = require "spec.support.sidecar"

describe("headway run over a log", function()
  local dir, log, file, s

  before_each(function()
    dir = process.temp_dir()
    log, file = dir .. "/log", dir .. "/progress"
  end)
  after_each(function()
    if s then s:close() end
    s = nil
    process.remove(dir)
  end)

  local function start(env, ...)
    env = env or {}
    env.HEADWAY_LOG_FILE = env.HEADWAY_LOG_FILE or log
    s = sidecar.start(env, ...)
    return s
  end

  local function append(text)
    local f = assert(io.open(log, "a"))
    f:write(text)
    f:close()
  end

  local function count_lines() return sidecar.parser(dir, "lines", [[
    if not record:find "^copied" then return nil end
    self.n = (self.n or 0) + 1
    return { done = self.n, total = 100000 }]])
  end

  it("publishes first what the log says now, nothing older", function()
    append "1/9\n2/9\n3/9\n"
    start()
    s:await "3/9"
    assert.equal("3/9", s:lines()[1].progress)
    append "4/9\nsomething else\n"
    s:await "4/9"
    assert.equal("4/9", s:stop().progress)
  end)

  it("says nothing twice: the last value is printed at the end where it is another", function()
    append "3/9\n"
    start()
    s:await "3/9"
    assert.equal("3/9", s:stop().progress)
    assert.equal(1, #s:lines())
  end)

  it("says that there is none yet, and takes it when it comes", function()
    start { HEADWAY_POLL = "200ms" }
    s:await_reason "^no log file yet$"
    append "3/9\n"
    assert.is_nil(s:await("3/9").reason)
  end)

  it("the progress file wins once it held a valid N/M, and not before", function()
    start { HEADWAY_POLL = "200ms", FLUID_PROGRESS_FILE = file }
    s:await_reason "^no log file yet$"
    append "1/9\n"
    s:await "1/9"
    process.replace(file, "nonsense\n")
    s.p:expect("err", "refused")
    append "2/9\n"
    s:await "2/9"
    process.replace(file, "5/7\n")
    s:await "5/7"
    append "8/9\n"
    assert.equal("5/7", s:stop().progress)
  end)

  it("with both and neither saying anything, both are named", function()
    append "\n"
    start { FLUID_PROGRESS_FILE = file }
    s:await_reason "^no progress in file or log yet$"
  end)

  it("the parser that is named reads the log; N/M is still the file's", function()
    append "copied a\ncopied b\n"
    start { HEADWAY_PARSER = count_lines(), FLUID_PROGRESS_FILE = file, HEADWAY_POLL = "200ms" }
    assert.equal("lines", s:await("2/100000").parser)
    process.replace(file, "5/7\n")
    assert.equal("nm", s:await("5/7").parser)
  end)

  it("what a log says of the end is a reason while it is followed, and proves no success", function()
    local parser = sidecar.parser(dir, "ends", [[
      local n = math.tointeger(tonumber(record))
      return n and { done = n, total = 9, unit = "files" } or { ended = record }]])
    append "9\ncomplete\n"
    start { HEADWAY_PARSER = parser, HEADWAY_POLL = "200ms" }
    assert.equal("running", s:await_reason("^the log says it is complete$").state)
    append "partial\n"
    assert.equal("running", s:await_reason("^partial: the log says that not all of it is done$").state)
    local last = s:stop()
    assert.same({ "9/9", "failed", "partial: the log says that not all of it is done" }, { last.progress, last.state, last.reason })
  end)

  it("a parser that fails is counted, told once for each cause with where it was, and shown as the reason", function()
    append "1\noops 1\noops 2\nodd 1\nodd 2\n"
    start { HEADWAY_POLL = "200ms", HEADWAY_PARSER = sidecar.parser(dir, "faulty", [[
      local function deep() error("no luck with " .. record) end
      if record:find "^oops" then deep() end
      if record:find "^odd" then return { done = "many" } end
      return { done = math.tointeger(tonumber(record)), total = 9 }]]) }
    local line = s:await(function(line) return line.refused == 4 end)
    assert.same({ "1/9", "parser faulty: sample: done is a string, expected an integer" }, { line.progress, line.reason })
    append "oops 3\n2\n"
    line = s:await "2/9"
    assert.same({ 5, nil }, { line.refused, line.reason })
    s:stop()
    local told = {}
    for text in s.p:err():gmatch "[^\n]*parser faulty[^\n]*" do told[#told + 1] = text end
    assert.equal(2, #told, s.p:err())
    assert.matches("^headway %S+ warn report: parser faulty: %S+faulty.lua:5: no luck with oops 1 %(log%); it goes on", told[1])
    assert.matches("; traceback: %[C%]: in %a+ 'error' <%- %S+faulty.lua:5: in %a+ 'deep' <%- %S+faulty.lua:6: in function ", told[1])
    assert.matches("done is a string, expected an integer %(log%); it goes on with the next record$", told[2])
  end)

  for _, events in ipairs { "auto", "off" } do
    it("goes on through rotation and truncation, events " .. events, function()
      start { HEADWAY_POLL = "200ms", HEADWAY_EVENTS = events }
      append "1/9\n"
      s:await "1/9"
      os.rename(log, log .. ".1")
      append "2/9\n"
      s:await "2/9"
      assert(io.open(log, "w")):close()
      append "3/9\n"
      s:await "3/9"
      os.remove(log)
      append "4/9\n"
      s:await "4/9"
      assert.is_nil(s:stop().refused)
    end)
  end

  it("a line in pieces is one, and no piece of it is believed", function()
    start { HEADWAY_POLL = "100ms" }
    s:await "0/100"
    for _, piece in ipairs { "5", "/1", "0", "0" } do
      append(piece)
      shell.run "sleep 0.3"
    end
    append "\n"
    s:await "5/100"
    for _, line in ipairs(s:lines()) do assert.is_true(line.progress == "0/100" or line.progress == "5/100") end
  end)

  it("a redraw without its end is seen at the pause when it is closed", function()
    start { HEADWAY_POLL = "100ms", HEADWAY_PARSER = sidecar.parser(dir, "pct", [[
      local n = record:match "(%d+)%%"
      return n and { done = math.tointeger(tonumber(n)), total = 100 } or nil]]) }
    s:await "0/100"
    append "\rcopying 10%"
    s:await "10/100"
    append "\rcopying 20%"
    s:await "20/100"
  end)

  it("a reporter that is restarted counts nothing twice and publishes nothing older", function()
    append(("copied a file\n"):rep(30000))
    local parser = count_lines()
    start { HEADWAY_PARSER = parser }
    s:await "30000/100000"
    s.p:kill "KILL"
    s.p:wait()
    s:close()
    append(("copied a file\n"):rep(5000))
    start { HEADWAY_PARSER = parser }
    s:await "35000/100000"
    assert.equal("35000/100000", s:lines()[1].progress)
  end)

  it("on SIGTERM reads what is left, to the last line", function()
    append "0/9\n"
    start { HEADWAY_POLL = "10m", HEADWAY_EVENTS = "off" }
    s:await "0/9"
    append(("some noise that says nothing\n"):rep(100000) .. "7/9\n")
    assert.equal("7/9", s:stop().progress)
  end)

  it("on SIGTERM a last line without its end counts when it is closed, else not", function()
    append "1/9\n"
    start { HEADWAY_POLL = "10m", HEADWAY_EVENTS = "off" }
    s:await "1/9"
    append "2/9\n3/9"
    assert.equal("2/9", s:stop().progress)
  end)

  it("on SIGTERM of more than can be read in time the end counts", function()
    append "0/9\n"
    start { HEADWAY_POLL = "10m", HEADWAY_EVENTS = "off" }
    s:await "0/9"
    assert(shell.run("yes 'noise noise noise noise noise noise noise' 2>/dev/null | head -c 200000000 >> " .. log))
    append "\n8/9\n"
    assert.equal("8/9", s:stop().progress)
  end)

  it("a parser that is slow loses no record of a log", function()
    local parser = sidecar.parser(dir, "slow", [[
      for i = 1, 20000 do local _ = i * i end
      self.n = (self.n or 0) + 1
      return { done = self.n, total = 100000 }]])
    append "copied\n"
    start { HEADWAY_PARSER = parser }
    s:await "1/100000"
    for _ = 1, 20 do append((("copied %s\n"):format(("x"):rep(100))):rep(500)) end
    s:await("10001/100000", 60)
  end)

  it("a flood keeps nobody from hearing signals", function()
    append "0/9\n"
    start()
    s:await "0/9"
    local flood = process.start { "sh", "-c", "yes 1/9 2>/dev/null | head -c 300000000 >> " .. log }
    s:await "1/9"
    assert.equal("1/9", s:stop().progress)
    flood:wait(60)
    flood:close()
  end)

  it("on SIGTERM while a long log is still being caught up with, the end counts", function()
    assert(shell.run("yes 1/9 2>/dev/null | head -c 300000000 > " .. log))
    append "8/9\n"
    start()
    s.p:expect("err", "following")
    assert.equal("8/9", s:stop().progress)
  end)

  local strange = {
    { "a symbolic link", "echo 1/2 > $DIR/target; ln -s $DIR/target $LOG", "^log file is a symbolic link$" },
    { "a directory",     "mkdir $LOG",                                     "^log file is a directory$" },
    { "a FIFO",          "mkfifo $LOG",                                    "^log file is a FIFO$" },
  }
  for _, row in ipairs(strange) do
    it("says why it does not take " .. row[1], function()
      shell.run(("LOG=%s DIR=%s; %s"):format(shell.quote(log), shell.quote(dir), row[2]))
      start()
      s:await_reason(row[3])
    end)
  end

  --- A parser of which only the newest record matters; it tells how many it has seen.
  local function counting()
    local path = dir .. "/seen.lua"
    shell.write(path, [[
local M = { api = 1, name = "seen", unit = "files", newest = "^%+ of %=" }
M.__index = M
function M.new() return setmetatable({ seen = 0 }, M) end
function M:feed(record)
  local n, m = record:match "^(%d+) of (%d+)$"
  if not n then return nil end
  self.seen = self.seen + 1
  return { done = math.tointeger(tonumber(n)), total = math.tointeger(tonumber(m)), message = "seen " .. self.seen }
end
return M]])
    return path
  end

  local function lines_to(n, last)
    local list = {}
    for i = 1, n do list[i] = i .. " of 50000" end
    list[#list + 1] = last
    return table.concat(list, "\n") .. "\n"
  end

  it("of records that come together the parser sees the newest, where it says so", function()
    append(lines_to(40000))
    start { HEADWAY_PARSER = counting() }
    local seen = tonumber(s:await("40000/50000").message:match "^seen (%d+)$")
    assert.is_true(seen >= 2 and seen < 2000, seen)
  end)

  it("and those before it where it says nothing", function()
    append(lines_to(40000, "40001 of 50000 or so"))
    start { HEADWAY_PARSER = counting() }
    s:await "40000/50000"
    append "50000 of 50000\n"
    assert.equal("50000/50000", s:await("50000/50000").progress)
    assert.equal("50000/50000", s:stop().progress)
  end)

  --- How often any of its threads has gone to sleep.
  local function naps(pid)
    local _, text = shell.run(("cat /proc/%d/task/*/status"):format(pid))
    local n = 0
    for count in text:gmatch "\nvoluntary_ctxt_switches:%s+(%d+)" do n = n + tonumber(count) end
    return n
  end

  it("sleeps while nothing is written", function()
    append "1/9\n"
    start()
    s:await "1/9"
    shell.run "sleep 2"
    local before = naps(s.p.pid)
    shell.run "sleep 6.5"
    local count = naps(s.p.pid) - before
    assert.is_true(count <= 15, count .. " wakeups in 6.5 s") -- three ticks, and what a publish takes
  end)

  it("a log of 100 MB takes little memory, and is read before the first publish", function()
    assert(shell.run("yes 'the quick brown fox jumps over the lazy dog' 2>/dev/null | head -c 100000000 > " .. log))
    append "\n7/9\n"
    local begin = shell.now()
    start()
    s:await("7/9", 60)
    assert.equal("7/9", s:lines()[1].progress)
    local hwm = tonumber(shell.read(("/proc/%d/status"):format(s.p.pid)):match "VmHWM:%s+(%d+)")
    if os.getenv "HEADWAY_FIGURES" then print(("100 MB through the parser: %.1f s, %d KiB at most"):format(shell.now() - begin, hwm)) end
    local most = os.getenv "HEADWAY_PRESET" == "dev" and 300000 or 30000 -- a sanitizer has its own
    assert.is_true(hwm < most, hwm .. " KiB")
  end)

  local wrong = {
    { {}, "nothing to watch: set FLUID_PROGRESS_FILE" },
    { { "--log-file", "x", "--metrics-port", "9567" }, "only one of them" },
    { { "--log-file", "x", "--parser", "no_such" }, "no_such" },
  }
  for _, row in ipairs(wrong) do
    it("wrong use: " .. row[2], function()
      s = setmetatable({ p = process.start { process.headway, "run", table.unpack(row[1]) } }, { __index = { close = function(t) t.p:close() end } })
      assert.equal(2, s.p:wait())
      assert.matches(row[2], s.p:err(), 1, true)
    end)
  end
end)
