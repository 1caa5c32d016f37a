--- `headway hub` against the test cluster: a service account with its rights, replicas, operations whose tasks report.
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"

local M = {}

M.NM, M.DETAIL = "fluid.io/data-progress", "fluid.io/data-progress-detail"
M.PLURALS = { DataProcess = "dataprocesses", DataLoad = "dataloads", DataMigrate = "datamigrates",
  DataBackup = "databackups" }

--- What docs/reference.md says a hub needs.
local CLUSTER_RULES = {
  { apiGroups = { "" }, resources = { "pods" }, verbs = { "list", "watch" } },
  { apiGroups = { "batch" }, resources = { "jobs" }, verbs = { "list", "watch", "patch" } },
  { apiGroups = { "batch" }, resources = { "cronjobs" }, verbs = { "list", "watch" } },
  { apiGroups = { "data.fluid.io" }, verbs = { "list", "watch" },
    resources = { "dataprocesses", "dataloads", "datamigrates", "databackups" } },
  { apiGroups = { "data.fluid.io" }, verbs = { "patch" },
    resources = { "dataprocesses/status", "dataloads/status", "datamigrates/status", "databackups/status" } },
}
local LEASE_RULES = { { apiGroups = { "coordination.k8s.io" }, resources = { "leases" }, verbs = { "get", "create", "patch" } } }

---@class headway.spec.Hub
---@field c headway.spec.Cluster
---@field namespace string  of the lease and the accounts
---@field replicas headway.spec.Process[]
local Hub = {}
Hub.__index = Hub

--- A namespace of its own, watched alone.
---@param c headway.spec.Cluster
---@return headway.spec.Hub
function M.new(c)
  return setmetatable({ c = c, namespace = c:create_namespace "hub", replicas = {}, accounts = {} }, Hub)
end

--- An account with all the rights of a hub, or with these.
---@param name string
---@param rules? table[]
function Hub:account(name, rules)
  if not self.accounts[name] then
    self.c:service_account(self.namespace, name)
    self.c:cluster_role(self.namespace, name, rules or CLUSTER_RULES)
    self.c:role(self.namespace, name, LEASE_RULES)
    self.accounts[name] = self.c:fake_serviceaccount_dir(self.namespace, name)
  end
  return self.accounts[name]
end

---@param name string
function Hub:user(name) return ("system:serviceaccount:%s:%s"):format(self.namespace, name) end

