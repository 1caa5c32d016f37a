--- Where the fault specs play: pods of a real API server, a reporter for each, a task that goes on writing, and the fault
--- proxy between reporter and server. A subject is one such reporter with all that belongs to it.
local http = require "spec.support.cluster_http"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local tasks = require "spec.support.tasks"

local M = {}

local NM, DETAIL = "fluid.io/data-progress", "fluid.io/data-progress-detail"
M.NM = NM
local _, here = shell.run "pwd" -- programs are started elsewhere
local TASK = here:gsub("\n$", "") .. "/spec/support/task.lua"
M.TOTAL = 1000 -- a task counts to this

--- Shorter than the defaults, so that a spec is over soon: what the times are is no matter of these specs.
M.GAP = 0.3 -- seconds
local ENV = { HEADWAY_PERCENT_GAP = "300ms", HEADWAY_STATUS_GAP = "1s", HEADWAY_DEADLINE = "2s" }

---@class headway.spec.World
---@field c headway.spec.Cluster
---@field proxy headway.spec.FaultProxy?
---@field namespace string
---@field dir string
local World = {}
World.__index = World

---@class headway.spec.Subject
---@field world headway.spec.World
---@field name string
---@field status boolean  status.direct is on
---@field pod table
---@field operation table?
---@field route headway.spec.FaultRoute?
---@field dir string
---@field process headway.spec.Process
local Subject = {}
Subject.__index = Subject

---@param c headway.spec.Cluster
---@param proxy? headway.spec.FaultProxy
---@return headway.spec.World
function M.new(c, proxy)
  local namespace = c:create_namespace "faults"
  c:role_patch_pods(namespace, "default")
  c:role(namespace, "default", {
    { apiGroups = { "batch" }, resources = { "jobs", "cronjobs" }, verbs = { "get" } },
    { apiGroups = { "data.fluid.io" }, resources = { "dataprocesses/status", "databackups/status", "dataloads/status" }, verbs = { "patch" } },
  }, { name = "status" })
  return setmetatable({ c = c, proxy = proxy, namespace = namespace, dir = process.temp_dir() }, World)
end

function World:close()
  process.remove(self.dir)
end

local DATAPROCESS = { dataset = { name = "demo", namespace = "default", mountPath = "/data" },
  processor = { script = { image = "example.invalid/tool", imageTag = "1", source = "true" } } }
local OPERATION_STATUS = { status = { phase = "Executing", duration = "Unfinished",
  conditions = { { type = "Complete", status = "False" } } } }

--- Pods for subjects of these names, with operation and job where status is on; many in a few requests.
---@param specs { name: string, status?: boolean }[]
---@return headway.spec.Subject[]
function World:subjects(specs)
  local c, ns = self.c, self.namespace
  local operations, jobs, pods, patches, requests = {}, {}, {}, {}, {}
  local function container() return { restartPolicy = "Never", containers = { { name = "main", image = "example.invalid/task:1" } } } end
  for _, spec in ipairs(specs) do
    if spec.status then
      operations[#operations + 1] = { apiVersion = "data.fluid.io/v1alpha1", kind = "DataProcess",
        metadata = { name = spec.name, namespace = ns }, spec = DATAPROCESS }
    end
  end
  local function create(objects) return #objects > 0 and c:create_all(objects) or {} end
  local by_name = {}
  for _, made in ipairs(create(operations)) do
    by_name[made.metadata.name] = made
    patches[#patches + 1] = { method = "PATCH", path = c:path(made, "status"), body = OPERATION_STATUS }
    jobs[#jobs + 1] = { apiVersion = "batch/v1", kind = "Job", metadata = { name = made.metadata.name, namespace = ns,
      ownerReferences = { c:owner_reference(made) } }, spec = { template = { spec = container() } } }
  end
  if #patches > 0 then c:requests(patches) end
  local job_of = {}
  for _, made in ipairs(create(jobs)) do job_of[made.metadata.name] = made end
  for i, spec in ipairs(specs) do
    local job = job_of[spec.name]
    pods[i] = { apiVersion = "v1", kind = "Pod", spec = container(), metadata = { name = spec.name, namespace = ns,
      ownerReferences = job and { c:owner_reference(job) } } }
  end
  local subjects = {}
  for i, pod in ipairs(c:create_all(pods)) do
    subjects[i] = setmetatable({ world = self, name = specs[i].name, status = specs[i].status or false, pod = pod,
      operation = by_name[specs[i].name], dir = self.dir .. "/" .. specs[i].name }, Subject)
    requests[i] = { method = "POST", path = ("/api/v1/namespaces/%s/serviceaccounts/default/token"):format(ns),
      body = { apiVersion = "authentication.k8s.io/v1", kind = "TokenRequest", spec = { expirationSeconds = 3600,
        boundObjectRef = { apiVersion = "v1", kind = "Pod", name = pod.metadata.name, uid = pod.metadata.uid } } } }
  end
  for i, answer in ipairs(c:requests(requests)) do subjects[i]:make_account(assert(answer.body.status).token) end
  return subjects
