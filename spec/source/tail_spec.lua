--- How a growing log is followed (core/source/tail.h): rotation, truncation, strange files, floods.
local lfs = require "lfs"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local source = require("headway_core").source

local function status(name)
  return tonumber(shell.read "/proc/self/status":match(name .. ":%s+(%d+)"))
end

--- A log and who follows it; `records` are those seen so far, `raw` what came.
local Follower = {}
Follower.__index = Follower

local function follow(path, events)
  local f = setmetatable({ path = path, records = {}, raw = {}, why = nil }, Follower)
  f.tail, f.framer = source.tail(path, 10, events), source.records()
  return f
end

function Follower:take(news)
  local function add(records) for _, r in ipairs(records) do self.records[#self.records + 1] = r.text end end
  for _, n in ipairs(news) do
    self.raw[#self.raw + 1] = n
    if n.seam == "next" then add(self.framer:finish(true)) end
    if n.seam == "seam" then add(self.framer:seam()) end
    if n.seam == "gap" then self.framer:gap() end
    if n.bytes then add(self.framer:feed(n.bytes)) end
    self.caught_up = self.caught_up or n.caught_up
    self.asked = self.asked or n.asked
    self.why = n.why or self.why
  end
end

--- Until `done` says so; false when that does not come.
function Follower:until_(done, seconds)
  local deadline = shell.now() + (seconds or 20)
  repeat
    if done() then return true end
    self:take(self.tail:run(100))
  until shell.now() > deadline
  return done()
end

function Follower:seen(n) return self:until_(function() return #self.records >= n end) end

--- So much time that whatever should not come would have come.
function Follower:settle() self:take(self.tail:run(150, "none")) end

function Follower:close() self.tail:close() end

--- A program that writes the log.
local Writer = {}
Writer.__index = Writer

local function writer(path, mode)
  local w = setmetatable({ path = path, mode = mode or "a", rotated = 0 }, Writer)
  return w
end

function Writer:open()
  self.file = assert(io.open(self.path, self.mode))
  self.file:setvbuf "no"
end

function Writer:write(...)
  if not self.file then self:open() end
  for _, bytes in ipairs { ... } do assert(self.file:write(bytes)) end
end

function Writer:reopen()
  if self.file then self.file:close() end
  self:open()
end

function Writer:rename()
  self.rotated = self.rotated + 1
  assert(os.rename(self.path, self.path .. "." .. self.rotated))
end

--- As logrotate's copytruncate does.
function Writer:truncate() assert(io.open(self.path, "w")):close() end

function Writer:close() if self.file then self.file:close() end end

for _, events in ipairs { true, false } do
  describe("a log followed " .. (events and "with file events" or "by the tick alone"), function()
    local dir, path, f, w

    before_each(function()
      dir = process.temp_dir()
      path = dir .. "/log"
      w = writer(path)
    end)
    after_each(function()
      if f then f:close() end
      f = nil
      w:close()
      process.remove(dir)
    end)

    local function start() f = follow(path, events) end

    --- Waits for these records in all, and that no other comes.
    local function expect(...)
      local want = { ... }
      f:seen(#want)
      f:settle()
      assert.same(want, f.records)
    end

    it("is read from its first byte, then on", function()
      w:write "a\nb\n"
      start()
      expect("a", "b")
      assert.is_true(f.caught_up)
      w:write("c\nd\n", "e\n")
      expect("a", "b", "c", "d", "e")
    end)

    it("may come later, in a directory that comes later", function()
      path = dir .. "/later/still/log"
      start()
      f:until_(function() return f.why end)
      assert.same({ "no log file yet", true }, { f.why, f.caught_up })
      shell.run("mkdir -p " .. shell.quote(dir .. "/later/still"))
      w = writer(path)
      w:write "a\n"
      expect "a"
      assert.equal("", f.why)
    end)

    it("gives a line that comes in pieces as one", function()
      start()
      for _, piece in ipairs { "5", "0", "/", "100", "\n" } do
        w:write(piece)
        f:settle()
      end
      expect "50/100"
    end)

    it("goes on behind a rename, and reads what the writer still puts into the old file", function()
      w:write "a\n"
      start()
      expect "a"
      w:write "b\n"
      w:rename()
      w:write "c\n"
      assert(io.open(path, "w")):close() -- logrotate's `create`: there, but nobody writes there yet
      f:settle()
      w:write "d\n"
      expect("a", "b", "c", "d")
      w:write "e\n"
      w:reopen()
      w:write "f\n"
      expect("a", "b", "c", "d", "e", "f")
    end)

    it("takes the rest of a file that was rotated for a line, and the next one from its first byte", function()
      w:write "1/9\n2/9"
      start()
      f:until_(function() return f.caught_up end)
      f:settle()
      w:rename()
      w:reopen()
      w:write "3/9\n4/9\n"
      expect("1/9", "2/9", "3/9", "4/9")
    end)

    it("reads files that were rotated while there was no room, each to its end", function()
      local first, want = ("x"):rep(99) .. "\n", {}
      w:write(first:rep(5000))
      start()
      f.tail:room(false)
      f:until_(function() return #f.raw > 0 end)
      for i = 1, 2 do
        w:rename()
        w:reopen()
        w:write("file " .. i .. "\n")
        f:settle()
      end
      f.tail:room(true)
      f.tail:go_on()
      for _ = 1, 5000 do want[#want + 1] = ("x"):rep(99) end
      want[#want + 1], want[#want + 2] = "file 1", "file 2"
      f:seen(#want)
      assert.same(want, f.records)
    end)

    it("begins again when it was emptied", function()
      w:write "a\nb\n"
      start()
      expect("a", "b")
      w:truncate()
      w:write "c\n"
      expect("a", "b", "c")
    end)

    it("notices a truncation after which it has grown past the place", function()
      w:write "a\nb\n"
      start()
      expect("a", "b")
      f.tail:room(false) -- looks away
      w:write "c\n"
      f:settle()
      f.tail:room(true)
      w:truncate()
      w:write "0123456789\nd\n"
      f.tail:go_on()
      expect("a", "b", "c", "0123456789", "d")
    end)

    it("notices other content of the same length", function()
      w:write "a\nb\n"
      start()
      expect("a", "b")
      shell.run(("printf 'c\\nd\\n' | dd of=%s conv=notrunc status=none"):format(shell.quote(path)))
      expect("a", "b", "c", "d")
    end)

    it("passes the hole that a truncation leaves to a writer that does not append", function()
      w = writer(path, "w")
      w:write(("x"):rep(300000), "\n")
      start()
      f:until_(function() return #f.records == 1 end)
      w:truncate()
      f:settle()
      w:write "5/9\n"
      f:seen(2)
      assert.equal("5/9", f.records[2])
      w:write "6/9\n"
      f:seen(3)
      f:settle()
      assert.same({ 3, "6/9" }, { #f.records, f.records[3] })
    end)

    it("drops a line that a truncation tore, with what follows up to the next end", function()
      w:write "1/100\n50/10"
      start()
      f:until_(function() return f.caught_up end)
      f:settle()
      w:truncate()
      w:write "0/100\n51/100\n"
      expect("1/100", "51/100")
    end)

    it("is followed when it is deleted and made anew", function()
      w:write "a\n"
      start()
      expect "a"
      for _, text in ipairs { "b", "c" } do
        os.remove(path)
        f:settle()
        w:reopen()
        w:write(text .. "\n")
        f:seen(#f.records + 1)
      end
      expect("a", "b", "c")
    end)

    it("is followed when its directory is moved away and made anew", function()
      path = dir .. "/d/log"
      shell.run("mkdir " .. shell.quote(dir .. "/d"))
      w = writer(path)
      w:write "a\n"
      start()
      expect "a"
      shell.run(("cd %s && mv d old && mkdir d"):format(shell.quote(dir)))
      w:reopen()
      w:write "b\n"
      expect("a", "b")
    end)

    local strange = {
      { "a symbolic link", "echo 1/2 > $DIR/target; ln -s $DIR/target $LOG",   "log file is a symbolic link" },
      { "a directory",     "mkdir $LOG",                                       "log file is a directory" },
      { "a FIFO",          "mkfifo $LOG",                                      "log file is a FIFO" },
      { "a device",        "mknod $LOG c 1 5",                                 "log file is no regular file" },
    }
    for _, row in ipairs(strange) do
      it("is not taken when it is " .. row[1] .. ", and is when a file comes", function()
        local made = shell.run(("LOG=%s DIR=%s; %s"):format(shell.quote(path), shell.quote(dir), row[2]))
        if not made then pending "can't be made here" return end
        start()
        f:until_(function() return f.why end)
        assert.same({ row[3], true, {} }, { f.why, f.caught_up, f.records })
        shell.run("rm -r " .. shell.quote(path))
        w:write "a\n"
        expect "a"
        assert.equal("", f.why)
      end)
    end

    it("goes on with the open file when something strange takes its name", function()
      w:write "a\n"
      start()
      expect "a"
      w:rename()
      shell.run("mkfifo " .. shell.quote(path))
      f:until_(function() return f.why ~= "" end)
      assert.equal("log file is a FIFO", f.why)
      w:write "b\n"
      expect("a", "b")
    end)

    it("answers a question after the last byte, also when there is nothing", function()
      start()
      f.tail:ask()
      assert(f:until_(function() return f.asked end))
      f.asked = nil
      w:write "a\nb\nc"
      f.tail:ask()
      assert(f:until_(function() return f.asked end))
      assert.same({ "a", "b" }, f.records)
      assert.same({ "c" }, (function() return { f.framer:finish()[1].text } end)())
    end)

    -- Random lives of a log. Whole lines are rotated; what is emptied was read before, else its loss would be no fault of ours.
    it("gives each record once, in order, whatever is done to it", function()
      local total = 0
      for seed = 1, 40 do
        math.randomseed(seed)
        path = dir .. "/log" .. seed
        w:close()
        w = writer(path, seed % 4 == 0 and "w" or "a")
        f = follow(path, events)
        local written, trace, held = {}, {}, ""
        local function line()
          written[#written + 1] = ("r%d-%06d %s"):format(seed, #written, ("."):rep(math.random(0, 3) ^ 6))
          return written[#written] .. "\n"
        end
        local function all_seen()
          if held ~= "" then w:write(held) held = "" end
          assert(f:seen(#written), ("seed %d: %s"):format(seed, table.concat(trace, " ")))
        end
        local deeds = {
          function() local s = {} for i = 1, math.random(20) do s[i] = line() end w:write(held, table.concat(s)) held = "" end,
          function() w:write(held) local s = line() local n = math.random(#s) w:write(s:sub(1, n)) held = s:sub(n + 1) end,
          function() for _ = 1, math.random(5) do w:write(held, line()) held = "" end end,
          function() f:take(f.tail:run(math.random(0, 15))) end,
          function() all_seen() w:truncate() end, -- once more may be written before anyone looks
          function() all_seen() w:truncate() local s = {} for i = 1, math.random(50) do s[i] = line() end w:write(table.concat(s)) end,
          function() all_seen() w:rename() if math.random(2) == 1 then w:write((line():sub(1, -math.random(2)))) end w:reopen() w:write(line()) end,
          function() all_seen() os.remove(path) w:write(line()) w:reopen() w:write(line()) end,
          function() -- two at once that are both open already
            all_seen()
            f.tail:room(false)
            w:rename() w:reopen() w:write(line())
            f:settle()
            w:rename() w:reopen() w:write(line())
            f.tail:room(true)
            f.tail:go_on()
          end,
        }
        w:write(line())
        for _ = 1, 25 do
          local deed = math.random(seed % 3 == 0 and #deeds or #deeds - 1)
          trace[#trace + 1] = deed
          deeds[deed]()
        end
        all_seen()
        assert.same(written, f.records, ("seed %d: %s"):format(seed, table.concat(trace, " ")))
        total = total + #written
        f:close()
      end
      assert.is_true(total > 5000)
    end)

    -- Emptied at any moment: lines may be lost then, but those that are given were written, in that order.
    it("gives nothing that was not written when it is emptied before it was read", function()
      for seed = 1, 20 do
        math.randomseed(seed)
        path = dir .. "/log" .. seed
        w:close()
        w = writer(path)
        f = follow(path, events)
        local written, last = {}, 0
        for _ = 1, 200 do
          local s = {}
          for i = 1, math.random(10) do
            written[#written + 1] = ("r%d-%06d %s"):format(seed, #written, ("."):rep(math.random(0, 3) ^ 5))
            s[i] = written[#written] .. "\n"
          end
          w:write(table.concat(s))
          local luck = math.random(20)
          if luck == 1 then w:truncate() end
          if luck > 15 then f:take(f.tail:run(math.random(0, 5))) end
        end
        written[#written + 1] = ("r%d-%06d"):format(seed, #written)
        w:write(written[#written] .. "\n")
        assert(f:until_(function() return f.records[#f.records] == written[#written] end))
        for _, record in ipairs(f.records) do
          local n = tonumber(record:match "%-(%d+)")
          assert.equal(written[n + 1], record)
          assert.is_true(n + 1 > last, record)
          last = n + 1
        end
        f:close()
      end
    end)
  end)
end

describe("a log that is followed", function()
  local dir, path, tail

  before_each(function()
    dir = process.temp_dir()
    path = dir .. "/log"
  end)
  after_each(function()
    if tail then tail:close() end
    tail = nil
    process.remove(dir)
  end)

  it("wakes nobody while nothing is written", function()
    shell.write(path, "a\n")
    tail = source.tail(path, 20, true)
    tail:run(20000, "caught_up")
    tail:run(100, "none")
    assert.same({}, tail:run(1000))
  end)

  it("of 10 GB that are a hole only the text is read", function()
    assert(shell.run(("truncate -s 10G %s && echo 5/9 >> %s && truncate -s +10G %s"):format(path, path, path)))
    local begin = shell.now()
    tail = source.tail(path, 20, true)
    local bytes = tail:drain(60000, "caught_up")
    assert.is_true(bytes >= 4 and bytes < 4 * source.CHUNK, bytes)
    assert.is_true(shell.now() - begin < 30)
  end)

  it("of 1 GB takes no more memory than of a line", function()
    if tonumber((select(2, shell.run("df --output=avail -k " .. dir .. " | tail -1")))) < 2000000 then
      pending "no room for a log of 1 GB"
      return
    end
    assert(shell.run("yes 'the quick brown fox jumps over the lazy dog 1234/5678' 2>/dev/null | head -c 1000000000 > " .. path))
    collectgarbage()
    local before = status "VmRSS"
    shell.run "true"
    assert(io.open("/proc/self/clear_refs", "w")):write("5"):close() -- VmHWM begins anew
    local begin = shell.now()
    tail = source.tail(path, 3000, true)
    local bytes, calls = tail:drain(120000, "caught_up")
    assert.equal(1000000000, bytes)
    assert.is_true(calls >= bytes // source.CHUNK) -- never more than a piece a turn
    assert.is_true(status "VmHWM" - before < 4096, ("%d KiB"):format(status "VmHWM" - before))
    if os.getenv "HEADWAY_FIGURES" then print(("1 GB in %.2f s"):format(shell.now() - begin)) end
  end)

  it("is not read while there is no room", function()
    assert(shell.run("head -c 3000000 /dev/zero | tr '\\0' x > " .. path))
    tail = source.tail(path, 10, true)
    tail:room(false)
    local first = tail:drain(20000, "bytes")
    assert.equal(0, (tail:drain(200, "none")))
    tail:room(true)
    tail:go_on()
    assert.equal(3000000, first + tail:drain(20000, "caught_up"))
  end)

  it("with a question of what is left only the end is read, up to a line's end", function()
    assert(shell.run("yes 123456789012345 2>/dev/null | head -c 40000000 > " .. path))
    tail = source.tail(path, 3000, true)
    tail:room(false)
    local first = tail:run(20000, "bytes")
    tail:ask()
    tail:room(true)
    tail:go_on()
    local bytes, gaps = #first[1].bytes, 0
    local deadline = shell.now() + 20
    local asked
    repeat
      for _, n in ipairs(tail:run(1000)) do
        bytes = bytes + #(n.bytes or "")
        gaps = gaps + (n.seam == "gap" and 1 or 0)
        asked = asked or n.asked
      end
    until asked or shell.now() > deadline
    assert.is_true(asked)
    assert.equal(1, gaps)
    assert.is_true(bytes >= source.LAST and bytes <= source.LAST + 4 * source.CHUNK, bytes)
  end)

  it("that goes on growing does not hold up the answer", function()
    shell.write(path, "1/2\n")
    tail = source.tail(path, 3000, true)
    tail:room(false)
    tail:drain(20000, "bytes")
    local flood = process.start { "sh", "-c", "yes 1/2 2>/dev/null | head -c 200000000 >> " .. path }
    shell.wait_until(function() return lfs.attributes(path, "size") > 1000000 end, 20)
    tail:ask()
    tail:room(true)
    tail:go_on()
    local bytes = tail:drain(60000, "asked")
    assert.is_true(bytes > 0 and bytes <= 2 * source.LAST + 4 * source.CHUNK, bytes)
    flood:wait(60)
    flood:close()
  end)

  it("can be let go of at any moment", function()
    assert(shell.run("head -c 3000000 /dev/zero | tr '\\0' x > " .. path))
    for ms = 0, 20 do
      local t = source.tail(path, 10, true)
      t:run(ms, "none")
      t:close()
    end
  end)
end)

describe("records at a seam", function()
  local rows = {
    -- before                  after            records
    { "a\n",                   "b\n",           { "a", "b" } },
    { "a\n50/10",              "0/100\nb\n",    { "a", "b" } },
    { "a\n50%",                "60%\n",         { "a", "50%", "60%" } },
    { "a\n\27[3",              "1mb\nc\n",      { "a", "c" } },
    { "",                      "b\n",           { "b" } },
    { "a\n  ",                 "b\n",           { "a" } },
  }
  for _, row in ipairs(rows) do
    it(("%q | %q"):format(row[1], row[2]), function()
      local framer, texts = source.records(), {}
      for _, list in ipairs { framer:feed(row[1]), framer:seam(), framer:feed(row[2]), framer:finish() } do
        for _, record in ipairs(list) do texts[#texts + 1] = record.text end
      end
      assert.same(row[3], texts)
    end)
  end
end)
