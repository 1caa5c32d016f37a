local progress = require("headway_core").progress

local S = 1000
local MIN = 60 * S

--- Feeds rows of { seconds, sample, own_word } and returns the tracker and the last moment in ms.
local function fed(rows, rules)
  local t, now = progress.tracker(rules), 0
  for _, row in ipairs(rows) do
    now = row[1] * S
    t:sample(row[2], now, row[3])
  end
  return t, now
end

describe("mapping to N/M", function()
  local FILE = true
  local cases = {
    -- name                             samples                                             progress   state
    { "nothing yet",                    {},                                                 "0/100",   "waiting" },
    { "counts as they are",             { { 1, { done = 3, total = 7 } } },                 "3/7",     "running" },
    { "never scaled",                   { { 1, { done = 1000, total = 4000 } } },           "1000/4000", "running" },
    { "0/0 is valid, nothing known",    { { 1, { done = 0, total = 0 }, FILE } },           "0/0",     "waiting" },
    { "percent is floored",             { { 1, { fraction = 0.999 } } },                    "99/100",  "running" },
    { "0.29 is 29",                     { { 1, { fraction = 0.29 } } },                     "29/100",  "running" },
    { "percent 1 is all",               { { 1, { fraction = 1 } } },                        "100/100", "running" },
    { "a percent beside a count",       { { 1, { done = 12, unit = "bytes", fraction = 0.4 } } }, "40/100", "running" },
    { "a pair later wins over it",      { { 1, { done = 12, unit = "bytes", fraction = 0.4 } },
                                          { 2, { done = 3, total = 5, unit = "files" } } },  "3/5",     "running" },
    { "provisional, no percent counts", { { 1, { done = 12, unit = "bytes", fraction = 0.4, scanning = true } } },
                                                                                            "0/100",   "scanning" },
    { "bytes before files",             { { 1, { done = 2, total = 4, unit = "files",
                                                 also = { { done = 10, total = 50, unit = "bytes" } } } } },
                                                                                            "10/50",   "running" },
    { "a pair with a total tells more", { { 1, { done = 2, unit = "bytes",
                                                 also = { { done = 1, total = 5, unit = "files" } } } } },
                                                                                            "1/5",     "running" },
    { "total unknown",                  { { 1, { done = 12, unit = "files" } } },           "0/100",   "scanning" },
    { "total unknown later keeps",      { { 1, { done = 3, total = 9 } }, { 2, { done = 4 } } },
                                                                                            "3/9",     "scanning" },
    { "provisional total keeps",        { { 1, { done = 3, total = 9 } },
                                          { 2, { done = 4, total = 20, scanning = true } } },
                                                                                            "3/9",     "scanning" },
    { "late total below N",             { { 1, { done = 12, total = 10 } } },               "10/10",   "running" },
    { "63 bits",                        { { 1, { done = 9223372036854775806, total = 9223372036854775807 } } },
                                                       "9223372036854775806/9223372036854775807", "running" },
    { "parser's word never goes back",  { { 1, { done = 5, total = 9 } }, { 2, { done = 4, total = 9 } } },
                                                                                            "5/9",     "running" },
    { "unless it says restart",         { { 1, { done = 5, total = 9 } },
                                          { 2, { done = 4, total = 9, restart = true } } }, "4/9",     "running" },
    { "percent does not go back",       { { 1, { fraction = 0.5 } }, { 2, { fraction = 0.4 } } },
                                                                                            "50/100",  "running" },
    { "the task's own word goes back",  { { 1, { done = 5, total = 9 }, FILE }, { 2, { done = 2, total = 9 }, FILE } },
                                                                                            "2/9",     "running" },
    { "the task names another total",   { { 1, { done = 5, total = 9 }, FILE }, { 2, { done = 6, total = 12 }, FILE } },
                                                                                            "6/12",    "running" },
    { "phases with weights",            { { 1, { done = 5, total = 5, phase = { index = 1, count = 2, weight = 0.2 } } },
                                          { 2, { done = 1, total = 4, phase = { index = 2, count = 2, weight = 0.8 } } } },
                                                                                            "40/100",  "running" },
    { "phases without weights",         { { 1, { done = 5, total = 5, phase = { index = 1, count = 2 } } },
                                          { 2, { done = 1, total = 4, phase = { index = 2, count = 2 } } } },
                                                                                            "1/4",     "running" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local t, now = fed(case[2])
      local view = t:view(now)
      assert.equal(case[3], view.progress)
      assert.equal(case[4], view.state)
    end)
  end

  it("prefers the unit that was asked for", function()
    local t, now = fed({ { 1, { done = 10, total = 50, unit = "bytes", also = { { done = 2, total = 4, unit = "files" } } } } },
      { unit = "files" })
    assert.equal("2/4", t:view(now).progress)
  end)

  it("takes a total from outside for the unit that was asked for, beside a pair of another", function()
    local sample = { done = 3, total = 5, unit = "entries", also = { { done = 10, unit = "bytes" } } }
    local t, now = fed({ { 1, sample } }, { unit = "bytes", total = 50 })
    assert.same({ "10/50", "running" }, { t:view(now).progress, t:view(now).state })
    t, now = fed({ { 1, sample } }, { unit = "files", total = 50 })
    assert.equal("3/5", t:view(now).progress)
    t, now = fed({ { 1, sample } }, { unit = "bytes", total = 7 })
    assert.same({ "3/5", "running", "--total 7 is below the count 10 (bytes)" },
      { t:view(now).progress, t:view(now).state, t:view(now).reason })
  end)

  it("a total from outside that is below the count is none, and never makes 100%", function()
    local t, now = fed({ { 1, { done = 99, unit = "lines" } }, { 2, { done = 100, unit = "lines" } } }, { total = 100 })
    assert.same({ "100/100", "running" }, { t:view(now).progress, t:view(now).state })
    t:sample({ done = 101, unit = "lines" }, now + S)
    local view = t:view(now + S)
    assert.same({ "99/100", "scanning", 101, nil, "--total 100 is below the count 101 (lines)" },
      { view.progress, view.state, view.done, view.total, view.reason })
    assert.equal(0, select(2, t:counters()))
    t:finish(true, "", now + S)
    assert.equal("101/101", t:view(now + S).progress)
  end)

  it("a total from outside in a unit is for that unit alone", function()
    local t, now = fed({ { 1, { done = 3, unit = "files" } } }, { total = 4096, total_unit = "bytes" })
    assert.same({ "0/100", "scanning", "--total is in bytes: the count is in files" },
      { t:view(now).progress, t:view(now).state, t:view(now).reason })
    t, now = fed({ { 1, { done = 3, unit = "files", also = { { done = 1024, unit = "bytes" } } } } },
      { total = 4096, total_unit = "bytes" })
    assert.same({ "1024/4096", "bytes", "" }, { t:view(now).progress, t:view(now).unit, t:view(now).reason })
  end)

  local units = {
    -- unit, sample, progress, reason
    { "files", { done = 1, total = 4, unit = "bytes" },                    "1/4",    "--unit files: the progress is in bytes" },
    { "files", { done = 1, total = 4 },                                    "1/4",    "--unit files: the progress is in no unit" },
    { "files", { fraction = 0.25 },                                        "25/100", "--unit files: the progress is in percent" },
    { "files", { done = 1, total = 4, unit = "files" },                    "1/4",    "" },
    { "%",     { done = 1, total = 4, unit = "files", fraction = 0.5 },    "50/100", "" },
    { "%",     { done = 1, total = 4, unit = "files" },                    "1/4",    "--unit %: the progress is in files" },
    { "%",     { fraction = 0.25 },                                        "25/100", "" },
  }
  for _, case in ipairs(units) do
    it(("the unit %s of %s: %q"):format(case[1], case[2].unit or "none", case[4]), function()
      local t, now = fed({ { 1, case[2] } }, { unit = case[1] })
      assert.same({ case[3], case[4] }, { t:view(now).progress, t:view(now).reason })
    end)
  end

  it("takes a total from outside", function()
    local t, now = fed({ { 1, { done = 25, unit = "files" } } }, { total = 50 })
    assert.equal("25/50", t:view(now).progress)
  end)

  it("never publishes N over M, whatever comes", function()
    math.randomseed(7)
    local t = progress.tracker()
    for i = 1, 3000 do
      local total = math.random(0, 3) > 0 and math.random(0, 100) or nil
      local sample = { done = math.random(0, 120), total = total, restart = math.random(8) == 1,
        scanning = math.random(5) == 1 }
      if math.random(4) == 1 then sample = { fraction = math.random() } end
      t:sample(sample, i * 100, math.random(2) == 1)
      local n, m = t:view(i * 100).progress:match "^(%d+)/(%d+)$"
      assert.is_true(math.tointeger(n) <= math.tointeger(m))
    end
  end)
end)

describe("restarts and corrections", function()
  it("counts the task's smaller N and other M", function()
    local t, now = fed { { 1, { done = 5, total = 9 }, true }, { 2, { done = 2, total = 9 }, true },
      { 3, { done = 2, total = 10 }, true } }
    assert.equal(2, t:view(now).restarts)
  end)

  it("0/0 that becomes 0/500 is no restart", function()
    local t, now = fed { { 1, { done = 0, total = 0 }, true }, { 2, { done = 0, total = 500 }, true } }
    assert.equal(0, t:view(now).restarts)
  end)

  it("counts what it held back and what it corrected", function()
    local t = fed { { 1, { done = 5, total = 9 } }, { 2, { done = 4, total = 9 } }, { 3, { done = 20, total = 9 } } }
    local held, corrected = t:counters()
    assert.same({ 1, 1 }, { held, corrected })
  end)

  it("a new attempt begins at 0/100 at once", function()
    local t = fed { { 1, { done = 5, total = 9 } } }
    t:attempt(2, 5 * S)
    local view = t:view(5 * S)
    assert.same({ "0/100", "waiting", 2 }, { view.progress, view.state, view.attempt })
  end)
end)

describe("a floor", function()
  local FILES = { done = 40, total = 100, unit = "files" }
  local function on(floor, ...)
    local t = progress.tracker()
    t:floor(table.unpack(floor))
    for i, sample in ipairs { ... } do t:sample(sample, i * S, sample.own) end
    local view = t:view(9 * S)
    return { view.progress, view.done, view.state }
  end
  local cases = {
    -- name, floor, samples: N/M, done, state
    { "alone",                           { 40, 100, FILES }, {},                                             "40/100", 40, "running" },
    { "with less",                       { 40, 100, FILES }, { { done = 3, total = 100, unit = "files" } },   "40/100", 40, "running" },
    { "with more",                       { 40, 100, FILES }, { { done = 41, total = 100, unit = "files" } },  "41/100", 41, "running" },
    { "with as much",                    { 40, 100, FILES }, { { done = 40, total = 100, unit = "files" } },  "40/100", 40, "running" },
    { "with more of a total that grew",  { 40, 100, FILES }, { { done = 41, total = 900, unit = "files" } },  "41/900", 41, "running" },
    { "with less of another unit",       { 40, 100, FILES }, { { done = 300, total = 1000, unit = "bytes" } }, "40/100", 40, "running" },
    { "with more of another unit",       { 40, 100, FILES }, { { done = 500, total = 1000, unit = "bytes" } }, "500/1000", 500, "running" },
    { "with a smaller percent",          { 40, 100 },        { { fraction = 0.3 } },                          "40/100", nil, "running" },
    { "with a greater percent",          { 40, 100 },        { { fraction = 0.5 } },                          "50/100", nil, "running" },
    { "with more, but no total",         { 40, 100, FILES }, { { done = 50, unit = "files" } },               "40/100", 50, "scanning" },
    { "with less, and no total",         { 0, 100, { done = 40, unit = "files" } }, { { done = 5, unit = "files" } }, "0/100", 40, "scanning" },
    { "that is nothing",                 { 0, 100 },         {},                                             "0/100", nil, "waiting" },
    { "that is once passed, is gone",    { 40, 100, FILES }, { { done = 60, total = 100, unit = "files" },
                                                               { fraction = 0.1, restart = true } },         "10/100", 60, "running" },
    { "when the parser begins anew",     { 40, 100, FILES }, { { done = 1, total = 100, unit = "files", restart = true } }, "1/100", 1, "running" },
    { "against the task's own word",     { 40, 100, FILES }, { { done = 1, total = 100, unit = "files", own = true } }, "1/100", 1, "running" },
    { "when a first phase is named",     { 40, 100, FILES }, { { done = 1, total = 100, unit = "files", phase = { index = 1, count = 2 } } },
                                                                                                             "40/100", 40, "running" },
    { "when the phase changes",          { 40, 100, FILES }, { { done = 1, total = 100, unit = "files", phase = { index = 1, count = 2 } },
                                                               { done = 2, total = 100, unit = "files", phase = { index = 2, count = 2 } } },
                                                                                                             "2/100", 2, "running" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function() assert.same({ case[4], case[5], case[6] }, on(case[2], table.unpack(case[3]))) end)
  end

  it("at the end: success is all of it, failure the floor", function()
    for outcome, expected in pairs { [true] = "100/100", [false] = "40/100" } do
      local t = progress.tracker()
      t:floor(40, 100, FILES)
      t:sample({ done = 3, total = 100, unit = "files" }, S)
      t:finish(outcome, outcome and "" or "exit status 1", 2 * S)
      assert.equal(expected, t:view(2 * S).progress)
    end
  end)

  it("comes too late for what is more already", function()
    local t, now = fed { { 1, { done = 50, total = 100, unit = "files" } } }
    t:floor(40, 100, FILES)
    assert.same({ "50/100", "" }, { t:view(now).progress, t:view(now).reason })
  end)
end)

describe("the end", function()
  local cases = {
    { "success makes N = M",             { { 1, { done = 3, total = 9 } } }, true,  "9/9",     "complete" },
    { "success with an unknown total",   { { 1, { done = 42 } } },           true,  "42/42",   "complete" },
    { "success with nothing counted",    {},                                 true,  "100/100", "complete" },
    { "success of a percent",            { { 1, { fraction = 0.4 } } },      true,  "100/100", "complete" },
    { "success of a percent and a count", { { 1, { done = 7, fraction = 0.4 } } }, true, "100/100", "complete" },
    { "failure keeps the last value",    { { 1, { done = 3, total = 9 } } }, false, "3/9",     "failed" },
    { "failure with nothing counted",    {},                                 false, "0/100",   "failed" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local t, now = fed(case[2])
      t:finish(case[3], "exit status 3", now + S)
      local view = t:view(now + S)
      assert.same({ case[4], case[5] }, { view.progress, view.state })
      t:sample({ done = 1, total = 2 }, now + 2 * S)
      assert.equal(case[4], t:view(now + 2 * S).progress)
    end)
  end
end)

describe("what the last words claim", function()
  local claims = {
    -- name, ended, outcome, code's reason: state, reason
    { "complete, and nobody knows",  "complete", nil,   "",               "running",  "the log says it is complete" },
    { "partial, and nobody knows",   "partial",  nil,   "",               "failed",   "partial: the log says that not all of it is done" },
    { "failed, and nobody knows",    "failed",   nil,   "",               "failed",   "the log says it failed" },
    { "nothing, and nobody knows",   nil,        nil,   "",               "running",  "" },
    { "partial, and it failed",      "partial",  false, "exit status 23", "failed",   "partial: exit status 23" },
    { "failed, and it failed",       "failed",   false, "exit status 3",  "failed",   "exit status 3" },
    { "complete, and it failed",     "complete", false, "exit status 3",  "failed",   "exit status 3" },
    { "partial, and it succeeded",   "partial",  true,  "",               "complete", "partial: the log says that not all of it is done" },
    { "failed, and it succeeded",    "failed",   true,  "",               "complete", "the log says it failed" },
    { "complete, and it succeeded",  "complete", true,  "",               "complete", "" },
  }
  for _, case in ipairs(claims) do
    it(case[1], function()
      local t, now = fed { { 1, { done = 3, total = 9 } }, { 2, case[2] and { ended = case[2] } or { done = 3, total = 9 } } }
      t:finish(case[3], case[4], now)
      local view = t:view(now)
      assert.same({ case[5], case[6], case[2] or "", case[3] and case[2] ~= "partial" and "9/9" or "3/9" },
        { view.state, view.reason, view.ended, view.progress })
    end)
  end

  it("while it goes on is a reason, no state and no stall", function()
    local t, now = fed { { 1, { done = 3, total = 9 } }, { 2, { ended = "failed" } } }
    assert.same({ "running", "the log says it failed" }, { t:view(now).state, t:view(now).reason })
    assert.equal("running", t:view(60 * MIN).state)
    assert.equal(-1, t:next(now))
  end)

  it("holds until the counts go on", function()
    local t, now = fed { { 1, { done = 3, total = 9, ended = "failed" } }, { 2, { done = 3, total = 9 } } }
    assert.equal("failed", t:view(now).ended)
    t:sample({ done = 4, total = 9 }, now + S)
    assert.same({ "", "" }, { t:view(now + S).ended, t:view(now + S).reason })
  end)

  it("is heard of a sample that is held back, too", function()
    local t, now = fed { { 1, { done = 3, total = 9 } }, { 2, { done = 1, total = 9, ended = "partial" } } }
    assert.same({ "partial", "3/9" }, { t:view(now).ended, t:view(now).progress })
  end)
end)

describe("stalled", function()
  it("after three minutes without a change, from the start on", function()
    local t = progress.tracker()
    t:source "no progress file yet"
    assert.equal("waiting", t:view(3 * MIN - 1).state)
    local view = t:view(3 * MIN)
    assert.same({ "stalled", "no progress file yet" }, { view.state, view.reason })
    assert.equal(3 * MIN, t:next(0))
  end)

  it("after ten usual gaps when those are longer", function()
    local t = fed { { 0, { done = 1, total = 99 } }, { 60, { done = 2, total = 99 } }, { 120, { done = 3, total = 99 } } }
    assert.equal("running", t:view(120 * S + 10 * MIN - 1).state)
    assert.equal("stalled", t:view(120 * S + 10 * MIN).state)
  end)

  it("but after an hour at most", function()
    local t = fed { { 0, { done = 1, total = 99 } }, { 7200, { done = 2, total = 99 } } }
    assert.equal("stalled", t:view(7200 * S + 60 * MIN).state)
  end)

  it("repeating the same value is no change", function()
    local t = fed { { 0, { done = 1, total = 9 }, true }, { 100, { done = 1, total = 9 }, true } }
    assert.equal("stalled", t:view(3 * MIN).state)
  end)

  it("and runs again with the next change", function()
    local t = fed { { 0, { done = 1, total = 9 } }, { 900, { done = 2, total = 9 } } }
    assert.equal("running", t:view(901 * S).state)
  end)

  it("all counted and still working is no stall", function()
    local t = fed { { 0, { done = 9, total = 9 } } }
    local view = t:view(60 * MIN)
    assert.same({ "running", "all counted, task still working" }, { view.state, view.reason })
  end)

  it("no record matched for five minutes is a reason of its own", function()
    local t = progress.tracker()
    t:sample({ done = 1, total = 9 }, 0)
    t:silent(S)
    t:silent(4 * MIN)
    assert.equal("no change", t:view(4 * MIN).reason)
    assert.equal("no record matched (spec)", t:view(S + 5 * MIN).reason)
  end)

  it("shows a refusal until a good value comes", function()
    local t = progress.tracker()
    t:refused("N is over M: '5/3'", S)
    assert.same({ "N is over M: '5/3'", 1 }, { t:view(S).reason, t:view(S).refused })
    t:sample({ done = 1, total = 9 }, 2 * S, true)
    assert.same({ "", 1 }, { t:view(2 * S).reason, t:view(2 * S).refused })
  end)
end)

describe("rate and time left", function()
  local function steady(per_second, seconds, total)
    local t = progress.tracker()
    for i = 0, seconds do t:sample({ done = i * per_second, total = total }, i * S) end
    return t, seconds * S
  end

  it("of a steady task", function()
    local t, now = steady(10, 60, 6000)
    local view = t:view(now)
    assert.near(10, view.rate, 0.5)
    assert.near(540, view.eta, 30)
  end)

  it("counts down between two changes", function()
    local t, now = steady(10, 60, 6000)
    assert.near(t:view(now).eta - 1.5, t:view(now + 1500).eta, 0.6)
  end)

  it("is not fooled by a burst at the start", function()
    local t = progress.tracker()
    t:sample({ done = 0, total = 2000000 }, 0)
    t:sample({ done = 1000000, total = 2000000 }, 500) -- what a resumed tool skips
    for i = 1, 120 do t:sample({ done = 1000000 + i * 100, total = 2000000 }, 500 + i * S) end
    assert.near(100, t:view(120 * S).rate, 15)
  end)

  it("of a task that counts once in ten minutes", function()
    local t = progress.tracker()
    for i = 0, 12 do t:sample({ done = i, total = 24 }, i * 10 * MIN) end
    local view = t:view(120 * MIN)
    assert.near(1 / 600, view.rate, 0.0005)
    assert.near(7200, view.eta, 2000)
  end)

  it("sinks when the next change is overdue", function()
    local t, now = steady(10, 60, 6000)
    assert.is_true(t:view(now + 60 * S).rate < 7)
  end)

  it("is unknown at first, while scanning and when stalled", function()
    local t = progress.tracker()
    t:sample({ done = 1, total = 9 }, 0)
    t:sample({ done = 2, total = 9 }, S)
    assert.is_nil(t:view(S).eta)
    t = steady(10, 60, nil)
    assert.is_nil(t:view(60 * S).eta)
    t = steady(10, 60, 6000)
    assert.is_nil(t:view(20 * MIN).rate)
  end)

  it("does not take the idle time of a stall into account", function()
    local t, now = steady(10, 60, 60000)
    local later = now + 30 * MIN
    for i = 1, 30 do t:sample({ done = 600 + i * 10, total = 60000 }, later + i * S) end
    assert.near(10, t:view(later + 30 * S).rate, 1)
  end)

  it("gives a percent beside a count a time left, in the count's rate", function()
    local t = progress.tracker()
    for i = 0, 50 do t:sample({ done = i * 1000, unit = "bytes", fraction = i / 100 }, i * S) end
    assert.near(1000, t:view(50 * S).rate, 30)
    assert.near(50, t:view(50 * S).eta, 3)
    t:sample({ done = math.maxinteger, unit = "bytes", fraction = 0.51 }, 51 * S)
    assert.is_nil(t:view(51 * S).eta)
  end)

  it("gives a percent-only tool a time left", function()
    local t = progress.tracker()
    for i = 0, 50 do t:sample({ fraction = i / 100 }, i * S) end
    assert.near(50, t:view(50 * S).eta, 5)
    assert.is_nil(t:view(50 * S).rate)
  end)
end)

describe("as text", function()
  local cjson = require "cjson"

  it("the detail annotation holds what is known and nothing else", function()
    local t, now = fed { { 1, { done = 40, total = 100, unit = "files", message = "copying" }, true } }
    assert.equal('{"v":1,"by":"sidecar","done":40,"total":100,"unit":"files","fraction":0.4,"state":"running",' ..
      '"started":"2026-01-01T00:00:01Z","updated":"2026-01-01T00:00:01Z","parser":"spec","message":"copying"}',
      t:detail(now))
  end)

  it("an unknown total is absent there and null in JSON lines", function()
    local t, now = fed { { 1, { done = 40, unit = "files" } } }
    assert.is_nil(cjson.decode(t:detail(now)).total)
    assert.equal(cjson.null, cjson.decode(t:json(now)).total)
    assert.equal("0/100", cjson.decode(t:json(now)).progress)
  end)

  it("stays within 2 KiB, the message cut first", function()
    local wide = {}
    for i = 1, 4 do wide[i] = { done = i, total = 9223372036854775807, unit = ("u"):rep(24) } end
    local t, now = fed { { 1, { done = 1, total = 9223372036854775807, unit = ("u"):rep(24), also = wide,
      message = ('"'):rep(200), phase = { index = 1, count = 2, name = ('\\'):rep(60), weight = 0.123 } } } }
    t:refused(('"'):rep(200), now)
    local text = t:detail(now)
    assert.is_true(#text <= 2048)
    assert.equal(200, #cjson.decode(text).reason)
  end)

  local lines = {
    { "running",       { { 1, { done = 40, total = 100, unit = "files" } } }, "40%, 40/100 files" },
    { "bytes",         { { 1, { done = 1073741824, total = 4294967296, unit = "bytes" } } }, "25%, 1.0 GiB of 4.0 GiB" },
    { "total unknown", { { 1, { done = 1234, unit = "files" } } }, "scanning, 1,234 files, total unknown" },
    { "waiting",       {}, "waiting" },
    { "message",       { { 1, { done = 1, total = 2, message = "half" }, true } }, "50%, 1/2: half" },
    { "no total at all", { { 1, { done = 0, total = 0, unit = "items" }, true } }, "waiting" },
    { "percent",       { { 1, { fraction = 0.5 } } }, "50%" },
  }
  for _, case in ipairs(lines) do
    it("a line for people: " .. case[1], function()
      local t, now = fed(case[2])
      assert.equal(case[3], t:line(now))
    end)
  end

  it("a line for people of a task that counted nothing", function()
    local t, now = fed { { 1, { done = 0, total = 0, unit = "items" }, true } }
    t:finish(true, "", now)
    assert.equal("complete, 0/0 items", t:line(now))
  end)

  it("a line for people says since when nothing moves", function()
    local t = fed { { 0, { done = 1, total = 4, unit = "files" } } }
    t:silent(S)
    assert.equal("stalled 12m: no record matched (spec), 25%, 1/4 files", t:line(12 * MIN))
  end)

  it("a hidden message stays hidden", function()
    local t, now = fed({ { 1, { done = 1, total = 2, message = "secret" }, true } }, { hide_message = true })
    assert.is_nil(t:detail(now):find "secret")
  end)
end)
