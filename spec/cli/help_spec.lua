local cli = require "spec.support.cli"

local commands = {}
for name in cli.run({ "--help" }).stdout:gmatch "\n  (%l+) +%l" do commands[#commands + 1] = name end

describe("headway --help", function()
  it("lists the commands", function()
    for _, name in ipairs { "run", "set", "local", "check", "version", "help" } do
      assert.truthy(table.concat(commands, " "):find(name, 1, true), name)
    end
  end)

  it("is what help and -h print", function()
    local text = cli.run({ "--help" }).stdout
    assert.equal(text, cli.run({ "help" }).stdout)
    assert.equal(text, cli.run({ "-h" }).stdout)
  end)

  it("without a command it goes to stderr, exit 2", function()
    local run = cli.run {}
    assert.same({ 2, "" }, { run.status, run.stdout })
    assert.equal(cli.run({ "--help" }).stdout, run.stderr)
  end)

  for _, name in ipairs(commands) do
    it(name .. " --help", function()
      local run = cli.run { name, "--help" }
      assert.equal(0, run.status)
      assert.equal("", run.stderr)
      assert.truthy(run.stdout:find("^usage: headway " .. name))
      assert.equal(run.stdout, cli.run({ "help", name }).stdout)
      for line in run.stdout:gmatch "[^\n]+" do assert.is_true(#line <= 130, line) end
    end)
  end
end)

describe("wrong use", function()
  local cases = {
    -- name, arguments, the first line on stderr; the second says where to look
    { "no such command", { "chek" }, "headway: unknown command 'chek', did you mean 'check'?" },
    { "like no command", { "quux" }, "headway: unknown command 'quux'" },
    { "a flag first", { "--poll", "3s", "run" }, "headway: unknown flag '--poll': flags stand behind the command" },
    { "no such flag", { "local", "--pol=3s" }, "headway local: unknown flag '--pol', did you mean '--poll'?" },
    { "like no flag", { "local", "--quux" }, "headway local: unknown flag '--quux'" },
    { "another command's flag", { "set", "--kubeconfig=x", "1/2" },
      "headway set: this command takes no flag '--kubeconfig'" },
    { "no such letter", { "local", "-x" }, "headway local: unknown flag '-x'" },
    { "nothing behind a flag", { "local", "--poll" }, "headway local: flag '--poll' wants DURATION behind it" },
    { "a value for a switch", { "version", "--licenses=x" }, "headway version: flag '--licenses' takes no value" },
    { "an argument too many", { "version", "x" }, "headway version: unexpected argument 'x'" },
    { "an argument too few", { "set" }, "headway set: expected N/M [MESSAGE...]" },
    { "help for no command", { "help", "sett" }, "headway help: unknown command 'sett', did you mean 'set'?" },
    { "no such docs", { "check", "--docs", "x" }, "headway check: --docs 'x': only config can be printed" },
    { "hostile bytes", { "\27[31mx" }, "headway: unknown command ' [31mx'" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local run = cli.run(case[2])
      local command = case[3]:match "^headway( %l+): " or ""
      local expected = ("%s\nsee `headway%s --help`\n"):format(case[3], command)
      assert.same({ 2, "", expected }, { run.status, run.stdout, run.stderr })
    end)
  end
end)

describe("standard output that can't be written", function()
  local cases = {
    { "a full disk",    "/dev/full", "No space left on device" },
    { "a closed one",   "&-",        "Bad file descriptor" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local run = cli.run({ "check" }, { out = case[2] })
      assert.equal(3, run.status)
      assert.equal("headway: write standard output: " .. case[3] .. "\n", run.stderr)
    end)
  end

  it("a closed pipe", function()
    local bin = cli.bin
    local err = os.tmpname()
    -- the reader is gone before anything is written
    local line = "{ sleep 0.3; %s version --licenses 2>%s; echo $? >&2; } 2>%s.status | true"
    local pipe = io.popen(line:format(bin, err, err))
    pipe:read "a"
    pipe:close()
    os.execute "sleep 0.5"
    assert.equal("headway: write standard output: Broken pipe\n", io.open(err):read "a")
    assert.equal("3\n", io.open(err .. ".status"):read "a")
    os.remove(err)
    os.remove(err .. ".status")
  end)

  it("closed standard files are no place for ours", function()
    local dir, done = cli.temp_dir()
    local run = cli.run({ "set", "1/2", "--file", dir .. "/p" }, { out = "&- <&-" })
    assert.equal(0, run.status, run.stderr)
    assert.equal("1/2\n", io.open(dir .. "/p"):read "a")
    done()
  end)
end)