end

-- The reporter ------------------------------------------------------------------------------------------------

---@param token string
function Subject:make_account(token)
  local w = self.world
  self.token = token
  shell.run("mkdir " .. shell.quote(self.dir))
  shell.write(self.dir .. "/token", token)
  shell.write(self.dir .. "/namespace", w.namespace)
  shell.write(self.dir .. "/ca.crt", w.proxy and w.proxy:ca() or assert(shell.read(w.c:ca_file())))
  if w.proxy then self.route = w.proxy:open(self.name) end
  self.file, self.notes = self.dir .. "/progress", self.dir .. "/notes"
end

--- Another token, by rename.
---@param token string
function Subject:rotate(token)
  process.replace(self.dir .. "/token", token)
end

---@param env? table<string, string>
function Subject:start(env)
  local port = tostring(self.route and self.route.port or self.world.c.port)
  local all = { FLUID_PROGRESS_FILE = self.file, HEADWAY_POD_NAME = self.pod.metadata.name,
    HEADWAY_POD_NAMESPACE = self.world.namespace, HEADWAY_SERVICEACCOUNT_DIR = self.dir,
    KUBERNETES_SERVICE_HOST = "127.0.0.1", KUBERNETES_SERVICE_PORT = port,
    HEADWAY_STATUS_DIRECT = self.status and "true" or nil }
  for name, value in pairs(ENV) do all[name] = value end
  for name, value in pairs(env or {}) do all[name] = value end
  self.process = process.start({ process.headway, "run", "--log", "debug" }, all)
end

--- Starts the task, which goes on writing.
---@param how? "rename"|"echo"|"append"
---@param seconds? number  between two values
function Subject:start_task(how, seconds)
  self.task = process.start { "lua5.4", TASK, self.file, how or "rename", M.TOTAL, seconds or 0.2, self.notes }
end

--- Lets the task write a last value and end.
---@param last? integer  default TOTAL
function Subject:end_task(last)
  process.replace(self.notes .. ".stop", tostring(last or M.TOTAL))
end

--- SIGTERM, and how it ended. Inside of `tasks.run`.
---@param patience number  seconds
---@return integer? status  nil: it goes on
---@return number seconds  until its end, by the time of the file that tells it: this loop may look late
function Subject:terminate(patience)
  local file, begun = self.process.dir .. "/status", tasks.now()
  self.process:kill "TERM"
  local status = tasks.wait(function() return shell.read(file) end, patience)
  if not status then return nil, tasks.now() - begun end
  local _, at = shell.run("stat -c %.9Y " .. shell.quote(file))
  return math.tointeger(tonumber(status)), tonumber(at) - begun
end

function Subject:close()
  if self.task then self.task:close() end
  if self.process then self.process:close() end
  if self.route then self.route:close() end
end

--- What the task has begun to write, and what it had written completely.
---@return table<integer, boolean> begun
---@return integer done  the last one; 0 = none
function Subject:written()
  local begun, done = {}, 0
  for word, i in (shell.read(self.notes) or ""):gmatch "(%a+) (%d+)\n" do
    if word == "begin" then begun[math.tointeger(tonumber(i))] = true else done = math.tointeger(tonumber(i)) end
  end
  return begun, done
end

