--- Benchmark of the hub against a real API server: `./dev bench hub [OPERATIONS] [SECONDS]`.
--- As many DataProcesses with their Jobs and pods, all in one namespace; then pods change for that long, as fast as one
--- connection patches them. Start, memory, CPU, writes, and annotation -> status as the audit log saw them; without a budget.
local cluster = require "spec.support.cluster"
local hubs = require "spec.support.hub"
local shell = require "spec.support.cluster_shell"

local COUNT = math.tointeger(tonumber(arg[1] or 1000))
local SECONDS = tonumber(arg[2] or 30)
local BATCH, TICKS = 200, 100 -- requests of one curl; clock ticks of a second in /proc

local missing = cluster.missing()
if missing then
  io.stderr:write("hub.lua: ", missing, "\n")
  os.exit(77)
end
local c = assert(cluster.start { flags = { "--audit-log-maxsize=10000" } }) -- in one file
local hub = hubs.new(c)
local namespace = hub.namespace

local function say(...) io.stdout:write(string.format(...), "\n") io.stdout:flush() end

local function operation(name)
  return { apiVersion = "data.fluid.io/v1alpha1", kind = "DataProcess", metadata = { name = name, namespace = namespace },
    spec = { dataset = { name = "demo", namespace = "default", mountPath = "/data" },
      processor = { script = { image = "example.invalid/tool", imageTag = "1", source = "true" } } } }
end
local LABELS = { ["fluid.io/managed-by"] = "fluid", role = "dataprocess-pod" }
local CONTAINERS = { { name = "script-processor", image = "example.invalid/task:1" } }
local function job(name, owner)
  return { apiVersion = "batch/v1", kind = "Job", metadata = { name = name .. "-processor-job", namespace = namespace,
    ownerReferences = { c:owner_reference(owner) } },
    spec = { template = { spec = { restartPolicy = "Never", containers = CONTAINERS } } } }
end
local function detail(done)
  return ('{"v":1,"by":"sidecar","done":%d,"total":100,"unit":"files","state":"running","rate":2.5,"eta":60,'
    .. '"started":"2026-01-01T00:00:00Z","updated":"2026-01-01T00:10:00Z","parser":"rsync"}'):format(done)
end
local function pod(name, owner)
  return { apiVersion = "v1", kind = "Pod", metadata = { name = name .. "-p", namespace = namespace, labels = LABELS,
    annotations = { [hubs.NM] = "1/100", [hubs.DETAIL] = detail(1) }, ownerReferences = { c:owner_reference(owner) } },
    spec = { restartPolicy = "Never", containers = CONTAINERS } }
end

local function create(make)
  local all = {}
  for from = 1, COUNT, BATCH do
    local some = {}
    for i = from, math.min(from + BATCH - 1, COUNT) do some[#some + 1] = make(i) end
    table.move(c:create_all(some), 1, #some, #all + 1, all)
  end
  return all
end

local function fill()
  local ops = create(function(i) return operation("op-" .. i) end)
  local jobs = create(function(i) return job("op-" .. i, ops[i]) end)
  create(function(i) return pod("op-" .. i, jobs[i]) end)
  local status = { status = { phase = "Executing", duration = "Unfinished", conditions = { { type = "Complete",
    status = "False" } } } }
  for from = 1, COUNT, BATCH do
    local some = {}
    for i = from, math.min(from + BATCH - 1, COUNT) do
      some[#some + 1] = { method = "PATCH", path = c:path(ops[i], "status"), body = status }
    end
    c:requests(some)
  end
end

local function memory(pid, key)
  local text = shell.read(("/proc/%d/status"):format(pid)) .. (shell.read(("/proc/%d/smaps_rollup"):format(pid)) or "")
  return (tonumber(text:match(key .. ":%s+(%d+) kB")) or 0) / 1024
end
local function cpu(pid)
  local user, system = shell.read(("/proc/%d/stat"):format(pid)):match "^.*%) %S %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)"
  return (tonumber(user) + tonumber(system)) / TICKS
end

local function seconds(stamp)
  local h, m, s = stamp:match "T(%d+):(%d+):([%d.]+)Z"
  return h * 3600 + m * 60 + tonumber(s)
end

--- The time from each value's arrival in a pod to its write, where it was written.
local function latencies(from)
  local said, list, writes = {}, {}, 0
  for _, event in ipairs(c:audit { from = from, verb = "patch", namespace = namespace, code = 200 }) do
    local ref, body = event.objectRef, event.requestObject or {}
    local now = seconds(event.stageTimestamp)
    if ref.resource == "pods" then
      local nm = body.metadata and body.metadata.annotations and body.metadata.annotations[hubs.NM]
      if nm then said[ref.name:gsub("%-p$", "") .. " " .. nm] = now end
    elseif ref.subresource == "status" and body.status and body.status.infos then
      writes = writes + 1
      local since = said[ref.name .. " " .. body.status.infos.progress]
      if since then list[#list + 1] = (now - since) * 1000 end
    end
  end
  table.sort(list)
  return list, writes
end

say("%d operations, each with a Job and a pod", COUNT)
fill()
local began = shell.now()
local p = hub:start("hub", "--status-gap", "1s", "--status-budget", "0", "--log", "info")
hubs.ready(p)
say("ready after %.1f s, %.1f s of CPU: %.1f MiB resident, %.1f MiB private", shell.now() - began, cpu(p.pid),
  memory(p.pid, "VmRSS"), memory(p.pid, "Private_Dirty"))
repeat -- a write of a value holds that word once as a request, once as an answer
  os.execute "sleep 0.5"
  local _, lines = shell.run("grep -c '\"verb\":\"patch\".*\"progressMessage\"' " .. shell.quote(c:audit_log()))
until tonumber(lines) >= COUNT
say("every status written after %.1f s, %.1f s of CPU: %.1f MiB resident, peak %.1f MiB", shell.now() - began, cpu(p.pid),
  memory(p.pid, "VmRSS"), memory(p.pid, "VmHWM"))

local from, start, used, patches, round = c:audit_position(), shell.now(), cpu(p.pid), 0, 1
while shell.now() - start < SECONDS do
  local some = {}
  for _ = 1, BATCH do
    local i = patches % COUNT + 1
    if i == 1 then round = round % 98 + 1 end
    some[#some + 1] = { method = "PATCH", path = ("/api/v1/namespaces/%s/pods/op-%d-p"):format(namespace, i),
      body = { metadata = { annotations = { [hubs.NM] = round + 1 .. "/100", [hubs.DETAIL] = detail(round + 1) } } } }
    patches = patches + 1
  end
  c:requests(some)
end
local took = shell.now() - start
used = cpu(p.pid) - used
os.execute "sleep 3"
local list, writes = latencies(from)
say("%.0f pods change a second, for %.0f s: %.0f statuses written a second, %.1f%% of a CPU, %.1f MiB resident",
  patches / took, took, writes / took, used / took * 100, memory(p.pid, "VmRSS"))
say("annotation -> status: median %.0f ms, 99%% under %.0f ms (%d values)", list[(#list + 1) // 2] or 0,
  list[math.ceil(#list * 0.99)] or 0, #list)
hub:close()
c:stop()
