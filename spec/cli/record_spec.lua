--- `headway record`: the command's bytes, status and terminal as without it, and a recording that can be read, whatever happens.
local cjson = require "cjson"
local cli = require "spec.support.cli"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local terminal = require "spec.support.terminal"

local dir, done
setup(function() dir, done = cli.temp_dir() end)
teardown(function() done() end)

--- The header, and the events.
local function read_cast(path)
  local header, events = nil, {}
  for line in shell.read(path):gmatch "[^\n]+" do
    local value = cjson.decode(line)
    if header then events[#events + 1] = value else header = value end
  end
  return header, events
end

local function text_of(events)
  local parts = {}
  for _, e in ipairs(events) do
    if e[2] == "o" then parts[#parts + 1] = e[3] end
  end
  return table.concat(parts)
end

local function record(script, flag)
  local run = cli.run({ "record", "--force", flag or "--title=a title", "-o", dir .. "/it.cast", "--", "sh", "-c", script })
  local header, events = read_cast(dir .. "/it.cast")
  return run, header, events
end

describe("headway record", function()
  it("passes output and status on, and keeps both streams", function()
    local run, header, events = record "printf 'one\\n'; printf 'two\\n' >&2; exit 3"
    assert.equal(3, run.status)
    assert.equal("one\n", run.stdout)
    assert.equal("two\n", run.stderr)
    assert.equal(2, header.version)
    assert.is_true(header.width > 0 and header.height > 0 and header.timestamp > 0)
    assert.equal("sh -c 'printf '\\''one\\n'\\''; printf '\\''two\\n'\\'' >&2; exit 3'", header.command)
    local text = text_of(events)
    assert.is_truthy(text:find("one\n", 1, true) and text:find("two\n", 1, true))
  end)

  it("tells how a command ended, or that there is none", function()
    assert.equal(128 + 9, (record "kill -9 $$").status)
    assert.equal(127, cli.run({ "record", "-o", dir .. "/none.cast", "--", "/no/such" }).status)
  end)

  it("writes over nothing, unless it is told to, and runs nothing then", function()
    shell.write(dir .. "/mine.cast", "mine")
    local run = cli.run { "record", "-o", dir .. "/mine.cast", "--", "touch", dir .. "/ran" }
    assert.equal(2, run.status)
    assert.is_truthy(run.stderr:find("is there already", 1, true))
    assert.equal("mine", shell.read(dir .. "/mine.cast"))
    assert.is_nil(io.open(dir .. "/ran"))
  end)

  it("joins a character that comes in two reads, and replaces what is no UTF-8", function()
    -- The second half is printed only when the first one has been recorded.
    local script = ("printf 'a\\303'; until grep -q '\"a\"' %s/it.cast; do :; done; printf '\\251b\\377c'"):format(dir)
    local run, _, events = record(script)
    assert.equal("a\xC3\xA9b\xFFc", run.stdout)
    assert.equal("aéb\u{FFFD}c", text_of(events))
    assert.is_true(#events >= 2)
    assert.is_truthy(run.stderr:find("1 bytes are no UTF-8", 1, true))
  end)

  it("escapes what JSON needs escaped", function()
    local run, _, events = record [[printf 'q"b\\n\\n\t\033[1m\000\177']]
    assert.equal(run.stdout, text_of(events))
  end)

  it("loses nothing of a command that is faster than the disk", function()
    local run, _, events = record("head -c 8000000 /dev/zero | tr '\\0' x")
    assert.equal(8000000, #run.stdout)
    assert.equal(8000000, #text_of(events))
  end)

  it("gives a terminal with --pty, and pipes without", function()
    local _, _, on = record("test -t 1 && echo yes || echo no", "--pty")
    local _, _, off = record "test -t 1 && echo yes || echo no"
    assert.equal("yes\n", text_of(on))
    assert.equal("no\n", text_of(off))
  end)

  it("records the size of a person's terminal, and when it becomes another", function()
    local script = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done"
    terminal.run({ "expect ready", "resize 40x111", "expect 40 111", "wait" },
      { process.headway, "record", "--pty", "-o", dir .. "/size.cast", "--", "sh", "-c", script }, { size = "30x90" })
    local header, events = read_cast(dir .. "/size.cast")
    assert.same({ 90, 30 }, { header.width, header.height })
    local sizes = {}
    for _, e in ipairs(events) do
      if e[2] == "r" then sizes[#sizes + 1] = e[3] end
    end
    assert.same({ "111x40" }, sizes)
    assert.equal("ready\r\n40 111\r\n", text_of(events))
  end)

  it("replays to the same bytes", function()
    local run = record "for i in 1 2 3; do echo $i/3; done"
    assert.equal(run.stdout, cli.run({ "replay", "--raw", "--speed", "max", dir .. "/it.cast" }).stdout)
    assert.equal(0, cli.run({ "replay", "--expect", "3/3", dir .. "/it.cast" }).status)
  end)

  it("leaves a recording that can be read when it is killed", function()
    local path = dir .. "/killed.cast"
    local p = process.start { process.headway, "record", "-o", path, "--", "sh", "-c", "echo 5/10; exec sleep 30" }
    assert(shell.wait_until(function() return (shell.read(path) or ""):find('"o", "5/10', 1, true) end, 20))
    local child = (shell.read(("/proc/%d/task/%d/children"):format(p.pid, p.pid)) or ""):gmatch "%d+"
    for pid in child do os.execute("kill -9 " .. pid .. " 2>/dev/null") end
    os.execute("kill -9 " .. p.pid .. " 2>/dev/null")
    local _, events = read_cast(path)
    assert.equal("5/10\n", text_of(events))
    p:close()
  end)

  it("goes on with the command when its recorder is killed", function()
    local path = dir .. "/alone.cast"
    local p = process.start { process.headway, "record", "-o", path, "--", "sh", "-c",
      "echo up; until test -e " .. dir .. "/go; do sleep 0.05; done; head -c 3000000 /dev/zero; exit 5" }
    assert(shell.wait_until(function() return (shell.read(path) or ""):find('"o", "up', 1, true) end, 20))
    for pid in (shell.read(("/proc/%d/task/%d/children"):format(p.pid, p.pid)) or ""):gmatch "%d+" do
      if (shell.read("/proc/" .. pid .. "/comm") or ""):find "report" then os.execute("kill -9 " .. pid) end
    end
    shell.write(dir .. "/go", "")
    assert.equal(5, p:wait(20))
    assert.equal(3000003, #p:out())
    local _, events = read_cast(path)
    assert.equal("up\n", text_of(events))
    p:close()
  end)

  it("hands signals on", function()
    local path = dir .. "/term.cast"
    local p = process.start { process.headway, "record", "-o", path, "--", "sh", "-c",
      "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done" }
    assert(shell.wait_until(function() return (shell.read(path) or ""):find('"o", "up', 1, true) end, 20))
    os.execute("kill -TERM " .. p.pid)
    assert.equal(7, p:wait(20))
    local _, events = read_cast(path)
    assert.equal("up\nbye\n", text_of(events))
    p:close()
  end)
end)
