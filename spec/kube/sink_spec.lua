--- The sinks that write to the API server, against a server that plays a script: what is sent, what each answer leads to.
local cjson = require "cjson"
local probe = require "spec.support.kube_probe"
local shell = require "spec.support.cluster_shell"
if probe.skip(pending) then return end
if not pcall(require, "socket") then return pending "no lua-socket" end

local U, V = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
local PROGRESS, DETAIL = "fluid.io/data-progress", "fluid.io/data-progress-detail"
local servers = {}
after_each(function()
  for _, server in ipairs(servers) do server.stop() end
  servers = {}
end)
teardown(probe.clean)

local function object(uid, annotations, version, more)
  local meta = { name = "x", namespace = "ns", uid = uid or U, resourceVersion = version or "7", annotations = annotations }
  for k, v in pairs(more or {}) do meta[k] = v end
  return { body = cjson.encode { kind = "Pod", metadata = meta } }
end
local function refuse(code, message, more)
  local body = { kind = "Status", status = "Failure", code = code, message = message or "no" }
  for k, v in pairs(more or {}) do body[k] = v end
  return { status = code, body = cjson.encode(body) }
end
local function with(answer, more)
  for k, v in pairs(more) do answer[k] = v end
  return answer
end

local ANNOTATION = { ["do"] = "annotation", namespace = "ns", pod = "x" }
local function publish(n, more)
  local c = { ["do"] = "publish", n = n, m = 100 }
  for k, v in pairs(more or {}) do c[k] = v end
  return c
end
local INITIAL = { counted = false, state = "waiting" }
local function wait(kind, count, ms) return { ["do"] = "wait", ["for"] = kind, count = count, ms = ms } end
local function sleep(ms) return { ["do"] = "wait", ms = ms } end

