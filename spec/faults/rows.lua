--- The faults: how each is made, and what is special about it. What must hold for all of them is in runner.lua.
---
--- fault: for the proxy (`type fault` in route.go). Or break_by and heal_by, functions of the subject.
--- seconds: how long the fault stands (default: the runner's).
--- status: the operation's status is written too.
--- flows: the fault must not keep new values from being taken while it stands.
--- stops: nothing more is written after it, by design; the reason that is logged.
--- per_try: requests for each try, where that is not 1.
--- by_pace: no refusal that backoff sees: the pace bounds the requests.
--- first: the sinks that publish before the fault; default: all.
--- quick: also in the sanitized build's short version.
local cjson = require "cjson"
local faults = require "spec.support.faults"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local tasks = require "spec.support.tasks"

local REFUSED = "from the proxy"
local OTHER_POD = cjson.encode { kind = "Pod", apiVersion = "v1", metadata = { name = "somebody", namespace = "else",
  uid = "11111111-2222-3333-4444-555555555555", resourceVersion = "1", annotations = { ["fluid.io/data-progress"] = "7/1000" } } }

--- A refusal as the API server words it.
local function refuse(code, more)
  local fault = { status = code, message = REFUSED }
  for k, v in pairs(more or {}) do fault[k] = v end
  return fault
end
local function retry(code, seconds) return refuse(code, { headers = { ["Retry-After"] = tostring(seconds) } }) end

-- What is no fault of the connection --------------------------------------------------------------------------

--- A token of this subject's pod that is over, signed by the right key.
local function expired_token(s)
  local now, ns, meta = os.time(), s.world.namespace, s.pod.metadata
  local account = s.world.c:get { apiVersion = "v1", kind = "ServiceAccount", metadata = { name = "default", namespace = ns } }
  return s.world.proxy:token { iss = "https://kubernetes.default.svc", aud = { "https://kubernetes.default.svc" },
    iat = now - 4000, nbf = now - 4000, exp = now - 400, sub = ("system:serviceaccount:%s:default"):format(ns),
    ["kubernetes.io"] = { namespace = ns, serviceaccount = { name = "default", uid = account.metadata.uid },
      pod = { name = meta.name, uid = meta.uid } } }
end

local function expire(s)
  s.expired = s.expired or expired_token(s)
  s:rotate(s.expired)
  return s.route:break_by(faults.NOTHING)
end

local function give_token(s)
  s:rotate(s.token)
  return s.route:heal()
end

--- A token that is bound to a secret: gone with it.
local function bound_token(s)
  local c, ns = s.world.c, s.world.namespace
  local secret = c:create { apiVersion = "v1", kind = "Secret", metadata = { name = s.name, namespace = ns } }
  local _, answer = c:request("POST", ("/api/v1/namespaces/%s/serviceaccounts/default/token"):format(ns),
    { apiVersion = "authentication.k8s.io/v1", kind = "TokenRequest", spec = { expirationSeconds = 3600,
      boundObjectRef = { apiVersion = "v1", kind = "Secret", name = s.name, uid = secret.metadata.uid } } })
  return answer.status.token, secret
end

local function start_with_bound_token(s)
  s.bound, s.secret = bound_token(s)
  s:rotate(s.bound)
end

--- The server remembers a good token for ten seconds.
local function revoke(s)
  if s.revoked then return expire(s) end -- once is enough
  s.revoked = true
  s.world.c:delete(s.secret)
  tasks.wait(function()
    return s.world.c:request("PATCH", s.world.c:path(s.pod), {}, { token = s.bound }) == 401
  end, 30, "the old token is not accepted any more")
  return s.route:break_by(faults.NOTHING)
end

--- A token that is not bound to the pod: else the server, which remembers a good token for ten seconds, would say 401 after that,
--- and not that the pod is gone.
local function start_with_free_token(s) s:rotate((s.world.c:token(s.world.namespace, "default"))) end

local function remake_pod(s)
  local c, pod = s.world.c, s.pod
  c:delete(pod)
  s.remade = c:create { apiVersion = "v1", kind = "Pod", metadata = { name = pod.metadata.name, namespace = s.world.namespace },
    spec = { restartPolicy = "Never", containers = { { name = "main", image = "example.invalid/task:1" } } } }
  return s.route:break_by(faults.NOTHING)
end

local function delete_pod(s)
  s.world.c:delete(s.pod)
  return s.route:break_by(faults.NOTHING)
end

local function start_with_shim(s)
  s.clock = s.dir .. "/clock"
  shell.write(s.clock, string.pack("=i8", 0))
  return { LD_PRELOAD = os.getenv "HEADWAY_BUILD" .. "/clock_shim.so", CLOCK_SHIM = s.clock }
end

local function step_clock(seconds)
  return function(s)
    local file = assert(io.open(s.clock, "r+b")) -- in place: it is mapped
    file:write(string.pack("=i8", seconds))
    file:close()
    return s.route:break_by(faults.NOTHING)
  end
end

local function clock_back(s)
  step_clock(0)(s)
  return s.route:heal()
end

--- A date to come back at, for one whose clock is an hour behind.
local function date_and_clock(s)
  step_clock(-3600)(s)
  return s.route:break_by(refuse(429, { retry_date = 3 }))
end

--- The clock stays as it is: the wait must not depend on it.
local function only_heal(s) return s.route:heal() end

--- The token file is gone for a while.
local function lose_token(s)
  os.remove(s.dir .. "/token")
  return s.route:break_by(faults.NOTHING)
end

--- The directory of the service account is cut to nothing: an empty token, an empty CA, as on a full disk.
local function empty_token(s)
  process.replace(s.dir .. "/token", "")
  return s.route:break_by(faults.NOTHING)
end

-- Fluid's definitions: deleting one deletes every object of its kind, so these rows have kinds of their own.
local MERGE = { duration = "Unfinished", phase = "Executing", conditions = { { type = "Complete", status = "False" } } }
local SPECS = { DataLoad = { dataset = { name = "demo", namespace = "default" } },
  DataBackup = { dataset = "demo", backupPath = "local:///backup" } }

local function definition(kind)
  return { apiVersion = "apiextensions.k8s.io/v1", kind = "CustomResourceDefinition",
    metadata = { name = kind:lower() .. "s.data.fluid.io" } }
end

local function uninstall(s)
  local c, plural = s.world.c, s.kind:lower() .. "s"
  c:delete(definition(s.kind))
  tasks.wait(function()
    return c:request("GET", ("/apis/data.fluid.io/v1alpha1/namespaces/%s/%s"):format(s.world.namespace, plural)) == 404
  end, 30, "the definition is gone")
end

--- An operation of that kind, as if its controller had seen it.
local function make_operation(s)
  return s.world.c:create { apiVersion = "data.fluid.io/v1alpha1", kind = s.kind, metadata = { name = s.name, namespace = s.world.namespace },
    spec = SPECS[s.kind], status = MERGE }
end

local function name_operation(s) return { HEADWAY_OPERATION = s.kind:lower() .. "/" .. s.name } end

local function start_without_definition(s)
  s.kind = "DataLoad"
  uninstall(s)
  return name_operation(s)
end

local function install_late(s)
  if s.operation.kind ~= s.kind then
    s.world.c:apply_crds()
    s.operation = make_operation(s)
  end
  return s.route:heal()
end

local function start_with_backup(s)
  s.kind = "DataBackup"
  s.operation = make_operation(s)
  return name_operation(s)
end

local function lose_definition(s)
  if not s.lost then uninstall(s) end
  s.lost = true
  return s.route:break_by(faults.NOTHING)
end

--- What is made anew under the name is another operation: it must get nothing.
local function install_again(s)
  if not s.remade_operation then
    s.world.c:apply_crds()
    s.remade_operation = make_operation(s)
    tasks.wait(function() return s.process:err():find "status: [^\n]*nothing more is written" end, 90,
      "the word that nothing more is written")
    s.status = false -- nothing more is written there
  end
  return s.route:heal()
end

local function mark(s) return s.route:break_by(faults.NOTHING) end

--- Kept connections are cut once; the server is well.
local function drop_connections(s)
  s.route:break_by { tls = "reset", times = 1 } -- closes what stands
  s.route:heal()
  return s.route:break_by(faults.NOTHING)
end

return {
  -- the connection
  { name = "connection refused", fault = { connect = "refuse" }, status = true, quick = true },
  { name = "hang: connect is not answered", fault = { connect = "full" } },
  { name = "hang: accepted, no TLS", fault = { connect = "silent" }, status = true, quick = true },
  { name = "reset when accepted", fault = { connect = "reset" } },
  { name = "reset in the TLS handshake", fault = { tls = "reset" } },
  { name = "kept connections dropped", break_by = drop_connections, flows = true, by_pace = true, status = true },
  { name = "certificate of another CA", fault = { tls = "other_ca" }, status = true },
  { name = "certificate of another name", fault = { tls = "other_name" }, quick = true },
  { name = "certificate expired", fault = { tls = "expired" } },
  { name = "certificate not valid yet", fault = { tls = "not_yet" } },

  -- the answer is broken; the server may have done what it was asked to
  { name = "hang before the status line", fault = { cut = "status", ["then"] = "hang" }, status = true, quick = true },
  { name = "hang before the status line, but written", fault = { cut = "status", ["then"] = "hang", forward = true }, status = true },
  { name = "hang between headers", fault = { cut = "headers", ["then"] = "hang", forward = true } },
  { name = "hang in the body", fault = { cut = "body", ["then"] = "hang", forward = true } },
  { name = "reset before the status line", fault = { cut = "status", ["then"] = "reset" } },
  { name = "reset before the status line, but written", fault = { cut = "status", ["then"] = "reset", forward = true }, status = true,
    quick = true },
  { name = "reset between headers", fault = { cut = "headers", ["then"] = "reset", forward = true } },
  { name = "reset in the body", fault = { cut = "body", ["then"] = "reset", forward = true }, status = true },
  { name = "closed before the status line", fault = { cut = "status", ["then"] = "close", forward = true } },
  { name = "cut between headers", fault = { cut = "headers", ["then"] = "close", forward = true } },
  { name = "cut in the body", fault = { cut = "body", ["then"] = "close", forward = true }, quick = true },
  { name = "one request hangs", fault = { cut = "status", ["then"] = "hang", times = 1 }, flows = true, seconds = 6 },
  { name = "one write comes late, after newer ones", fault = { late = 5, times = 1, forward = true }, flows = true, seconds = 7, quick = true },
  { name = "one status write comes late, after newer ones", fault = { late = 5, times = 2, forward = true }, flows = true, seconds = 8, status = true },
  { name = "slow: 1.2 s for each answer", fault = { delay = 1.2, forward = true }, flows = true, by_pace = true, seconds = 6 },
  { name = "drip: a byte each 2 ms", fault = { drip = 2, forward = true }, flows = true, by_pace = true, seconds = 6 },
  { name = "drip: over the deadline", fault = { drip = 50, forward = true } },

  -- no answer of an API server
  { name = "garbage for HTTP", fault = { raw = "SSH-2.0-OpenSSH_9.2\r\n" }, quick = true },
  { name = "garbage in the status line", fault = { raw = "HTTP/1.1 abc OK\r\n\r\n{}" } },
  { name = "garbage in the chunks", fault = { raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}" } },
  { name = "200 with broken JSON", fault = { status = 200, body = '{"kind":"Pod","metadata":{' } },
  { name = "200 with HTML", fault = { status = 200, body = "<html>please log in</html>",
    headers = { ["Content-Type"] = "text/html" } }, status = true },
  { name = "200 with nothing", fault = { status = 200, body = "" } },
  { name = "200 with an empty object", fault = { status = 200, body = "{}" }, status = true, quick = true },
  { name = "200 with another pod", fault = { status = 200, body = OTHER_POD } },
  { name = "200 with a list", fault = { status = 200, body = "[1,2,3]" } },
  { name = "204", fault = { status = 204, body = "" } },
  { name = "redirect", fault = { status = 307, body = "", headers = { Location = "https://127.0.0.1:1/" } } },

  -- too much of an answer
  { name = "endless headers", fault = { endless = "headers" } },
  { name = "endless header line", fault = { endless = "line" } },
  { name = "endless 1xx", fault = { endless = "continue" } },
  { name = "huge body", fault = { endless = "body" }, status = true, quick = true },
  { name = "endless chunks", fault = { endless = "chunks" } },

  -- refusals
  { name = "401", fault = refuse(401), per_try = 2, status = true },
  { name = "403", fault = refuse(403), status = true },
  { name = "404 of a load balancer", fault = { status = 404, body = "default backend - 404" }, status = true },
  { name = "404 of the API server", fault = refuse(404, { message = 'pods "x" not found' }), stops = "not found" },
  { name = "409", fault = refuse(409), per_try = 2, status = true },
  { name = "410", fault = refuse(410), stops = "made anew" },
  { name = "422", fault = refuse(422), status = true },
  { name = "429", fault = refuse(429), status = true, quick = true },
  { name = "429, Retry-After 2", fault = retry(429, 2), status = true },
  { name = "429, Retry-After a date", fault = refuse(429, { retry_date = 3 }) },
  { name = "429, Retry-After a date, clock - 1 h", prepare = start_with_shim, break_by = date_and_clock, heal_by = only_heal,
    plain_only = true },
  { name = "429, Retry-After nonsense", fault = retry(429, "-soon") },
  { name = "500", fault = refuse(500), status = true },
  { name = "502 with HTML", fault = { status = 502, body = "<html>bad gateway</html>", headers = { ["Content-Type"] = "text/html" } } },
  { name = "503", fault = refuse(503) },
  { name = "503, Retry-After 2", fault = retry(503, 2) },
  { name = "504", fault = refuse(504) },
  { name = "504, but written", fault = refuse(504, { forward = true }), status = true },

  -- real ones, at the real server
  { name = "token expired", break_by = expire, heal_by = give_token, per_try = 2, quick = true },
  { name = "token rotated, the old one revoked", prepare = start_with_bound_token, break_by = revoke, heal_by = give_token,
    per_try = 2 },
  { name = "token file missing", break_by = lose_token, heal_by = give_token },
  { name = "token file empty", break_by = empty_token, heal_by = give_token },
  { name = "pod deleted", prepare = start_with_free_token, break_by = delete_pod, stops = "not found" },
  { name = "pod made anew under its name", prepare = start_with_free_token, break_by = remake_pod, stops = "made anew" },
  { name = "definition (CRD) missing, installed later", prepare = start_without_definition, break_by = mark, heal_by = install_late,
    status = true, first = { "annotation" }, flows = true, by_pace = true },
  { name = "definition (CRD) deleted, installed again", prepare = start_with_backup, break_by = lose_definition, heal_by = install_again,
    status = true, flows = true, by_pace = true },
  { name = "clock + 1 h", prepare = start_with_shim, break_by = step_clock(3600), heal_by = clock_back, flows = true, by_pace = true,
    plain_only = true },
  { name = "clock - 1 h", prepare = start_with_shim, break_by = step_clock(-3600), heal_by = clock_back, flows = true, by_pace = true,
    plain_only = true },
}
