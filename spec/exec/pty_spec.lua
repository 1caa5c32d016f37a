--- `headway exec` and terminals: one made for the command in a container (--pty), and a person's own (auto, on).
local cli = require "spec.support.cli"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local terminal = require "spec.support.terminal"

describe("headway exec --pty without a terminal", function()
  local dir
  before_each(function() dir = process.temp_dir() end)
  after_each(function() process.remove(dir) end)

  local function run(script, options)
    options = options or {}
    options.env = { HEADWAY_LOG = "error" }
    return cli.run({ "exec", "--pty", "--", "sh", "-c", script }, options)
  end

  local cases = {
    -- name                             script                                          stdout        stderr  status
    { "two terminals, apart",           "[ -t 1 ] && [ -t 2 ] && echo out; echo err >&2", "out\n",      "err\n", 0 },
    { "its input is not touched",       "[ -t 0 ] || cat",                              "a\nb\0c",    "",      0, "a\nb\0c" },
    { "no CR is added, none is lost",   [[printf '\r\n\n\t\001\004\032x']],             "\r\n\n\t\1\4\26x", "", 0 },
    { "24 rows of 80",                  "stty size <&1",                                "24 80\n",    "",      0 },
    { "its exit status",                "exit 37",                                      "",           "",      37 },
    { "a signal that ends it",          "kill -9 $$",                                   "",           "",      137 },
    { "it has no /dev/tty, as without us", "{ echo tty >/dev/tty; } 2>/dev/null || echo none", "none\n", "", 0 },
    { "it may make its own session",    "setsid -w sh -c 'echo new; exit 5'",           "new\n",      "",      5 },
    { "it may close its output",        "exec >&-; echo err >&2; exit 4",               "",           "err\n", 4 },
    { "it may change the modes",        "stty opost onlcr <&1; echo x",                 "x\r\n",      "",      0 },
    { "a signal that stops it, which no shell would undo", "kill -TSTP $$; echo on",    "on\n",       "",      0 },
    { "who is left behind still writes", ("(read x <%s; echo late) & echo now; exec 9>%s; echo >&9"):format("$F", "$F"), nil, "", 0 },
  }
  for _, case in ipairs(cases) do
    local name, script, out, err, status, input = table.unpack(case, 1, 6)
    it(name, function()
      local fifo = dir .. "/fifo"
      shell.run("mkfifo " .. fifo)
      local result = run((script:gsub("%$F", fifo)), { stdin = input })
      if out then assert.equal(out, result.stdout) end
      assert.equal(err, result.stderr)
      assert.equal(status, result.status)
    end)
  end

  it("much output, byte by byte", function()
    local line = shell.command { process.headway, "exec", "--log", "error", "--pty", "--", "sh", "-c", "seq 1 400000; head -c 2000000 /dev/zero" }
    assert.equal(select(2, shell.run("{ seq 1 400000; head -c 2000000 /dev/zero; } | cksum")),
      select(2, shell.run(line .. " </dev/null | cksum")))
  end)

  it("who is left behind is not hung up on, and what he writes still comes", function()
    local fifo = dir .. "/go"
    shell.run("mkfifo " .. fifo)
    local p = process.start({ process.headway, "exec", "--log", "error", "--pty", "--", "sh", "-c",
      ("(read x <%s; echo late) & echo now; exit 3"):format(fifo) })
    assert.equal(3, p:wait())
    shell.write(fifo, "\n")
    assert(p:expect("out", "now\nlate\n"), p:out() .. p:err())
    p:close()
  end)

  it("a reader that leaves ends the command by SIGPIPE", function()
    local line = shell.command { "env", "--default-signal=PIPE", process.headway, "exec", "--log", "error", "--pty", "--", "yes" }
    assert.equal("y\n141 0\n", select(2, shell.run("bash -c " ..
      shell.quote(line .. " </dev/null | head -1; echo ${PIPESTATUS[@]}"))))
  end)

  it("no pty to be had: a line, and pipes", function()
    local hide = "mount -t tmpfs none /dev/pts && exec "
    local line = shell.command { "unshare", "-m", "sh", "-c", hide ..
      shell.command { process.headway, "exec", "--log", "error", "--pty", "--", "sh", "-c", "[ -t 1 ] || echo pipe; exit 6" } }
    local _, out, status = shell.run(line .. " 2>&1 </dev/null")
    assert.equal("headway exec: make a terminal (pty): *\npipe\n", (out:gsub("%(pty%): [^\n]+", "(pty): *")))
    assert.equal(6, status)
  end)

  it("no descriptors for it: the command runs", function()
    local _, out, status = shell.run(shell.command { "sh", "-c", 'ulimit -n 9; exec "$@"', "sh", process.headway, "exec",
      "--log", "error", "--pty", "--", "sh", "-c", "echo ran; exit 7" } .. " 2>/dev/null </dev/null")
    assert.equal("ran\n", out)
    assert.equal(7, status)
  end)
end)

