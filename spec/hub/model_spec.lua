--- The hub's model: from objects in any order to the progress of each operation. Rows first.
local cjson = require "cjson"
local core = require "headway_core"

local FLUID = "data.fluid.io"
local T0 = 1767225600000 -- 2026-01-01T00:00:00Z

local API = { Pod = "v1", Job = "batch/v1", CronJob = "batch/v1" }
local function api(kind) return API[kind] or FLUID .. "/v1alpha1" end
local function uid(name) return (name:gsub("[^%w]", "-"):gsub("[g-zG-Z]", function(c) return ("%x"):format(c:byte()) end)) end
local function time(minute) return ("2026-01-01T%02d:%02d:00Z"):format(minute // 60, minute % 60) end

--- An object with its owner: { kind, name, owner = { kind, name }?, minute?, annotations?, labels?, status?, spec? }
local function object(o)
  local owner = o.owner and { { apiVersion = api(o.owner[1]), kind = o.owner[1], name = o.owner[2], controller = true,
    uid = uid(o.owner[1] .. o.owner[2]) } }
  return cjson.encode { apiVersion = api(o[1]), kind = o[1], status = o.status, spec = o.spec, metadata = {
    name = o[2], namespace = o.namespace or "ns", uid = o.uid or uid(o[1] .. o[2]), resourceVersion = o.version or "1",
    creationTimestamp = time(o.minute or 0), annotations = o.annotations, labels = o.labels, ownerReferences = owner } }
end

local function says(nm, detail)
  return { ["fluid.io/data-progress"] = nm,
    ["fluid.io/data-progress-detail"] = type(detail) == "table" and cjson.encode(detail) or detail }
end

local WATCH = { Pod = 0, Job = 1, CronJob = 2, DataProcess = 3, DataLoad = 4, DataMigrate = 5, DataBackup = 6 }
---@param list table[]  objects, in the order they come
local function model(list, jobs)
  local m = core.hub.new(jobs ~= false)
  for _, o in ipairs(list) do m:object(WATCH[o[1]], o[1], object(o)) end
  return m
end

local function op(kind, phase, infos)
  return { kind, "x", status = { phase = phase, infos = infos } }
end
local function job(owner, more)
  local o = { "Job", "x-job", owner = owner }
  for k, v in pairs(more or {}) do o[k] = v end
  return o
end
local n = 0
local function pod(nm, detail, more)
  n = n + 1
  local o = { "Pod", "pod-" .. n, owner = { "Job", "x-job" }, annotations = nm and says(nm, detail) }
  for k, v in pairs(more or {}) do o[k] = v end
  return o
end

--- All orders of a list.
local function orders(list)
  if #list <= 1 then return { list } end
  local out = {}
  for i, first in ipairs(list) do
    local rest = {}
    for j, other in ipairs(list) do if j ~= i then rest[#rest + 1] = other end end
    for _, tail in ipairs(orders(rest)) do out[#out + 1] = { first, table.unpack(tail) } end
  end
  return out
end

describe("owners:", function()
  local chains = {
    DataProcess = { op("DataProcess", "Executing"), job { "DataProcess", "x" }, pod "40/100" },
    ["DataLoad with a schedule"] = { op("DataLoad", "Executing"), { "CronJob", "c", owner = { "DataLoad", "x" } },
      job { "CronJob", "c" }, pod "40/100" },
    DataMigrate = { op("DataMigrate", "Executing"), job { "DataMigrate", "x" }, pod "40/100" },
    DataBackup = { op("DataBackup", "Executing"), { "Pod", "x-pod", annotations = says "40/100" } },
    ["Job"] = { { "Job", "x" }, { "Pod", "p", owner = { "Job", "x" }, annotations = says "40/100" } },
    ["Job of a CronJob"] = { { "CronJob", "c" }, { "Job", "x", owner = { "CronJob", "c" } },
      { "Pod", "p", owner = { "Job", "x" }, annotations = says "40/100" } },
    ["Job of something else"] = { { "Job", "x", owner = { "Workflow", "w" } },
      { "Pod", "p", owner = { "Job", "x" }, annotations = says "40/100" } },
  }
  for name, list in pairs(chains) do
    it(name .. ", in every order", function()
      local kind = name:match "^%a+"
      for _, order in ipairs(orders(list)) do
        local m = model(order)
        local view = m:view(kind, "x")
        assert.same({ 40, 100, "running", "state" }, { view.n, view.m, view.state, view.need })
        local changed = table.concat(m:changed(), " ")
        assert.truthy(changed:find(kind .. "/x", 1, true), changed)
        if kind ~= "Job" then assert.is_nil(m:view("Job", "x-job")) end -- it has an operation above
      end
    end)
  end

  it("no row of them all is another's: none of the steps alone gives a value", function()
    for name, list in pairs(chains) do
      for skip = 1, #list - 1 do
        local rest = {}
        for i, o in ipairs(list) do if i ~= skip then rest[#rest + 1] = o end end
        if not name:find "^Job" then assert.is_nil(model(rest):view(name:match "^%a+", "x"), name .. " without " .. skip) end
      end
    end
  end)

  local strangers = {
    { "no controller", pod("1/2", nil, { owner = false }) },
    { "another namespace", pod("1/2", nil, { namespace = "other" }) },
    { "an owner of another kind with the Job's uid", pod("1/2", nil, { owner = { "DataProcess", "x-job" } }) },
    { "a name that only begins so", { "Pod", "x-pod-2", annotations = says "1/2" } },
    { "the name alone, in another namespace", { "Pod", "x-pod", namespace = "other", annotations = says "1/2" } },
    { "the name, but an owner of its own", { "Pod", "x-pod", owner = { "Workflow", "w" }, annotations = says "1/2" } },
  }
  for _, row in ipairs(strangers) do
    it("a stranger is no task: " .. row[1], function()
      local list = { op("DataProcess", "Executing"), job { "DataProcess", "x" }, op("DataBackup", "Executing"), row[2] }
      for _, order in ipairs(orders(list)) do
        local m = model(order)
        assert.is_nil(m:view("DataProcess", "x"))
        assert.is_nil(m:view("DataBackup", "x"))
      end
    end)
  end

  it("a Job whose CronJob was not seen yet may work for an operation: it is left alone", function()
    local m = model { { "Job", "x-job", owner = { "CronJob", "c" } }, pod "1/2" }
    assert.is_nil(m:view("Job", "x-job"))
    m:changed()
    m:object(2, "CronJob", object { "CronJob", "c" })
    assert.same({ "Job/x-job" }, m:changed())
    assert.equal(1, m:view("Job", "x-job").n)
  end)

  it("owners in a circle end nothing", function()
    local m = model { { "Job", "a", owner = { "Job", "b" } }, { "Job", "b", owner = { "Job", "a" } },
      { "Job", "c", owner = { "Job", "c" } }, { "Pod", "p", owner = { "Job", "a" }, annotations = says "1/2" },
      { "Job", "a", owner = { "Job", "b" }, version = "2" } }
    assert.equal(4, m:counts().objects)
  end)

  it("an operation made anew under the same name has nothing of the old one", function()
    local m = model { op("DataBackup", "Executing"), { "Pod", "x-pod", annotations = says "40/100" } }
    m:gone(0, object { "Pod", "x-pod" })
    m:gone(6, object(op "DataBackup"))
    m:object(6, "DataBackup", object { "DataBackup", "x", uid = "abc" })
    assert.is_nil(m:view("DataBackup", "x"))
    m:object(0, "Pod", object { "Pod", "x-pod", uid = "def", annotations = says "2/100" })
    assert.equal(2, m:view("DataBackup", "x").n)
    assert.equal(2, m:counts().objects)
  end)

  it("kinds of the settings: by owner, by label; status or annotations; phase or conditions", function()
    local m = core.hub.new(true, {
      ["pytorchjobs.v1.kubeflow.org"] = "kind=PyTorchJob pods=training.kubeflow.org/job-name",
      ["copies.v1.example.org"] = "kind=Copy pods=example.org/copy value=infos proof=phase",
    })
    API.PyTorchJob, API.Copy = "kubeflow.org/v1", "example.org/v1"
    m:object(8, "Copy", object { "Copy", "c", status = { phase = "Complete", infos = { progress = "1/2" } } })
    m:object(7, "PyTorchJob", object { "PyTorchJob", "t", status = { conditions = { { type = "Succeeded", status = "False" } } } })
    for i = 1, 2 do
      m:object(0, "Pod", object { "Pod", "t" .. i, owner = { "PyTorchJob", "t" }, annotations = says(i .. "0/100") })
    end
    m:object(0, "Pod", object { "Pod", "c0", labels = { ["example.org/copy"] = "c" }, annotations = says "1/2" })
    local t, c = m:view("PyTorchJob", "t"), m:view("Copy", "c")
    assert.same({ 30, 200, "running" }, { t.n, t.m, t.state })
    assert.same({ 2, 2, "complete", "last" }, { c.n, c.m, c.state, c.need })
  end)

  for text, why in pairs {
    ["kind=Pod pods=a"] = "resource.version.group", ["pods=x"] = "kind=KIND", ["kind=A"] = "pods=LABEL", ["kind=A pods=a,b"] = "pods=a,b", ["kind=A value=x"] = "value=x",
    ["kind=A color=red"] = "color=red", ["kind=A proof"] = "'proof'",
  } do
    it("a kind of the settings that is wrong: " .. text, function()
      local m, err = core.hub.new(true, { [why:find "resource" and "pods.v1" or "as.v1.example.org"] = text })
      assert.is_nil(m)
      assert.truthy(err:find(why, 1, true), err)
    end)
  end
end)

describe("one task:", function()
  local function view(nm, detail, phase, infos)
    return model({ op("DataProcess", phase or "Executing", infos), job { "DataProcess", "x" }, pod(nm, detail) })
      :view("DataProcess", "x")
  end

  it("the detail's words come along", function()
    local v = view("40/100", { v = 1, by = "sidecar", done = 40, total = 100, unit = "files", state = "running", rate = 2.5,
      eta = 24, updated = "2025-12-31T23:59:00Z", message = "half" })
    assert.equal("40%, 40/100 files, 2.50 files/s, 24s left: half", v.line)
    v = view("40/100", { state = "stalled", reason = "no record matched (rsync)", updated = "2025-12-31T23:48:00Z",
      done = 40, total = 100, unit = "files" })
    assert.equal("stalled 12m: no record matched (rsync), 40%, 40/100 files", v.line)
  end)

  it("total unknown: the last N/M with one, scanning", function()
    local v = view("0/100", { done = 1234, unit = "files", state = "scanning" })
    assert.same({ 0, 100, "scanning", "scanning, 1,234 files, total unknown" }, { v.n, v.m, v.state, v.line })
  end)

  it("a task that ended is not the operation's end", function()
    assert.same({ "running", 100 }, { view("100/100", { state = "complete" }).state, view("100/100").n })
    local v = view("7/100", { state = "failed", reason = "exit status 3" })
    assert.same({ "running", "the task failed: exit status 3" }, { v.state, v.reason })
  end)

  it("complete: N = M, whatever was counted", function()
    local rows = { { "40/100", nil, 100, 100 }, { "0/100", { state = "waiting" }, 100, 100 }, { "0/0", nil, 100, 100 },
      { "0/100", { done = 1234, state = "scanning" }, 1234, 1234 }, { "7/9", { done = 7, total = 9, state = "running" }, 9, 9 } }
    for _, row in ipairs(rows) do
      local v = view(row[1], row[2], "Complete")
      assert.same({ row[3], row[4], "complete", "last" }, { v.n, v.m, v.state, v.need })
      assert.truthy(v.line:find "^complete, 100%%")
    end
  end)

  it("failed: the last true value and why", function()
    local list = { op("DataProcess", "Failed"), job { "DataProcess", "x" }, pod "40/100" }
    list[1].status.conditions = { { type = "Complete", status = "False", message = "no" }, { type = "Failed", status = "True",
      reason = "BackoffLimitExceeded", message = "Job has reached\27[31m the limit at https://u:p@h/?t=1" } }
    local v = model(list):view("DataProcess", "x")
    assert.same({ 40, 100, "failed" }, { v.n, v.m, v.state })
    assert.equal("BackoffLimitExceeded: Job has reached [31m the limit at https://h/", v.reason)
    list[1].status.conditions = nil
    assert.equal("the operation failed", model(list):view("DataProcess", "x").reason)
  end)

  it("a plain Job's conditions tell how it ended", function()
    for condition, state in pairs { Complete = "complete", Failed = "failed", Suspended = "running" } do
      local m = model { { "Job", "x-job", status = { conditions = { { type = condition, status = "True" } } } }, pod "4/9" }
      assert.equal(state, m:view("Job", "x-job").state)
    end
    local m = model { { "Job", "x-job", status = { conditions = { { type = "Complete", status = "False" } } } }, pod "4/9" }
    assert.equal("running", m:view("Job", "x-job").state)
    assert.is_nil(model({ { "Job", "x-job" }, pod "4/9" }, false):view("Job", "x-job"))
  end)

  it("an operation that nobody reports for is left alone", function()
    for _, phase in ipairs { "Pending", "Executing", "Complete", "Failed" } do
      assert.is_nil(model({ op("DataProcess", phase), job { "DataProcess", "x" }, pod() }):view("DataProcess", "x"))
    end
  end)

  it("its tasks are gone: an ended operation gets its end from what was written, a running one keeps it", function()
    local function without(phase, infos) return model({ op("DataLoad", phase, infos) }):view("DataLoad", "x") end
    local v = without("Complete", { progress = "40/90", progressMessage = "44%, 40/90" })
    assert.same({ 90, 90, "complete", "last" }, { v.n, v.m, v.state, v.need })
    assert.equal("fine", without("Complete", { progress = "90/90", progressMessage = "complete, 100%" }).need)
    assert.equal("fine", without("Failed", { progress = "40/90", progressMessage = "failed: x, 44%" }).need)
    assert.equal("last", without("Failed", { progress = "40/90", progressMessage = "failing: 44%" }).need)
    assert.is_nil(without("Executing", { progress = "40/90" }))
    assert.is_nil(without("Complete", { progress = "abc" }))
  end)
end)

describe("what is needed:", function()
  local function need(nm, infos, detail, phase)
    return model({ op("DataProcess", phase or "Executing", infos), job { "DataProcess", "x" }, pod(nm, detail) })
      :view("DataProcess", "x").need
  end
  local rows = {
    -- name, pod, infos, detail, phase, need
    { "the first", "40/100", nil, nil, nil, "state" },
    { "the same", "40/100", { progress = "40/100", progressMessage = "40%" }, nil, nil, "fine" },
    { "the same percent", "401/1000", { progress = "40/100", progressMessage = "40%" }, nil, nil, "fine" },
    { "another percent", "41/100", { progress = "40/100", progressMessage = "40%" }, nil, nil, "percent" },
    { "another state", "40/100", { progress = "40/100", progressMessage = "40%" }, { state = "stalled" }, nil, "state" },
    { "the same state", "40/100", { progress = "40/100", progressMessage = "stalled 3m: x" }, { state = "stalled" }, nil, "fine" },
    { "somebody else's word", "40/100", { progress = "99/100", progressMessage = "40%" }, nil, nil, "percent" },
    { "somebody else's nonsense", "40/100", { progress = "<b>", progressMessage = "40%" }, nil, nil, "state" },
    { "the last", "401/1000", { progress = "40/100", progressMessage = "40%" }, nil, "Failed", "last" },
    { "the last was written", "40/100", { progress = "40/100", progressMessage = "failed: y" }, nil, "Failed", "fine" },
    { "the last, as another N/M", "401/1000", { progress = "40/100", progressMessage = "failed" }, nil, "Failed", "last" },
  }
  for _, row in ipairs(rows) do
    it(row[1], function() assert.equal(row[6], need(row[2], row[3], row[4], row[5])) end)
  end
  it("nothing after it was written", function()
    local m = model { op("DataProcess", "Executing"), job { "DataProcess", "x" }, pod "40/100" }
    m:wrote("DataProcess", "x")
    assert.equal("fine", m:view("DataProcess", "x").need)
  end)
  it("of a Job, by its annotations", function()
    local m = model { { "Job", "x-job", annotations = says("40/100", { state = "running" }) }, pod "40/100" }
    assert.equal("fine", m:view("Job", "x-job").need)
    m:object(1, "Job", object { "Job", "x-job", annotations = says("40/100", { state = "stalled" }) })
    assert.equal("state", m:view("Job", "x-job").need)
  end)
end)

describe("attempts:", function()
  local function attempts(list) return model { op("DataProcess", "Executing"), job { "DataProcess", "x" }, table.unpack(list) } end

  it("the newest pod of a Job counts, and the attempt is shown", function()
    local list = { pod("90/100", nil, { minute = 1 }), pod("5/100", nil, { minute = 3 }), pod("50/100", nil, { minute = 2 }) }
    for _, order in ipairs(orders(list)) do
      local v = attempts(order):view("DataProcess", "x")
      assert.same({ 5, 3, "attempt 3", "5%, 5/100 (attempt 3)" }, { v.n, v.attempt, v.reason, v.line })
    end
  end)
  it("the task's own count of them is believed when it is higher", function()
    local v = attempts({ pod("5/100", { attempt = 4, state = "stalled", reason = "why" }) }):view("DataProcess", "x")
    assert.same({ 4, "why, attempt 4" }, { v.attempt, v.reason })
  end)
  it("a new scheduled run counts alone", function()
    local m = model { op("DataLoad", "Executing"), { "CronJob", "c", owner = { "DataLoad", "x" } },
      { "Job", "old", minute = 1, owner = { "CronJob", "c" } }, { "Job", "new", minute = 9, owner = { "CronJob", "c" } },
      pod("90/100", nil, { owner = { "Job", "old" } }) }
    assert.equal(90, m:view("DataLoad", "x").n)
    m:object(0, "Pod", object(pod("0/100", nil, { owner = { "Job", "new" } })))
    assert.equal(0, m:view("DataLoad", "x").n)
    assert.equal(1, m:view("DataLoad", "x").attempt)
  end)
end)

describe("several tasks:", function()
  local function indexed(index, nm, detail, more)
    local o = pod(nm, detail, more)
    o.annotations["batch.kubernetes.io/job-completion-index"] = tostring(index)
    return o
  end
  local function team(spec, ...)
    return model({ { "Job", "x-job", spec = spec }, ... }):view("Job", "x-job")
  end
  local THREE = { completions = 3, parallelism = 3, completionMode = "Indexed" }
  local function files(done, total, state, more)
    local d = { done = done, total = total, unit = "files", state = state or "running" }
    for k, v in pairs(more or {}) do d[k] = v end
    return d
  end

  it("counts of the same unit add up, with their rates", function()
    local v = team(THREE, indexed(0, "10/100", files(10, 100, nil, { rate = 2 })), indexed(1, "20/50", files(20, 50, nil,
      { rate = 1 })), indexed(2, "50/50", files(50, 50, "complete", { rate = 9 })))
    assert.same({ 80, 200, "running", "files", 3.0 }, { v.n, v.m, v.state, v.unit, v.rate })
    assert.equal("40%, 80/200 files, 3 files/s, 40s left: 1 of 3 tasks complete", v.line)
  end)
  it("those of the same index are attempts", function()
    local v = team(THREE, indexed(0, "90/100", nil, { minute = 1 }), indexed(0, "10/100", nil, { minute = 2 }),
      indexed(1, "20/100"), indexed(2, "30/100"))
    assert.same({ 60, 300, 2 }, { v.n, v.m, v.attempt })
  end)
  it("shares where not all are there, or not all count the same thing", function()
    local v = team(THREE, indexed(0, "100/100", nil), indexed(1, "20/40"))
    assert.same({ 50, 100, "1 of 3 tasks complete" }, { v.n, v.m, v.message })
    v = team(THREE, indexed(0, "10/100", files(10, 100)), indexed(1, "5/10", { done = 5, total = 10, unit = "bytes",
      state = "running" }), indexed(2, "0/100"))
    assert.same({ 20, 100 }, { v.n, v.m })
  end)
  it("no sum passes 2^63", function()
    local huge = "4611686018427387904/9223372036854775807"
    local v = team(THREE, indexed(0, huge), indexed(1, huge), indexed(2, huge))
    assert.same({ 50, 100 }, { v.n, v.m })
  end)
  it("of a Job that is not indexed the newest count, failed ones last", function()
    local v = team({ completions = 2, parallelism = 2 }, pod("10/100", { state = "running" }, { minute = 1 }),
      pod("90/100", { state = "failed" }, { minute = 2 }), pod("30/100", { state = "running" }, { minute = 3 }))
    assert.same({ 40, 200 }, { v.n, v.m })
  end)
  it("stalled when nothing moves any more; else how many are", function()
    local stalled = { state = "stalled", reason = "why" }
    local v = team(THREE, indexed(0, "1/9", stalled), indexed(1, "2/9", stalled), indexed(2, "9/9", { state = "complete" }))
    assert.same({ "stalled", "why" }, { v.state, v.reason })
    v = team(THREE, indexed(0, "1/9", stalled), indexed(1, "2/9", stalled), indexed(2, "3/9"))
    assert.same({ "running", "2 of 3 tasks stalled" }, { v.state, v.reason })
  end)
  it("waiting, scanning", function()
    local wait, scan = { state = "waiting" }, { state = "scanning", done = 5, unit = "files" }
    assert.equal("waiting", team(THREE, indexed(0, "0/100", wait), indexed(1, "0/100", wait)).state)
    assert.equal("running", team(THREE, indexed(0, "0/100", wait), indexed(1, "3/100")).state)
    assert.equal("scanning", team(THREE, indexed(0, "0/100", scan), indexed(1, "3/100")).state)
  end)
  it("complete means all of them", function()
    local v = team(THREE, indexed(0, "9/9"), indexed(1, "4/9"), indexed(2, "9/9"))
    assert.equal("running", v.state)
    local m = model { { "Job", "x-job", spec = THREE, status = { conditions = { { type = "Complete", status = "True" } } } },
      indexed(0, "9/9"), indexed(1, "4/9"), indexed(2, "9/9") }
    v = m:view("Job", "x-job")
    assert.same({ 27, 27, "complete", "3 of 3 tasks complete" }, { v.n, v.m, v.state, v.message })
  end)
  it("a hostile Job wants no more tasks than there can be", function()
    local v = team({ completions = 2 ^ 40, completionMode = "Indexed" }, indexed(0, "1/2"), indexed(99999999, "1/2"),
      indexed(-1, "1/2"))
    assert.is_truthy(v)
  end)
end)

describe("hostile annotations:", function()
  local rows = {
    { "no N/M", "50%" }, { "N over M", "3/2" }, { "a message behind", "1/2 hello" }, { "a line more", "1/2\n3/4" },
    { "over 63 bits", "1/99999999999999999999" }, { "a megabyte", ("1"):rep(1000000) .. "/2" }, { "empty", "" },
  }
  for _, row in ipairs(rows) do
    it("refused, the last good one stays: " .. row[1], function()
      local m = model { op("DataProcess", "Executing"), job { "DataProcess", "x" }, { "Pod", "p", owner = { "Job", "x-job" },
        annotations = says "1/2" } }
      m:changed()
      for _ = 1, 2 do
        m:object(0, "Pod", object { "Pod", "p", owner = { "Job", "x-job" }, annotations = says(row[2]) })
      end
      assert.equal(1, m:view("DataProcess", "x").n)
      assert.same({}, m:changed())
      assert.equal(1, m:counts().refused)
    end)
  end

  local details = {
    { "no JSON", "{" }, { "a list", "[]" }, { "over 2 KiB", '{"message":"' .. ("x"):rep(3000) .. '"}' }, { "empty", "" },
    { "types", '{"done":"4","total":{},"rate":"x","eta":[],"state":5,"attempt":1.5,"phase":[],"also":{},"updated":9}' },
    { "ranges", '{"done":-1,"total":-9,"rate":-1,"eta":1e300,"attempt":-2,"restarts":99999999999,"fraction":7}' },
    { "done over total", '{"done":9,"total":3,"unit":"files"}' }, { "depth", ("["):rep(2000) },
    { "a state of its own", '{"state":"complete!"}' }, { "a unit with controls", '{"done":1,"total":2,"unit":"\\u001b[2J"}' },
  }
  for _, row in ipairs(details) do
    it("a detail that is not believed takes nothing from N/M: " .. row[1], function()
      local v = model({ op("DataProcess", "Executing"), job { "DataProcess", "x" }, pod("1/2", row[2]) })
        :view("DataProcess", "x")
      assert.same({ 1, 2, "running" }, { v.n, v.m, v.state })
      assert.is_nil(v.rate)
      assert.is_nil(v.line:find "%c")
    end)
  end

  it("texts are cleaned and cut, passwords taken out, times of the future are now", function()
    local v = model({ op("DataProcess", "Executing"), job { "DataProcess", "x" }, pod("1/2", {
      state = "stalled", reason = "a\27[31mb", message = ("y"):rep(500) .. " s3://u:pw@h/?k=v", updated = "2999-01-01T00:00:00Z" }) })
      :view("DataProcess", "x")
    assert.equal("a [31mb", v.reason)
    assert.is_true(#v.message <= 200)
    assert.truthy(v.line:find "^stalled: ")
  end)

  it("objects whose names can't stand in a path are left out", function()
    for _, name in ipairs { "../x", "a/b", "", ("a"):rep(300) } do
      local m = model { { "DataProcess", name, uid = "abc", status = { phase = "Executing" } } }
      assert.same({ 0, 1 }, { m:counts().objects, m:counts().refused })
    end
    local m = core.hub.new(true)
    for _, text in ipairs { "[]", "5", "null", "{}", '{"metadata":5}', '{"metadata":{"name":5,"uid":{}}}' } do
      m:object(3, "DataProcess", text)
      m:gone(3, text)
    end
    assert.equal(0, m:counts().objects)
  end)
end)

describe("lists and deletions:", function()
  local list = { op("DataProcess", "Executing"), job { "DataProcess", "x" },
    { "Pod", "p", owner = { "Job", "x-job" }, annotations = says "40/100" } }

  it("a list that goes on forgets nothing, a whole one what it did not name", function()
    local m = model(list)
    m:listing(0)
    assert.equal(40, m:view("DataProcess", "x").n)
    m:listing(0) -- anew
    m:object(0, "Pod", object(list[3]))
    m:listed(0)
    assert.equal(40, m:view("DataProcess", "x").n)
    m:changed()
    m:listing(0)
    m:listed(0)
    assert.is_nil(m:view("DataProcess", "x"))
    assert.same({ "DataProcess/x" }, m:changed())
    for watch = 1, 6 do
      m:listing(watch)
      m:listed(watch)
    end
    local forgotten = m:forgotten()
    table.sort(forgotten)
    assert.same({ "DataProcess/x", "Job/x-job" }, forgotten)
    local counts = m:counts()
    assert.same({ 0, 0, 0 }, { counts.objects, counts.tasks, counts.operations })
  end)

  it("tasks that are cleared away after the end change nothing", function()
    local m = model { op("DataProcess", "Complete"), list[2], list[3], { "Pod", "p2", minute = 1, owner = { "Job", "x-job" },
      annotations = says "7/9000" } }
    m:wrote("DataProcess", "x")
    m:changed()
    m:gone(0, object { "Pod", "p2" })
    assert.same({}, m:changed())
  end)

  it("in every order everything is forgotten, places too", function()
    for _, order in ipairs(orders { list[1], list[2], list[3], { "CronJob", "c", owner = { "DataLoad", "never" } },
      { "Job", "j2", owner = { "CronJob", "c" } } }) do
      local m = model(order)
      for _, o in ipairs(order) do m:gone(WATCH[o[1]], object(o)) end
      assert.same({ 0, 0, 0 }, { m:counts().objects, m:counts().tasks, m:counts().operations })
    end
  end)

  it("a pod that left one selection for another is not lost by the first one's word", function()
    local m = model(list)
    m:object(9, "Pod", object(list[3]))
    m:gone(0, object(list[3]))
    assert.equal(40, m:view("DataProcess", "x").n)
  end)

  it("a pod without the annotation costs nothing, until it has one", function()
    local m = model { list[1], list[2] }
    m:object(0, "Pod", object { "Pod", "p", owner = { "Job", "x-job" } })
    assert.same({ 2, 0 }, { m:counts().objects, m:counts().tasks })
    m:object(0, "Pod", object(list[3]))
    assert.equal(40, m:view("DataProcess", "x").n)
  end)

  it("the same words again change nothing", function()
    local m = model(list)
    m:changed()
    m:object(0, "Pod", object(list[3]))
    assert.same({}, m:changed())
  end)

  it("a thousand of each", function()
    local m = core.hub.new(true)
    for i = 1, 1000 do
      local name = "op-" .. i
      m:object(0, "Pod", object { "Pod", "p" .. i, owner = { "Job", name }, annotations = says(i .. "/1000") })
      m:object(3, "DataProcess", object { "DataProcess", name, status = { phase = "Executing" } })
      m:object(1, "Job", object { "Job", name, owner = { "DataProcess", name } })
    end
    assert.same({ 3000, 1000 }, { m:counts().objects, m:counts().tasks })
    assert.equal(777, m:view("DataProcess", "op-777").n)
    assert.equal(1000, #m:changed())
  end)
end)

describe("clock:", function()
  it("a value without a time of its own is as old as its first sight", function()
    local m = core.hub.new(true)
    m:clock(T0)
    for _, o in ipairs { op("DataProcess", "Executing"), job { "DataProcess", "x" }, pod("1/2", { state = "stalled", reason = "r" }) } do
      m:object(WATCH[o[1]], o[1], object(o))
    end
    m:clock(T0 + 600000)
    assert.truthy(m:view("DataProcess", "x").line:find "^stalled 10m: r")
  end)
end)
