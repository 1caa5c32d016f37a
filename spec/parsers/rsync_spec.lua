local core = require "headway_core"

local source = core.parsers.find("rsync").text
local function parser(opts) return assert(core.host.new(source, "rsync", opts)) end

--- Short for what most samples are: entries, with bytes and files beside them.
local function entries(done, total, bytes, files, more)
  local s = { done = done, total = total, unit = "entries", also = { { done = bytes, unit = "bytes" }, { done = files, unit = "files" } } }
  for k, v in pairs(more or {}) do s[k] = v end
  return s
end

local LINE = "         32,768   0%    0.00kB/s    0:00:00  "
local SAID_NOTHING = { done = 32768, unit = "bytes", fraction = 0 }

-- One record, fed to a parser that has read nothing before.
local cases = {
  -- name                     record                                                                       sample
  { "inside a first file",   LINE,                                                                        SAID_NOTHING },
  { "a file is done",        "        164,981   1%    1.01MB/s    0:00:00 (xfr#1, to-chk=62/65)",         entries(3, 65, 164981, 1) },
  { "all are done",          "     12,000,000 100%    1.00MB/s    0:00:11 (xfr#60, to-chk=0/65)",         entries(65, 65, 12000000, 60) },
  { "a trailing space",      "     10,082,344  84%    1.01MB/s    0:00:09 (xfr#51, to-chk=9/65) ",        entries(56, 65, 10082344, 51) },
  { "the list grows",        "          4,748   0%    0.00kB/s    0:00:00 (xfr#1, ir-chk=1079/1121)",     entries(42, 1121, 4748, 1, { scanning = true }) },
  { "nothing to do",         "              0   0%    0.00kB/s    0:00:00 (xfr#0, to-chk=0/65)",          entries(65, 65, 0, 0) },
  { "half was there",        "      5,940,920  49%  596.60kB/s    0:00:09 (xfr#30, to-chk=0/65)",         entries(65, 65, 5940920, 30) },
  { "German, French",        "     12.000.000 100%    1,00MB/s    0:00:11 (xfr#60, to-chk=0/65)",         entries(65, 65, 12000000, 60) },
  { "no groups",             "       12000000 100%    1.00MB/s    0:00:11 (xfr#60, to-chk=0/65)",         entries(65, 65, 12000000, 60) },
  { "-h",                    "         12.00M 100%    1.00MB/s    0:00:11 (xfr#60, to-chk=0/65)",         entries(65, 65, 12000000, 60) },
  { "-h, German",            "         12,34M 100%    1,00MB/s    0:00:11 (xfr#60, to-chk=0/65)",         entries(65, 65, 12340000, 60) },
  { "rsync 3.0",             "        3500000 100%    1.02MB/s    0:00:03 (xfer#1, to-check=6/8)",        entries(2, 8, 3500000, 1) },
  { "hours",                 "  1,234,567,890  12%    1.02MB/s  123:45:56 (xfr#9, to-chk=6/8)",           entries(2, 8, 1234567890, 9) },
  { "no time is known",      "        164,981   1%    0.00kB/s   ??:??:?? (xfr#1, to-chk=62/65)",         entries(3, 65, 164981, 1) },
  { "a percent over 100",    "         32,768 120%    0.00kB/s    0:00:00  ",                             { done = 32768, unit = "bytes" } },
  { "bytes over 2^53",       "9,007,199,254,740,993   1%    0.00kB/s    0:00:00 (xfr#1, to-chk=1/2)",     entries(1, 2, 9007199254740993, 1) },
  { "an error glued on",     "     12,000,000 100%    1.02MB/s    0:00:11 (xfr#60, to-chk=0/65)rsync warning: some files vanished before they "
                             .. "could be transferred (code 24) at main.c(1394) [sender=3.5.0]",
                             entries(65, 65, 12000000, 60, { ended = "partial", message = "some files vanished before they could be transferred" }) },
  { "error 23",              "rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1338) [sender=3.5.0]",
                             { ended = "partial", message = "some files/attrs were not transferred" } },
  { "error 20",              "rsync error: received SIGINT, SIGTERM, or SIGHUP (code 20) at rsync.c(874) [sender=3.5.0]",
                             { ended = "failed", message = "received SIGINT, SIGTERM, or SIGHUP" } },
  { "error 10",              "rsync error: error in socket IO (code 10) at clientserver.c(139) [sender=3.2.7]",
                             { ended = "failed", message = "error in socket IO" } },
  { "the summary",           "total size is 9,442,945  speedup is 1.00",                                  { ended = "complete" } },
  { "a dry run",             "total size is 12,000,000  speedup is 7,398.27 (DRY RUN)",
                             { ended = "partial", message = "dry run: nothing is copied" } },
  { "an error of one file",  "rsync: [sender] send_files failed to open \"/a\": Permission denied (13)" },
  { "sent",                  "sent 9,445,704 bytes  received 174 bytes  994,302.95 bytes/sec" },
  { "a name",                "2023/img_000.raw" },
  { "a name with a percent", "100% done (1/2).txt" },
  { "a name like a line",    "12 50% off.txt" },
  { "a name like an error",  "an rsync error: report.txt" },
  { "statistics",            "Number of files: 65 (reg: 60, dir: 5)" },
  { "a rate alone",          "Total transferred file size: 12,000,000 bytes" },
  { "no bytes",              "   1,2,3   0%    0.00kB/s    0:00:00 (xfr#1, to-chk=62/65)" },
  { "nothing",               "" },
}

