local cli = require "spec.support.cli"
local shell = require "spec.support.cluster_shell"

local dir, done
before_each(function() dir, done = cli.temp_dir() end)
after_each(function() done() end)

local function set(args, options)
  options = options or {}
  options.env = options.env or { FLUID_PROGRESS_FILE = dir .. "/progress" }
  return cli.run({ "set", table.unpack(args) }, options)
end

local function stat(path, format)
  return (select(2, shell.run(("stat -c %s %s"):format(shell.quote(format), shell.quote(path)))):gsub("\n$", ""))
end

local function listing()
  return (select(2, shell.run("ls -A " .. shell.quote(dir))):gsub("\n", " "))
end

--- Permissions mean nothing to root: such rows run as nobody, or not at all.
local is_root = select(2, shell.run "id -u") == "0\n"

describe("headway set: what is written", function()
  local cases = {
    -- name                 arguments                                   file
    { "N/M",                { "40/100" },                               "40/100\n" },
    { "spaces and zeros",   { " 007 / 010 " },                          "7/10\n" },
    { "0/0",                { "0/0" },                                  "0/0\n" },
    { "the largest", { "9223372036854775807/9223372036854775807" }, "9223372036854775807/9223372036854775807\n" },
    { "a message",          { "40/100", "copied 7 files" },             "40/100 copied 7 files\n" },
    { "words",              { "40/100", "copied", "7", "files" },       "40/100 copied 7 files\n" },
    { "in one argument",    { "40/100 copied" },                        "40/100 copied\n" },
    { "both",               { "40/100 copied", "all" },                 "40/100 copied all\n" },
    { "an empty message",   { "40/100", "" },                           "40/100\n" },
    { "line ends",          { "40/100", "a\nb\r\n50/100" },             "40/100 a b 50/100\n" },
    { "control characters", { "40/100", "\27[31mred\u{202e}" },         "40/100 [31mred\n" },
    { "invalid UTF-8",      { "40/100", "a\xffb" },                     "40/100 a\u{fffd}b\n" },
    { "a long message",     { "40/100", ("x"):rep(300) },               "40/100 " .. ("x"):rep(197) .. "...\n" },
    { "a very long one",    { "40/100", ("x "):rep(50000) },            "40/100 " .. ("x "):rep(98) .. "x...\n" },
    { "a message with a dash", { "40/100", "--", "--done" },            "40/100 --done\n" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local run = set(case[2])
      assert.same({ 0, "", "" }, { run.status, run.stdout, run.stderr })
      assert.equal(case[3], shell.read(dir .. "/progress"))
      assert.equal("progress ", listing())
    end)
  end
end)

describe("headway set: what is refused", function()
  local cases = { "50%", "5", "1/2/3", "-1/2", "+1/2", "1.5/2", "3/2", "a/b", "", "/", "1/",
    "9223372036854775808/9223372036854775808", "0x1/2", "1/2x", "١/٢" }
  for _, text in ipairs(cases) do
    it("'" .. text .. "'", function()
      local run = set { "--", text }
      assert.same({ 2, "" }, { run.status, run.stdout })
      assert.truthy(run.stderr:find "^headway set: .*\nsee `headway set %-%-help`\n$", run.stderr)
      assert.equal("", listing())
    end)
  end
end)

describe("headway set: where to", function()
  it("nowhere: says which variable and which flag", function()
    local run = set({ "1/2" }, { env = {} })
    assert.equal(2, run.status)
    assert.equal("headway set: which file? FLUID_PROGRESS_FILE is not set, and --file was not given\n" ..
      "see `headway set --help`\n", run.stderr)
  end)

  it("--file before the variable, a relative path too", function()
    assert.equal(0, set({ "1/2", "--file", "other" }, { cwd = dir }).status)
    assert.equal("other ", listing())
  end)

  it("settings of others that are wrong don't matter", function()
    local env = { FLUID_PROGRESS_FILE = dir .. "/progress", HEADWAY_POLL = "x", HEADWAY_CONFIG = "/nowhere" }
    local run = set({ "1/2" }, { env = env })
    assert.equal(0, run.status, run.stderr)
  end)

  it("a wrong path of its own does", function()
    local run = set({ "1/2" }, { env = { FLUID_PROGRESS_FILE = "/a\tb" } })
    assert.equal(2, run.status)
    assert.truthy(run.stderr:find("FLUID_PROGRESS_FILE: source.file", 1, true))
  end)

  it("a missing directory", function()
    local run = set({ "1/2" }, { env = { FLUID_PROGRESS_FILE = dir .. "/no/progress" } })
    assert.equal(3, run.status)
    assert.equal(("headway set: make a file in '%s/no/': No such file or directory\n"):format(dir), run.stderr)
  end)

  it("a directory", function()
    local run = set({ "1/2" }, { env = { FLUID_PROGRESS_FILE = dir } })
    assert.equal(3, run.status)
    assert.equal(("headway set: '%s' is a directory, no file\n"):format(dir), run.stderr)
  end)
end)

describe("headway set: the file", function()
  local modes = {
    -- name                        umask   before  after
    { "new, as umask says",        "022",  nil,    "644" },
    { "new, umask of 0",           "0",    nil,    "666" },
    { "an old one keeps its mode", "077",  "666",  "666" },
    { "also a narrow one",         "0",    "600",  "600" },
  }
  for _, case in ipairs(modes) do
    it(case[1], function()
      local path = dir .. "/progress"
      if case[3] then
        shell.write(path, "1/100 old\n")
        os.execute(("chmod %s %s"):format(case[3], path))
      end
      assert.equal(0, set({ "2/100" }, { before = "umask " .. case[2] }).status)
      assert.equal(case[4], stat(path, "%a"))
      assert.equal("2/100\n", shell.read(path))
    end)
  end

  it("is another one each time, so no reader sees half of it", function()
    set { "1/2" }
    local before = stat(dir .. "/progress", "%i")
    os.execute(("ln %s/progress %s/kept"):format(dir, dir))
    set { "2/2" }
    assert.not_equal(before, stat(dir .. "/progress", "%i"))
    assert.equal("1/2\n", shell.read(dir .. "/kept"))
  end)

  it("a link is replaced by a file; what it pointed to stays", function()
    shell.write(dir .. "/target", "precious\n")
    os.execute(("ln -s target %s/progress"):format(dir))
    assert.equal(0, set({ "1/2" }).status)
    assert.equal("regular file", stat(dir .. "/progress", "%F"))
    assert.same({ "1/2\n", "precious\n" }, { shell.read(dir .. "/progress"), shell.read(dir .. "/target") })
  end)

  it("a link into /proc or /dev is written through, never replaced", function()
    os.execute(("ln -s /proc/self/fd/1 %s/progress"):format(dir))
    local out = dir .. "/out"
    assert.equal(0, set({ "1/2" }, { out = out }).status)
    assert.equal("symbolic link", stat(dir .. "/progress", "%F"))
    assert.equal("1/2\n", shell.read(out))
  end)

  it("a dangling link too", function()
    os.execute(("ln -s nowhere %s/progress"):format(dir))
    assert.equal(0, set({ "1/2" }).status)
    assert.equal("progress ", listing())
    assert.equal("1/2\n", shell.read(dir .. "/progress"))
  end)

  it("a full disk: says so, leaves nothing behind", function()
    local line = "trap '' XFSZ; ulimit -f 0; %s set 1/2 --file %s/progress 2>&1"
    local _, output, code = shell.run(line:format(shell.quote(cli.bin), dir))
    assert.equal(3, code)
    assert.truthy(output:find "^headway set: write '.*': File too large\n$", output)
    assert.equal("", listing())
  end)

  it("with many writers it is always whole", function()
    local line = "{ for i in 1 2 3 4; do (for n in 1 2 3 4 5; do %s set $n$n$n/100000 --file %s/progress; done) & " ..
      "done; wait; touch %s/end; } >/dev/null 2>&1 &"
    os.execute(line:format(shell.quote(cli.bin), dir, dir))
    local reads = 0
    assert.is_true(shell.wait_until(function()
      local text = shell.read(dir .. "/progress")
      if text then
        assert.truthy(text:find "^(%d)%1%1/100000\n$", text)
        reads = reads + 1
      end
      return shell.exists(dir .. "/end")
    end, 60))
    assert.is_true(reads > 0)
    assert.equal("end progress ", listing())
  end)
end)

describe("headway set: a directory that takes no new file", function()
  local as_nobody = is_root and "setpriv --reuid 65534 --clear-groups --inh-caps=-all -- " or ""
  local bin = as_nobody .. shell.quote(cli.bin)
  local reachable = shell.run(bin .. " version >/dev/null 2>&1")

  local function locked(mode, content)
    shell.write(dir .. "/progress", content)
    os.execute(("chmod %s %s/progress; chmod 555 %s"):format(mode, dir, dir))
    return shell.run(("FLUID_PROGRESS_FILE=%s/progress %s set 2/100 new 2>&1"):format(dir, bin))
  end

  local cases = {
    -- name                      before                     after
    { "the line is added",       "1/100 old\n",             "1/100 old\n\n2/100 new\n" },
    { "also to half a line",     "1/10",                    "1/10\n2/100 new\n" },
    { "also to an empty file",   "",                        "2/100 new\n" },
    { "a grown file begins anew", ("1/100\n"):rep(6000),    "2/100 new\n" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      if not reachable then return pending "nobody can't run the binary" end
      local ok, output = locked("666", case[2])
      assert.is_true(ok, output)
      assert.equal(case[3], shell.read(dir .. "/progress"))
    end)
  end

  it("and a file that can't be written: both reasons", function()
    if not reachable then return pending "nobody can't run the binary" end
    local _, output, code = locked("444", "1/2\n")
    assert.equal(3, code)
    local expected = "headway set: make a file in '%s/': Permission denied, and in place: " ..
      "open '%s/progress': Permission denied\n"
    assert.equal(expected:format(dir, dir), output)
  end)
end)

describe("headway set: what is no regular file", function()
  it("a FIFO with a reader gets one line", function()
    local fifo = dir .. "/fifo"
    os.execute("mkfifo " .. fifo)
    local reader = io.popen("timeout 10 cat " .. fifo)
    local run
    for _ = 1, 100 do -- until the reader is there
      run = set({ "40/100", "half" }, { env = { FLUID_PROGRESS_FILE = fifo } })
      if run.status == 0 then break end
      os.execute "sleep 0.05"
    end
    assert.equal(0, run.status, run.stderr)
    assert.equal("40/100 half\n", reader:read "a")
    reader:close()
    assert.equal("fifo", stat(fifo, "%F"))
  end)

  it("a FIFO without a reader is an error at once", function()
    local fifo = dir .. "/fifo"
    os.execute("mkfifo " .. fifo)
    local run = set({ "40/100" }, { env = { FLUID_PROGRESS_FILE = fifo }, before = "ulimit -t 5" })
    assert.equal(3, run.status)
    assert.equal(("headway set: '%s': nobody has it open for reading (a FIFO)\n"):format(fifo), run.stderr)
  end)

  it("/proc/self/fd/1, as in the mode stdout: a pipe", function()
    local line = "FLUID_PROGRESS_FILE=/proc/self/fd/1 %s set 40/100 half"
    local ok, output = shell.run(line:format(shell.quote(cli.bin)))
    assert.is_true(ok)
    assert.equal("40/100 half\n", output)
  end)

  it("/proc/self/fd/1 that is a log: the line is added, nothing is cut", function()
    local log = dir .. "/log"
    shell.write(log, ("before\n"):rep(10000))
    local line = "FLUID_PROGRESS_FILE=/proc/self/fd/1 %s set 40/100 >>%s 2>&1"
    local ok = shell.run(line:format(shell.quote(cli.bin), log))
    assert.is_true(ok, shell.read(log):sub(-200))
    assert.equal(("before\n"):rep(10000) .. "\n40/100\n", shell.read(log))
  end)

  it("a pipe that nobody empties is an error after 3 s", function()
    local fill = "mkfifo %s; exec 7<>%s; yes | dd of=%s bs=64k oflag=nonblock 2>/dev/null; %s set 1/2 --file %s 2>&1"
    local fifo = dir .. "/fifo"
    local _, output, code = shell.run(fill:format(fifo, fifo, fifo, shell.quote(cli.bin), fifo))
    assert.equal(3, code, output)
    assert.truthy(output:find "Resource temporarily unavailable", output)
  end)

  it("/dev/null", function()
    assert.equal(0, set({ "1/2" }, { env = { FLUID_PROGRESS_FILE = "/dev/null" } }).status)
    assert.equal("character special file", stat("/dev/null", "%F"))
  end)

  it("/dev/full says why not", function()
    local run = set({ "1/2" }, { env = { FLUID_PROGRESS_FILE = "/dev/full" } })
    assert.equal(3, run.status)
    assert.equal("headway set: write '/dev/full': No space left on device\n", run.stderr)
  end)
end)
