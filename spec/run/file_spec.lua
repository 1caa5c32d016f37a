--- What `headway run` makes of a progress file, from outside: the whole contract of the file. No cluster.
local cjson = require "cjson"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"

describe("headway run over a file", function()
  local dir, file, p

  before_each(function()
    dir = process.temp_dir()
    file = dir .. "/progress"
  end)
  after_each(function()
    if p then p:close() end
    p = nil
    process.remove(dir)
  end)

  local function start(env, ...)
    env = env or {}
    env.FLUID_PROGRESS_FILE = env.FLUID_PROGRESS_FILE or file
    p = process.start({ process.headway, "run", "-o", "json", ... }, env)
    return p
  end

  --- The lines published so far.
  local function lines()
    local list = {}
    for line in p:out():gmatch "([^\n]+)\n" do list[#list + 1] = cjson.decode(line) end
    return list
  end

  --- Waits for a published line that fits.
  local function published(fits, timeout)
    return shell.wait_until(function()
      for _, line in ipairs(lines()) do
        if fits(line) then return line end
      end
    end, timeout or 10)
  end

  local function progress(value) return function(line) return line.progress == value end end

  it("begins at 0/100, waiting", function()
    start()
    local line = assert(published(progress "0/100"))
    assert.same({ "waiting", "no progress file yet" }, { line.state, line.reason })
  end)

  it("follows the file and ends with its last value on SIGTERM", function()
    start()
    assert(published(progress "0/100"))
    process.replace(file, "40/100 halfway\n")
    local line = assert(published(progress "40/100"))
    assert.same({ "running", "halfway", 40, 100, 0.4, "nm" },
      { line.state, line.message, line.done, line.total, line.fraction, line.parser })
    process.replace(file, "41/100\n")
    p:kill "TERM"
    assert.equal(0, p:wait(6))
    local all = lines()
    assert.equal("41/100", all[#all].progress)
  end)

  local ways = {
    -- how a file may come to say something; each must be seen with file events and by the tick alone
    { "written in place",            "echo 7/9 > $FILE" },
    { "appended to",                 "echo 1/9 >> $FILE; echo 7/9 >> $FILE" },
    { "renamed in",                  "echo 7/9 > $FILE.x; mv $FILE.x $FILE" },
    { "renamed over",                "echo 1/9 > $FILE; echo 7/9 > $FILE.x; mv $FILE.x $FILE" },
    { "deleted and made again",      "echo 1/9 > $FILE; rm $FILE; echo 7/9 > $FILE" },
    { "its directory made later",    "mkdir -p $DIR/a/b; echo 7/9 > $DIR/a/b/progress", "a/b/progress" },
    { "its directory made again",    "rm -r $DIR/c; mkdir $DIR/c; echo 7/9 > $DIR/c/progress", "c/progress" },
    { "its directory renamed in",    "mkdir $DIR/n; echo 7/9 > $DIR/n/progress; mv $DIR/n $DIR/m", "m/progress" },
  }
  for _, events in ipairs { "auto", "off" } do
    for _, way in ipairs(ways) do
      it(("is seen when %s (events %s)"):format(way[1], events), function()
        local path = way[3] and dir .. "/" .. way[3] or file
        shell.run("mkdir -p " .. shell.quote(dir .. "/c"))
        start({ FLUID_PROGRESS_FILE = path, HEADWAY_POLL = "200ms", HEADWAY_EVENTS = events })
        assert(published(progress "0/100"))
        shell.run(("FILE=%s DIR=%s; %s"):format(shell.quote(path), shell.quote(dir), way[2]))
        assert(published(progress "7/9"))
      end)
    end
  end

  it("is seen at once with file events, long before the tick", function()
    start { HEADWAY_POLL = "1m" }
    assert(published(progress "0/100"))
    process.replace(file, "3/4\n")
    assert(published(progress "3/4", 5))
  end)

  it("a torn line is not believed, not even at the end when it grows", function()
    start { HEADWAY_POLL = "300ms" }
    assert(published(progress "0/100"))
    for _, torn in ipairs { "5", "50", "50/", "50/1", "50/10" } do
      shell.run(("printf %s > %s; sleep 0.1"):format(torn, shell.quote(file)))
    end
    process.replace(file, "50/100\n")
    assert(published(progress "50/100"))
    for _, line in ipairs(lines()) do
      assert.is_true(line.progress == "0/100" or line.progress == "50/100", line.progress)
    end
  end)

  it("a line without its end is believed when two reads agree", function()
    start { HEADWAY_POLL = "200ms" }
    shell.write(file, "5/10")
    assert(published(progress "5/10"))
  end)

  it("a line without its end is believed at the end", function()
    start { HEADWAY_POLL = "1m", HEADWAY_EVENTS = "off" }
    assert(published(progress "0/100"))
    shell.write(file, "5/10")
    p:kill "TERM"
    assert.equal(0, p:wait(6))
    local all = lines()
    assert.equal("5/10", all[#all].progress)
  end)

  local refusals = {
    { "N over M",        "5/3\n",                    "N is over M: '5/3'" },
    { "a percent",       "50%\n",                    "not N/M: '50%%'" },
    { "three parts",     "1/2/3\n",                  "not N/M" },
    { "decimals",        "1.5/3\n",                  "not N/M" },
    { "a sign",          "+1/3\n",                   "not N/M" },
    { "over 63 bits",    "1/9223372036854775808\n",  "count over 2%^63%-1" },
    { "binary",          "\0\1\2\255\254\n",         "not N/M" },
    { "a long secret",   ("s3cret "):rep(20) .. "\n", "not N/M: '.+%.%.%.'" },
    { "a URL with a password", "https://me:averylongsecretpassword@example.org/path\n", "not N/M: 'https://example.org/path'" },
    { "a line over 4096 bytes", ("1"):rep(5000) .. "\n", "longer than 4096 bytes" },
  }
  for _, row in ipairs(refusals) do
    it("refuses " .. row[1] .. ", says why once, keeps the last good value", function()
      shell.write(file, "2/9\n")
      start { HEADWAY_POLL = "100ms" }
      assert(published(progress "2/9"))
      process.replace(file, row[2])
      p:expect("err", "refused")
      p:kill "TERM"
      assert.equal(0, p:wait(6))
      local all = lines()
      local last = all[#all]
      assert.same({ "2/9", 1 }, { last.progress, last.refused })
      assert.matches(row[3], last.reason)
      assert.is_true(#last.reason < 80, last.reason)
      assert.equal(1, select(2, p:err():gsub("refused", "")))
    end)
  end

  local strange = {
    { "a symbolic link", "echo 1/2 > $DIR/target; ln -s $DIR/target $FILE", "symbolic link" },
    { "a directory",     "mkdir $FILE",                                     "directory" },
    { "a FIFO",          "mkfifo $FILE",                                    "FIFO" },
  }
  for _, row in ipairs(strange) do
    it("refuses " .. row[1], function()
      shell.run(("FILE=%s DIR=%s; %s"):format(shell.quote(file), shell.quote(dir), row[2]))
      start()
      local line = assert(published(function(l) return l.refused == 1 end))
      assert.matches(row[3], line.reason)
      assert.equal("0/100", line.progress)
    end)
  end

  it("does not break the pipe of who writes into a FIFO", function()
    shell.run("mkfifo " .. shell.quote(file))
    start { HEADWAY_POLL = "100ms" }
    assert(published(function(l) return l.refused == 1 end))
    local writer = process.start { "sh", "-c", "echo 1/2 > " .. file .. " && sleep 5" }
    assert.is_nil(writer:wait(1)) -- still waits for a reader, as it would without us
    writer:close()
  end)

  it("reads only the end of a huge file", function()
    shell.run(("{ yes 1/9 2>/dev/null | head -c 300000000; echo; echo 8/9; } > %s"):format(shell.quote(file)))
    start()
    assert(published(progress "8/9", 5))
  end)

  it("counts a smaller N and another M as restarts", function()
    start()
    assert(published(progress "0/100"))
    for _, value in ipairs { "5/9", "2/9", "3/12" } do
      process.replace(file, value .. "\n")
      assert(published(progress(value)))
    end
    assert.equal(2, published(progress "3/12").restarts)
  end)

  it("cleans the message and cuts it to 200 bytes", function()
    shell.write(file, "1/2 a\27[31mb\226\128\174c " .. ("x"):rep(500) .. " https://u:pw@h/p?q=1\n")
    start()
    local line = assert(published(progress "1/2"))
    assert.is_nil(line.message:find "[\27\226]")
    assert.is_true(#line.message <= 200)
  end)

  it("a restarted reporter publishes what the file says, and nothing older", function()
    shell.write(file, "40/100\n")
    start()
    assert(published(progress "40/100"))
    assert.equal("40/100", lines()[1].progress)
  end)

  it("keeps up with a task that writes without pause, and has its last value", function()
    start()
    assert(published(progress "0/100"))
    shell.run(([[i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i/20000; done > /dev/null
      for i in $(seq 1 3000); do echo $i/3000 > %s; done]]):format(shell.quote(file)))
    p:kill "TERM"
    assert.equal(0, p:wait(6))
    local all = lines()
    assert.equal("3000/3000", all[#all].progress)
  end)

  --- A directory with a parser of that name, whose feed has this body.
  local function parser_dir(name, body)
    shell.run("mkdir " .. shell.quote(dir .. "/parsers"))
    shell.write(("%s/parsers/%s.lua"):format(dir, name), ([[
local core = require "headway.core"
local M = { api = 1, name = "%s" }
M.__index = M
function M.new() return setmetatable({}, M) end
function M:feed(record) %s end
return M
]]):format(name, body))
    return dir .. "/parsers"
  end

  it("takes a parser by its path, and shows the name that it gives itself", function()
    local path = parser_dir("mine", "return { done = 1, total = 4 }") .. "/mine.lua"
    start { HEADWAY_PARSER = path }
    shell.write(file, "anything\n")
    assert.equal("mine", assert(published(progress "1/4")).parser)
  end)

  it("has the last value when the parser is slow and the file's end is not even a line", function()
    start { HEADWAY_PARSER_DIR = parser_dir("nm", [[
      for i = 1, 2000000 do local _ = i * i end
      local done, total = core.nm(record)
      return { done = done, total = total }]]) }
    assert(published(progress "0/100"))
    shell.write(file, "10/100\n")
    shell.write(file, "99/100")
    p:kill "TERM"
    assert.equal(0, p:wait(6))
    local all = lines()
    assert.equal("99/100", all[#all].progress)
  end)

  it("has the last value when the signal falls into the truncation of a rewrite", function()
    shell.write(file, "1/100\n")
    start()
    assert(published(progress "1/100"))
    local writer = assert(io.open(file, "w"))
    p:kill "TERM"
    shell.run "sleep 0.05"
    writer:write "100/100\n"
    writer:close()
    assert.equal(0, p:wait(6))
    local all = lines()
    assert.equal("100/100", all[#all].progress)
  end)

  it("a worker that was stopped or killed costs no value", function()
    start()
    assert(published(progress "0/100"))
    local children = shell.read(("/proc/%d/task/%d/children"):format(p.pid, p.pid))
    local worker = math.tointeger(tonumber(children:match "%d+"))
    shell.run("kill -STOP " .. worker)
    process.replace(file, "2/10\n")
    assert(published(progress "2/10", 15))
    assert.is_nil(p:err():find "can't be read")
    children = shell.read(("/proc/%d/task/%d/children"):format(p.pid, p.pid))
    shell.run("kill -STOP " .. children:match "%d+")
    process.replace(file, "3/10\n")
    p:kill "TERM"
    assert.equal(0, p:wait(6))
    local all = lines()
    assert.equal("3/10", all[#all].progress)
  end)

  it("in a pod it stays when it may open hardly any file, and ends when told to", function()
    for _, n in ipairs { 8, 16 } do
      p = process.start({ "sh", "-c", ("ulimit -n %d; exec %s run"):format(n, shell.quote(process.headway)) },
        { KUBERNETES_SERVICE_HOST = "127.0.0.1", KUBERNETES_SERVICE_PORT = "1", FLUID_PROGRESS_FILE = file })
      assert(p:expect("err", "idle"), p:err())
      assert.matches("ulimit", p:err())
      p:kill "TERM"
      assert.equal(0, p:wait(6))
      p:close()
      p = nil
    end
  end)

  it("says so when records come and none matches", function()
    start { HEADWAY_PARSER_DIR = parser_dir("nm", "return nil"), HEADWAY_NO_MATCH = "1s" }
    shell.write(file, "1/2\n")
    local line = assert(published(function(l) return l.state == "stalled" end))
    assert.equal("no record matched (nm)", line.reason)
  end)

  it("a parser that never ends is set aside, and the reason is shown", function()
    start { HEADWAY_PARSER_DIR = parser_dir("nm", "while true do pcall(string.rep, 'x', 10) end") }
    shell.write(file, "1/2\n")
    assert(published(function(l) return (l.reason or ""):find "^parser nm: " or (l.refused or 0) > 0 end, 15), p:out() .. p:err())
    p:kill "TERM"
    assert.equal(0, p:wait(6))
  end)

  it("the operation's status needs the pod's sink: wrong settings without it", function()
    p = process.start({ process.headway, "run", "--file", file, "--status-direct", "--sinks", "jsonl" })
    assert.equal(2, p:wait())
    assert.matches("`sinks` must have annotation", p:err())
  end)

  it("without a file to watch: wrong use outside of a pod", function()
    p = process.start({ process.headway, "run" })
    assert.equal(2, p:wait())
    assert.matches("FLUID_PROGRESS_FILE", p:err())
  end)

  it("in a pod it stays whatever is wrong, and ends when told to", function()
    p = process.start({ process.headway, "run" }, { KUBERNETES_SERVICE_HOST = "127.0.0.1",
      KUBERNETES_SERVICE_PORT = "1", HEADWAY_POLL = "nonsense" })
    assert(p:expect("err", "idle"))
    assert.matches("nonsense", p:err())
    p:kill "TERM"
    assert.equal(0, p:wait(6))
  end)
end)