describe("rsync:", function()
  for _, case in ipairs(cases) do
    it(case[1], function()
      local sample, why = parser():feed(case[2])
      assert.is_nil(why)
      assert.same(case[3], sample or nil)
    end)
  end

  it("says when a line contradicts itself", function()
    local sample, why = parser():feed "        164,981   1%    1.01MB/s    0:00:00 (xfr#1, to-chk=66/65)"
    assert.is_nil(sample)
    assert.equal("more entries to check than there are", why)
  end)
end)

--- Feeds records and gives the last sample.
local function last(records, opts)
  local h, sample = parser(opts), nil
  for _, record in ipairs(records) do sample = h:feed(record) or sample end
  return sample
end

local function inside(bytes, percent) return ("%15s %3d%%    1.00MB/s    0:00:11  "):format(bytes, percent) end
local function done(bytes, percent, xfr, left, total, kind)
  return inside(bytes, percent):sub(1, -3) .. (" (xfr#%d, %s-chk=%d/%d)"):format(xfr, kind or "to", left, total)
end

describe("rsync, from line to line:", function()
  it("one big file is its percent, and its entry in the end", function()
    local h = parser()
    assert.same({ done = 500, unit = "bytes", fraction = 0.5 }, h:feed(inside(500, 50)))
    assert.same({ done = 990, unit = "bytes", fraction = 0.99 }, h:feed(inside(990, 99)))
    assert.same(entries(1, 1, 1000, 1), h:feed(done(1000, 100, 1, 0, 1)))
  end)

  it("the percent of a big first file stands until as much of the entries is checked", function()
    local h = parser()
    h:feed(inside(300, 30))
    assert.same({ done = 310, unit = "bytes", fraction = 0.31 }, h:feed(done(310, 31, 1, 8, 10)))
    assert.same(entries(4, 10, 320, 2), h:feed(done(320, 32, 2, 6, 10)))
  end)

  it("the percent may fall, what is said does not", function()
    local h = parser()
    h:feed(inside(300, 30))
    assert.same({ done = 400, unit = "bytes", fraction = 0.3 }, h:feed(inside(400, 20)))
  end)

  it("inside a file the entries stay what they were", function()
    assert.same(entries(3, 10, 700, 3), last { done(600, 9, 3, 7, 10), inside(700, 60) })
  end)

  it("the list grows inside a file too, until to-chk says that it is whole", function()
    local h = parser()
    h:feed(done(10, 1, 1, 9, 10, "ir"))
    assert.same(entries(1, 10, 20, 1, { scanning = true }), h:feed(inside(20, 2)))
    assert.same(entries(2, 30, 30, 2), h:feed(done(30, 3, 2, 28, 30)))
  end)

  it("what a growing list took back is not gone back to", function()
    local h = parser()
    h:feed(done(10, 1, 1, 5, 100, "ir"))
    assert.same(entries(95, 120, 20, 2, { scanning = true }), h:feed(done(20, 1, 2, 100, 120, "ir")))
  end)

  it("--progress: bytes are summed over the files, percents of one file are none of the job", function()
    local h = parser()
    h:feed "sending incremental file list"
    assert.same({ done = 500, unit = "bytes" }, h:feed(inside(500, 50)))
    assert.same(entries(2, 8, 1000, 1), h:feed(done(1000, 100, 1, 6, 8)))
    assert.same(entries(2, 8, 1010, 1), h:feed(inside(10, 1)))
    assert.same(entries(3, 8, 1700, 2), h:feed(done(700, 100, 2, 5, 8)))
    assert.same(entries(3, 8, 1700, 2), h:feed(done(700, 100, 2, 5, 8))) -- the same again
    assert.same(entries(4, 8, 1700, 3), h:feed(done(0, 100, 3, 4, 8)))
  end)

  it("-v --info=progress2: a file that ends below 100% shows that lines are of the job", function()
    local h = parser()
    h:feed "sending incremental file list"
    assert.same(entries(1, 2, 100, 1), h:feed(done(100, 10, 1, 1, 2)))
    assert.same(entries(1, 2, 900, 1), h:feed(inside(900, 90)))
  end)

  local function second_run(first, second)
    local h = parser()
    for _, record in ipairs(first) do h:feed(record) end
    return h:feed(second)
  end

  it("another run in the same log begins anew", function()
    local again = { restart = true }
    assert.same(entries(3, 65, 10, 1, again), second_run({ done(5, 1, 1, 5, 10), done(90, 90, 9, 0, 10) }, done(10, 1, 1, 62, 65)))
    assert.same(entries(3, 65, 10, 1, again), second_run({ done(0, 0, 0, 0, 65) }, done(10, 1, 1, 62, 65))) -- there was nothing to do
    assert.same(entries(3, 9, 10, 1, again), second_run({ done(0, 0, 0, 5, 65) }, done(10, 1, 1, 6, 9)))
    assert.same(entries(4, 65, 20, 2), second_run({ done(0, 0, 0, 0, 65), done(10, 1, 1, 62, 65) }, done(20, 2, 2, 61, 65)))
  end)

  it("files that could not be copied are none of those that were", function()
    local h, error = parser(), 'rsync: [sender] send_files failed to open "/a": Permission denied (13)'
    h:feed(error)
    assert.same(entries(2, 10, 100, 0), h:feed(done(100, 5, 1, 8, 10)))
    assert.same(entries(3, 10, 200, 1), h:feed(done(200, 9, 2, 7, 10)))
    h:feed 'file has vanished: "/b"'
    assert.same(entries(5, 10, 300, 2), h:feed(done(300, 12, 4, 5, 10)))
    h:feed 'rsync: [generator] recv_generator: mkdir "/c" failed: Permission denied (13)'
    assert.same(entries(6, 10, 300, 3), h:feed(done(300, 12, 5, 4, 10)))
    assert.same(entries(1, 65, 10, 1, { restart = true }), h:feed(done(10, 1, 1, 64, 65))) -- another run
  end)

  it("the first error is the cause of those behind it", function()
    local h = parser()
    h:feed "rsync error: received SIGINT, SIGTERM, or SIGHUP (code 20) at rsync.c(874) [sender=3.5.0]"
    assert.same({ ended = "failed" }, h:feed "rsync error: received SIGUSR1 (code 19) at main.c(1660) [generator=3.5.0]")
    assert.same({ ended = "failed" }, h:feed "rsync warning: some files vanished (code 24) at main.c(1) [x]")
    h = parser()
    h:feed "rsync warning: some files vanished (code 24) at main.c(1) [x]"
    assert.same({ ended = "failed", message = "error in socket IO" }, h:feed "rsync error: error in socket IO (code 10) at io.c(1) [x]")
  end)

  it("options say what can't be seen", function()
    assert.same({ done = 500, unit = "bytes", fraction = 0.5 },
      last({ "sending incremental file list", inside(500, 50) }, { mode = "total" }))
    assert.same({ done = 500, unit = "bytes" }, last({ inside(500, 50) }, { mode = "file" }))
    assert.equal(12 << 20, last({ done("12.00M", 100, 60, 0, 65) }, { base = "1024" }).also[1].done)
  end)
end)