describe("headway exec on a terminal", function()
  local dir
  before_each(function() dir = process.temp_dir() end)
  after_each(function() process.remove(dir) end)

  local function file(name, text)
    shell.write(dir .. "/" .. name, text)
    return dir .. "/" .. name
  end

  --- Directly, and by us.
  local function both(steps, argv, options)
    local direct = terminal.run(steps, argv, options)
    for _, pty in ipairs { "auto", "on" } do
      local ours = { process.headway, "exec", "--pty=" .. pty, "--" }
      for _, word in ipairs(argv) do ours[#ours + 1] = word end
      local shown = terminal.run(steps, ours, options)
      assert.equal(direct.seen, shown.seen)
      assert.equal(direct.said, shown.said)
    end
  end

  it("shows what the command would: echo, lines, sizes, keys, UTF-8, end of input", function()
    local script = file("s", [[printf 'a\nb\tc\r\n'; stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo ttys >&2
      read x; echo "<$x>"; cat; exit 9]])
    both({ [[expect ttys\r\n]], [[send gr\xc3\xbc\xc3\x9fe\r]], [[expect <gr\xc3\xbc\xc3\x9fe>]],
      [[send more\r]], [[expect more\r\nmore\r\n]], [[send \x04]], "wait" }, { "sh", script }, { size = "31x99" })
  end)

  it("the keys that signal, exactly once", function()
    local script = file("s", [[trap 'echo INT' INT; trap 'echo QUIT' QUIT; echo ready; i=0
      while [ $i -lt 2 ]; do read x || { i=$((i+1)); continue; }; [ "$x" != end ] || exit 3; echo "$x"; done]])
    local shown = terminal.run({ "expect ready", [[send \x03]], "expect INT", [[send \x1c]], "expect QUIT",
      [[send end\r]], "wait" }, { process.headway, "exec", "--", "bash", script })
    assert.equal(1, select(2, shown.seen:gsub("INT", "")))
    assert.equal(1, select(2, shown.seen:gsub("QUIT", "")))
  end)

  it("is told of a new size", function()
    local script = file("s", [[trap 'stty size; exit 0' WINCH; echo ready; while :; do read x || :; done]])
    for _, pty in ipairs { "auto", "off" } do
      terminal.run({ "expect ready", "resize 40x111", "expect 40 111", "wait" },
        { process.headway, "exec", "--pty=" .. pty, "--", "dash", script })
    end
  end)

  it("a password is not shown, the output can be held", function()
    both({ "expect Password:", [[send secret\r]], "expect (secret)", "expect hold", [[send \x13]], [[send x\r]], [[send \x11]],
      "expect [x]", "wait" },
      { "sh", file("s", [[stty -echo; printf Password:; read p; stty echo; echo "($p)"; stty -echo; echo hold; read x; echo "[$x]"]]) })
  end)

  -- A terminal alone holds some 12 KB that nobody reads.
  it("keys that the command does not read yet are not lost", function()
    local script = file("s", ([[stty raw -echo; echo ready; read x <%s/go; head -c 2000000 | cksum; stty sane]]):format(dir))
    shell.run("mkfifo " .. dir .. "/go")
    local sum = select(2, shell.run("head -c 2000000 /dev/zero | tr '\\0' k | cksum")):gsub("\n", "")
    terminal.run({ "expect ready", "paste 20000 k", "run echo > " .. dir .. "/go", "paste 1980000 k", "expect " .. sum, "wait" },
      { process.headway, "exec", "--", "sh", script })
  end)

  it("a full-screen program: the same bytes, and it suspends itself", function()
    local text = file("text", ("line\n"):rep(200))
    both({ "expect line", "send G", "expect END", "send q", "wait" }, { "less", text }, { env = { LESS = "" } })
    terminal.run({ "expect $ ", "send $HEADWAY exec -- vi -u NONE " .. text .. [[\r]], "expect line", "foreground headway",
      [[send :suspend\r]], "expect Stopped", "expect $ ", [[send fg\r]], "foreground headway", "expect line",
      [[send :q!\r]], "expect $ ", [[send echo st=$?\r]], "expect st=0", }, { "bash", "--norc", "--noprofile", "-i" })
  end)

  it("the terminal is as it was, however the command or we end", function()
    for _, signal in ipairs { "TERM", "KILL" } do
      for _, whom in ipairs { "[s]leep 98771", "[h]eadway exec.*sleep 98771" } do
        terminal.run({ "expect $ ", [[send $HEADWAY exec -- sh -c 'stty raw -echo; echo ready; exec sleep 98771'\r]],
          "expect ready;", "expect ready", "modes -icanon -echo",
          ("run pgrep -f '%s' | head -1 | xargs kill -%s"):format(whom, signal),
          "expect $ ", "modes +icanon +echo +isig +opost", [[send echo st=$?\r]], "expect st=",
          "run pkill -KILL -f '[s]leep 98771' || true" }, { "dash", "-i" })
      end
    end
  end)

  it("inside each other, under script and timeout: one terminal's behaviour", function()
    local exec = { process.headway, "exec", "--" }
    for _, words in ipairs { exec, { "timeout", "--foreground", "20" }, { "script", "-qc" }, { process.headway, "exec", "--pty=off", "--" } } do
      local argv = { process.headway, "exec", "--", table.unpack(words) }
      if words[1] == "script" then
        argv = { "script", "-qefc", shell.command { process.headway, "exec", "--", "cat" }, "/dev/null" }
      else argv[#argv + 1] = "cat" end
      local shown = terminal.run({ "foreground " .. (words[1] == "script" and "script" or "headway"), "modes -icanon", [[send abc\r]],
        [[expect abc\r\nabc\r\n]], [[send \x03]], "wait" }, argv)
      assert.matches("exit 130", shown.said)
    end
  end)

  it("idle means idle: in the foreground, stopped, in the background", function()
    local cpu = [[for p in $(pgrep -f "^$HEADWAY [e]xec.*98772"); do cut -d' ' -f14,15 /proc/$p/stat; done | tr ' ' '+' | paste -sd+ | sed 's/^$/0/']]
    local idle = ("run a=$(echo $(( $(%s) ))); sleep 1; b=$(echo $(( $(%s) ))); [ $((b - a)) -le 3 ]"):format(cpu, cpu)
    terminal.run({ "expect $ ", [[send $HEADWAY exec -- sleep 98772\r]], "foreground headway", "modes -icanon", idle,
      [[send \x1a]], "expect Stopped", idle, [[send bg\r]], "expect $ ", idle, [[send kill %1\r]] },
      { "bash", "--norc", "--noprofile", "-i" })
    -- hung up, while the command does not care
    terminal.run({ [[send x\r]], "foreground headway", "modes -icanon", "hangup",
      idle, "run pkill -KILL -f '[s]leep 98772' || true" },
      { process.headway, "exec", "--", "sh", "-c", "trap '' HUP; sleep 98772; sleep 98772" })
  end)
end)