--- Runs the commands with a client whose server gives these answers.
local function run(answers, commands, opts)
  local server = probe.serve { answers = answers }
  servers[#servers + 1] = server
  local path = probe.dir() .. "/config"
  shell.write(path, ([[{"current-context":"x","contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}],
    "clusters":[{"name":"c","cluster":{"server":"%s"}}],"users":[{"name":"u","user":{"token":"abc"}}]}]]):format(server.url))
  table.insert(commands, 1, { ["do"] = "open", kubeconfig = path })
  local events = probe.run(commands, opts)
  local requests = server.log "request"
  for _, request in ipairs(requests) do
    request.json = request.body ~= "" and cjson.decode(request.body) or nil
  end
  return events, requests, server
end

local function written(request) return request.json.metadata.annotations and request.json.metadata.annotations[PROGRESS] end

describe("annotation:", function()
  it("learns by an empty merge patch, then carries the uid", function()
    local events, requests = run({ object() }, { ANNOTATION, wait "pod", publish(40), wait "idle" })
    assert.equal(2, #requests)
    assert.equal("PATCH", requests[1].method)
    assert.equal("/api/v1/namespaces/ns/pods/x", requests[1].path)
    assert.equal("{}", requests[1].body)
    assert.equal("application/json", requests[1].headers.accept)
    assert.equal(U, requests[2].json.metadata.uid)
    assert.equal("40/100", written(requests[2]))
    assert.equal("sidecar", cjson.decode(requests[2].json.metadata.annotations[DETAIL]).by)
    assert.truthy(requests[2].headers.accept:find "PartialObjectMetadata")
    assert.equal(U, events.pod[1].metadata.uid)
    assert.same({ true }, { events.wrote[1].ok })
    assert.equal(1, #events.idle)
    assert.equal(0, #probe.logged(events, "warn"))
  end)
  it("a uid that is known is checked from the start", function()
    local _, requests = run({ object() }, { { ["do"] = "annotation", namespace = "ns", pod = "x", uid = U }, wait "pod" })
    assert.same({ metadata = { uid = U } }, requests[1].json)
  end)
  it("names that can't be any", function()
    for _, bad in ipairs { { namespace = "a/b", pod = "x" }, { namespace = "ns", pod = "../x" }, { namespace = "ns", pod = "" },
      { namespace = "ns", pod = "x", uid = '"' } } do
      bad["do"] = "annotation"
      local events = run({}, { bad })
      assert.truthy(events.is[1].error)
    end
  end)

  describe("the first 0/100:", function()
    local function first(annotations, more)
      local _, requests = run({ object(nil, annotations) }, { ANNOTATION, wait "pod", publish(0, more or INITIAL), wait "idle" })
      return requests[2]
    end
    it("is written where there is none", function() assert.equal("0/100", written(first())) end)
    it("is written over what is no N/M", function() assert.equal("0/100", written(first { [PROGRESS] = "50%" })) end)
    it("is not written over a value; the detail is, when there is none", function()
      local request = first { [PROGRESS] = "40/100" }
      assert.is_nil(written(request))
      assert.equal("waiting", cjson.decode(request.json.metadata.annotations[DETAIL]).state)
    end)
    it("nothing is written over a value and its detail", function()
      assert.is_nil(first { [PROGRESS] = "40/100", [DETAIL] = "{}" })
    end)
    it("a stall with nothing counted changes the detail only, again and again", function()
      local _, requests = run({ object(nil, { [PROGRESS] = "40/100", [DETAIL] = "{}" }) }, { ANNOTATION, wait "pod",
        publish(0, { counted = false, state = "stalled" }), wait "idle", publish(0, { counted = false, state = "failed" }), wait "idle" })
      assert.is_nil(written(requests[2]))
      assert.is_nil(written(requests[3]))
    end)
    it("a task's own 0/100 is its word", function()
      assert.equal("0/100", written(first({ [PROGRESS] = "40/100", [DETAIL] = "{}" }, {})))
    end)
    it("after a value of ours it begins a new attempt", function()
      local _, requests = run({ object(nil, { [PROGRESS] = "40/100", [DETAIL] = "{}" }) }, { ANNOTATION, wait "pod", publish(50),
        wait "idle", publish(0, INITIAL), wait "idle" })
      assert.equal("0/100", written(requests[3]))
    end)
    it("complete with nothing counted is written", function()
      assert.equal("100/100", written(first({ [PROGRESS] = "40/100", [DETAIL] = "{}" }, { n = 100, counted = false, state = "complete" })))
    end)
  end)

  it("the newest value wins while one is under way; older ones are never sent", function()
    local events, requests = run({ object(), with(object(), { delay = 0.3 }), object() }, { ANNOTATION, wait "pod", publish(1), sleep(100),
      publish(2), publish(3), publish(4), wait "idle" })
    assert.equal(3, #requests)
    assert.equal("4/100", written(requests[3]))
    assert.equal(2, #events.wrote)
    assert.equal(1, #events.idle)
  end)
  it("what is published before the pod is known waits", function()
    local _, requests = run({ with(object(), { delay = 0.2 }), object() }, { ANNOTATION, publish(1), publish(2), wait "idle" })
    assert.equal(2, #requests)
    assert.equal("2/100", written(requests[2]))
  end)
  it("busy while a value is not written", function()
    local BUSY = { ["do"] = "busy" }
    local events = run({ object(), with(object(), { delay = 0.2 }) }, { ANNOTATION, wait "pod", BUSY, publish(1), BUSY, wait "idle", BUSY })
    assert.same({ false, true, false }, { events.is[1].annotation, events.is[2].annotation, events.is[3].annotation })
  end)
end)

describe("reactions:", function()
  it("5xx: backoff, one warning, one word of recovery", function()
    local events, requests = run({ object(), refuse(503, "etcd is away"), refuse(503, "etcd is away"), object() },
      { ANNOTATION, wait "pod", publish(1), wait("idle", 1, 5000) })
    assert.equal(4, #requests)
    local warned, told = probe.logged(events, "warn"), probe.logged(events, "info")
    assert.equal(1, #warned)
    assert.truthy(warned[1]:find "^annotation: patch pods 'ns/x': 503 Service Unavailable: etcd is away; next try in %d+%.%d s$", warned[1])
    assert.equal(1, #told)
    assert.truthy(told[1]:find "^annotation: works again after %d+s$", told[1])
    assert.same({ false, false, true }, { events.wrote[1].ok, events.wrote[2].ok, events.wrote[3].ok })
  end)
  it("a retry takes the newest value that there is", function()
    local _, requests = run({ object(), refuse(503), refuse(503), object() }, { ANNOTATION, wait "pod", { ["do"] = "newer", n = 7, m = 100 },
      publish(1), wait("idle", 1, 5000) })
    assert.equal(4, #requests)
    assert.same({ "1/100", "7/100", "7/100" }, { written(requests[2]), written(requests[3]), written(requests[4]) })
  end)
  it("distinct causes are each told", function()
    local events = run({ object(), refuse(503), refuse(500), refuse(503), { reset = true }, { reset = true }, object() },
      { ANNOTATION, wait "pod", publish(1), wait("idle", 1, 10000) })
    assert.equal(3, #probe.logged(events, "warn"))
  end)
  it("no busy loop: a server that always fails", function()
    local _, requests = run({ object(), refuse(500) }, { ANNOTATION, wait "pod", publish(1), sleep(3000) })
    assert.is_true(#requests <= 14, #requests .. " requests in 3 s")
  end)
  it("429: Retry-After is obeyed, also by the last value", function()
    local _, requests = run({ object(), with(refuse(429), { headers = { ["Retry-After"] = "1" } }), object() },
      { ANNOTATION, wait "pod", publish(1), wait "wrote", publish(2, { last = true }), wait("idle", 1, 5000) })
    assert.equal("2/100", written(requests[3]))
    assert.is_true(requests[3].at - requests[2].at >= 0.99, "came after " .. requests[3].at - requests[2].at)
  end)
  it("503 with Retry-After, too", function()
    local _, requests = run({ object(), with(refuse(503), { headers = { ["Retry-After"] = "1" } }), object() },
      { ANNOTATION, wait "pod", publish(1), wait("idle", 1, 5000) })
    assert.is_true(requests[3].at - requests[2].at >= 0.99)
  end)
  it("403: told what is missing, tried again slowly; the last value tries at once", function()
    local events, requests = run({ object(), refuse(403), object() }, { ANNOTATION, wait "pod", publish(1), wait "wrote", sleep(1000),
      publish(2, { last = true }), wait("idle", 1, 1000) })
    assert.equal(3, #requests)
    assert.equal("2/100", written(requests[3]))
    local warned = probe.logged(events, "warn")[1]
    assert.truthy(warned:find("needs verb 'patch' on 'pods' in namespace 'ns'", 1, true), warned)
    assert.truthy(warned:find "next try in 6%d%.%d s$", warned)
  end)
  it("403 after a write was taken: soon again, a server that has just started does not know its rules yet", function()
    local events, requests = run({ object(), object(), refuse(403), object() }, { ANNOTATION, wait "pod", publish(1), wait "idle", publish(2),
      wait("idle", 1, 5000) })
    assert.equal(4, #requests)
    assert.equal("2/100", written(requests[4]))
    assert.truthy(probe.logged(events, "warn")[1]:find("403 Forbidden: needs verb 'patch'", 1, true))
  end)
  it("403 on the first request: the same", function()
    local events, requests = run({ refuse(403) }, { ANNOTATION, publish(1), sleep(500) })
    assert.equal(1, #requests)
    assert.truthy(probe.logged(events, "warn")[1]:find("needs verb 'patch'", 1, true))
  end)
  it("404: the pod is gone, for good", function()
    local events, requests = run({ object(), refuse(404, 'pods "x" not found') },
      { ANNOTATION, wait "pod", publish(1), wait "idle", publish(2), publish(3, { last = true }), sleep(300), { ["do"] = "busy" } })
    assert.equal(2, #requests)
    assert.equal(1, #events.stop)
    assert.truthy(events.stop[1].reason:find('pods "x" not found', 1, true))
    assert.is_false(events.is[1].annotation)
    assert.truthy(probe.logged(events, "warn")[1]:find "nothing more is written there$")
    assert.equal(1, #events.idle)
  end)
  it("404 that is not the API server's: not for good", function()
    local events, requests = run({ object(), { status = 404, body = "<html>" }, object() },
      { ANNOTATION, wait "pod", publish(1), wait "idle" })
    assert.is_nil(events.stop)
    assert.equal("1/100", written(requests[3]))
  end)
  for name, answer in pairs {
    ["422 for the uid"] = refuse(422, "invalid", { details = { causes = { { field = "metadata.uid" } } } }),
    ["409 for the uid"] = refuse(409, "Precondition failed: UID in precondition: a, UID in object meta: b"),
    ["410"] = refuse(410, "gone"),
  } do
    it(name .. ": the pod was made anew, nothing is written to it", function()
      local events, requests = run({ object(), answer, object(V) }, { ANNOTATION, wait "pod", publish(1), wait "stop", publish(2), sleep(300) })
      assert.equal(2, #requests)
      assert.truthy(events.stop[1].reason:find("made anew under the same name", 1, true))
    end)
  end
  it("200 with something else than the pod: the value counts as not written", function()
    local events, requests = run({ object(), { body = "{}" }, object(V), object() }, { ANNOTATION, wait "pod", publish(1),
      wait("idle", 1, 5000) })
    assert.same({ "1/100", "1/100", "1/100" }, { written(requests[2]), written(requests[3]), written(requests[4]) })
    assert.same({ false, false, true }, { events.wrote[1].ok, events.wrote[2].ok, events.wrote[3].ok })
    assert.truthy(probe.logged(events, "warn")[1]:find("not the object that was asked for", 1, true))
  end)
  it("a first answer with a pod of another name: its uid is not believed", function()
    local events, requests = run({ object(V, nil, "7", { name = "y" }), object() }, { ANNOTATION, wait("pod", 1, 5000), publish(1), wait "idle" })
    assert.equal("{}", requests[2].body)
    assert.equal(U, requests[3].json.metadata.uid)
    assert.equal(1, #events.pod)
  end)
  it("422: may pass, so the value is kept and tried again", function()
    local events, requests = run({ object(), refuse(422, "annotations: too long"), object() }, { ANNOTATION, wait "pod", publish(1),
      wait("idle", 1, 5000) })
    assert.same({ "1/100", "1/100" }, { written(requests[2]), written(requests[3]) })
    assert.equal(3, #requests)
    assert.equal(1, #probe.logged(events, "warn"))
    assert.truthy(probe.logged(events, "warn")[1]:find("too long; next try in", 1, true))
  end)
  it("422 of a policy: a missing right", function()
    local events, requests = run({ refuse(422, "pods \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: not yours") },
      { ANNOTATION, publish(1), sleep(500) })
    assert.equal(1, #requests)
    assert.truthy(probe.logged(events, "warn")[1]:find("an admission policy refuses it", 1, true))
  end)
  it("409: looked at and written again at once a few times, without a word", function()
    local events, requests = run({ object(U, nil, "7"), refuse(409), object(U, nil, "8"), refuse(409), object(U, nil, "9"), object(U, nil, "10") },
      { ANNOTATION, wait "pod", publish(1), wait("idle", 1, 400) })
    assert.equal(6, #requests)
    assert.same({ uid = U }, requests[3].json.metadata)
    local versions = {}
    for _, i in ipairs { 2, 4, 6 } do
      assert.equal("1/100", written(requests[i]))
      versions[#versions + 1] = requests[i].json.metadata.resourceVersion
    end
    assert.same({ "7", "8", "9" }, versions)
    assert.equal(0, #probe.logged(events, "warn"))
    assert.equal(1, #events.wrote)
    assert.equal(1, #events.pod)
  end)
  it("a write that comes late, after a newer one, is refused: each carries the version of the answer before it", function()
    local _, requests = run({ object(U, nil, "7"), object(U, nil, "8"), object(U, nil, "9") }, { ANNOTATION, wait "pod", publish(1), wait "idle",
      publish(2), wait "idle" })
    assert.equal("7", requests[2].json.metadata.resourceVersion)
    assert.equal("8", requests[3].json.metadata.resourceVersion)
  end)
  it("409 for ever: no busy loop", function()
    local events, requests = run({ object(), refuse(409) }, { ANNOTATION, wait "pod", publish(1), sleep(2000) })
    assert.is_true(#requests <= 14, #requests .. " requests")
    assert.equal(1, #probe.logged(events, "warn"))
  end)
  it("401: told what it means, tried again", function()
    local events = run({ object(), refuse(401, "Unauthorized"), object() }, { ANNOTATION, wait "pod", publish(1), wait("idle", 1, 3000) })
    assert.truthy(probe.logged(events, "warn")[1]:find("401 Unauthorized: the token or certificate is not accepted", 1, true))
  end)
  it("an answer that is no pod: not for good", function()
    local events = run({ { body = '{"ok":true}' }, { body = '{"metadata":{"uid":7}}' }, object() }, { ANNOTATION, wait "pod" })
    assert.equal(1, #events.pod)
    assert.truthy(probe.logged(events, "warn")[1]:find("not the object that was asked for", 1, true))
  end)
  it("a call that hangs does not keep the last value waiting", function()
    local events, requests = run({ object(), { hang = true }, object() }, { ANNOTATION, wait "pod", publish(1), sleep(200),
      publish(2, { last = true }), wait("idle", 1, 3000) })
    assert.is_nil(events.timeout)
    assert.equal("2/100", written(requests[3]))
    assert.is_true(requests[3].at - requests[2].at < 2.2)
  end)
  it("the last value cuts a backoff short", function()
    local _, requests = run({ object(), refuse(500), refuse(500), refuse(500), refuse(500), refuse(500), object() },
      { ANNOTATION, wait "pod", publish(1), wait("wrote", 5, 20000), publish(2, { last = true }), wait("idle", 1, 200) })
    assert.equal("2/100", written(requests[7]))
  end)
  it("the API server comes back after it was away at the start", function()
    local events = run({ { reset = true }, refuse(503), object() }, { ANNOTATION, publish(3), wait("idle", 1, 5000) })
    assert.equal(1, #events.wrote)
    assert.is_true(events.wrote[1].ok)
  end)
end)

describe("freeing a sink in a callback:", function()
  for _, kind in ipairs { "pod", "wrote", "retry", "idle", "stop" } do
    for _, act in ipairs { "free sinks", "free" } do
      it(act .. " in " .. kind, function()
        local answers = { object(), kind == "stop" and refuse(404, "gone") or kind == "retry" and refuse(503) or object() }
        local first = kind == "pod" and sleep(0) or wait "pod"
        local events = run(answers, { ANNOTATION, first, { ["do"] = "in_callback", act = act, when = kind }, publish(1), wait(kind), sleep(100) })
        assert.is_true(events["end"][1].clean)
        assert.is_nil(events.timeout)
      end)
    end
  end
end)

describe("status:", function()
  local STATUS = { ["do"] = "status", namespace = "ns" }
  local NAMED = { ["do"] = "status", namespace = "ns", operation = "dataprocess/x" }
  local PATH = "/apis/data.fluid.io/v1alpha1/namespaces/ns/dataprocesses/x/status"
  local function owned(uid, kind, name, owner_uid, api)
    return object(uid, nil, nil, { ownerReferences = { { apiVersion = api or "batch/v1", kind = kind, name = name, uid = owner_uid,
      controller = true } } })
  end

  it("of a named operation: uid and version are learned, each write carries the version", function()
    local events, requests = run({ object(U, nil, "7"), object(U, nil, "8"), object(U, nil, "9") }, { NAMED, publish(40), wait "idle",
      publish(50), wait "idle" })
    assert.equal(3, #requests)
    assert.equal(PATH, requests[1].path)
    assert.same({}, requests[1].json)
    assert.same({ uid = U, resourceVersion = "7" }, requests[2].json.metadata)
    local infos = requests[2].json.status.infos
    assert.equal("40/100", infos.progress)
    assert.truthy(infos.progressUpdated:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$")
    assert.truthy(infos.progressMessage:find "40%%")
    assert.equal("8", requests[3].json.metadata.resourceVersion)
    assert.equal(2, #events.wrote)
  end)
  it("a named operation that is not there yet is looked for again; once seen, a 404 is the end", function()
    local events, requests = run({ refuse(404, "not found"), object(U, nil, "7"), object(U, nil, "8"), refuse(404, "not found") },
      { NAMED, publish(40), wait("idle", 1, 5000), publish(50), wait "stop" })
    assert.equal(4, #requests)
    assert.is_true(events.wrote[1].ok)
    assert.truthy(events.stop[1].reason:find("not found", 1, true))
  end)
  it("somebody wrote in between: looked at again, and written", function()
    local events, requests = run({ object(U, nil, "7"), refuse(409), object(U, nil, "12"), object(U, nil, "13") },
      { NAMED, publish(40), wait "idle" })
    assert.same({}, requests[3].json)
    assert.equal("12", requests[4].json.metadata.resourceVersion)
    assert.equal(0, #probe.logged(events, "warn"))
  end)
  it("made anew in between: the old value is not written", function()
    local events, requests = run({ object(U, nil, "7"), refuse(409), object(V, nil, "12"), object(V, nil, "13") },
      { NAMED, publish(40), wait "stop", publish(50), sleep(300) })
    assert.equal(3, #requests)
    assert.truthy(events.stop[1].reason:find "made anew")
  end)
  it("conflicts for ever: no busy loop", function()
    local answers = { object() }
    for i = 1, 60 do answers[#answers + 1] = i % 2 == 1 and refuse(409) or object() end
    local _, requests = run(answers, { NAMED, publish(40), sleep(2000) })
    assert.is_true(#requests <= 24, #requests .. " requests")
  end)
  it("found through pod, job, cron job; reads carry no more than metadata", function()
    local W = "33333333-3333-3333-3333-333333333333"
    local X = "44444444-4444-4444-4444-444444444444"
    local events, requests = run({
      owned(U, "Job", "j", V), -- the pod
      owned(V, "CronJob", "c", W), owned(W, "DataProcess", "x", X, "data.fluid.io/v1alpha1"),
      object(X, nil, "7"), object(X, nil, "8"),
    }, { STATUS, ANNOTATION, wait "pod", sleep(100), { ["do"] = "busy" }, { ["do"] = "free sinks" } })
    assert.equal("/apis/batch/v1/namespaces/ns/jobs/j", requests[2].path)
    assert.equal("/apis/batch/v1/namespaces/ns/cronjobs/c", requests[3].path)
    assert.equal("GET", requests[2].method)
    assert.truthy(requests[2].headers.accept:find "PartialObjectMetadata")
    assert.equal(3, #requests)
    assert.is_nil(events.stop)
  end)
  it("a job that was made anew is not ours", function()
    local events = run({ owned(U, "Job", "j", V), owned(U, "DataProcess", "x", V, "data.fluid.io/v1alpha1") },
      { STATUS, ANNOTATION, wait "pod", wait "stop" })
    assert.equal("status", events.stop[1].sink)
    assert.truthy(events.stop[1].reason:find "Job 'j' was made anew")
  end)
  it("a missing right names verb and resource", function()
    local events = run({ owned(U, "Job", "j", V), refuse(403) }, { STATUS, ANNOTATION, wait "pod", sleep(300) })
    assert.truthy(probe.logged(events, "warn")[1]:find("status: get jobs 'ns/j': 403 Forbidden: needs verb 'get' on 'jobs' of 'batch' in namespace 'ns'", 1, true))
  end)
  it("no operation: told once", function()
    local events = run({ object() }, { STATUS, ANNOTATION, wait "pod", wait "stop" })
    assert.truthy(events.stop[1].reason:find("name the operation with status.operation", 1, true))
  end)
  it("the pod is gone: no operation either", function()
    local events = run({ refuse(404, "gone") }, { STATUS, ANNOTATION, publish(1), wait("stop", 2), { ["do"] = "busy" } })
    assert.same({ false, false }, { events.is[1].annotation, events.is[1].status })
  end)
  it("an initial 0/100 of a restarted reporter is not written, a new attempt's is", function()
    for value, count in pairs { ["40/100"] = 0, ["0/100"] = 1 } do
      local _, requests = run({ object(U, { [PROGRESS] = value, [DETAIL] = "{}" }), object() }, { NAMED, ANNOTATION, wait "pod",
        publish(0, INITIAL), sleep(200) })
      local n = 0
      for _, request in ipairs(requests) do if request.json.status then n = n + 1 end end
      assert.equal(count, n, value)
    end
  end)
  it("operations that can't be any", function()
    local events = run({}, { { ["do"] = "status", namespace = "ns", operation = "pod/x" } })
    assert.truthy(events.is[1].error:find "expected a dataprocess")
  end)
end)
