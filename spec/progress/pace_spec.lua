local progress = require("headway_core").progress

local S = 1000
local HOUR = 3600 * S

--- Runs a task of `updates` samples over `ms`, and writes whenever the pace says so, as the reporter does: at each
--- sample and at each wait it was given. Returns the number of writes, the last value included.
local function writes(kind, ms, updates, sample_at)
  local t, p = progress.tracker(), progress.pace(kind)
  local wake = 0
  local function look(now)
    local due = p:due(t, now)
    if due == 0 then
      p:wrote(t, now)
      due = p:due(t, now)
    end
    wake = due > 0 and now + due or math.huge
  end
  look(0)
  for i = 1, updates do
    local now = i * ms // updates
    while wake < now do look(wake) end
    t:sample(sample_at(i, updates), now, true)
    look(now)
  end
  if p:due(t, ms, true) == 0 then p:wrote(t, ms, true) end
  return p:writes()
end

describe("pace of the annotation", function()
  it("a million updates in an hour with a known total: at most 110 writes", function()
    local n = writes("annotation", HOUR, 1000000, function(i, all) return { done = i, total = all } end)
    assert.is_true(n <= 110, n .. " writes")
    assert.is_true(n >= 100, n .. " writes: percents are missing")
  end)

  it("a day with an unknown total: at most 130 writes", function()
    local n = writes("annotation", 24 * HOUR, 200000, function(i) return { done = i } end)
    assert.is_true(n <= 130, n .. " writes")
    assert.is_true(n >= 60, n .. " writes: people see too little")
  end)

  it("a value that flaps for a day stays under two writes a minute, after a burst", function()
    local n = writes("annotation", 24 * HOUR, 86400, function(i) return { done = i % 2 * 50, total = 100 } end)
    assert.is_true(n <= 120 + 24 * 120 + 2, n .. " writes")
  end)

  local function pair(kind)
    local t, p = progress.tracker(), progress.pace(kind)
    p:wrote(t, 0)
    return t, p
  end

  it("writes a change of state at once", function()
    local t, p = pair "annotation"
    t:sample({ done = 1, total = 1000 }, 10)
    assert.equal(0, p:due(t, 10))
  end)

  it("writes a changed percent 3 s after the last write", function()
    local t, p = pair "annotation"
    t:sample({ done = 1, total = 100 }, 0)
    p:wrote(t, 0)
    t:sample({ done = 2, total = 100 }, S)
    assert.equal(2 * S, p:due(t, S))
    assert.equal(0, p:due(t, 3 * S))
  end)

  it("writes other changes late, and nothing for the same value", function()
    local t, p = pair "annotation"
    t:sample({ done = 1000, total = 1000000 }, 0)
    p:wrote(t, 0)
    assert.equal(-1, p:due(t, 100 * S))
    t:sample({ done = 1001, total = 1000000 }, S)
    assert.equal(59 * S, p:due(t, S))
  end)

  it("never writes because of rate, time left or time alone", function()
    local t, p = pair "annotation"
    for i = 0, 20 do t:sample({ done = i, total = 100 }, i * S) end
    p:wrote(t, 20 * S)
    assert.equal(-1, p:due(t, 100 * S))
  end)

  it("always writes the last value, once", function()
    local t, p = pair "annotation"
    t:sample({ done = 1, total = 1000000 }, 0)
    p:wrote(t, 0)
    t:sample({ done = 2, total = 1000000 }, 1)
    assert.equal(0, p:due(t, 1, true))
    p:wrote(t, 1, true)
    assert.equal(-1, p:due(t, 2, true))
  end)

  it("doubles its gaps when the server refuses or is slow, and shrinks them back", function()
    local t, p = pair "annotation"
    t:sample({ done = 1, total = 100 }, 0)
    p:wrote(t, 0)
    p:feedback(false, 5)
    p:feedback(true, 2000)
    t:sample({ done = 2, total = 100 }, 0)
    assert.equal(12 * S, p:due(t, 0))
    p:feedback(true, 10)
    p:feedback(true, 10)
    assert.equal(3 * S, p:due(t, 0))
    for _ = 1, 20 do p:feedback(false, 5) end
    assert.equal(48 * S, p:due(t, 0))
  end)
end)

describe("pace of the status", function()
  it("waits 15 s for a percent and for a state, and leaves out all else", function()
    local t, p = progress.tracker(), progress.pace "status"
    assert.equal(0, p:due(t, 0))
    p:wrote(t, 0)
    t:sample({ done = 1, total = 100 }, S)
    assert.equal(14 * S, p:due(t, S))
    p:wrote(t, 15 * S)
    t:sample({ done = 1, total = 100, message = "x" }, 16 * S, true)
    assert.equal(-1, p:due(t, 99 * S))
  end)

  it("an hour of a million updates: at most 105 writes", function()
    local n = writes("status", HOUR, 100000, function(i, all) return { done = i, total = all } end)
    assert.is_true(n <= 105, n .. " writes")
  end)
end)
