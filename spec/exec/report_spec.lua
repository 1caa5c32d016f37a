--- What `headway exec` makes of a command's progress file and output, from outside. No cluster.
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local wrapped = require "spec.support.wrapped"

local binary = (select(2, shell.run("readlink -f " .. shell.quote(process.headway)))):gsub("\n", "")

describe("headway exec", function()
  local p
  after_each(function()
    if p then wrapped.close(p) end
    p = nil
  end)

  --- Runs to the end; returns exit status, N/M, detail.
  local function run(command, env, ...)
    p = wrapped.start(command, env, ...)
    local status = p:wait()
    return status, wrapped.progress(p)
  end

  local ends = {
    -- what the command does                                       status  N/M      state, done, total, reason
    { "counts in its file",          "echo 3/10 > $FLUID_PROGRESS_FILE",          0, "10/10",   "complete", 10, 10 },
    { "counts in its output",        "echo 3/10; echo 4/10",                      0, "10/10",   "complete", 10, 10 },
    { "counts on stderr",            "echo 3/10 >&2",                             0, "10/10",   "complete", 10, 10 },
    { "fails",                       "echo 4/10; exit 3",                         3, "4/10",    "failed", 4, 10, "exit status 3" },
    { "fails after counting all",    "echo 10/10; exit 1",                        1, "10/10",   "failed", 10, 10, "exit status 1" },
    { "is killed",                   "echo 4/10; kill -9 $$",                   137, "4/10",    "failed", 4, 10,
      "ended by signal 9 (Killed)" },
    { "counts nothing",              ":",                                         0, "100/100", "complete" },
    { "counts nothing and fails",    "exit 2",                                    2, "0/100",   "failed", nil, nil, "exit status 2" },
    { "ends its output in a line without end", "printf 7/10; exit 1",             1, "7/10",    "failed", 7, 10, "exit status 1" },
    { "prints what is no N/M",       "echo 10/11 tests passed; echo 1.2.3.4/24; exit 1", 1, "0/100", "failed", nil, nil, "exit status 1" },
    { "prints percents",             "echo 10%; echo 20%; echo 50%; exit 1",                1, "50/100",  "failed", nil, nil, "exit status 1" },
    { "prints CR, escapes, colours", [[printf '\r\033[32m1/10\033[0m\r\033[K6/10\r'; exit 1]], 1, "6/10", "failed", 6, 10,
      "exit status 1" },
  }
  for _, row in ipairs(ends) do
    it("publishes the end of a command that " .. row[1], function()
      local status, nm, detail = run(row[2])
      assert.same({ row[3], row[4], "wrapper", row[5], row[6], row[7], row[8] },
        { status, nm, detail.by, detail.state, detail.done, detail.total, detail.reason })
    end)
  end

  local set_aside = {
    -- what was asked for                   flag, value                                          what the command prints
    { "a parser that can't be loaded",      "--parser", "local x = nil + 1",                     "echo 4/10", "parser %S+: .*arithmetic on a nil value" },
    { "a parser that errs each time",       "--parser", [[local M = { api = 1, name = "errs" } M.__index = M
      function M.new() return setmetatable({}, M) end function M:feed() error "oops" end return M]],
      "seq 30", "parser %S+: 16 errors in a row, the last: .*oops" },
    { "a total that is too small",          "--total", "5",    "for i in 3 6; do echo $i lines; done", "%-%-total 5 is below the count 6 %(lines%)", "3/5" },
    { "a unit that never comes",            "--unit", "files", "echo 4/10",                      "%-%-unit files: the progress is in items", "4/10" },
  }
  for _, row in ipairs(set_aside) do
    for status, begin in pairs { [0] = "^", [3] = "^exit status 3; " } do
      it(("names %s behind the end: %d"):format(row[1], status), function()
        local dir, value = process.temp_dir(), row[3]
        if row[2] == "--parser" then
          value = dir .. "/wrong.lua"
          shell.write(value, row[3])
        end
        shell.write(dir .. "/auto.lua", [[local M = { api = 1, name = "auto" } M.__index = M
          function M.new() return setmetatable({}, M) end
          function M:feed(r)
            local n, unit = r:match "^(%d+) (%a+)$"
            if n then return { done = math.tointeger(tonumber(n)), unit = unit } end
            return r == "4/10" and { done = 4, total = 10, unit = "items" } or nil
          end return M]])
        local got, nm, detail = run(row[4] .. "; exit " .. status, nil, "--parser-dir", dir, row[2], value)
        process.remove(dir)
        assert.equal(status, got)
        assert.matches(begin .. row[5] .. "$", detail.reason)
        if status == 3 and row[6] then assert.equal(row[6], nm) end
      end)
    end
  end

  it("names a directory of parsers that can't be read behind the end, and who reads in their place", function()
    p = wrapped.start_line({ process.headway, "exec", "--dir", "DIR", "--parser-dir", "/dev/null" }, { "--", "false" })
    assert.equal(1, p:wait())
    local _, detail = wrapped.progress(p)
    assert.equal("exit status 1; open '/dev/null': Not a directory; the output is read by the parser auto", detail.reason)
    assert.matches("read by the parser auto", p:err())
  end)

  it("publishes that only a part was done, where the command's parser knows that status", function()
    local dir = process.temp_dir()
    shell.write(dir .. "/rsync", "#!/bin/sh\necho '          1,000  50%    1.00MB/s    0:00:01 (xfr#1, to-chk=1/2)'\nexit 23\n")
    shell.run("chmod +x " .. dir .. "/rsync")
    p = wrapped.start_line({ process.headway, "exec", "--dir", "DIR" }, { "--", dir .. "/rsync", "-a", "a", "b" })
    assert.equal(23, p:wait())
    local _, detail = wrapped.progress(p)
    assert.same({ "failed", "partial: exit status 23", "rsync" }, { detail.state, detail.reason, detail.parser })
    process.remove(dir)
  end)

  it("a parser that hangs at the end is named, with what it was to read, and costs no more than 5 s", function()
    local dir = process.temp_dir()
    shell.write(dir .. "/hangs.lua", [[
local M = { api = 1, name = "hangs" }
M.__index = M
function M.new() return setmetatable({}, M) end
function M:feed(r)
  if r == "hang" then return ("a"):rep(220):find(("a-"):rep(4) .. "b") end
  return { done = math.tointeger(tonumber(r)), total = 9 }
end
return M]])
    shell.run("mkfifo " .. dir .. "/go")
    p = wrapped.start(("echo 4; read a < %s/go; echo hang; exit 3"):format(dir), nil, "--parser", dir .. "/hangs.lua")
    wrapped.await_progress(p, "4/9")
    local begin = shell.now()
    shell.run(("echo > %s/go"):format(dir))
    local status = p:wait()
    assert.is_true(shell.now() - begin < 5)
    local nm, detail = wrapped.progress(p)
    assert.same({ 3, "4/9", "failed", "exit status 3" }, { status, nm, detail.state, detail.reason })
    assert.matches("parser hangs gave no answer to the last of the output in 2000 ms: the value before it is published", p:err())
    assert.is_nil(p:err():find("progress file", 1, true), p:err())
    process.remove(dir)
  end)

  it("a reporter that is killed begins its counts anew, and what is published does not go back", function()
    local dir = process.temp_dir()
    local fifo = dir .. "/go"
    shell.run("mkfifo " .. fifo)
    shell.write(dir .. "/lines.lua", [[
local M = { api = 1, name = "lines", unit = "lines" }
M.__index = M
function M.new() return setmetatable({ n = 0 }, M) end
function M:feed() self.n = self.n + 1 return { done = self.n, total = 100, unit = "lines" } end
return M]])
    p = wrapped.start(("exec 3<%s; seq 5; read a <&3; seq 3; read a <&3; seq 20; read a <&3; exit 1"):format(fifo),
      { HEADWAY_PERCENT_GAP = "100ms" }, "--parser", dir .. "/lines.lua")
    local go = assert(io.open(fifo, "w"))
    local function on() go:write "\n" go:flush() end
    wrapped.await_progress(p, "5/100")
    local reporter = wrapped.await(p.pid, "reporter")
    shell.run("kill -9 " .. reporter)
    local back
    local function never_back(fits)
      return shell.wait_until(function()
        local nm, detail = wrapped.progress(p)
        local n = nm and math.tointeger(tonumber(nm:match "^%d+"))
        back = back or (n and n < 5 and nm)
        return nm and fits(n, detail)
      end, 20)
    end
    assert.is_truthy(never_back(function(_, detail) return (detail.reason or ""):find "^the reporter was restarted" end), p:err())
    on()
    assert.is_truthy(never_back(function() local all = wrapped.processes(p.pid) return all.worker and all.reporter ~= reporter end))
    on()
    assert.is_truthy(never_back(function(n) return n > 5 end), p:err())
    on()
    assert.equal(1, p:wait())
    assert.is_falsy(back)
    local nm, detail = wrapped.progress(p)
    assert.same({ "failed", "exit status 1", nm }, { detail.state, detail.reason, ("%d/100"):format(detail.done) })
    go:close()
    process.remove(dir)
  end)

  describe("with a parser that counts records", function()
    local dir
    before_each(function()
      dir = process.temp_dir()
      shell.run("mkfifo " .. dir .. "/go")
      shell.write(dir .. "/counter.lua", [[
local M = { api = 1, name = "counter", unit = "lines", options = { total = { type = "integer", help = "of lines" } } }
M.__index = M
function M.new(opts) return setmetatable({ n = 0, total = opts.total }, M) end
function M:feed() self.n = self.n + 1 return { done = self.n, total = self.total } end
return M]])
    end)
    after_each(function() process.remove(dir) end)

    --- A reporter that stands still while the command prints lines of 8 bytes; it goes on, and then the command ends.
    local function lag(lines, env, meanwhile)
      p = wrapped.start(("exec 3<%s/go; read a <&3; seq -f %%07.0f %d; read a <&3; exit 0"):format(dir, lines), env,
        "--parser", dir .. "/counter.lua")
      local go = assert(io.open(dir .. "/go", "w"))
      local function on() go:write "\n" go:flush() end
      wrapped.await_progress(p, "0/100")
      local reporter = wrapped.await(p.pid, "reporter")
      shell.run("kill -STOP " .. reporter)
      on()
      assert.is_truthy(shell.wait_until(function() return #p:out() == lines * 8 end, 20))
      shell.run("kill -CONT " .. reporter)
      meanwhile()
      on()
      go:close()
      assert.equal(0, p:wait())
      return wrapped.progress(p)
    end

    it("sees each line of a command that writes them one by one, before it can read any", function()
      local status, nm = run("i=0; while [ $i -lt 6000 ]; do i=$((i+1)); echo copied a/$i; done", nil, "--parser", dir .. "/counter.lua")
      assert.same({ 0, "6000/6000" }, { status, nm })
    end)

    it("keeps megabytes for it while it lags", function()
      local nm, detail = lag(750000, { HEADWAY_PARSER_OPTIONS = "total=750000", HEADWAY_PERCENT_GAP = "100ms" },
        function() wrapped.await_progress(p, "750000/750000") end)
      assert.same({ "750000/750000", nil }, { nm, detail.reason })
      assert.equal("", p:err())
    end)

    it("tells how much it never saw, once by a warning, and claims no total", function()
      local nm, detail = lag(2500000, nil, function()
        assert.is_truthy(shell.wait_until(function() return #p:err() > 0 end, 20))
      end)
      assert.same({ "100/100", "complete" }, { nm, detail.state, detail.total })
      local lost = assert(detail.reason:match "^output lost: (%d+) bytes were not seen$")
      local cut = 2500000 * 8 - math.tointeger(tonumber(lost)) - detail.done * 8 -- two lines at each gap
      assert.is_true(cut >= 0 and cut < 1000, cut)
      local _, warnings = p:err():gsub("output comes faster than parser counter reads it", "")
      assert.equal(1, warnings)
    end)
  end)

  it("publishes that a command can't be started, and why", function()
    p = wrapped.start_line({ process.headway, "exec", "--dir", "DIR" }, { "no-such-command" })
    assert.equal(127, p:wait())
    assert.matches("start 'no%-such%-command': No such file", p:err())
    local _, detail = wrapped.progress(p)
    assert.same({ "failed", "the command can't be started: No such file or directory" }, { detail.state, detail.reason })
  end)

  it("the file wins once it held a valid N/M, and not before", function()
    local dir = process.temp_dir()
    local fifo = dir .. "/go"
    shell.run("mkfifo " .. fifo)
    p = wrapped.start(([[exec 3<%s; echo 1/9; read a <&3
      echo nonsense > $FLUID_PROGRESS_FILE; echo 2/9; read a <&3
      echo 5/7 > $FLUID_PROGRESS_FILE; read a <&3
      echo 8/9; exit 1]]):format(fifo))
    local go = assert(io.open(fifo, "w"))
    local function on() go:write "\n" go:flush() end
    wrapped.await_progress(p, "1/9")
    on()
    wrapped.await_progress(p, "2/9")
    on()
    wrapped.await_progress(p, "5/7")
    on()
    assert.equal(1, p:wait())
    assert.equal("5/7", (wrapped.progress(p)))
    go:close()
    process.remove(dir)
  end)

  it("a named progress file is taken, and left where it is", function()
    local dir = process.temp_dir()
    for i, how in ipairs { { { FLUID_PROGRESS_FILE = dir .. "/a" } }, { {}, "--file", dir .. "/b" },
      { { HEADWAY_FILE = dir .. "/c" } } } do
      local status, nm = run("test -n \"$FLUID_PROGRESS_FILE\" && echo 2/4 > \"$FLUID_PROGRESS_FILE\"; exit 1",
        table.unpack(how))
      assert.same({ 1, "2/4" }, { status, nm })
      assert.equal("2/4\n", shell.read(dir .. "/" .. ("abc"):sub(i, i)))
      wrapped.close(p)
      p = nil
    end
    process.remove(dir)
  end)

  it("its own progress file is gone at the end, with its directory", function()
    run "echo $FLUID_PROGRESS_FILE; echo 1/2 > $FLUID_PROGRESS_FILE"
    local path = p:out():match "([^\n]+)"
    assert.matches("/headway%-%w+/progress$", path)
    assert.is_false(shell.exists(path))
    assert.is_false((shell.run("test -d " .. shell.quote(path:match "^(.*)/"))))
  end)

  it("a relative --file is the same file wherever the command goes", function()
    local dir = process.temp_dir()
    local out = process.temp_dir()
    shell.run(("cd %s && %s exec --dir %s --file here -- sh -c 'cd /; echo 3/4 > $FLUID_PROGRESS_FILE; exit 1'"):format(
      shell.quote(dir), shell.quote(binary), shell.quote(out)))
    assert.equal("3/4\n", shell.read(dir .. "/here"))
    process.remove(dir)
    process.remove(out)
  end)

  it("watching the file alone leaves the output to the command", function()
    local status, nm = run("echo 3/10; readlink /proc/$$/fd/1; exit 1", nil, "--watch", "file")
    assert.same({ 1, "0/100" }, { status, nm })
    assert.matches("/out\n$", p:out())
  end)

  it("wrong settings are a line on stderr, and the command runs all the same", function()
    local status = run("echo fine; exit 5", { HEADWAY_POLL = "nonsense" }, "--percent-gap", "never")
    assert.equal(5, status)
    assert.equal("fine\n", p:out())
    assert.matches("nonsense", p:err())
    assert.matches("never", p:err())
  end)

  it("a wrong flag is a line on stderr, and the command behind -- runs all the same", function()
    p = wrapped.start_line({ process.headway, "exec", "--no-such-flag", "x" }, { "--", "sh", "-c", "echo fine; exit 5" })
    assert.equal(5, p:wait())
    assert.equal("fine\n", p:out())
    assert.matches("unknown flag", p:err())
  end)

  it("nowhere to publish: one line says so", function()
    p = wrapped.start_line({ process.headway, "exec" }, { "--", "sh", "-c", "echo fine; exit 5" })
    assert.equal(5, p:wait())
    assert.equal("fine\n", p:out())
    assert.matches("^[^\n]*no pod to write to[^\n]*\n$", p:err())
  end)

  it("nowhere to publish: the output is not kept in memory for anybody", function()
    local dir = process.temp_dir()
    shell.run("mkfifo " .. dir .. "/go")
    p = wrapped.start_line({ process.headway, "exec" }, { "--", "sh", "-c", ("read a < %s/go; head -c 9000000 /dev/zero; read a < %s/go"):format(dir, dir) })
    local function held() return tonumber(shell.read(("/proc/%d/status"):format(p.pid)):match "RssAnon:%s+(%d+)") end
    assert.is_truthy(shell.wait_until(function() return p:err() ~= "" end, 10)) -- it says that it publishes nothing
    local before = held()
    shell.run(("echo > %s/go"):format(dir))
    assert.is_truthy(shell.wait_until(function() return #p:out() == 9000000 end, 10))
    assert.is_truthy(shell.wait_until(function() return held() < before + 4096 end, 10), held())
    shell.run(("echo > %s/go"):format(dir))
    assert.equal(0, p:wait())
    process.remove(dir)
  end)

  local roots = {
    -- where nothing else can be written
    { "in $TMPDIR",       "true", "^/var/tmp/headway%-", { TMPDIR = "/var/tmp" } },
    { "in /dev/shm",      "mount -t tmpfs -o ro none /tmp", "^/dev/shm/headway%-" },
    { "in memory",        "mount -t tmpfs -o ro none /tmp && mount -t tmpfs -o ro none /dev/shm", "^/proc/%d+/fd/%d+$" },
  }
  for _, root in ipairs(roots) do
    it("its progress file may stand " .. root[1] .. ", and both ways of writing do", function()
      if not shell.run "unshare -m true 2>/dev/null" then pending "no mount namespace to be had here" return end
      local dir = "/var/tmp/headway-spec-" .. process.temp_dir():match "[^/]+$"
      shell.run("mkdir -p " .. dir)
      shell.write(dir .. "/go", ([[%s || exit 99
exec %s exec --dir %s -- sh -c 'echo $FLUID_PROGRESS_FILE; echo 1/4 > $FLUID_PROGRESS_FILE
%s set 3/4; exit 1']]):format(root[2], binary, dir, binary))
      p = process.start({ "unshare", "-m", "sh", dir .. "/go" }, root[4])
      p.manifests = dir
      assert.equal(1, p:wait(), p:err())
      assert.matches(root[3], (p:out():gsub("\n$", "")))
      assert.equal("3/4", (wrapped.progress(p)), p:err())
    end)
  end

  it("a command that changes its user may write the file of a container", function()
    if not shell.run "setpriv --reuid 65534 true 2>/dev/null" then pending "not root here" return end
    local status, nm = run("exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'echo 3/8 > $FLUID_PROGRESS_FILE; exit 1'",
      { KUBERNETES_SERVICE_HOST = "127.0.0.1" }, "--sinks", "dir")
    assert.same({ 1, "3/8" }, { status, nm })
  end)

  it("a reporter that is stopped holds up neither the output nor, for long, the end", function()
    local dir = process.temp_dir()
    shell.run("mkfifo " .. dir .. "/go")
    p = wrapped.start(("read a < %s/go; head -c 20000000 /dev/zero; exit 6"):format(dir))
    local reporter = wrapped.await(p.pid, "reporter")
    shell.run("kill -STOP " .. reporter)
    shell.run(("echo > %s/go"):format(dir))
    assert.is_truthy(shell.wait_until(function() return #p:out() == 20000000 end, 10))
    assert.equal(6, p:wait(15))
    assert.is_true(shell.wait_until(function() return not shell.alive(reporter) end, 5))
    process.remove(dir)
  end)

  it("a parser worker that is stopped under a flood costs neither the last value nor the end", function()
    local dir = process.temp_dir()
    shell.run("mkfifo " .. dir .. "/go")
    p = wrapped.start(("echo 1/200000; read a < %s/go; seq -f %%.0f/200000 2 200000; exit 5"):format(dir))
    wrapped.await_progress(p, "1/200000")
    shell.run("kill -STOP " .. wrapped.await(p.pid, "worker"))
    shell.run(("echo > %s/go"):format(dir))
    assert.equal(5, p:wait(20))
    local _, detail = wrapped.progress(p)
    assert.same({ "failed", "exit status 5" }, { detail.state, detail.reason:match "^[^;]+" })
    process.remove(dir)
  end)

  it("a settings file that nobody writes to does not hold up the command", function()
    local dir = process.temp_dir()
    shell.run("mkfifo " .. dir .. "/settings")
    local status = run("echo fine; exit 5", { HEADWAY_CONFIG = dir .. "/settings" })
    assert.equal(5, status)
    assert.equal("fine\n", p:out())
    assert.matches("is a FIFO that nobody writes to", p:err())
    process.remove(dir)
  end)

  it("an output faster than the parser loses records, never bytes, and has the last one", function()
    local status, nm, detail = run "seq -f %.0f/4000000 1 3000000; exit 1"
    assert.same({ 1, "3000000/4000000", "failed" }, { status, nm, detail.state })
    assert.equal("3000000/4000000\n", p:out():sub(-16))
    assert.equal(3000000, select(2, p:out():gsub("\n", "")))
  end)
end)