local ends = {
  -- records before it                                         code   sample
  { {},                                                        0,     "complete" },
  { {},                                                        1,     "failed" },
  { {},                                                        20,    "failed" },
  { {},                                                        23,    "partial" },
  { {},                                                        24,    "partial" },
  { {},                                                        25,    "partial" },
  { {},                                                        137,   "failed" },
  { {},                                                        nil,   nil },
  { { done(9, 100, 1, 0, 1) },                                 nil,   nil },
  { { done(9, 100, 1, 0, 1) },                                 23,    "partial" },
  { { "total size is 9  speedup is 1.00" },                    nil,   "complete" },
  { { "total size is 9  speedup is 1.00", "rsync error: some files could not be transferred (code 23) at main.c(1) [x]" },
                                                               nil,   "partial" },
  { { "rsync warning: some files vanished (code 24) at main.c(1) [x]", "total size is 9  speedup is 1.00" },
                                                               nil,   "partial" },
  { { "total size is 9  speedup is 1.00" },                    12,    "failed" },
  { { "total size is 9  speedup is 1.00 (DRY RUN)" },          nil,   "partial" },
  { { "total size is 9  speedup is 1.00 (DRY RUN)" },          0,     "partial" },
  { { "total size is 9  speedup is 1.00 (DRY RUN)" },          1,     "failed" },
}

