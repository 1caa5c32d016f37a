--- The hub's metrics: their text, their names, what ten thousand operations cost.
local cjson = require "cjson"
local core = require "headway_core"
local exposition = require "spec.support.exposition"
local render = require("spec.support.metrics").render

describe("metrics:", function()
  it("each operation, then those that are left out; those that go on come first, then those that failed", function()
    local all = exposition.parse((render(6, 6)))
    assert.equal(6, #all.headway_operation_units_done.samples)
    assert.equal(0, exposition.value(all, "headway_metrics_operations_left_out"))
    local one = { namespace = "some-namespace", kind = "DataProcess", name = "operation-number-0" }
    assert.equal(12345678, exposition.value(all, "headway_operation_units_done", one))
    assert.equal(987654321, exposition.value(all, "headway_operation_units_expected", one))
    assert.equal(1234.5, exposition.value(all, "headway_operation_units_per_second", one))
    assert.equal(60, exposition.value(all, "headway_operation_remaining_seconds", one))
    assert.equal(1767225600, exposition.value(all, "headway_operation_last_change_timestamp_seconds", one))
    assert.equal(2, exposition.value(all, "headway_operations", { kind = "DataProcess", state = "running" }))
    assert.equal(2, exposition.value(all, "headway_operations", { kind = "DataProcess", state = "failed" }))
    assert.equal(6, exposition.value(all, "headway_operations", { kind = "Job", state = "unknown" })) -- they work for others
    local some = exposition.parse((render(6, 3)))
    local states = {}
    for _, sample in ipairs(some.headway_operation_state.samples) do states[#states + 1] = sample.labels.state end
    table.sort(states)
    assert.same({ "failed", "running", "running" }, states)
    assert.equal(3, exposition.value(some, "headway_metrics_operations_left_out"))
    assert.equal(6, exposition.value(some, "headway_hub_tasks"))
  end)
  it("none: families without samples, and what is never absent", function()
    local none = exposition.parse((render(0, 0)))
    assert.same({}, none.headway_operation_state.samples)
    assert.equal(0, exposition.value(none, "headway_hub_writes_total", { code = "200" }))
    assert.equal(0, exposition.value(none, "headway_hub_ready"))
  end)
  it("ten thousand operations never hold the loop", function()
    local text, cost = render(10000, 10000)
    local _, lines = text:gsub("\nheadway_operation_state{", "")
    assert.equal(10000, lines)
    assert.equal(201, cost.steps)
    if os.getenv "HEADWAY_PRESET" == "plain" then -- measured: 6, 4 and 42 ms
      assert.is_true(cost.begin < 60 and cost.longest < 40 and cost.sum < 420, cjson.encode(cost))
    end
  end)
end)

describe("a label", function()
  local rows = {
    -- value                       what is read
    { "plain", "plain" },
    { 'a"b', 'a"b' },
    { 'a\\', 'a\\' },
    { '\\"} 1', '\\"} 1' },
    { 'a\nx{name="b"} 1', 'a x{name="b"} 1' },
    { "a\r\27[31m", "a [31m" },
    { "\xff\xfe", nil },
    { "\u{202e}x", "x" },
    { ("n"):rep(1000), nil },
    { "", "" },
  }
  for _, row in ipairs(rows) do
    it(("%q"):format(row[1]:sub(1, 30)), function()
      local families = exposition.parse(core.metric_of(row[1]))
      assert.equal(1, #families.x.samples)
      local value = families.x.samples[1].labels.name
      assert.is_true(#value <= 256)
      if row[2] then assert.equal(row[2], value) end
    end)
  end
end)
