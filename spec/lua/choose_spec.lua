--- Which parser a command line gets.
local cli = require "spec.support.cli"
local core = require "headway_core"

local rows = {
  -- argv                                                         parser
  { { "rsync", "-a", "a", "b" },                                "rsync" },
  { { "rsync", "-a", "-n", "a", "b" },                          "rsync_dry" },
  { { "nice", "-n", "10", "rsync", "-avn", "a", "b" },          "rsync_dry" },
  { { "rsync", "-nahv", "a", "b" },                             "rsync_dry" },
  { { "rsync", "-e", "ssh -n", "a", "b" },                      "rsync" },
  { { "rsync", "-T/tmp/n", "a", "b" },                          "rsync" },
  { { "rsync", "--no-n", "-", "a", "b" },                       "rsync" },
  { { "rsync", "-a", "--dry-run", "a", "b" },                   "rsync_dry" },
  { { "/usr/bin/rsync" },                                       "rsync" },
  { { "rsync2" },                                               "rsync" },
  { { "rsync-3.2.7" },                                          "auto" },
  { { "myrsync" },                                              "auto" },
  { { "echo", "rsync" },                                        "auto" },
  { {},                                                         "auto" },
  { { "" },                                                     "auto" },
  { { "env", "rsync" },                                         "rsync" },
  { { "env", "-i", "LC_ALL=C", "A_1=b c", "rsync" },            "rsync" },
  { { "env", "-u", "HOME", "-C", "/tmp", "rsync" },             "rsync" },
  { { "env", "--unset=HOME", "rsync" },                         "rsync" },
  { { "env", "rsync=1", "rclone", "copy" },                     "rclone" },
  { { "env" },                                                  "auto" },
  { { "env", "-u" },                                            "auto" },
  { { "nice", "-n", "10", "rsync" },                            "rsync" },
  { { "nice", "-10", "rsync" },                                 "rsync" },
  { { "nice", "rsync" },                                        "rsync" },
  { { "ionice", "-c", "3", "rsync" },                           "rsync" },
  { { "ionice", "-c3", "nice", "nohup", "rsync" },              "rsync" },
  { { "time", "-p", "rsync" },                                  "rsync" },
  { { "time", "-f", "%e", "-o", "t.txt", "rsync" },             "rsync" },
  { { "stdbuf", "-oL", "rsync" },                               "rsync" },
  { { "stdbuf", "-o", "L", "-e", "0", "rsync" },                "rsync" },
  { { "timeout", "60", "rsync" },                               "rsync" },
  { { "timeout", "-k", "5", "-s", "INT", "1h", "rsync" },       "rsync" },
  { { "timeout", "--signal=INT", "--", "60", "rsync" },         "rsync" },
  { { "timeout", "60" },                                        "auto" },
  { { "sudo", "-u", "backup", "-E", "rsync" },                  "rsync" },
  { { "sudo", "-n", "--", "A=b", "rsync" },                     "rsync" },
  { { "tini", "-g", "--", "rsync" },                            "rsync" },
  { { "sh", "-c", "rsync -a a b" },                             "rsync" },
  { { "/bin/bash", "-ec", "exec rsync -a 'a b' \"c d\"" },      "rsync" },
  { { "bash", "-e", "-o", "pipefail", "-c", "rsync a b", "x" }, "rsync" },
  { { "sh", "-c", "LC_ALL=C nice -n 5 rsync a b > /dev/null 2>&1" }, "rsync" },
  { { "sh", "-c", "rsync a b; rm -r a" },                       "rsync" },
  { { "sh", "-c", "rsync a b | tee log" },                      "rsync" },
  { { "sh", "-c", "rsync a b > log | cat" },                    "rsync" },
  { { "sh", "-c", "rsync a b && echo" },                        "rsync" },
  { { "sh", "-c", "rsync $(list) b" },                          "rsync" },
  { { "sh", "-c", "rsync \"`list`\" b" },                       "rsync" },
  { { "sh", "-c", "rsync a\\;b c" },                            "rsync" },
  { { "sh", "-c", "rsync 'a;b' c" },                            "rsync" },
  { { "sh", "-c", "rsync 'a" },                                 "auto" },
  { { "sh", "-c", "  rsync a b\n" },                            "rsync" },
  { { "sh", "-c", "rsync a\nrsync b" },                         "rsync" },
  { { "sh", "-c", "sh -c \"sh -c 'rsync a b'\"" },              "rsync" },
  { { "sh", "-c", "" },                                         "auto" },
  { { "sh", "-c" },                                             "auto" },
  { { "sh", "rsync" },                                          "auto" },
  { { "sh", "script.sh", "-c", "rsync" },                       "auto" },
  { { "juicefs", "warmup", "/mnt" },                            "juicefs_warmup" },
  { { "juicefs", "--debug", "warmup", "/mnt" },                 "juicefs_warmup" },
  { { "juicefs", "--log-level", "debug", "warmup", "/mnt" },    "juicefs_warmup" },
  { { "/usr/local/bin/juicefs", "sync", "warmup", "b" },        "juicefs_sync" },
  { { "juicefs", "format", "x" },                               "auto" },
  { { "juicefs", "mount", "sync" },                             "auto" },
  { { "juicefs" },                                              "auto" },
  { { "rclone", "copy", "a", "b" },                             "rclone" },
  { { "rclone", "--config", "x", "sync", "a", "b" },            "rclone" },
  { { "alluxio", "fs", "distributedLoad", "/a" },               "alluxio_load" },
  { { "alluxio", "fs", "ls", "/a" },                            "auto" },
  { { "python3.11", "-m", "tqdm" },                             "tqdm" },
  { { "python3", "-u", "-m", "tqdm", "--total", "5" },          "tqdm" },
  { { "python3", "train.py", "-m" },                            "auto" },
  { { "tqdm", "--bytes" },                                      "tqdm" },
}

