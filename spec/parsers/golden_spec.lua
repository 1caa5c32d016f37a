--- Every recording through its parser: against the golden beside it, against the truth, and what must hold of any.
local core = require "headway_core"
local golden = require "spec.support.golden"
local recording = require "spec.support.recording"

local manifest = golden.manifest()
local write = os.getenv "HEADWAY_GOLDEN" == "write"

local function slurp(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

local names = recording.names()

describe("golden:", function()
  for _, name in ipairs(names) do
    it(name, function()
      local entry = assert(manifest[name], "no row in MANIFEST.tsv")
      local text = golden.make(name, golden.parser_of(name, entry), math.tointeger(tonumber(entry.exit)))
      local path = recording.dir .. name .. ".jsonl"
      if write then
        local file <close> = assert(io.open(path, "wb"))
        file:write(text)
      end
      assert.equal(slurp(path), text)
    end)
  end
end)

-- ---- truth ------------------------------------------------------------------------------------------

--- Where the log itself says other than what is true, or less: the pairs that can't be compared, and why.
local untrue = {
  ["rsync/dry-run-n-progress2-pipe"] = "what is left to check is no count of ours",
  ["rsync/permission-exit23-pipe"] = { bytes = "two files that were not copied are counted" },
  ["rsync/vanished-exit24-pipe"] = { bytes = "two files that vanished are counted" },
  ["juicefs/sync-failed-pty"] = { bytes = "of the object that failed a part was copied" },
  ["aria2c/two-files-pipe"] = { bytes = "of one of the two; those of both are counted" },
  ["curl/two-files-pipe"] = "its bytes are of the first file: the last counts; how many there are is known at the end",
  ["curl/disk-full-pipe"] = "what came is counted, none of it was written",
  ["tar/checkpoint-totals-pipe"] = { records = "a line each 100" },
  ["7z/unreadable-exit1-pipe"] = "its percents and counts go on over files that could not be read",
}

--- "bytes=5/10;files=2/-" -> { bytes = { 5, 10 }, files = { 2 } }
local function pairs_of(text)
  local t = {}
  for name, n, m in text:gmatch "(%w+)=(%d+)/([%d-]+)" do t[name] = { math.tointeger(n), math.tointeger(tonumber(m)) } end
  return t
end

--- Bytes that were printed rounded: three digits of them are right.
local function near(expected, got, unit)
  if unit ~= "bytes" then return expected == got end
  return math.abs(expected - got) <= math.max(expected, 1) * 0.06
end

local function counts_of(samples)
  local counts = {}
  for _, sample in ipairs(samples) do
    if sample.done then counts[sample.unit or "?"] = sample end
    for _, c in ipairs(sample.also or {}) do counts[c.unit or "?"] = c end
    if sample.fraction or sample.done then
      counts.percent = sample.fraction and { done = sample.fraction * 100 // 1 | 0, total = 100 }
    end
  end
  return counts
end

describe("truth:", function()
  for _, name in ipairs(names) do
    local entry = manifest[name] or { final_pairs = "-" }
    local excuse = untrue[name] or {}
    if entry.final_pairs ~= "-" and type(excuse) == "table" then
      it(name, function()
        local parser = golden.parser_of(name, entry)
        local samples = golden.follow(parser, recording.records(name, true, golden.record_max(parser)))
        local counts, compared = counts_of(samples), 0
        for unit, pair in pairs(pairs_of(entry.final_pairs)) do
          local c = counts[unit] or (unit == "items" and counts.row) -- tqdm's own word for them
          if c and not excuse[unit] then
            compared = compared + 1
            assert.is_true(near(pair[1], c.done, unit), ("%s: %d, true is %d"):format(unit, c.done, pair[1]))
            if c.total and pair[2] then
              assert.is_true(near(pair[2], c.total, unit), ("%s: of %d, true is %d"):format(unit, c.total, pair[2]))
            end
          end
        end
        local last = samples[#samples]
        if entry.state == "failed" or entry.state == "partial" then assert.not_equal("complete", last and last.ended) end
        if parser ~= "auto" and #samples > 0 then assert.is_true(compared > 0, "nothing was compared") end
      end)
    end
  end

  local ends = {
    complete = "complete", failed = "failed", interrupted = "failed", partial = "partial", background = "partial", ["dry-run"] = "partial",
  }
  for _, name in ipairs(names) do
    local entry = manifest[name]
    if entry and ends[entry.state] then
      it(name .. " ends " .. entry.state, function()
        local parser = golden.parser_of(name, entry)
        local _, _, h = golden.follow(parser, recording.records(name, true, golden.record_max(parser)))
        assert.equal(ends[entry.state], h:finish(math.tointeger(tonumber(entry.exit))).ended)
      end)
    end
  end
end)

-- ---- what must hold of any parser and any recording ---------------------------------------------------

local function check_counts(count, what)
  assert.is_true(count.done >= 0 and (not count.total or count.done <= count.total),
    ("%s: %s of %s"):format(what, count.done, count.total))
end

--- Never N over M; never less of the same unit, but for a restart or another phase.
local function check_samples(samples, name)
  local before
  for i, s in ipairs(samples) do
    if s.done then check_counts(s, name .. " sample " .. i) end
    for _, c in ipairs(s.also or {}) do check_counts(c, name .. " also " .. i) end
    local phase = s.phase and s.phase.index or 0 -- the first part of several has none
    local restart = s.restart or (before and phase ~= (before.phase and before.phase.index or 0))
    if before and not restart and s.unit == before.unit and s.done and before.done then
      assert.is_true(s.done >= before.done, ("%s sample %d goes back: %d to %d"):format(name, i, before.done, s.done))
    end
    if before and not restart and s.fraction and before.fraction then
      assert.is_true(s.fraction >= before.fraction, ("%s sample %d goes back"):format(name, i))
    end
    if s.done or s.fraction then before = s end
  end
end

--- The same bytes, in pieces of 1 to `most`.
local function chunked(name, record_max, most)
  local framer, list, bytes, at = core.source.records(record_max), {}, recording.bytes(name), 1
  math.randomseed(most)
  while at <= #bytes do
    local n = math.random(most)
    for _, record in ipairs(framer:feed(bytes:sub(at, at + n - 1))) do list[#list + 1] = record end
    at = at + n
  end
  for _, record in ipairs(framer:finish()) do list[#list + 1] = record end
  return list
end

local function final(parser, records)
  local samples, tracker = golden.follow(parser, records)
  local view = tracker:view(10 ^ 7)
  local last = samples[#samples] or {}
  return { view.progress, view.done, view.total, view.unit, last.ended, view.restarts }
end

--- Each recording by its own parser and by auto; any parser by recordings that are not its own.
local runs = {}
for _, name in ipairs(names) do
  local own = golden.parser_of(name, manifest[name] or { command = "" })
  runs[#runs + 1] = { name, own, true }
  if own ~= "auto" then runs[#runs + 1] = { name, "auto" } end
end
local strangers = { "rsync", "rsync_dry", "rclone", "tqdm", "juicefs_warmup", "juicefs_sync", "juicefs_dataload", "alluxio_load", "nm",
  "s5cmd", "aws_s3", "curl", "wget", "aria2c", "dd", "pv", "tar", "zstd", "xz", "restic", "git", "borg", "sevenzip", "pg_basebackup",
  "ffmpeg", "spark", "mysqldump", "xtrabackup", "pip", "distcp" }

describe("properties:", function()
  for _, run in ipairs(runs) do
    it(run[1] .. " by " .. run[2], function()
      local record_max = golden.record_max(run[2])
      local timed = recording.records(run[1], true, record_max)
      check_samples(golden.follow(run[2], timed), run[1])
      if not run[3] then return end
      local expected = final(run[2], recording.records(run[1], false, record_max))
      assert.same(expected, final(run[2], timed))
      for _, most in ipairs { 7, 4096 } do assert.same(expected, final(run[2], chunked(run[1], record_max, most))) end
    end)
  end

  --- Most records; they are not worth a look of luassert's, which takes long.
  local function says_nothing(answer) return answer[1] == nil and answer[2] == nil end

  local hinted = {}
  for _, entry in ipairs(core.parsers.list()) do
    local text = core.parsers.find(entry.name).text
    local bare, n = text:gsub("hints = %b{},?", "")
    if n > 0 then hinted[#hinted + 1] = { entry.name, text, bare } end
  end

  it("most parsers have hints", function() assert.is_true(#hinted >= 8) end)

  for _, parser in ipairs(hinted) do
    it("hints hide nothing that would be taken: " .. parser[1], function()
      for _, name in ipairs(names) do
        local h, bare = assert(core.host.new(parser[2], parser[1])), assert(core.host.new(parser[3], parser[1]))
        assert.is_nil(bare:meta().hints)
        for _, record in ipairs(recording.records(name, false, golden.record_max(parser[1]))) do
          local expected, said = table.pack(bare:feed(record.text)), table.pack(h:feed(record.text))
          if not (says_nothing(expected) and says_nothing(said)) then assert.same(expected, said) end
        end
      end
    end)
  end

  for _, parser in ipairs(strangers) do
    it("what is not its own hurts no parser: " .. parser, function()
      for _, name in ipairs(names) do
        check_samples(golden.follow(parser, recording.records(name, false, golden.record_max(parser))), name)
      end
    end)
  end
end)
