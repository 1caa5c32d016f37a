--- The kube room and its sinks against the real API server: credentials, rights, and objects that change under the writer.
local cjson = require "cjson"
local cluster = require "spec.support.cluster"
local probe = require "spec.support.kube_probe"
local shell = require "spec.support.cluster_shell"
if cluster.skip(pending) or probe.skip(pending) then return end

local PROGRESS, DETAIL = "fluid.io/data-progress", "fluid.io/data-progress-detail"
local c, ns

local function wait(kind, count, ms) return { ["do"] = "wait", ["for"] = kind, count = count, ms = ms } end
local function sleep(ms) return { ["do"] = "wait", ms = ms } end
local function publish(n, more)
  local command = { ["do"] = "publish", n = n, m = 100 }
  for k, v in pairs(more or {}) do command[k] = v end
  return command
end
local function annotation(pod)
  return { ["do"] = "annotation", namespace = pod.metadata.namespace, pod = pod.metadata.name }
end
local function value(pod)
  local object = c:get(pod)
  return object and (object.metadata.annotations or {})[PROGRESS]
end
local function infos(operation)
  return (c:get(operation).status or {}).infos or {}
end

--- A request of the administrator, made while the probe runs.
local function meanwhile(method, path, body, content_type)
  local words = { "curl", "-sS", "-f", "-o", "/dev/null", "-X", method, "--cacert", c:ca_file(),
    "-H", "Authorization: Bearer " .. c.admin_token, c:server_url() .. path }
  if body then
    for _, word in ipairs { "-H", "Content-Type: " .. (content_type or "application/json"), "-d",
      type(body) == "string" and body or cjson.encode(body) } do words[#words + 1] = word end
  end
  return { ["do"] = "sh", run = shell.command(words) }
end

setup(function()
  c = cluster.shared()
  ns = c:create_namespace "kube"
  c:role_patch_pods(ns, "default")
end)
teardown(probe.clean)

local function kubeconfig(opts) return c:kubeconfig(probe.dir() .. "/config", opts) end
local function open(opts) return { ["do"] = "open", kubeconfig = kubeconfig(opts) } end

describe("credentials:", function()
  local function get_pod(id) -- any request with a verdict will do
    return { ["do"] = "send", id = id, verb = "list", version = "v1", resource = "pods", namespace = ns, query = "limit=1",
      metadata_only = true }
  end
  local function users(from)
    local names = {}
    for _, event in ipairs(c:audit { from = from, agent = "headway/", namespace = ns }) do
      names[#names + 1] = event.user.username
    end
    return names
  end

  it("token, token file, client certificate by file and by data, plugin", function()
    local cert, key = c:client_cert("me", { "system:masters" })
    local token = c:token(ns, "default")
    local file = probe.dir() .. "/token"
    shell.write(file, token .. "\n")
    local plugin = { command = "sh", args = { "-c", [[printf '{"kind":"ExecCredential",
      "apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}' "$TOKEN"]] }, env = { TOKEN = token } }
    local account = ("system:serviceaccount:%s:default"):format(ns)
    for _, row in ipairs { { {}, "admin" }, { { token_file = file }, account }, { { cert = cert, key = key }, "me" },
      { { cert = cert, key = key, inline = true }, "me" }, { { exec = plugin }, account } } do
      local from = c:audit_position()
      probe.run { open(row[1]), get_pod(0), wait "reply" }
      assert.same({ row[2] }, users(from))
    end
  end)

  it("in a cluster: the token that the kubelet swapped counts for the next request, over the same connection", function()
    local pod = c:create_pod { namespace = ns }
    c:service_account(ns, "second")
    c:role_patch_pods(ns, "second")
    local inside = c:fake_serviceaccount_dir(ns, "default", pod)
    local second = c:token(ns, "second")
    local swap = ("cd %s && mkdir next && cp -pL ca.crt namespace next/ && printf %%s %s > next/token && ln -s next n && mv -T n ..data")
      :format(shell.quote(inside.dir), shell.quote(second))
    local from = c:audit_position()
    local events = probe.run({ { ["do"] = "open", service_account_dir = inside.dir }, annotation(pod), wait "pod",
      { ["do"] = "sh", run = swap }, publish(40), wait "idle" }, { env = inside.env })
    assert.is_nil(events.timeout, cjson.encode(events.all))
    assert.equal("40/100", value(pod))
    assert.same({ ("system:serviceaccount:%s:default"):format(ns), ("system:serviceaccount:%s:second"):format(ns) }, users(from))
  end)

  it("a token that is none: 401 says what it means; nothing of it is shown", function()
    local events = probe.run { open { token = "not-a-token-but-secret" }, get_pod(0), wait "reply" }
    assert.equal("unauthorized", events.reply[1].outcome)
    assert.truthy(events.reply[1].error:find("401 Unauthorized: the token or certificate is not accepted", 1, true))
    assert.is_nil(cjson.encode(events.all):find("secret", 1, true))
  end)

  it("a CA that did not sign the server", function()
    local dir = probe.dir()
    assert(shell.run(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x "
      .. "-keyout %s/k -out %s/c 2>/dev/null"):format(dir, dir)))
    local events = probe.run { open { ca = dir .. "/c" }, get_pod(0), wait "reply" }
    assert.equal("network", events.reply[1].outcome)
    assert.truthy(events.reply[1].error:find("the server's certificate is not believed", 1, true), events.reply[1].error)
  end)
  it("tls-server-name, over IPv4", function()
    local events = probe.run { open { tls_server_name = "kubernetes.default.svc" }, get_pod(0), wait "reply" }
    assert.equal("ok", events.reply[1].outcome, events.reply[1].error)
  end)
end)

describe("annotation:", function()
  it("with the right to patch and no other: values arrive, nothing is read", function()
    local pod = c:create_pod { namespace = ns, annotations = { other = "stays" } }
    local from = c:audit_position()
    local events = probe.run { open { token = c:token(ns, "default", { pod = pod }) }, annotation(pod), wait "pod",
      publish(40), wait "idle", publish(41), wait "idle" }
    local now = c:get(pod).metadata.annotations
    assert.equal("41/100", now[PROGRESS])
    assert.equal("stays", now.other)
    assert.equal(41, cjson.decode(now[DETAIL]).done)
    assert.equal(pod.metadata.uid, events.pod[1].metadata.uid)
    for _, event in ipairs(c:audit { from = from, agent = "headway/", name = pod.metadata.name }) do
      assert.equal("patch", event.verb)
      assert.equal(200, event.responseStatus.code)
    end
  end)
  it("the first, empty patch changes nothing", function()
    local pod = c:create_pod { namespace = ns }
    probe.run { open(), annotation(pod), wait "pod" }
    assert.equal(pod.metadata.resourceVersion, c:get(pod).metadata.resourceVersion)
  end)
  it("no right: what is missing is named; granted later, the last value is written at once", function()
    local other = c:create_namespace "norights"
    local pod = c:create_pod { namespace = other }
    local token = c:token(other, "default", { pod = pod })
    local events = probe.run { open { token = token }, annotation(pod), publish(1), sleep(500) }
    local warned = probe.logged(events, "warn")
    assert.equal(1, #warned)
    assert.truthy(warned[1]:find(("annotation: patch pods '%s/%s': 403 Forbidden: needs verb 'patch' on 'pods' in namespace '%s'")
      :format(other, pod.metadata.name, other), 1, true), warned[1])
  end)
  it("an admission policy that says no is a missing right", function()
    local group = "admissionregistration.k8s.io/v1"
    local where = c:create_namespace "policy"
    c:role_patch_pods(where, "default")
    local pod = c:create_pod { namespace = where }
    c:apply { apiVersion = group, kind = "ValidatingAdmissionPolicy", metadata = { name = "deny-" .. where }, spec = {
      failurePolicy = "Fail", matchConstraints = { resourceRules = { { apiGroups = { "" }, apiVersions = { "v1" },
        operations = { "UPDATE" }, resources = { "pods" } } } },
      validations = { { expression = "object.metadata.namespace != '" .. where .. "'", message = "not yours" } } } }
    c:apply { apiVersion = group, kind = "ValidatingAdmissionPolicyBinding", metadata = { name = "deny-" .. where }, spec = {
      policyName = "deny-" .. where, validationActions = { "Deny" } } }
    local denied = shell.wait_until(function()
      return c:patch(pod, { metadata = { annotations = { probe = tostring(shell.now()) } } }) == 422
    end, 15)
    assert.truthy(denied)
    local events = probe.run { open { token = c:token(where, "default") }, annotation(pod), publish(1), sleep(500) }
    local warned = probe.logged(events, "warn")[1]
    assert.truthy(warned:find("422 Unprocessable Entity: an admission policy refuses it", 1, true), warned)
  end)
  it("a pod that was made anew under the same name never gets the old value", function()
    local pod = c:create_pod { namespace = ns }
    local path = c:path(pod)
    local again = { apiVersion = "v1", kind = "Pod", metadata = { name = pod.metadata.name, namespace = ns }, spec = pod.spec }
    again.spec = { restartPolicy = "Never", containers = { { name = "main", image = "example.invalid/task:1" } } }
    local events = probe.run { open(), annotation(pod), wait "pod", publish(40), wait "idle",
      meanwhile("DELETE", path, { gracePeriodSeconds = 0 }), meanwhile("POST", path:match "^(.*)/", again),
      publish(50), wait "stop", publish(60), sleep(300) }
    assert.truthy(events.stop[1].reason:find("made anew under the same name", 1, true))
    local now = c:get(pod)
    assert.not_equal(pod.metadata.uid, now.metadata.uid)
    assert.is_nil(now.metadata.annotations)
  end)
  it("a pod that is deleted: stops, with its reason", function()
    local pod = c:create_pod { namespace = ns }
    local events = probe.run { open(), annotation(pod), wait "pod", meanwhile("DELETE", c:path(pod), { gracePeriodSeconds = 0 }),
      publish(50), wait "stop" }
    assert.truthy(events.stop[1].reason:find(('pods "%s" not found'):format(pod.metadata.name), 1, true))
  end)
  it("a restarted reporter moves nothing back", function()
    local pod = c:create_pod { namespace = ns, annotations = { [PROGRESS] = "40/100" } }
    probe.run { open(), annotation(pod), publish(0, { counted = false, state = "waiting" }), wait "idle" }
    assert.equal("40/100", value(pod))
  end)
end)

describe("status:", function()
  local function operation(opts)
    local space = c:create_namespace "status"
    c:role_patch_pods(space, "default")
    c:role_patch_status(space, "default")
    if not (opts and opts.blind) then
      c:role(space, "default", { { apiGroups = { "batch" }, resources = { "jobs", "cronjobs" }, verbs = { "get" } } })
    end
    local op, job, pod = c:create_running_dataprocess { namespace = space }
    return op, job, pod, open { token = c:token(space, "default", { pod = pod }) }
  end
  local function status(op, named)
    return { ["do"] = "status", namespace = op.metadata.namespace,
      operation = named and "dataprocess/" .. op.metadata.name or nil }
  end

  it("is found through the owners, with get on jobs alone", function()
    local op, _, pod, connect = operation()
    local from = c:audit_position()
    local events = probe.run { connect, status(op), annotation(pod), publish(40), wait("idle", 2) }
    assert.equal("40/100", infos(op).progress)
    assert.truthy(infos(op).progressUpdated)
    assert.truthy(infos(op).progressMessage:find "40%%")
    assert.equal("Executing", c:get(op).status.phase)
    assert.equal("40/100", value(pod))
    assert.is_nil(events.stop)
    for _, event in ipairs(c:audit { from = from, agent = "headway/", resource = "dataprocesses" }) do
      assert.equal("patch", event.verb)
    end
  end)
  it("through a cron job", function()
    local op, _, _, connect = operation()
    local space = op.metadata.namespace
    local cron = c:create { apiVersion = "batch/v1", kind = "CronJob", metadata = c:object_metadata({ namespace = space, owner = op }, "cron"),
      spec = { schedule = "0 0 * * *", jobTemplate = { spec = { template = { spec = { restartPolicy = "Never",
        containers = { { name = "main", image = "example.invalid/task:1" } } } } } } } }
    local job = c:create_job { namespace = space, owner = cron }
    local pod = c:create_pod { namespace = space, owner = job }
    probe.run { connect, status(op), annotation(pod), publish(30), wait("idle", 2) }
    assert.equal("30/100", infos(op).progress)
  end)
  it("named by the setting", function()
    local op, _, _, connect = operation { blind = true }
    probe.run { connect, status(op, true), publish(20), wait "idle", publish(30), wait "idle" }
    assert.equal("30/100", infos(op).progress)
  end)
  it("no right to read jobs: named", function()
    local op, job, pod, connect = operation { blind = true }
    local events = probe.run { connect, status(op), annotation(pod), wait "pod", publish(1), sleep(500) }
    local warned = probe.logged(events, "warn")
    assert.equal(1, #warned)
    assert.truthy(warned[1]:find(("status: get jobs '%s/%s': 403 Forbidden: needs verb 'get' on 'jobs' of 'batch'")
      :format(op.metadata.namespace, job.metadata.name), 1, true), warned[1])
    assert.equal("1/100", value(pod))
  end)
  it("a controller that writes in between loses nothing, and neither do we", function()
    local op, _, _, connect = operation()
    local path = c:path(op, "status")
    local merge = "application/merge-patch+json"
    local events = probe.run { connect, status(op, true), publish(20), wait "idle",
      meanwhile("PATCH", path, { status = { duration = "5m", infos = { theirs = "x" } } }, merge), publish(30), wait "idle" }
    local now = c:get(op).status
    assert.same({ "30/100", "x", "5m" }, { now.infos.progress, now.infos.theirs, now.duration })
    assert.equal(0, #probe.logged(events, "warn"))
    assert.equal(2, #events.wrote)
  end)
  it("an operation that was made anew under the same name never gets the old value", function()
    local op, _, _, connect = operation()
    local path = c:path(op)
    local again = { apiVersion = op.apiVersion, kind = op.kind, metadata = { name = op.metadata.name }, spec = op.spec }
    local running = { status = { phase = "Executing", duration = "Unfinished", conditions = { { type = "Complete", status = "False" } } } }
    local merge = "application/merge-patch+json"
    local events = probe.run { connect, status(op, true), publish(20), wait "idle", meanwhile("DELETE", path, "{}"),
      meanwhile("POST", path:match "^(.*)/", again), meanwhile("PATCH", path .. "/status", running, merge),
      publish(30), wait "stop", publish(40), sleep(300) }
    assert.truthy(events.stop[1].reason:find("made anew", 1, true))
    assert.same({}, infos(op))
  end)
  it("an operation whose definition is not installed", function()
    local events = probe.run { open(), { ["do"] = "send", id = 0, verb = "patch", group = "nowhere.example", version = "v1",
      resource = "things", namespace = ns, name = "x", subresource = "status", body = "{}" }, wait "reply" }
    assert.equal("odd", events.reply[1].outcome)
    assert.truthy(events.reply[1].error:find("does not know this resource", 1, true), events.reply[1].error)
  end)
end)

describe("a server that goes away:", function()
  it("the newest value arrives when it is back; one warning for each cause, one word of recovery", function()
    local own = assert(cluster.start { crds = false })
    finally(function() own:stop() end)
    local shared = c
    c = own
    local space = own:create_namespace "away"
    local pod = own:create_pod { namespace = space }
    local pid = own.pids.apiserver
    local events = probe.run { open(), annotation(pod), wait "pod", publish(1), wait "idle",
      { ["do"] = "sh", run = "kill -STOP " .. pid }, publish(2, {}), sleep(500), publish(3),
      { ["do"] = "sh", run = "kill -CONT " .. pid }, wait("idle", 1, 15000) }
    c = shared
    assert.is_nil(events.timeout)
    assert.equal("3/100", own:get(pod).metadata.annotations[PROGRESS])
  end)
end)