--- Starts a replica under that account.
---@param name string
---@param ... string  flags
---@return headway.spec.Process
function Hub:start(name, ...)
  local account = self:account(name)
  local env = { HEADWAY_SERVICEACCOUNT_DIR = account.dir, HEADWAY_POD_NAME = name,
    HEADWAY_HUB_NAMESPACE = self.namespace, HEADWAY_HTTP = "off" }
  for key, value in pairs(account.env) do env[key] = value end
  local p = process.start({ process.headway, "hub", "--log", "debug", ... }, env)
  self.replicas[#self.replicas + 1] = p
  return p
end

--- The same through a listener of the fault proxy.
---@param name string
---@param route headway.spec.FaultRoute
---@param ... string  flags
---@return headway.spec.Process
function Hub:start_behind(name, route, ...)
  local account = self:account(name)
  local config = self.c:kubeconfig(("%s/%s-%s.kubeconfig"):format(self.c.dir, self.namespace, name), {
    server = "https://127.0.0.1:" .. route.port, ca = route.proxy.dir .. "/ca.crt", token = account.token,
    namespace = self.namespace })
  local p = process.start({ process.headway, "hub", "--log", "debug", "--kubeconfig", config, ... },
    { HEADWAY_POD_NAME = name, HEADWAY_HUB_NAMESPACE = self.namespace, HEADWAY_HTTP = "off" })
  self.replicas[#self.replicas + 1] = p
  return p
end

--- Waits until the replica knows all; nil with its log when it does not.
function M.ready(p) return assert(p:expect("err", "hub: ready: [^\n]*", 30), p:err()) end
function M.leads(p) return assert(p:expect("err", "hub: leads as [^\n]*", 30), p:err()) end

function Hub:lease()
  return self.c:get { apiVersion = "coordination.k8s.io/v1", kind = "Lease",
    metadata = { name = "headway-hub", namespace = self.namespace } }
end

function Hub:close()
  for _, p in ipairs(self.replicas) do p:close() end
  self.replicas = {}
end
Hub.__close = Hub.close

-- Operations ------------------------------------------------------------------------------------------------

--- An operation as Fluid makes it, its Job and its pod, which reports nothing yet.
---@param kind string  DataProcess, ..., "Job", or "DataLoad of a CronJob"
---@param name string
---@param more? { phase?: string|false }
---@return { kind: string, op: table, pod: table }
function Hub:operation(kind, name, more)
  local c, namespace = self.c, self.namespace
  local labels = { ["fluid.io/managed-by"] = "fluid" }
  local phase = "Executing"
  if more and more.phase ~= nil then phase = more.phase or nil end
  local plain = kind:match "^%a+"
  local op = plain ~= "Job" and c:create_operation { kind = plain, namespace = namespace, name = name, phase = phase }
  if plain == "DataBackup" then
    return { kind = plain, op = op, pod = c:create_pod { namespace = namespace, name = name .. "-pod", labels = labels } }
  end
  local owner = op or nil
  if kind:find "CronJob" then
    owner = c:create { apiVersion = "batch/v1", kind = "CronJob",
      metadata = c:object_metadata({ namespace = namespace, name = name .. "-cron", owner = op }, "cron"),
      spec = { schedule = "0 0 1 1 *", jobTemplate = { spec = { template = { spec = { restartPolicy = "Never",
        containers = { { name = "main", image = "example.invalid/task:1" } } } } } } } }
  end
  local job = c:create_job { namespace = namespace, name = name .. "-job", owner = owner, labels = labels }
  if not op then labels = { ["job-name"] = name .. "-job" } end
  return { kind = plain, op = op or job, job = job, labels = labels, pod = c:create_pod { namespace = namespace,
    name = name .. "-p1", owner = job, labels = labels } }
end

--- The pods of these operations say so: values by operation, in one go.
---@param list table[]
---@param value fun(i: integer): string, string?
function Hub:report(list, value)
  local requests = {}
  for i, o in ipairs(list) do
    local nm, detail = value(i)
    requests[i] = { method = "PATCH", path = self.c:path(o.pod),
      body = { metadata = { annotations = { [M.NM] = nm, [M.DETAIL] = detail } } } }
  end
  for _, answer in ipairs(self.c:requests(requests)) do assert(answer.status == 200, answer.error or answer.body.message) end
end

--- What is written in the operations now: N/M, and the line for people (the detail, of a Job).
---@param list table[]
---@return string[] nm
---@return string[] lines
function Hub:written(list)
  local requests, nms, lines = {}, {}, {}
  for i, o in ipairs(list) do requests[i] = { method = "GET", path = self.c:path(o.op) } end
  for i, answer in ipairs(self.c:requests(requests)) do
    local object = answer.body or {}
    local infos, notes = object.status and object.status.infos or {}, object.metadata and object.metadata.annotations or {}
    local plain = list[i].kind == "Job"
    nms[i] = plain and notes[M.NM] or infos.progress or "-"
    lines[i] = plain and notes[M.DETAIL] or infos.progressMessage or "-"
  end
  return nms, lines
end

--- Waits until all of them hold what they should; fails with the difference.
---@param list table[]
---@param value fun(i: integer): string
---@param timeout? number
function Hub:await(list, value, timeout)
  local wanted, got = {}, nil
  for i in ipairs(list) do wanted[i] = value(i) end
  local ok = shell.wait_until(function()
    got = self:written(list)
    return table.concat(got, " ") == table.concat(wanted, " ")
  end, timeout or 20, 0.1)
  if ok then return end
  local log = {}
  for i, p in ipairs(self.replicas) do log[i] = p:err():sub(-3000) end
  error(("wanted %s\ngot    %s\n%s"):format(table.concat(wanted, " "), table.concat(got, " "), table.concat(log, "\n")), 2)
end

--- The writes of values, by the audit log.
---@param from integer
---@param name? string  of the account
function Hub:writes(from, name)
  local list = {}
  for _, event in ipairs(self.c:audit { from = from, verb = "patch", namespace = self.namespace,
    user = name and self:user(name) or nil }) do
    local ref = event.objectRef
    if (ref.subresource == "status" or ref.resource == "jobs")
      and event.user.username:find("system:serviceaccount:" .. self.namespace, 1, true) then list[#list + 1] = event end
  end
  return list
end

return M