describe("choosing by argv:", function()
  for _, row in ipairs(rows) do
    it(table.concat(row[1], " "):gsub("%c", "~") .. " ", function() assert.equal(row[2], core.parsers.choose(row[1])) end)
  end

  it("a wrapper in a wrapper ends somewhere", function()
    local argv = {}
    for i = 1, 150 do argv[i] = "nice" end
    argv[#argv + 1] = "rsync"
    assert.equal("auto", core.parsers.choose(argv))
    local script = "rsync a"
    for _ = 1, 6 do script = "sh -c " .. ("%q"):format(script) end
    assert.is_truthy(core.parsers.choose(script))
  end)
end)

local lines = {
  { "rsync -a --info=progress2 photos/ backup/",                          "rsync" },
  { "LC_ALL=de_DE.UTF-8 rsync -a photos/ backup/",                        "rsync" },
  { "DISPLAY_PROGRESSBAR=false juicefs warmup /srv/demo/mnt/models",      "juicefs_warmup" },
  { "rsync a b # a remark; more",                                         "rsync" },
  { "sudo -u me sh -c 'rsync a b'",                                       "rsync" },
  { "rsync a b \\\n  --delete # a remark (more",                           "rsync" },
  -- pipes: pv, else who shows progress, else the only one that is known
  { "pv big | dd of=x",                                                   "pv" },
  { "pv x | rsync - b",                                                   "pv" },
  { "tar c . | pv | zstd > x",                                            "pv" },
  { "tar cf - . | pv -s $(du -sb . | awk '{print $1}') | gzip > 'x y'",   "pv" },
  { "pv -qL 1m big | dd of=x status=progress",                            "dd" },
  { "pv -qL 1m big | dd of=x",                                            "dd" },
  { "pv --quiet big | rsync - b",                                         "rsync" },
  { "tar -c --checkpoint=100 x | pv -Lq 1m > y",                          "tar" },
  { "curl http://a/b | tar xz",                                           "curl" },
  { "curl -sS http://a/b | tar -xvz",                                     "tar" },
  { "wget -O- http://a/b|tar x",                                          "wget" },
  { "mysqldump --all-databases | zstd > x",                               "zstd" },
  { "mysqldump -v --all-databases | zstd -q > x",                         "mysqldump" },
  { "tar x | xz -9v > y",                                                 "xz" },
  { "tar x | ssh b",                                                      "tar" },
  { "cat x | ssh b",                                                      "auto" },
  -- several
  { "rsync a b && rclone copy c d",                                       "auto", "rsync, rclone" },
  { "rsync a b; rclone copy c d; rsync e f | s5cmd run",                  "auto", "rsync, rclone, s5cmd" },
  { "rsync a b && rsync -n c d",                                          "auto", "rsync, rsync_dry" },
  { "curl http://a/b | zstd -d > x",                                      "auto", "curl, zstd" },
  { "rsync a b && mkdir x || { rsync c d; exit 1; }",                     "rsync" },
  -- as a shell sees it
  { "for i in 1 2; do pv -qL 1m m | dd of=x status=progress; done",       "dd" },
  { "(for i in 1 2; do printf x; done) | pv -f > /dev/null",              "pv" },
  { "if ! rsync a b; then echo 'no | good'; fi",                          "rsync" },
  { "cd x && time nice -n 5 rsync a b 2>&1 | tee log",                    "rsync" },
  { "rsync a b 2> >(tee errors) | cat",                                   "rsync" },
  { "rsync a b &>log & wait",                                             "rsync" },
  { "2>log rsync a b",                                                    "rsync" },
  { "<list rsync a b",                                                    "rsync" },
  { "echo 'rsync | rclone copy' \"; rsync\"",                             "auto" },
  { "echo $(rsync a b) `rsync c d`",                                      "auto" },
  { "$(which rsync) a b",                                                 "auto" },
  { "sh -c 'rsync a b | cat' | tee log",                                  "rsync" },
  { "sudo sh -c \"pv 'a b' | dd of=x\"",                                  "pv" },
  -- what is not known as a whole is not known at all
  { "rsync a b; echo 'x",                                                 "auto" },
  { "rsync a b; echo $(x",                                                "auto" },
  { "rsync a b; echo \"`x\"",                                             "auto" },
  { "rsync a b; cat <<x\nrclone copy a b\nx\n",                           "auto" },
  { "rsync a b; sh -c 'echo \"x'",                                        "auto" },
  { "rsync a b" .. ("; x"):rep(100),                                      "auto" },
  { "rsync a b; echo " .. ("x "):rep(5000),                               "auto" },
  { "",                                                                   "auto" },
  { ("x"):rep(10000),                                                     "auto" },
  { "rsync " .. ("x "):rep(500),                                          "rsync" },
  { "'unfinished",                                                        "auto" },
}

describe("choosing by a command line:", function()
  for _, row in ipairs(lines) do
    it(row[1]:gsub("%c", "~"):sub(1, 70), function()
      local parser, among = core.parsers.choose(row[1])
      assert.equal(row[2], parser)
      assert.equal(row[3] or "", among)
    end)
  end

  it("whatever it is made of, something is chosen", function()
    local pieces = { "'", '"', "`", "$(", "(", ")", "\\", "|", "&", ";", "<", ">", "\n", "#", " ", "sh -c ", "rsync", "a=1", "-c", "{" }
    math.randomseed(7)
    for _ = 1, 3000 do
      local line = {}
      for i = 1, math.random(40) do line[i] = pieces[math.random(#pieces)] end
      assert.is_truthy(core.parsers.choose(table.concat(line)))
    end
    for _, piece in ipairs(pieces) do assert.is_truthy(core.parsers.choose(piece:rep(20000))) end
  end)
end)

describe("choosing, the user's parsers:", function()
  local dir

  before_each(function()
    dir = os.tmpname()
    os.remove(dir)
    assert(os.execute("mkdir " .. dir))
  end)
  after_each(function() os.execute("rm -rf " .. dir) end)

  local function write(name, text)
    local f <close> = assert(io.open(dir .. "/" .. name, "w"))
    f:write(text)
  end

  local forms = {
    -- text of the module                                               command       chosen?
    { "return { api = 1, commands = { 'mytool' } }",                   "mytool",      true },
    { 'return { commands={"other","mytool"}, x = 1 }',                 "mytool",      true },
    { "local M = {}\nM.commands = {\n  'a', -- one\n  'mytool',\n}",   "mytool",      true },
    { "return { commands = { 'a'; 'mytool'; } }",                      "mytool",      true },
    { "return { mycommands = { 'mytool' } }",                          "mytool",      false },
    { "return { commands = list }",                                    "mytool",      false },
    { "return { commands = { [1] = 'mytool' } }",                      "mytool",      false },
    { "-- commands\nreturn { commands = { 'mytool' } }",               "mytool",      true },
    { "return { commands = { 'mytool",                                 "mytool",      false },
    { "return { commands = {",                                         "mytool",      false },
    { "commands",                                                      "mytool",      false },
    { "",                                                              "mytool",      false },
    { "return { commands = { 'mytool run' } }",                        "mytool run x", true },
    { "return { commands = { 'mytool run' } }",                        "mytool stop", false },
    { "return { commands = { 'mytool --fast' } }",                     "mytool run --fast", true },
  }
  for i, row in ipairs(forms) do
    it(("form %d"):format(i), function()
      write("mine.lua", row[1])
      assert.equal(row[3] and "mine" or "auto", core.parsers.choose(row[2], dir))
    end)
  end

  it("say in shows what makes them print progress", function()
    write("quiet.lua", "return { commands = { 'quiet' }, shows = { '--loud', '-v', '!-s' } }")
    assert.equal("quiet", core.parsers.choose("quiet", dir))
    assert.equal("rsync", core.parsers.choose("quiet | rsync", dir))
    assert.same({ "auto", "quiet, rsync" }, { core.parsers.choose("quiet --loud=2 | rsync", dir) })
    assert.same({ "auto", "quiet, rsync" }, { core.parsers.choose("quiet -av | rsync", dir) })
    assert.equal("rsync", core.parsers.choose("quiet -avs | rsync", dir))
    assert.equal("auto", core.parsers.choose("quiet -s | cat", dir))
  end)

  it("win over built-in ones for the same words, not over more words", function()
    write("mine.lua", "return { commands = { 'rsync', 'juicefs' } }")
    assert.equal("mine", core.parsers.choose("rsync a b", dir))
    assert.equal("juicefs_warmup", core.parsers.choose("juicefs warmup x", dir))
    assert.equal("mine", core.parsers.choose("juicefs format x", dir))
  end)

  it("in place of a built-in one are asked instead of it", function()
    write("rsync.lua", "return { commands = { 'mytool' } }")
    assert.equal("auto", core.parsers.choose("rsync a b", dir))
    assert.equal("rsync", core.parsers.choose("mytool", dir))
  end)

  it("that can't be read are left out", function()
    write("big.lua", ("-"):rep(300 * 1024))
    assert.equal("rsync", core.parsers.choose("rsync", dir))
  end)
end)

describe("choosing among several:", function()
  it("who could have read it is named", function()
    local run = cli.run({ "replay", "-o", "json", "/dev/stdin" }, {
      stdin = '{"version":2,"width":80,"height":24,"command":"rsync a b && rclone copy c d"}\n[0.1,"o","3/10\\n"]\n',
    })
    assert.equal(0, run.status, run.stderr)
    assert.is_truthy(run.stderr:find("(rsync, rclone): auto does", 1, true), run.stderr)
    assert.is_truthy(run.stdout:find('"parser":"auto"', 1, true), run.stdout)
  end)
end)

describe("choosing and the contract:", function()
  it("every built-in parser's commands are read alike by C and by Lua", function()
    for _, entry in ipairs(core.parsers.list()) do
      local h = assert(core.host.new(core.parsers.find(entry.name).text, entry.name))
      local meta = h:meta()
      assert.equal(entry.name, meta.name)
      for _, command in ipairs(meta.commands or {}) do assert.equal(entry.name, core.parsers.choose(command)) end
    end
  end)
end)
