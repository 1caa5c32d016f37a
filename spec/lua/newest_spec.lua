--- Of records that come together only the newest, where the parser says so; and hints: what is not fed, and that the end is the same.
local cjson = require "cjson"
local cli = require "spec.support.cli"
local golden = require "spec.support.golden"
local parsers = require("headway_core").parsers
local recording = require "spec.support.recording"
local shell = require "spec.support.cluster_shell"

describe("hints:", function()
  it("are found where string.find finds them", function()
    math.randomseed(7)
    local function text(n)
      local list = {}
      for i = 1, n do list[i] = ("abab%/x \0"):sub(math.random(9)):sub(1, 1) end
      return table.concat(list)
    end
    local found = 0
    for _ = 1, 20000 do
      local hint, hay = text(math.random(6)), text(math.random(0, 90))
      local at = hay:find(hint, 1, true)
      assert.equal(at, parsers.hint(hint, hay), ("%q in %q"):format(hint, hay))
      found = found + (at and 1 or 0)
    end
    assert.is_true(found > 2000 and found < 18000)
  end)

  it("that are long, at the very end, or cut off", function()
    local hint = ("0123456789"):rep(4) .. "abcdefg"
    for n = 0, 70 do
      assert.equal(n + 1, parsers.hint(hint, ("0"):rep(n) .. hint) or 0)
      assert.is_nil(parsers.hint(hint, ("0"):rep(n) .. hint:sub(1, -2)))
    end
  end)
end)

local RSYNC = "(xfr#%+, to-chk=%-/%=)$"

-- form, a record, the next; whether it follows; nil = not of the form
local steps = {
  { RSYNC, "1% (xfr#1, to-chk=9/10)", "2% (xfr#2, to-chk=8/10)", true },
  { RSYNC, "1% (xfr#1, to-chk=9/10)", "1% (xfr#1, to-chk=9/10)  ", true },
  { RSYNC, "1% (xfr#2, to-chk=9/10)", "2% (xfr#1, to-chk=8/10)", false },
  { RSYNC, "1% (xfr#1, to-chk=8/10)", "2% (xfr#2, to-chk=9/10)", false },
  { RSYNC, "1% (xfr#1, to-chk=9/10)", "2% (xfr#2, to-chk=8/11)", false },
  { RSYNC, "1% (xfr#1, to-chk=9/10)", "2% (xfr#2, ir-chk=8/10)" },
  { RSYNC, "1% (xfr#1, to-chk=9/10)", "2% (xfr#2, to-chk=8/10)rsync error: x" },
  { RSYNC, "1% (xfr#1, to-chk=9/10)", "2% (xfr#2, to-chk=8/" },
  { RSYNC, "1% (xfr#1, to-chk=9/10)", "2% (xfr#, to-chk=8/10)" },
  { RSYNC, "1% (xfr#1, to-chk=9/10)", "" },
  { "^%+/%=$", "1/10", "2/10", true },
  { "^%+/%=$", "1/10", " 2/10" },
  { "^%+/%=$", "1/10", "2/10x" },
  { "^%+/%=", "1/10", "2/10x", true },
  { "^%+/%=$", "1/10", "1234567890123456789/10" },
  { "^%+/%=$", "999999999999999998/10", "999999999999999999/10", true },
  { "at %d%% of %=: %-", "at 50% of 7: 9", "at 4% of 7: 8", true },
  { "at %d%% of %=: %-", "at 50% of 7: 9", "x at 4% of 7: 10", false },
}

local wrong = {
  { "",                       "neither ^ nor a text" },
  { "%+/%=",                  "neither ^ nor a text" },
  { "^%=/%d",                 "no number that grows or shrinks" },
  { "^%+%=",                  "two numbers with nothing between" },
  { "^%+/%x",                 "none of + - = d %" },
  { "^%+/%",                  "none of + - = d %" },
  { "^%+ %+ %+ %+ %+ %+ %+",  "more than 6 numbers" },
  { "^" .. ("x"):rep(48),     "a text of more than 47 bytes" },
  { "^" .. ("x"):rep(63),     "more than 63 bytes" },
}

describe("the form of records of which the newest matters:", function()
  for i, s in ipairs(steps) do
    it(("%d: %s then %s"):format(i, s[2], s[3]), function() assert.equal(s[4], (parsers.follows(s[1], s[2], s[3]))) end)
  end
  for _, w in ipairs(wrong) do
    it("wrong: " .. w[1], function()
      local _, why = parsers.follows(w[1], "", "")
      assert.is_truthy(why and why:find(w[2], 1, true), why)
    end)
  end
end)

-- ---- the end is the same -----------------------------------------------------------------------------

local dir, done
setup(function() dir, done = cli.temp_dir() end)
teardown(function() done() end)

local function last_of(parser, which, path)
  local run = cli.run({ "replay", "-o", "json", "--parser-dir", dir, "--parser", parser, "--samples", which, path })
  assert.same({ 0, "" }, { run.status, run.stderr })
  return cjson.decode(run.stdout:sub(-4000):match "([^\n]+)\n$")
end

--- The last lines: all that is in them is the same but for how many samples there were, and refusals where any record may
--- be left out; returns that.
local function same_end(parser, path, refusals)
  local all, newest = last_of(parser, "all", path), last_of(parser, "newest", path)
  local samples, of = newest.samples, all.samples
  all.samples, newest.samples = nil, nil
  if refusals then all.refusals, newest.refusals = nil, nil end
  assert.same(all, newest)
  assert.is_true(samples <= of)
  return samples, of
