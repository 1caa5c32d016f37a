--- An API server inside of the walk itself: it has a pod for every run, takes merge patches, and keeps their annotations and
--- statuses. Plain HTTP on loopback, or HTTPS; `step` does what there is to do, and never waits. For a hub each run's name is a namespace
--- with one operation, its Job and its pod, which can be listed and watched, and a Lease in the namespace `ns`.
local cjson = require "cjson"
local socket = require "socket"

local UID = "6f1d0000-0000-4000-8000-000000000001"

---@class headway.inject.Api
---@field url string
---@field pods table<string, table>  annotations by pod
---@field infos table<string, table>  status.infos by operation
local Api = {}
Api.__index = Api

local M = {}

---@param tls? { cert: string, key: string }
---@return headway.inject.Api
function M.new(tls)
  local listener = assert(socket.bind("127.0.0.1", 0, 128))
  listener:settimeout(0)
  local port = select(2, listener:getsockname())
  return setmetatable({ listener = listener, tls = tls, pods = {}, infos = {}, reported = {}, leases = {}, clients = {},
    url = ("%s://127.0.0.1:%d"):format(tls and "https" or "http", port) }, Api)
end

-- What it knows -------------------------------------------------------------------------------------------

local function metadata(name, owner_kind, owner_api)
  local owner = owner_kind and { { controller = true, apiVersion = owner_api, kind = owner_kind, name = name, uid = UID } }
  return { name = name, namespace = "ns", uid = UID, resourceVersion = "7", ownerReferences = owner }
end

local function merge(into, values)
  for key, value in pairs(type(values) == "table" and values or {}) do into[key] = value end
end

function Api:pod(name, patch)
  self.pods[name] = self.pods[name] or {}
  merge(self.pods[name], (patch.metadata or {}).annotations)
  local meta = metadata(name, "Job", "batch/v1")
  meta.annotations = next(self.pods[name]) and self.pods[name]
  return { apiVersion = "v1", kind = "Pod", metadata = meta }
end

function Api.job(_, name)
  return { apiVersion = "batch/v1", kind = "Job", metadata = metadata(name, "DataProcess", "data.fluid.io/v1alpha1") }
end

function Api:operation(name, patch)
  self.infos[name] = self.infos[name] or {}
  merge(self.infos[name], (patch.status or {}).infos)
  return { apiVersion = "data.fluid.io/v1alpha1", kind = "DataProcess", metadata = metadata(name) }
end

-- For a hub -----------------------------------------------------------------------------------------------

local VERSIONS = { pods = "v1", jobs = "batch/v1", cronjobs = "batch/v1" }

--- The objects of a resource in a run's namespace.
function Api:objects(resource, run)
  local function in_run(object)
    local meta = object.metadata
    -- Of its own for each kind: a hub knows objects by their uid.
    meta.namespace, meta.uid, meta.creationTimestamp = run, UID:gsub("1$", resource:sub(1, 1):byte()), "2026-01-01T00:00:00Z"
    return { object }
  end
  if resource == "pods" then
    local pod = self:pod(run, {})
    pod.metadata.ownerReferences[1].uid = UID:gsub("1$", ("j"):byte())
    pod.metadata.annotations = pod.metadata.annotations or { ["fluid.io/data-progress"] = "40/100" }
    return in_run(pod)
  elseif resource == "jobs" then
    local job = self:job(run)
    job.metadata.ownerReferences[1].uid = UID:gsub("1$", ("d"):byte())
    return in_run(job)
  elseif resource == "dataprocesses" then
    local operation = self:operation(run, {})
    operation.status = { phase = "Executing", infos = next(self.infos[run]) and self.infos[run] }
    return in_run(operation)
  end
  return {}
end

function Api:list(path, query)
  local run, resource = path:match "^GET /apis?/.-/namespaces/([%w-]+)/(%l+)$"
  if not VERSIONS[resource or ""] and not (resource or ""):find "^data" then return nil end
  if query:find "watch=1" then return "stream", run .. " " .. resource end
  local items = not query:find "%%21" and self:objects(resource, run) or {} -- pods that belong to no Job: none
  return "200 OK", { kind = "List", metadata = { resourceVersion = "7" }, items = items }
end

function Api:lease(name, body, verb)
  local known = self.leases[name]
  if verb ~= "POST" and not known then
    return { kind = "Status", code = 404, message = "no such lease" }, "404 Not Found"
  end
  known = known or { version = 0, spec = {} }
  if body.spec then
    known.version = known.version + 1
    merge(known.spec, body.spec)
  end
  self.leases[name] = known
  return { kind = "Lease", metadata = { name = name, namespace = "ns", uid = UID, resourceVersion = tostring(known.version) },
    spec = known.spec }
