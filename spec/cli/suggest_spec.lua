--- `headway suggest`: over every recording with a known end, what it writes must be a parser that works, unedited; and on small logs,
-- each form that it knows.
local cjson = require "cjson"
local cli = require "spec.support.cli"
local shell = require "spec.support.cluster_shell"

local recordings = os.getenv "HEADWAY_RECORDINGS" or "spec/recordings" -- another collection of the same form
local SHARE = 0.6 -- of the recordings, at the least

local dir, done
setup(function() dir, done = cli.temp_dir() end)
teardown(function() done() end)

--- The last line of a replay.
local function final_of(parser, path)
  local run = cli.run { "replay", "-o", "json", "--parser", parser, path }
  assert.equal(0, run.status, run.stderr)
  return cjson.decode(run.stdout:match "([^\n]+)\n$")
end

local function suggest(path, name)
  return cli.run { "suggest", "--force", "--name", name or "own", "-o", dir, path }
end

-- ---- recordings ---------------------------------------------------------------------------------------

--- Those that count for the share, by path; the others were made to be odd, each for some parser. nil: another collection, all count.
local function usual()
  local text = not os.getenv "HEADWAY_RECORDINGS" and assert(shell.read(recordings .. "/usual.txt"))
  if not text then return nil end
  local set = {}
  for path in text:gmatch "[^\n]+" do set[path] = true end
  return set
end