--- Reporter and worker.
---@return integer[] pids
local function family(pid)
  local pids = { pid }
  for child in (shell.read(("/proc/%d/task/%d/children"):format(pid, pid)) or ""):gmatch "%d+" do
    pids[#pids + 1] = math.tointeger(tonumber(child))
  end
  return pids
end

--- Private dirty memory of the reporter and its worker.
---@return integer kib
function Subject:memory()
  local sum = 0
  for _, pid in ipairs(family(self.process.pid)) do
    local text = shell.read(("/proc/%d/smaps_rollup"):format(pid)) or ""
    sum = sum + math.tointeger(tonumber(text:match "Private_Dirty:%s*(%d+)" or 0))
  end
  return sum
end

--- How often a write or a look was refused so far, as the reporter itself says.
---@return integer
function Subject:refusals()
  local count = 0
  for line in self.process:err():gmatch "[^\n]+" do
    if line:find("; next try in ", 1, true) or line:find("; trying again", 1, true) then
      count = count + 1
    end
  end
  return count
end

-- What was sent -----------------------------------------------------------------------------------------------

---@class headway.spec.Sent
---@field t integer  ms, by the clock of whoever saw it
---@field sink "annotation"|"status"
---@field value string?  N/M; nil: a look, or a detail alone
---@field i integer?  N, when it is a value of the task
---@field uid string?
---@field took boolean  the API server has taken it

--- Reads a patch.
---@return headway.spec.Sent?
local function read_patch(method, path, body)
  if method ~= "PATCH" or not body then return nil end
  local meta, infos = body.metadata or {}, (body.status or {}).infos
  local sink = path:find "/status$" and "status" or "annotation"
  local annotations = meta.annotations or {}
  local value = sink == "status" and infos and infos.progress or annotations[NM]
  local sent = { sink = sink, value = value, uid = meta.uid, detail = annotations[DETAIL], i = nil }
  local n, m = (value or ""):match "^(%d+)/(%d+)$"
  if m == tostring(M.TOTAL) then sent.i = math.tointeger(tonumber(n)) end
  return sent
end

--- All patches that have left this reporter, oldest first, as the proxy saw them; without one, as the server did.
---@return headway.spec.Sent[]
function Subject:sent()
  if not self.route then return self.world:audited()[self.pod.metadata.name] or {} end
  local list, by_id = {}, {}
  for _, event in ipairs(self.route:events()) do
    if event.e == "request" then
      local sent = read_patch(event.method, event.path, http.decode(event.body))
      if sent then
        sent.t, sent.took = event.t, false
        list[#list + 1], by_id[event.id] = sent, sent
      end
    elseif event.e == "answer" and by_id[event.id] then
      local sent = by_id[event.id]
      sent.took, sent.status, sent.answered = event.upstream == 200, event.status, event.t
    end
  end
  return list
end

--- Milliseconds since 1970 of "2026-01-02T03:04:05.678901Z".
local function epoch_ms(text)
  local y, mo, d, h, mi, sec = text:match "^(%d+)-(%d+)-(%d+)T(%d+):(%d+):([%d.]+)Z$"
  local days = os.time { year = y, month = mo, day = d, hour = 12 } // 86400 - os.time { year = 1970, month = 1, day = 1, hour = 12 } // 86400
  return (days * 86400 + h * 3600 + mi * 60) * 1000 + math.floor(sec * 1000)
end

--- The patches that the server has answered, from its audit log, by the name of their object; also while it is down.
---@return table<string, headway.spec.Sent[]>
function World:audited()
  self.by_object, self.audit_offset = self.by_object or {}, self.audit_offset or 0
  local file = io.open(self.c:audit_log(), "rb")
  if not file then return self.by_object end
  file:seek("set", self.audit_offset)
  for line in file:lines "L" do
    if line:sub(-1) ~= "\n" then break end -- half written
    self.audit_offset = self.audit_offset + #line
    local event = line:find('"headway/', 1, true) and http.decode(line)
    local object = event and event.objectRef
    local sent = object and object.namespace == self.namespace and event.verb == "patch"
      and read_patch("PATCH", (event.requestURI:gsub("%?.*", "")), event.requestObject)
    if sent then
      sent.t, sent.took = epoch_ms(event.requestReceivedTimestamp), (event.responseStatus or {}).code == 200
      self.by_object[object.name] = self.by_object[object.name] or {}
      table.insert(self.by_object[object.name], sent)
    end
  end
  file:close()
  return self.by_object
end

--- The newest value of the task that the server took.
---@param sink "annotation"|"status"
---@param after? integer  only those that were sent later than this
---@return integer? i
---@return integer? t
function Subject:taken(sink, after)
  local sent = self:sent()
  for at = #sent, 1, -1 do
    local s = sent[at]
    if s.took and s.sink == sink and s.i and s.t > (after or -1) then return s.i, s.t end
  end
end

--- What must hold for each value that was ever sent: the task wrote it (or it is the first 0/100), it goes to the object it
--- is meant for, nothing goes back, detail and value agree.
---@param sent headway.spec.Sent[]
---@return string[] wrong
function Subject:wrong(sent)
  local begun, wrong, last = self:written(), {}, { annotation = 0, status = 0 }
  local function say(...) wrong[#wrong + 1] = string.format(...) end
  for _, s in ipairs(sent) do
    local uid = s.sink == "annotation" and self.pod.metadata.uid or self.operation and self.operation.metadata.uid
    if s.value and s.uid ~= uid then say("%s %s goes to uid %s", s.sink, s.value, tostring(s.uid)) end
    if s.value == "0/100" then
      if last[s.sink] > 0 then say("%s: 0/100 after %d", s.sink, last[s.sink]) end
    elseif s.value then
      if not s.i or not begun[s.i] then say("%s: %s was never written", s.sink, s.value) end
      local counts = self.route or s.took -- the audit log has the order of the answers: a late one may be refused
      if counts and s.i and s.i < last[s.sink] then say("%s: %s after %d", s.sink, s.value, last[s.sink]) end
      if counts then last[s.sink] = math.max(last[s.sink], s.i or 0) end
    end
    local detail = s.detail and http.decode(s.detail)
    if s.detail and not detail then say("a detail that is no JSON: %s", s.detail) end
    if detail and detail.done and s.i and detail.done ~= s.i then say("%s with done %s", s.value, tostring(detail.done)) end
  end
  -- And as the server took them, which is another order when a request comes late.
  local taken, high = {}, { annotation = 0, status = 0 }
  for _, s in ipairs(sent) do
    if s.took and s.i and s.answered then taken[#taken + 1] = s end
  end
  table.sort(taken, function(a, b) return a.answered < b.answered end)
  for _, s in ipairs(taken) do
    if s.i < high[s.sink] then say("%s went back from %d to %d", s.sink, high[s.sink], s.i) end
    high[s.sink] = math.max(high[s.sink], s.i)
  end
  return wrong
end

--- The values that stand on the objects now: { annotation, status? } for each.
---@param subjects headway.spec.Subject[]
---@return { annotation: string?, status: string? }[]
function World:standing(subjects)
  local requests, standing = {}, {}
  for _, s in ipairs(subjects) do
    requests[#requests + 1] = { method = "GET", path = self.c:path(s.pod) }
    if s.operation then requests[#requests + 1] = { method = "GET", path = self.c:path(s.operation) } end
  end
  local answers, at = self.c:requests(requests), 0
  local function take()
    at = at + 1
    return answers[at].status == 200 and answers[at].body or {}
  end
  for i, s in ipairs(subjects) do
    standing[i] = { annotation = ((take().metadata or {}).annotations or {})[NM] }
    if s.operation then standing[i].status = ((take().status or {}).infos or {}).progress end
  end
  return standing
end

--- The most tries that backoff allows in that time, but for one case in 1e9: its n-th wait is uniform between nothing and
--- c(n) = min(60 s, 0.5 s * 2^n), so the chance that n waits fit into T is at most T^n / (n! * c(1) * ... * c(n)).
---@param seconds number
---@return integer
function M.tries_allowed(seconds)
  local chance, ceiling, n = 1.0, 0.5, 0
  repeat
    n = n + 1
    chance = chance * seconds / (n * ceiling)
    ceiling = math.min(60, ceiling * 2)
  until chance < 1e-9
  return n
end

return M
