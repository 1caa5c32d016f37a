--- Objects of the test cluster: paths, creation, status. Methods of the cluster; all but `patch` raise when
--- the server refuses.
local cjson = require "cjson"

---@class headway.spec.Cluster
local M = {}

local OPERATIONS = "data.fluid.io/v1alpha1"

--- Raises with the server's own words unless it answered with a 2xx.
---@param what string
---@param status? integer
---@param body any
local function expect_success(what, status, body)
  if status and status >= 200 and status < 300 then return body end
  local why = type(body) == "table" and body.message or body
  error(("%s: %s %s"):format(what, status or "no answer:", tostring(why)), 3)
end

--- `a` with the fields of `b` over it, tables merged by key, lists replaced.
local function merged(a, b)
  if type(a) ~= "table" or type(b) ~= "table" or #b > 0 or #a > 0 then return b end
  local out = {}
  for k, v in pairs(a) do out[k] = v end
  for k, v in pairs(b) do out[k] = merged(out[k], v) end
  return out
end

--- A name that no earlier call gave.
---@param prefix string
---@return string
function M:unique(prefix)
  self.names = (self.names or 0) + 1
  return ("%s-%d"):format(prefix, self.names)
end

--- Plural and scope of a kind, from the server's discovery.
---@param api_version string
---@param kind string
---@return { plural: string, namespaced: boolean }
function M:kind(api_version, kind)
  local key = api_version .. " " .. kind
  self.kinds = self.kinds or {}
  if not self.kinds[key] then
    local root = api_version:find("/", 1, true) and "/apis/" or "/api/"
    local status, list = self:request("GET", root .. api_version)
    expect_success("discovery of " .. api_version, status, list)
    for _, resource in ipairs(list.resources) do
      if not resource.name:find("/", 1, true) then
        self.kinds[api_version .. " " .. resource.kind] =
          { plural = resource.name, namespaced = resource.namespaced }
      end
    end
  end
  return self.kinds[key] or error("the server has no " .. key, 2)
end