describe("rsync, the end:", function()
  for i, row in ipairs(ends) do
    it(("%d: code %s is %s"):format(i, row[2], row[3]), function()
      local h = parser()
      for _, record in ipairs(row[1]) do h:feed(record) end
      local sample = h:finish(row[2])
      assert.same(row[3] and { ended = row[3] } or nil, sample or nil)
    end)
  end
end)

describe("rsync, hostile:", function()
  it("stays quick on records that are made to be slow", function()
    local records = {
      (" "):rep(4095) .. "%", ("1"):rep(4095) .. "%", ("1,"):rep(2047) .. "%", ("1 "):rep(2047) .. "%",
      "1 1% 1" .. ("M"):rep(4000), "1 1%" .. (" "):rep(4000), "1 1% 1M/s" .. (" "):rep(4000), "1 1% 1M/s " .. ("0:"):rep(2000),
      "1 1% 1M/s 0 " .. ("(xf"):rep(1300), ("rsync error: "):rep(300), ("rsync error: (code "):rep(200), ("file list"):rep(400),
      "total size is " .. ("1,"):rep(1990) .. "speedup is", "rsync: " .. ("[a] "):rep(1000), ("file has vanished: "):rep(200),
    }
    local h = parser()
    for _, record in ipairs(records) do
      local began = os.clock()
      for _ = 1, 100 do h:feed(record) end
      assert.is_true(os.clock() - began < 1, record:sub(1, 20))
    end
  end)

  it("a sum over 63 bits stays at the greatest count", function()
    local h, most = parser { mode = "file" }, "9223372036854775807"
    h:feed(done(most, 100, 1, 1, 2))
    assert.equal(math.maxinteger, h:feed(done(most, 100, 2, 0, 2)).also[1].done)
  end)

  it("takes numbers that fit nowhere without a fault", function()
    local h, most = parser(), ("9"):rep(30)
    for _, record in ipairs {
      ("%s 1%% 1MB/s 0:00:00 (xfr#1, to-chk=1/2)"):format(most), ("1 %s%% 1MB/s 0:00:00"):format(most),
      ("1 1%% 1MB/s 0:00:00 (xfr#%s, to-chk=1/2)"):format(most), ("1 1%% 1MB/s 0:00:00 (xfr#1, to-chk=%s/%s)"):format(most, most),
      ("rsync error: x (code %s) at"):format(most), "9999999E 1% 1MB/s 0:00:00",
    } do
      local _, _, code = h:feed(record)
      assert.is_true(code == nil or code == "input", record)
    end
  end)
end)