--- path -> { { name, done, total } } of those whose end is known.
local function known_ends()
  local list = {}
  for line in assert(shell.read(recordings .. "/MANIFEST.tsv")):gmatch "[^\n]+" do
    local cells = {}
    for cell in (line .. "\t"):gmatch "(.-)\t" do cells[#cells + 1] = cell end
    local ends = {}
    for name, n, m in (cells[12] or ""):gmatch "(%w+)=(%d+)/(%d+)" do ends[#ends + 1] = { name, tonumber(n), tonumber(m) } end
    if ends[1] and cells[1]:find "%.cast$" then list[#list + 1] = { path = cells[1], ends = ends } end
  end
  return list
end

--- Bytes that were printed with three digits may be half a percent off.
local function is_same(name, unit, truth, got)
  return truth == got or (name == "bytes" and unit == "bytes" and math.abs(truth - got) <= 0.005 * truth)
end

local function fits(final, ends)
  local n, m = final.progress:match "^(%d+)/(%d+)$"
  for _, e in ipairs(ends) do
    if is_same(e[1], final.unit, e[2], tonumber(n)) and is_same(e[1], final.unit, e[3], tonumber(m)) then return true end
  end
  return false
end

describe("suggest, on real tools:", function()
  local misses = {}
  local tried, worked, counts = 0, 0, usual()
  for _, r in ipairs(known_ends()) do
    local path, counted = recordings .. "/" .. r.path, not counts or counts[r.path]
    it(r.path, function()
      if counted then tried = tried + 1 end
      local run = suggest(path)
      if run.status == 1 then
        if counted then misses[#misses + 1] = r.path .. ": nothing behaves like progress" end
        return
      end
      assert.equal(0, run.status, run.stderr)
      local check = cli.run { "check", dir .. "/own.lua" }
      assert.equal(0, check.status, check.stdout)
      assert.is_nil(check.stdout:find("warning: " .. dir, 1, true), check.stdout)
      local lines = 0
      for line in shell.read(dir .. "/own.lua"):gmatch "[^\n]+" do
        if not line:find "^%-%-" then lines = lines + 1 end
      end
      assert.is_true(lines <= 18, lines .. " lines")
      local final = final_of(dir .. "/own.lua", path)
      if not counted then return end
      if fits(final, r.ends) then worked = worked + 1 else misses[#misses + 1] = r.path .. ": ends at " .. final.progress end
    end)
  end

  it("works on most of them", function()
    assert.is_true(tried > 50)
    local score = ("%d of %d\n"):format(worked, tried) .. table.concat(misses, "\n")
    if os.getenv "HEADWAY_RECORDINGS" then print(score) end
    assert.is_true(worked >= SHARE * tried, score)
  end)
end)

-- ---- forms --------------------------------------------------------------------------------------------

--- A log of n lines made by a format.
local function log(n, make)
  local lines = {}
  for i = 1, n do lines[i] = make(i) end
  return table.concat(lines, "\n") .. "\n"
end

describe("suggest finds", function()
  local cases = {
    -- name, log, progress at the end, unit
    { "pairs", log(9, function(i) return ("Completed %d/9 files"):format(i) end), "9/9", "files" },
    { "pairs in words", log(12, function(i) return ("packed %d of 12 crates."):format(i) end), "12/12", "crates" },
    { "sizes", log(10, function(i) return ("got %.1f MiB / 10.0 MiB"):format(i) end), "10485760/10485760", "bytes" },
    { "a unit that stands once", log(10, function(i) return ("got %d/10 GB so far"):format(i) end), "10000000000/10000000000", "bytes" },
    { "digits in groups", log(9, function(i) return ("rows %d,000,000/9,000,000"):format(i) end), "9000000/9000000", "rows" },
    { "what is left of a total", log(8, function(i) return ("todo=%d/8"):format(8 - i) end), "8/8" },
    { "what is left beside what is done", log(8, function(i) return ("did %d, %d to go"):format(i, 8 - i) end), "8/8" },
    { "a total in other words", log(7, function(i) return ("done=%d rate=%d total=7"):format(i, i * 13 % 5) end), "7/7" },
    { "percents", log(10, function(i) return ("file %d%% at %d kB/s"):format(i * 10, i * 7 % 4) end), "100/100" },
    { "percents without a sign", log(10, function(i) return tostring(i * 10) end), "100/100" },
    { "columns of a table", log(9, function(i) return ("%d 9.0M %d %dM 0 --:--"):format(i * 100 // 9, i * 7 % 5, i) end), "9437184/9437184", "bytes" },
    { "members of JSON", log(6, function(i) return ('{"s":{"rows_done":%d,"rows_total":6,"x":"%d/3"}}'):format(i, i) end), "6/6", "rows" },
    { "a share in JSON", log(4, function(i) return ('{"share":%.2f,"level":2}'):format(i / 4) end), "100/100" },
    { "the outer of two bars", log(12, function(i)
      return i % 4 == 0 and ("outer: %d%%|##| %d/3 [x]"):format(i * 100 // 12, i // 4) or ("inner: %d%%|##| %d/4 [x]"):format(i % 4 * 25, i % 4)
    end), "3/3" },
    { "counts without a total", log(8, function(i) return ("copied %d files"):format(i * 3) end), "0/100", "files" },
    { "the real one among what is none", log(9, function(i)
      return ("2026/11/%02d step 3/7 ratio 1.%d / 3.2 ==> 34%% part %d/9"):format(i, i, i)
    end), "9/9" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      shell.write(dir .. "/it.log", case[2])
      local run = suggest(dir .. "/it.log")
      assert.equal(0, run.status, run.stderr)
      local final = final_of(dir .. "/own.lua", dir .. "/it.log")
      assert.equal(case[3], final.progress, run.stderr .. shell.read(dir .. "/own.lua"))
      if case[4] then assert.equal(case[4], final.unit) end
      local busted = cli.bin:find "^/" and cli.bin or assert(io.popen "pwd"):read "l" .. "/" .. cli.bin
      local _, said, status = shell.run(("HEADWAY=%s build/plain/house_lua spec/support/house_busted.lua %s/own_spec.lua 2>&1")
        :format(shell.quote(busted), dir))
      assert.equal(0, status, said)
    end)
  end
end)

describe("suggest", function()
  it("says how sure it is, what else it saw, and which parser knows the command already", function()
    local run = cli.run { "suggest", "spec/recordings/tqdm/fail-pipe.cast" }
    assert.is_truthy(run.stderr:find("fairly sure: ", 1, true), run.stderr)
    assert.is_truthy(run.stderr:find("does not reach its end", 1, true))
    assert.is_truthy(run.stderr:find("or: a percent", 1, true))
    assert.is_truthy(run.stdout:find("^%-%-%- train: "), run.stdout)
    assert.is_truthy(run.stdout:find('commands = { "python train.py" }', 1, true))
    local known = cli.run { "suggest", "spec/recordings/rsync/progress2-noinc-pipe.cast" }
    assert.is_truthy(known.stderr:find("knows this command: parser rsync", 1, true))
    assert.is_truthy(known.stderr:find("quite sure: ", 1, true))
  end)

  it("finds nothing where there is nothing, and says so", function()
    for _, text in ipairs { "", "hello\n", log(9, function(i) return "version 1." .. i % 3 end), ("\0\xFF\x80"):rep(5000) } do
      shell.write(dir .. "/it.log", text)
      local run = suggest(dir .. "/it.log")
      assert.equal(1, run.status)
      assert.is_truthy(run.stderr:find("behaves like progress", 1, true), run.stderr)
    end
  end)

  it("gets over what is made to be hard: long lines, many numbers, many words", function()
    local words = log(20000, function(i) return ("w%sx %d/%d of%s y=%d%%"):format(("abcdefgh"):rep(i % 7), i, 20000, ("z"):rep(i % 50), i % 100) end)
    for _, text in ipairs { words, ("1/2 "):rep(200000), ("1"):rep(300000) .. "\n2/3\n", log(3000, function(i)
      return ("{\"a%d\":%d,\"b\":{\"c\":[1,2,{}]}}"):format(i, i)
    end) } do
      shell.write(dir .. "/it.log", text)
      local began = os.time()
      local run = suggest(dir .. "/it.log")
      assert.is_true(run.status <= 1, run.stderr)
      assert.is_nil(run.stderr:find "look for numbers", run.stderr)
      assert.is_true(os.time() - began < 30)
    end
  end)

  it("writes over nothing, and names what can't be a name", function()
    shell.write(dir .. "/it.log", log(9, function(i) return i .. "/9" end))
    shell.write(dir .. "/mine.lua", "mine")
    local run = cli.run { "suggest", "--name", "mine", "-o", dir, dir .. "/it.log" }
    assert.equal(2, run.status)
    assert.equal("mine", shell.read(dir .. "/mine.lua"))
    assert.equal(2, cli.run({ "suggest", "--name", "a-b", dir .. "/it.log" }).status)
    assert.equal(2, cli.run({ "suggest", "-" }).status)
    assert.equal(3, cli.run({ "suggest", "/no/such" }).status)
  end)
end)