end

describe("the end is the same when only the newest is fed:", function()
  local manifest = golden.manifest()
  for _, name in ipairs(recording.names()) do
    it(name, function()
      local parser = golden.parser_of(name, manifest[name])
      same_end(parser, recording.dir .. name .. ".log")
      if parser == "rsync" then same_end(parser, recording.dir .. name .. ".cast") end
    end)
  end

  local function rsync_line(s)
    return ("%15d %3d%%  %3d.00MB/s    0:00:%02d (xfr#%d, to-chk=%d/%d)"):format(s.bytes, math.min(s.percent, 100),
      math.random(300), math.random(59), s.xfr, s.total - s.done, s.total)
  end

  --- What may stand in a log of rsync's between, or instead of, its usual lines.
  local surprises = {
    function(s) return ("%15d %3d%%  1.00MB/s    0:00:10"):format(s.bytes + 5, s.percent) end,
    function(s) s.xfr, s.done, s.bytes, s.percent = 1, 1, 100, 0 end,
    function(s) s.xfr, s.done, s.bytes, s.total, s.percent = 1, 1, 50, s.total + 7, 0 end,
    function(s) s.total = s.total + 1 end,
    function(s) s.done = math.max(s.done - 3, 0) end,
    function(s) s.bytes = 10 end,
    function(s) s.percent = s.percent + 9 end,
    function(s) return (rsync_line(s):gsub("to%-chk", "ir-chk")) end,
    function(s) return rsync_line(s) .. "rsync error: some files/attrs were not transferred (code 23) at main.c(1338)" end,
    function(s) return ("(xfr#%d, to-chk=%d/%d)"):format(s.xfr + 1, s.total - s.done, s.total) end,
    function(s) return ("100%% is no (xfr#%d, to-chk=%d/%d)"):format(s.xfr + 1, s.total - s.done, s.total) end,
    function(s) return ("%15d 1%% 1.0MB/s 0:00:01 (xfr#%d, to-chk=%d/%d)"):format(s.bytes, s.xfr, s.total + 5, s.total) end,
    function() return "sending incremental file list" end,
    function() return "dir/a file" end,
    function() return "total size is 12,000,000  speedup is 7,398.27" end,
    function(s) return (rsync_line(s):gsub("(%d)(%s)", "%1\b%2", 1)) end,
  }

  local function rsync_log(seed, rare)
    math.randomseed(seed)
    local s, list = { bytes = 0, percent = math.random(0, 60), xfr = 1, done = 1, total = 4000 }, {}
    for i = 1, 3000 do
      s.bytes, s.xfr = s.bytes + math.random(0, 1000), s.xfr + math.random(0, 1)
      s.done = math.min(s.done + math.random(0, 2), s.total)
      if i % 90 == 0 then s.percent = s.percent + math.random(0, 2) end
      local text = math.random(rare) == 1 and surprises[math.random(#surprises)](s)
      list[#list + 1] = text or rsync_line(s)
    end
    return table.concat(list, "\n") .. "\n"
  end

  for seed, rare in ipairs { 10, 40, 100, 300, 300, 1000, 1000, 3000 } do
    it(("rsync, one line of %d is another, %d"):format(rare, seed), function()
      local path = dir .. "/rsync.log"
      shell.write(path, rsync_log(seed, rare))
      same_end("rsync", path)
    end)
  end

  it("N/M with restarts, other totals and lines that are none", function()
    local path, list, n, m = dir .. "/nm.log", {}, 0, 5000
    math.randomseed(5)
    for i = 1, 20000 do
      n = math.min(n + math.random(0, 2), m)
      if i % 700 == 0 then n = math.random(n) end
      if i % 1100 == 0 then m = math.random(n, 9000) end
      list[i] = i % 900 == 5 and ("%d/%d tests passed"):format(n, m) or i % 900 == 7 and ("%d/%d"):format(m + 1, m)
        or i % 70 == 9 and "a line" or ("%d/%d"):format(n, m)
    end
    shell.write(path, table.concat(list, "\n"))
    local samples, of = same_end("nm", path)
    assert.is_true(of > 19000 and samples < 2000, samples .. " of " .. of)
  end)

  it("a long log of rsync's is a few samples", function()
    local path = dir .. "/long.log"
    shell.write(path, rsync_log(1, 10 ^ 9 | 0))
    local samples, of = same_end("rsync", path)
    assert.equal(3000, of)
    assert.is_true(samples < 20, samples)
  end)

  it("records of any form: the newest that says something, refusals in their place", function()
    shell.write(dir .. "/any.lua", [[
local M = { api = 1, name = "any", unit = "files", newest = true }
M.__index = M
function M.new() return setmetatable({}, M) end
function M:feed(r)
  if r == "bad" then return nil, "a bad record" end
  local n = r:match "^(%d+) done$"
  return n and { done = math.tointeger(tonumber(n)), total = 100000 } or nil
end
return M]])
    local path, list = dir .. "/any.log", {}
    for i = 1, 30000 do list[i] = i .. " done" end
    shell.write(path, table.concat(list, "\n"))
    local samples = same_end("any", path)
    assert.is_true(samples < 20, samples)
    for _, tail in ipairs { "noise", "bad", "noise\nbad", "bad\n30001 done" } do
      shell.write(path, table.concat(list, "\n") .. "\n" .. tail)
      same_end("any", path, tail:find "done")
    end
  end)
end)
