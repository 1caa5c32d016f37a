--- `headway hub` against a real API server, with the rights of its service account and no others.
local cjson = require "cjson"
local cluster = require "spec.support.cluster"
local hubs = require "spec.support.hub"
local shell = require "spec.support.cluster_shell"
if cluster.skip(pending) then return end

local KINDS = { "DataProcess", "DataLoad", "DataMigrate", "DataBackup", "DataLoad of a CronJob", "Job" }

--- Seconds of the day, with fractions, from an audit event.
local function at(event)
  local h, m, s = event.requestReceivedTimestamp:match "T(%d+):(%d+):([%d.]+)Z"
  return h * 3600 + m * 60 + tonumber(s)
end

describe("hub:", function()
  local c, hub

  before_each(function()
    c = cluster.shared()
    hub = hubs.new(c)
  end)
  after_each(function() hub:close() end)

  local function make(count, prefix)
    local list = {}
    for i = 1, count do list[i] = hub:operation(KINDS[(i - 1) % #KINDS + 1], ("%s%d"):format(prefix or "op", i)) end
    return list
  end

  it("the status of 24 operations of every kind follows their pods, to the end", function()
    local list = make(24)
    local p = hub:start("hub", "--status-gap", "1s", "--status-budget", "0")
    hubs.leads(p)
    local detail = cjson.encode { v = 1, by = "sidecar", done = 40, total = 200, unit = "files", state = "running",
      updated = "2026-01-01T00:00:00Z", message = "half" }
    for round = 1, 3 do
      local function value(i) return ("%d/200"):format(i + round * 50), round == 1 and detail or cjson.null end
      hub:report(list, value)
      hub:await(list, function(i) return (value(i)) end)
    end
    hub:report(list, function() return "40/200", detail end)
    hub:await(list, function() return "40/200" end)
    local _, lines = hub:written(list)
    assert.equal("20%, 40/200 files: half", lines[1])
    assert.same({ "hub", 40, "files" }, { cjson.decode(lines[6]).by, cjson.decode(lines[6]).done, cjson.decode(lines[6]).unit })
    local infos = c:get(list[1].op).status.infos
    assert.equal("2026-01-01T00:00:00Z", infos.progressUpdated)
    for i, o in ipairs(list) do
      if o.kind ~= "Job" then c:set_status(o.op, { phase = i % 2 == 1 and "Complete" or "Failed" }) end
    end
    hub:await(list, function(i) return i % 2 == 1 and list[i].kind ~= "Job" and "200/200" or "40/200" end)
    _, lines = hub:written(list)
    assert.truthy(lines[1]:find "^complete, 100%%")
    assert.truthy(lines[2]:find "^failed: the operation failed")
    p:kill "TERM"
    assert.equal(0, p:wait(6))
  end)

  it("uses the rights it is given and no others; each write carries uid and resourceVersion", function()
    local from = c:audit_position()
    local list = make(6)
    hub:start("hub", "--status-gap", "1s", "--status-budget", "0")
    hub:report(list, function(i) return i .. "/10" end)
    hub:await(list, function(i) return i .. "/10" end)
    local writes = hub:writes(from, "hub")
    assert.equal(6, #writes)
    for _, event in ipairs(writes) do
      local meta = event.requestObject and event.requestObject.metadata
      if event.objectRef.resource ~= "jobs" then -- whose bodies the audit log leaves out
        assert.truthy(meta.uid and meta.resourceVersion)
      end
    end
    for _, event in ipairs(c:audit { from = from, user = hub:user "hub" }) do
      assert.is_true(event.responseStatus.code < 400 or event.objectRef.resource == "leases",
        event.requestURI .. " " .. event.responseStatus.code)
      if event.objectRef.resource == "pods" then assert.truthy(event.requestURI:find("labelSelector=", 1, true)) end
    end
  end)

  it("the example's account has all the rights that it needs", function()
    local text = assert(shell.read "examples/hub/hub.yaml"):gsub("headway%-system", hub.namespace)
      :gsub("name: headway%-hub", "name: headway-hub-" .. hub.namespace) -- some are for the whole cluster
    local file, name = ("%s/%s.yaml"):format(c.dir, hub.namespace), "headway-hub-" .. hub.namespace
    shell.write(file, text)
    local ok, out, err = c:kubectl("apply", "-f", file)
    assert.is_true(ok, out .. err)
    local user = hub:user(name)
    shell.wait_until(function() return c:kubectl("auth", "can-i", "create", "leases", "-n", hub.namespace, "--as=" .. user) end, 10, 0.1)
    hub.accounts[name] = c:fake_serviceaccount_dir(hub.namespace, name)
    local list = make(6)
    local from = c:audit_position()
    local p = hub:start(name, "--status-gap", "1s")
    hub:report(list, function(i) return i .. "/10" end)
    hub:await(list, function(i) return i .. "/10" end)
    p:kill "TERM"
    assert.equal(0, p:wait(6))
    for _, event in ipairs(c:audit { from = from, user = user }) do
      assert.is_true(event.responseStatus.code ~= 403, event.verb .. " " .. event.requestURI)
    end
  end)

  it("one write in the gap, budget over all, ends at once", function()
    local list = make(20)
    local p = hub:start("hub", "--status-gap", "4s", "--status-budget", "5")
    hubs.leads(p)
    local from = c:audit_position()
    for round = 1, 8 do
      hub:report(list, function(i) return ("%d/100"):format(i + round) end)
      os.execute "sleep 0.5"
    end
    hub:await(list, function(i) return (i + 8) .. "/100" end, 30)
    local writes = hub:writes(from, "hub")
    local last, started = {}, at(writes[1])
    for n, event in ipairs(writes) do
      local key, now = event.objectRef.resource .. event.objectRef.name, at(event)
      assert.is_true(not last[key] or now - last[key] > 3.9, key .. " was written twice in the gap")
      last[key] = now
      assert.is_true(n <= 5 * (now - started) + 8, ("%d writes in %.1f s"):format(n, now - started))
    end
    c:set_status(list[1].op, { phase = "Complete" })
    hub:await({ list[1] }, function() return "100/100" end, 2.5)
  end)

  it("an operation that has no status yet is written once it has one", function()
    local o = hub:operation("DataProcess", "early", { phase = false })
    hub:start("hub", "--status-gap", "1s")
    hub:report({ o }, function() return "3/10" end)
    shell.wait_until(function() return hub.replicas[1]:err():find "422" end, 10)
    c:set_status(o.op, { phase = "Executing", duration = "Unfinished", conditions = { { type = "Complete", status = "False" } } })
    hub:await({ o }, function() return "3/10" end)
  end)

  it("a new attempt's pod counts at once, and an object made anew gets nothing of the old", function()
    local o = hub:operation("DataProcess", "again")
    hub:start("hub", "--status-gap", "1s")
    hub:report({ o }, function() return "70/100" end)
    hub:await({ o }, function() return "70/100" end)
    os.execute "sleep 1.1" -- creation times have whole seconds
    local second = c:create_pod { namespace = hub.namespace, name = "again-p2", owner = o.job, labels = o.labels,
      annotations = { [hubs.NM] = "0/100" } }
    hub:await({ o }, function() return "0/100" end)
    assert.equal("waiting: attempt 2", select(2, hub:written { o })[1])
    c:patch(second, { metadata = { annotations = { [hubs.NM] = "5/100" } } })
    hub:await({ o }, function() return "5/100" end)
    c:delete(o.op)
    local anew = c:create_dataprocess { namespace = hub.namespace, name = "again", phase = "Executing" }
    c:patch(second, { metadata = { annotations = { [hubs.NM] = "9/100" } } })
    local other = hub:operation("DataProcess", "other")
    hub:report({ other }, function() return "1/2" end)
    hub:await({ other }, function() return "1/2" end)
    assert.is_nil(c:get(anew).status.infos)
  end)

  it("restarted: follows what changed meanwhile, and writes nothing else", function()
    local list = make(12)
    local p = hub:start("hub", "--status-gap", "1s", "--status-budget", "0")
    hub:report(list, function(i) return i .. "/100" end)
    hub:await(list, function(i) return i .. "/100" end)
    p:kill "TERM"
    assert.equal(0, p:wait(6))
    assert.is_true((hub:lease().spec.holderIdentity or "") == "")
    hub:report({ list[1], list[2] }, function(i) return (50 + i) .. "/100" end)
    local from = c:audit_position()
    p = hub:start("hub", "--status-gap", "1s", "--status-budget", "0")
    hub:await(list, function(i) return (i < 3 and 50 + i or i) .. "/100" end, 5)
    hubs.leads(p)
    hub:report({ list[3] }, function() return "60/100" end)
    hub:await({ list[3] }, function() return "60/100" end)
    assert.equal(3, #hub:writes(from))
  end)

  --- Two hubs: the first leads, the other one knows all and waits.
  local function leader_and_standby()
    local a = hub:start("a", "--status-gap", "1s")
    hubs.leads(a)
    local b = hub:start("b", "--status-gap", "1s")
    hubs.ready(b)
    return a, b
  end

  it("of two replicas one writes; killed, the other takes over inside 15 s", function()
    local list = make(6)
    local a = leader_and_standby()
    local from = c:audit_position()
    hub:report(list, function(i) return i .. "/100" end)
    hub:await(list, function(i) return i .. "/100" end)
    assert.equal(0, #hub:writes(from, "b"))
    a:kill "KILL"
    local killed = shell.now()
    hub:report(list, function(i) return (i + 10) .. "/100" end)
    hub:await(list, function(i) return (i + 10) .. "/100" end, 20)
    local took = shell.now() - killed
    assert.is_true(took < 15, ("took %.1f s"):format(took))
    local by_a, by_b = hub:writes(from, "a"), hub:writes(from, "b")
    assert.is_true(at(by_a[#by_a]) < at(by_b[1]))
    assert.equal(1, hub:lease().spec.leaseTransitions)
  end)

  it("told to stop, it hands over at once", function()
    local list = make(1)
    local a = leader_and_standby()
    a:kill "TERM"
    assert.equal(0, a:wait(6))
    local stopped = shell.now()
    hub:report(list, function() return "7/100" end)
    hub:await(list, function() return "7/100" end)
    assert.is_true(shell.now() - stopped < 5)
  end)

  it("a leader that slept through its lease writes nothing when it wakes", function()
    local list = make(3)
    local a, b = leader_and_standby()
    a:kill "STOP"
    hubs.leads(b)
    hub:report(list, function(i) return i .. "/100" end)
    hub:await(list, function(i) return i .. "/100" end)
    local from = c:audit_position()
    a:kill "CONT"
    assert.truthy(a:expect("err", "leads no more"))
    hub:report(list, function(i) return (i + 20) .. "/100" end)
    hub:await(list, function(i) return (i + 20) .. "/100" end)
    assert.equal(0, #hub:writes(from, "a"))
  end)

  it("events that the server has forgotten (410): it lists anew, and every status is right", function()
    local list = make(12)
    local p = hub:start("hub", "--status-gap", "1s", "--status-budget", "0")
    hub:report(list, function(i) return i .. "/100" end)
    hub:await(list, function(i) return i .. "/100" end)
    p:kill "STOP"
    c:stop_apiserver "KILL" -- or what follows would still come, and wait in the sockets
    c:start_apiserver()
    hub:report(list, function(i) return (i + 30) .. "/100" end)
    c:delete(list[12].op)
    c:delete(list[12].pod)
    table.remove(list)
    local _, now = c:request("GET", "/api/v1/namespaces?limit=1")
    c:stop_apiserver "KILL"
    local ok, out = shell.run(("curl -sf --unix-socket %s -d '{\"revision\":\"%s\",\"physical\":true}' http://etcd/v3/kv/compaction 2>&1")
      :format(shell.quote(c.dir .. "/etcd:1"), now.metadata.resourceVersion))
    assert.is_true(ok, out)
    c:start_apiserver()
    p:kill "CONT"
    hub:await(list, function(i) return (i + 30) .. "/100" end, 40)
    assert.truthy(p:err():find "listing anew", p:err())
    hub:report(list, function(i) return (i + 60) .. "/100" end)
    hub:await(list, function(i) return (i + 60) .. "/100" end)
  end)

  it("a right that is missing is named; the other kinds go on", function()
    c:service_account(hub.namespace, "weak")
    c:cluster_role(hub.namespace, "weak", {
      { apiGroups = { "" }, resources = { "pods" }, verbs = { "list", "watch" } },
      { apiGroups = { "batch" }, resources = { "jobs" }, verbs = { "list", "watch" } },
      { apiGroups = { "data.fluid.io" }, resources = { "dataprocesses", "dataloads" }, verbs = { "list", "watch" } },
      { apiGroups = { "data.fluid.io" }, resources = { "dataprocesses/status" }, verbs = { "patch" } },
    })
    c:role(hub.namespace, "weak", { { apiGroups = { "coordination.k8s.io" }, resources = { "leases" },
      verbs = { "get", "create", "patch" } } })
    hub.accounts.weak = c:fake_serviceaccount_dir(hub.namespace, "weak")
    local list = { hub:operation("DataProcess", "fine") }
    for i = 2, 8 do list[i] = hub:operation("DataLoad", "mute" .. i) end
    local from = c:audit_position()
    local p = hub:start("weak", "--status-gap", "1s")
    hub:report(list, function(i) return i .. "/9" end)
    hub:await(list, function(i) return i == 1 and "1/9" or "-" end)
    assert.truthy(p:expect("err", "needs verb 'list' on 'databackups'"), p:err())
    assert.truthy(p:expect("err", "needs verb 'patch' on 'dataloads/status'"), p:err())
    for round = 1, 3 do
      hub:report(list, function(i) return math.min(i + round, 9) .. "/9" end)
      hub:await(list, function(i) return i == 1 and (1 + round) .. "/9" or "-" end, 5)
    end
    local refused = 0
    for _, event in ipairs(hub:writes(from)) do refused = refused + (event.responseStatus.code == 403 and 1 or 0) end
    assert.is_true(refused >= 1 and refused <= 4, refused .. " refusals") -- as many as were under way at once
  end)

  it("a kind of the settings: found by label, its status.infos by its phase", function()
    local group = ("g%d.example.org"):format(math.random(1, 1 << 30)) -- a definition is for the whole cluster
    c:apply { apiVersion = "apiextensions.k8s.io/v1", kind = "CustomResourceDefinition", metadata = { name = "copies." .. group },
      spec = { group = group, scope = "Namespaced", names = { kind = "Copy", plural = "copies" },
        versions = { { name = "v1", served = true, storage = true, subresources = { status = {} }, schema = {
          openAPIV3Schema = { type = "object", ["x-kubernetes-preserve-unknown-fields"] = true } } } } } }
    shell.wait_until(function() return c:request("GET", ("/apis/%s/v1/copies"):format(group)) == 200 end, 20)
    c:service_account(hub.namespace, "more")
    hub:account "more"
    c:cluster_role(hub.namespace, "more", { { apiGroups = { group }, resources = { "copies", "copies/status" },
      verbs = { "list", "watch", "patch" } } })
    local copy = c:create { apiVersion = group .. "/v1", kind = "Copy", metadata = { name = "c1", namespace = hub.namespace },
      status = { phase = "Running" } }
    local list = { { kind = "Copy", op = copy, pod = c:create_pod { namespace = hub.namespace, labels = { ["example.org/copy"] = "c1" } } } }
    hub:start("more", "--status-gap", "1s", "--hub-kinds",
      ("copies.v1.%s=kind=Copy pods=example.org/copy value=infos proof=phase"):format(group))
    hub:report(list, function() return "3/8" end)
    hub:await(list, function() return "3/8" end)
    c:set_status(copy, { phase = "Complete" })
    hub:await(list, function() return "8/8" end)
    c:request("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/copies." .. group)
  end)

  it("hub.jobs off: plain Jobs and their pods are left alone, Fluid's are followed", function()
    local list = { hub:operation("DataProcess", "op"), hub:operation("Job", "plain") }
    local from = c:audit_position()
    hub:start("hub", "--status-gap", "1s", "--hub-jobs=off")
    hub:report(list, function(i) return i .. "/9" end)
    hub:await(list, function(i) return i == 1 and "1/9" or "-" end)
    for _, event in ipairs(c:audit { from = from, user = hub:user "hub", resource = "pods" }) do
      assert.truthy(event.requestURI:find("fluid.io%2Fmanaged-by%3Dfluid", 1, true), event.requestURI)
    end
    assert.equal(1, #hub:writes(from))
  end)
end)
