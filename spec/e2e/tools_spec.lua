--- The real tools under `headway exec --pty`, beside what is true of the data they move: what a recording of them shows must come live too.
local cjson = require "cjson"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local wrapped = require "spec.support.wrapped"

local FILES, FILE_BYTES = 12, 512 * 1024
local BYTES = FILES * FILE_BYTES

describe("headway exec --pty", function()
  local dir, p

  setup(function()
    dir = process.temp_dir()
    shell.run(("mkdir %s/from && cd %s/from && for i in $(seq %d); do head -c %d /dev/urandom >$i; done"):format(dir, dir,
      FILES, FILE_BYTES))
  end)
  teardown(function() process.remove(dir) end)
  before_each(function() shell.run(("rm -rf %s/to && mkdir %s/to"):format(dir, dir)) end)
  after_each(function()
    if p then wrapped.close(p) end
    p = nil
  end)

  --- Starts a tool whose command line may name FROM and TO.
  local function start(words, parser)
    local line = {}
    for i, word in ipairs(words) do line[i] = word:gsub("FROM", dir .. "/from"):gsub("TO", dir .. "/to") end
    table.insert(line, 1, "--")
    p = wrapped.start_line({ process.headway, "exec", "--pty", "--percent-gap=100ms", "--dir", "DIR" }, line, { HEADWAY_PARSER = parser })
    return p
  end

  --- Waits until a detail is published for which `wanted` holds.
  local function await(wanted)
    local last
    local found = shell.wait_until(function()
      local _, detail = wrapped.progress(p)
      last = detail or last
      return detail and wanted(detail) and detail
    end, 20)
    return found or error("last: " .. cjson.encode(last or {}) .. "\n" .. p:out() .. p:err())
  end

  local function under_way(parser)
    return function(d)
      return d.state == "running" and d.parser == parser and d.done and d.total and d.done > 0 and d.done < d.total
    end
  end

  local rclone = { "rclone", "--config", "/dev/null", "copy", "FROM", "TO", "--bwlimit=4M", "--stats=100ms" }
  local function with(words, ...) return table.move({ ... }, 1, select("#", ...), #words + 1, { table.unpack(words) }) end
  local python = "import time, tqdm\nfor i in tqdm.tqdm(range(40), mininterval=0): time.sleep(0.05)"
  local pipe = "cat FROM/* | pv -q -L 4m | /usr/bin/python3 -m tqdm --bytes --mininterval 0 --total " .. BYTES .. " > TO/all"

  local tools = {
    -- parser, words, unit and total, how far its printed total may be from that, the parser that is named
    { "rsync", { "rsync", "-a", "--bwlimit=4000", "--info=progress2", "FROM/", "TO/" }, "entries", FILES + 1, 0 },
    { "rsync", { "rsync", "-a", "--bwlimit=4000", "--info=progress2", "-h", "--no-inc-recursive", "FROM/", "TO/" }, "entries", FILES + 1, 0 },
    { "rclone", with(rclone, "--progress"), "bytes", BYTES, 0.001 },
    { "rclone", with(rclone, "--progress", "--stats-one-line"), "bytes", BYTES, 0.001 },
    { "rclone", with(rclone, "--use-json-log", "--stats-log-level=NOTICE"), "bytes", BYTES, 0 },
    { "auto", { "/usr/bin/python3", "-c", python }, "items", 40, 0 },
    { "tqdm", { "/usr/bin/python3", "-c", python }, "items", 40, 0, "tqdm" },
    { "tqdm", { "sh", "-c", pipe }, "bytes", BYTES, 0.01, "tqdm" },
  }
  for i, row in ipairs(tools) do
    local parser, words, unit, total, rounding, named = table.unpack(row, 1, 6)
    it(("%s, %d: follows the real one, and ends with what it moved"):format(parser, i), function()
      start(words, named)
      local seen = await(under_way(parser))
      assert.equal(unit, seen.unit)
      assert.equal(0, p:wait())
      local nm, last = wrapped.progress(p)
      assert.equal("complete", last.state)
      assert.is_true(math.abs(last.total - total) <= total * rounding, "total: " .. last.total)
      assert.equal(last.total, last.done)
      assert.equal(("%d/%d"):format(last.done, last.total), nm)
      assert.is_true(seen.done <= last.done and seen.total <= last.total)
    end)
  end

  it("rsync: killed on its way, its last true value stays", function()
    start { "rsync", "-a", "--bwlimit=1000", "--info=progress2", "FROM/", "TO/" }
    local seen = await(under_way "rsync")
    p:kill "TERM"
    assert.equal(20, p:wait())
    local _, last = wrapped.progress(p)
    assert.same({ "failed", "exit status 20" }, { last.state, last.reason })
    assert.is_true(last.done >= seen.done and last.done < BYTES)
  end)

  it("rsync: what was not there to copy is a failure, though it counts all", function()
    start { "rsync", "-a", "--info=progress2", "FROM/1", "FROM/none", "TO/" }
    assert.equal(23, p:wait())
    local nm, last = wrapped.progress(p)
    assert.equal("failed", last.state)
    assert.equal("partial: exit status 23", last.reason)
    assert.equal("1/1", nm)
  end)

  it("rclone: no such directory", function()
    start { "rclone", "--config", "/dev/null", "copy", "--progress", "--retries=1", "FROM/none", "TO" }
    assert.equal(3, p:wait())
    local nm, last = wrapped.progress(p)
    assert.equal("failed", last.state)
    assert.equal("0/100", nm)
  end)
end)
