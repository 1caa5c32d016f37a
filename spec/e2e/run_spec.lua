--- `headway run` against a real API server, as it would run in a pod: its service account's directory, a token
--- that is bound to the pod, RBAC. The pod's annotations and the operation's status follow the file.
local cjson = require "cjson"
local cluster = require "spec.support.cluster"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
if cluster.skip(pending) then return end

local NM, DETAIL = "fluid.io/data-progress", "fluid.io/data-progress-detail"

describe("headway run in a pod", function()
  local c, namespace, operation, pod, account, file, p
  local n = 0

  setup(function()
    c = cluster.shared()
    namespace = c:create_namespace "run"
    c:service_account(namespace, "reporter")
    c:service_account(namespace, "nobody")
    c:service_account(namespace, "direct")
    c:role_patch_pods(namespace, "reporter")
    c:role_patch_pods(namespace, "direct")
    c:role(namespace, "direct", {
      { apiGroups = { "batch" }, resources = { "jobs", "cronjobs" }, verbs = { "get" } },
      { apiGroups = { "data.fluid.io" }, resources = { "dataprocesses/status" }, verbs = { "patch" } },
    }, { name = "status" })
  end)

  before_each(function()
    n = n + 1
    file = process.temp_dir() .. "/progress"
  end)
  after_each(function()
    if p then p:close() end
    p = nil
    if account then process.remove(account.dir) end
    process.remove(file:match "^(.*)/")
    account = nil
  end)

  --- A DataProcess with its Job and pod, and a reporter's credentials for that pod.
  local function make(service_account, annotations)
    local job
    operation, job, pod = c:create_running_dataprocess { namespace = namespace, name = "op" .. n,
      service_account = service_account, annotations = annotations, phase = "Executing" }
    assert.equal("Job", job.kind)
    account = c:fake_serviceaccount_dir(namespace, service_account, pod)
  end

  local function start(env)
    local all = { FLUID_PROGRESS_FILE = file, HEADWAY_POD_NAME = pod.metadata.name, HEADWAY_POD_NAMESPACE = namespace,
      HEADWAY_SERVICEACCOUNT_DIR = account.dir }
    for name, value in pairs(account.env) do all[name] = value end
    for name, value in pairs(env or {}) do all[name] = value or nil end
    p = process.start({ process.headway, "run", "--log", "debug" }, all)
  end

  local function annotations()
    return (c:get(pod).metadata.annotations) or {}
  end

  local function annotated(value, timeout)
    local last
    local found = shell.wait_until(function()
      last = annotations()
      return last[NM] == value and last or nil
    end, timeout or 10)
    assert.is_table(found, ("wanted %s, the pod has %s; headway says:\n%s"):format(value, tostring(last[NM]), p:err()))
    return found
  end

  local function infos() return (c:get(operation).status or {}).infos or {} end

  it("writes the initial annotation, follows the file, and has the last value", function()
    make "reporter"
    start()
    assert.equal("waiting", cjson.decode(annotated("0/100")[DETAIL]).state)
    process.replace(file, "40/100 halfway\n")
    local detail = cjson.decode(annotated("40/100")[DETAIL])
    assert.same({ 1, "sidecar", 40, 100, "running", "halfway", "nm" },
      { detail.v, detail.by, detail.done, detail.total, detail.state, detail.message, detail.parser })
    process.replace(file, "41/100\n")
    p:kill "TERM"
    assert.equal(0, p:wait(6))
    assert.equal("41/100", annotations()[NM])
  end)

  it("needs the verb patch on pods and no other", function()
    make "reporter"
    local from = c:audit_position()
    start()
    process.replace(file, "1/2\n")
    annotated "1/2"
    local user = ("system:serviceaccount:%s:reporter"):format(namespace)
    local events = c:audit { from = from, user = user }
    assert.is_true(#events >= 2)
    for _, event in ipairs(events) do
      assert.same({ "patch", "pods", 200 }, { event.verb, event.objectRef.resource, event.responseStatus.code })
    end
  end)

  it("carries the pod's uid in each value, known from the downward API or learned", function()
    for _, uid in ipairs { true, false } do
      make "reporter"
      n = n + 1
      local from = c:audit_position()
      start { HEADWAY_POD_UID = uid and pod.metadata.uid or nil }
      process.replace(file, "1/2\n")
      annotated "1/2"
      for _, event in ipairs(c:audit { from = from, verb = "patch", name = pod.metadata.name }) do
        local metadata = event.requestObject and event.requestObject.metadata
        if metadata and metadata.annotations then assert.equal(pod.metadata.uid, metadata.uid) end
      end
      p:close()
      p = nil
    end
  end)

  it("a restarted reporter moves nothing back", function()
    make("reporter", { [NM] = "70/100" })
    local from = c:audit_position()
    start()
    assert(p:expect("err", "watching"))
    process.replace(file, "71/100\n")
    annotated "71/100"
    for _, event in ipairs(c:audit { from = from, verb = "patch", name = pod.metadata.name }) do
      local metadata = event.requestObject and event.requestObject.metadata
      assert.not_equal("0/100", metadata and metadata.annotations and metadata.annotations[NM])
    end
  end)

  it("stops for good when the pod was made anew under its name, and the new one gets no old value", function()
    make "reporter"
    start()
    annotated "0/100"
    c:delete(pod)
    local again = c:create_pod { namespace = namespace, name = pod.metadata.name, service_account = "reporter" }
    process.replace(file, "50/100\n")
    assert(p:expect("err", "nothing more is written"), p:err())
    assert.is_nil((c:get(again).metadata.annotations or {})[NM])
    p:kill "TERM"
    assert.equal(0, p:wait(6))
  end)

  it("without the right it names verb and resource once, idles, and goes on when the right comes", function()
    make "nobody"
    start()
    assert(p:expect("err", "patch pods [^\n]*403[^\n]*"), p:err())
    assert.matches("verb 'patch' on 'pods'", p:err())
    assert.is_true(shell.alive(p.pid))
    p:kill "TERM"
    assert.equal(0, p:wait(6))
  end)

  it("writes the operation's status, found through pod and Job", function()
    make "direct"
    start { HEADWAY_STATUS_DIRECT = "true" }
    process.replace(file, "40/100 halfway\n")
    annotated "40/100"
    local found = shell.wait_until(function() return infos().progress == "40/100" and infos() end, 20)
    assert.is_table(found, p:err())
    assert.matches("^40%%, 40/100 items: halfway$", found.progressMessage)
    assert.matches("^%d+%-%d+%-%d+T%d+:%d+:%d+Z$", found.progressUpdated)
    assert.equal("Executing", c:get(operation).status.phase)
    process.replace(file, "41/100\n")
    p:kill "TERM"
    assert.equal(0, p:wait(6))
    assert.equal("41/100", infos().progress)
  end)

  it("writes the status of an operation that is named", function()
    make "direct"
    start { HEADWAY_STATUS_DIRECT = "true", HEADWAY_OPERATION = "dataprocess/" .. operation.metadata.name }
    process.replace(file, "3/4\n")
    assert.is_truthy(shell.wait_until(function() return infos().progress == "3/4" end, 20), p:err())
  end)

  it("waits until Fluid has written its first status, which its resource demands", function()
    make "direct"
    operation = c:create_dataprocess { namespace = namespace }
    local from = c:audit_position()
    start { HEADWAY_STATUS_DIRECT = "true", HEADWAY_OPERATION = "dataprocess/" .. operation.metadata.name }
    process.replace(file, "3/4\n")
    assert(p:expect("err", "422"), p:err())
    c:set_status(operation, { phase = "Executing", duration = "Unfinished", conditions = { { type = "Complete", status = "False" } } })
    assert.is_truthy(shell.wait_until(function() return infos().progress == "3/4" end, 30), p:err())
    local refused = c:audit { from = from, verb = "patch", name = operation.metadata.name, code = 422 }
    assert.is_true(#refused >= 1 and #refused <= 6, #refused .. " refused writes")
  end)

  it("takes the rotated token", function()
    make "reporter"
    start()
    annotated "0/100"
    account:rotate "garbage"
    process.replace(file, "1/4\n")
    assert(p:expect("err", "401"), p:err())
    account:rotate(c:token(namespace, "reporter", { pod = pod }))
    annotated("1/4", 30)
  end)

  it("ends within 5 s when the API server hangs, and has said why", function()
    make "reporter"
    start()
    annotated "0/100"
    c:signal("apiserver", "STOP")
    process.replace(file, "9/10\n")
    local begin = shell.now()
    p:kill "TERM"
    local status = p:wait(8)
    local took = shell.now() - begin
    c:signal("apiserver", "CONT")
    assert.equal(0, status)
    assert.is_true(took < 5.5, took .. " s")
  end)

  it("outlives a restart of the API server", function()
    make "reporter"
    start()
    annotated "0/100"
    c:stop_apiserver "KILL"
    process.replace(file, "5/10\n")
    assert(p:expect("err", "next try"), p:err())
    c:start_apiserver()
    annotated("5/10", 90)
  end)

  it("runs from a kubeconfig, with a client certificate", function()
    make "reporter"
    local cert, key = c:client_cert("admin", { "system:masters" })
    local path = c:kubeconfig(account.dir .. "/kubeconfig", { cert = cert, key = key, namespace = namespace })
    p = process.start({ process.headway, "run", "--kubeconfig", path },
      { FLUID_PROGRESS_FILE = file, HEADWAY_POD_NAME = pod.metadata.name })
    process.replace(file, "2/3\n")
    annotated "2/3"
  end)
end)