end

local function send_pod(self, client, run)
  local line = cjson.encode { type = "MODIFIED", object = self:objects("pods", run)[1] } .. "\n"
  client.sock:send(("%x\r\n%s\r\n"):format(#line, line))
end

--- The run's pod says so, to whoever watches it, now or later: a watch that begins gets what it has missed.
function Api:report(run, nm)
  self.pods[run] = { ["fluid.io/data-progress"] = nm }
  self.reported[run .. " pods"] = run
  for _, client in ipairs(self.clients) do
    if client.stream == run .. " pods" then send_pod(self, client, run) end
  end
end

local routes = {
  { "^GET /apis/coordination.k8s.io/v1/namespaces/ns/leases/([%w-]+)$", "lease" },
  { "^PATCH /apis/coordination.k8s.io/v1/namespaces/ns/leases/([%w-]+)$", "lease" },
  { "^POST /apis/coordination.k8s.io/v1/namespaces/ns/(leases)$", "lease" },
  { "^PATCH /apis/data.fluid.io/v1alpha1/namespaces/run[%w-]+/dataprocesses/([%w-]+)/status$", "operation_in_run" },
  { "^PATCH /api/v1/namespaces/ns/pods/([%w-]+)$", "pod" },
  { "^GET /apis/batch/v1/namespaces/ns/jobs/([%w-]+)$", "job" },
  { "^PATCH /apis/data.fluid.io/v1alpha1/namespaces/ns/dataprocesses/([%w-]+)/status$", "operation" },
}

function Api:operation_in_run(name, patch)
  local operation = self:operation(name, patch)
  operation.metadata.uid = UID:gsub("1$", ("d"):byte())
  return operation
end

function Api:answer(what, body, query)
  local status, object = self:list(what, query)
  if status then return status, object end
  for _, route in ipairs(routes) do
    local name = what:match(route[1])
    local ok, patch = pcall(cjson.decode, body == "" and "{}" or body)
    if name and (not ok or type(patch) ~= "table") then
      return "400 Bad Request", { kind = "Status", code = 400, message = "not a patch: " .. body }
    end
    if name then
      if route[2] == "lease" and name == "leases" then name = patch.metadata.name end
      local answer, code = self[route[2]](self, name, patch, what:match "^%u+")
      return code or "200 OK", answer
    end
  end
  return "404 Not Found", { kind = "Status", code = 404, message = "not found: " .. what }
end

-- Connections ---------------------------------------------------------------------------------------------

--- The next whole request in the buffer, if it is there.
local function take(client)
  local head, rest = client.buffer:match "^(.-)\r\n\r\n(.*)$"
  local length = head and tonumber(head:lower():match "\r\ncontent%-length:%s*(%d+)" or 0)
  if not head or #rest < length then return nil end
  client.buffer = rest:sub(length + 1)
  local what, query = head:match "^(%S+ [^%s?]+)(%S*)"
  return what, rest:sub(1, length), query
end

local function shake_hands(client, tls)
  if not client.wrapped then
    client.wrapped = assert(require "ssl".wrap(client.sock,
      { mode = "server", protocol = "any", certificate = tls.cert, key = tls.key, verify = "none" }))
    client.wrapped:settimeout(0)
  end
  local ok, err = client.wrapped:dohandshake()
  client.ready = ok
  return ok or err == "wantread" or err == "wantwrite" or err == "timeout"
end

local function serve(self, client)
  if self.tls and not client.ready then return shake_hands(client, self.tls) end
  local sock = client.wrapped or client.sock
  local data, err, part = sock:receive(65536)
  client.buffer = client.buffer .. (data or part or "")
  for what, body, query in function() return take(client) end do
    local status, object = self:answer(what, body, query)
    if status == "stream" then
      client.stream = object
      sock:send "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
      if self.reported[object] then send_pod(self, client, self.reported[object]) end
      break
    end
    local text = cjson.encode(object):gsub('"items":{}', '"items":[]')
    sock:send(("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"):format(status, #text, text))
  end
  return data or err == "timeout" or err == "wantread"
end

function Api:step()
  for sock in function() return self.listener:accept() end do
    sock:settimeout(0)
    sock:setoption("tcp-nodelay", true)
    self.clients[#self.clients + 1] = { sock = sock, buffer = "" }
  end
  for i = #self.clients, 1, -1 do
    local ok, alive = pcall(serve, self, self.clients[i])
    if not (ok and alive) then
      local client = table.remove(self.clients, i)
      pcall(function() (client.wrapped or client.sock):close() end)
    end
  end
end

function Api:close()
  for _, client in ipairs(self.clients) do client.sock:close() end
  self.listener:close()
end

return M