--- The path of an object: `{ apiVersion, kind, metadata = { name?, namespace? } }`; without a name that of
--- the collection.
---@param object table
---@param subresource? string  "status", "log", ...
---@return string
function M:path(object, subresource)
  local kind, meta = self:kind(object.apiVersion, object.kind), object.metadata or {}
  local parts = { object.apiVersion:find("/", 1, true) and "/apis" or "/api", object.apiVersion }
  if kind.namespaced then parts[#parts + 1] = "namespaces/" .. (meta.namespace or "default") end
  parts[#parts + 1] = kind.plural
  parts[#parts + 1] = meta.name
  parts[#parts + 1] = subresource
  return table.concat(parts, "/")
end

--- Creates an object; a `status` in it is written after it, as the controller would.
---@param object table
---@return table object  as the server has it now
function M:create(object)
  local collection = { apiVersion = object.apiVersion, kind = object.kind,
    metadata = { namespace = object.metadata.namespace } }
  local status, body = self:request("POST", self:path(collection), object)
  body = expect_success("create " .. object.kind, status, body)
  if object.status then return self:set_status(body, object.status) end
  return body
end

--- Creates many objects of any kinds over one connection; their `status` is not written.
---@param objects table[]
---@return table[] objects
function M:create_all(objects)
  local requests, created = {}, {}
  for i, object in ipairs(objects) do
    local collection = { apiVersion = object.apiVersion, kind = object.kind,
      metadata = { namespace = object.metadata.namespace } }
    requests[i] = { method = "POST", path = self:path(collection), body = object }
  end
  for i, answer in ipairs(self:requests(requests)) do
    created[i] = expect_success("create " .. objects[i].kind, answer.status, answer.body or answer.error)
  end
  return created
end

--- Server-side apply: creates the object, or brings the given fields of an existing one to these values.
---@param object table
---@return table object
function M:apply(object)
  local status, body = self:request("PATCH", self:path(object) .. "?fieldManager=spec&force=true", object,
    { content_type = "application/apply-patch+yaml" })
  return expect_success("apply " .. object.kind, status, body)
end

--- The object as it is now.
---@param object table  apiVersion, kind and metadata are enough
---@return table? object  nil when there is none
function M:get(object)
  local status, body = self:request("GET", self:path(object))
  if status == 404 then return nil end
  return expect_success("get " .. object.kind, status, body)
end

--- Deletes the object at once, without grace.
---@param object table
function M:delete(object)
  local options = { gracePeriodSeconds = 0, propagationPolicy = "Background" }
  local status, body = self:request("DELETE", self:path(object), options)
  if status ~= 404 then expect_success("delete " .. object.kind, status, body) end
end

--- A merge patch (or another one, by `content_type`). Doesn't raise.
---@param object table
---@param patch table|string
---@param opts? { subresource?: string, content_type?: string, token?: string|false }
---@return integer? status
---@return any body
function M:patch(object, patch, opts)
  opts = opts or {}
  return self:request("PATCH", self:path(object, opts.subresource), patch, opts)
end

--- Merges fields into the status.
---@param object table
---@param fields table
---@return table object
function M:set_status(object, fields)
  local status, body = self:patch(object, { status = fields }, { subresource = "status" })
  return expect_success("status of " .. object.kind, status, body)
end

--- A namespace with its default service account. (There may be no controller that would make one.)
---@param prefix? string
---@return string name
function M:create_namespace(prefix)
  local name = self:unique(prefix or "spec")
  self:create { apiVersion = "v1", kind = "Namespace", metadata = { name = name } }
  self:service_account(name, "default")
  return name
end

--- What an owned object writes into `metadata.ownerReferences`.
---@param owner table  as the server returned it
---@param controller? boolean  default true
---@return table
function M.owner_reference(_, owner, controller)
  local meta = owner.metadata
  return { apiVersion = owner.apiVersion, kind = owner.kind, name = meta.name, uid = meta.uid,
    controller = controller ~= false, blockOwnerDeletion = true }
end

---@class headway.spec.ObjectOptions
---@field namespace string
---@field name? string
---@field labels? table<string, string>
---@field annotations? table<string, string>
---@field owner? table|table[]  an object, or several; the first one is the controller
---@field spec? table  merged over the default
---@field status? table  written after creation

---@param opts headway.spec.ObjectOptions
---@param prefix string
function M:object_metadata(opts, prefix)
  local owners = opts.owner and (opts.owner[1] and opts.owner or { opts.owner })
  local references = owners and {}
  for i, owner in ipairs(owners or {}) do references[i] = self:owner_reference(owner, i == 1) end
  return { name = opts.name or self:unique(prefix), namespace = opts.namespace, labels = opts.labels,
    annotations = opts.annotations, ownerReferences = references }
end

--- A pod, as an API object: no kubelet, nothing runs.
---@param opts headway.spec.ObjectOptions | { service_account?: string, node?: string, containers?: string[] }
---@return table pod
function M:create_pod(opts)
  local containers = {}
  for i, name in ipairs(opts.containers or { "main" }) do
    containers[i] = { name = name, image = "example.invalid/task:1" }
  end
  local spec = { serviceAccountName = opts.service_account, nodeName = opts.node, restartPolicy = "Never",
    containers = containers }
  return self:create { apiVersion = "v1", kind = "Pod", metadata = self:object_metadata(opts, "pod"),
    spec = merged(spec, opts.spec or {}), status = opts.status }
end

--- A job, as an API object; its pods are made by `create_pod { owner = job }`.
---@param opts headway.spec.ObjectOptions | { service_account?: string }
---@return table job
function M:create_job(opts)
  local spec = { backoffLimit = 3, template = { spec = {
    serviceAccountName = opts.service_account, restartPolicy = "Never",
    containers = { { name = "main", image = "example.invalid/task:1" } },
  } } }
  return self:create { apiVersion = "batch/v1", kind = "Job", metadata = self:object_metadata(opts, "job"),
    spec = merged(spec, opts.spec or {}), status = opts.status }
end

local EXAMPLE_SPEC = {
  DataProcess = { dataset = { name = "demo", namespace = "default", mountPath = "/data" },
    processor = { script = { image = "example.invalid/tool", imageTag = "1", source = "true" } } },
  DataLoad = { dataset = { name = "demo", namespace = "default" } },
  DataMigrate = { from = { externalStorage = { uri = "s3://example.invalid/bucket" } },
    to = { dataset = { name = "demo", namespace = "default" } } },
  DataBackup = { dataset = "demo", backupPath = "local:///backup" },
}

--- The controller writes an empty list at first. lua-cjson can't; this one says as little.
local FIRST_CONDITION = { type = "Complete", status = "False" }

--- A data operation. With `phase` its status is written as its controller does when it first sees it.
---@param opts headway.spec.ObjectOptions | { kind: string, phase?: string }
---@return table operation
function M:create_operation(opts)
  local status = opts.status
  if opts.phase then
    local first = { phase = opts.phase, duration = "Unfinished", conditions = { FIRST_CONDITION } }
    status = merged(first, status or {})
  end
  return self:create { apiVersion = OPERATIONS, kind = opts.kind,
    metadata = self:object_metadata(opts, opts.kind:lower()),
    spec = merged(EXAMPLE_SPEC[opts.kind] or error("no operation: " .. opts.kind, 2), opts.spec or {}),
    status = status }
end

---@param opts headway.spec.ObjectOptions | { phase?: string }
---@return table operation
function M:create_dataprocess(opts)
  return self:create_operation(merged(opts, { kind = "DataProcess" }))
end

--- What an operation looks like while it runs: operation, job, pod, with Fluid's names, labels and owners.
---@param opts { namespace: string, name?: string, service_account?: string, annotations?: table,
---  phase?: string }
---@return table operation
---@return table job
---@return table pod
function M:create_running_dataprocess(opts)
  local operation = self:create_dataprocess { namespace = opts.namespace, name = opts.name,
    phase = opts.phase or "Executing" }
  local name = operation.metadata.name
  local labels = { role = "dataprocess-pod", app = "fluid-dataprocess", release = name .. "-processor",
    targetDataset = operation.spec.dataset.name, ["fluid.io/managed-by"] = "fluid" }
  local job_name = name .. "-processor-job"
  local job = self:create_job { namespace = opts.namespace, name = job_name, owner = operation,
    labels = labels, service_account = opts.service_account }
  local pod = self:create_pod { namespace = opts.namespace, name = job_name .. "-" .. self:unique "p",
    owner = job, labels = labels, annotations = opts.annotations, service_account = opts.service_account,
    containers = { "script-processor" } }
  return operation, job, pod
end

M.null = cjson.null -- a merge patch removes a field by it

return M
