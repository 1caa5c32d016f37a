--- Faults of the real server: API server and etcd stopped, killed and hung, under reporters that are connected to it directly.
--- One after another, since each meets all who use that cluster; it must be a cluster of one's own. What was published is
--- read from the server's audit log.
local shell = require "spec.support.cluster_shell"
local tasks = require "spec.support.tasks"
local world = require "spec.faults.world"

local M = {}

local READY, RECOVERY, LAST, EXIT = 60, 120, 120, 6 -- time-outs, seconds

--- Stops a program without holding up who else waits; the supervisor's `stop` then has nothing to wait for.
local function stop(name, signal)
  return function(c)
    local pid = c.pids[name]
    c:signal(name, signal)
    tasks.wait(function() return not shell.alive(pid) end, 30, name .. " has ended")
    c:kill(name)
  end
end
local function signal(name, number)
  return function(c) c:signal(name, number) end
end
local function ready(c)
  return function() return c:request("GET", "/readyz", nil, { timeout = 1 }) == 200 end
end
local function start_apiserver(c)
  c:spawn_apiserver()
  tasks.wait(ready(c), 90, "the API server is ready")
end
local function start_etcd(c)
  c:spawn_etcd()
  tasks.wait(ready(c), 90, "the API server is ready")
end

M.rows = {
  { name = "API server stopped (TERM), started again", break_it = stop("apiserver", "TERM"), heal = start_apiserver },
  { name = "API server killed (KILL), started again", break_it = stop("apiserver", "KILL"), heal = start_apiserver, quick = true },
  { name = "API server hangs (STOP)", break_it = signal("apiserver", "STOP"), heal = signal("apiserver", "CONT") },
  { name = "etcd hangs (STOP)", break_it = signal("etcd", "STOP"), heal = signal("etcd", "CONT"), quick = true },
  { name = "etcd stopped, started again", break_it = stop("etcd", "TERM"), heal = start_etcd },
}

local SINKS = { "annotation", "status" }

local function row_flow(w, row, subjects, r, seconds)
  local refused, begun, memory = {}, tasks.now(), {}
  for i, s in ipairs(subjects) do refused[i], memory[i] = s:refusals(), s:memory() end
  row.break_it(w.c)
  tasks.sleep(seconds)
  local function met(i) return subjects[i]:refusals() - refused[i] end
  tasks.wait(function()
    for i in ipairs(subjects) do
      if met(i) == 0 then return false end
    end
    return true
  end, 30, "a refusal while the fault stands")
  r.allowed = 2 * #SINKS * (world.tries_allowed(tasks.now() - begun) + 2)
  r.requests = 0
  for i in ipairs(subjects) do r.requests = math.max(r.requests, met(i)) end
  if r.requests > r.allowed then r.say("%d refusals while broken, %d are allowed", r.requests, r.allowed) end
  row.heal(w.c)
  local healed = math.floor(tasks.now() * 1000)
  r.recovery = 0
  for i, s in ipairs(subjects) do
    for _, sink in ipairs(SINKS) do
      tasks.wait(function() return s:taken(sink, healed) end, RECOVERY, sink .. ": a value after the heal")
    end
    r.recovery = math.max(r.recovery, tasks.now() - healed / 1000)
    r.growth = math.max(r.growth or 0, s:memory() - memory[i])
    if not shell.alive(s.process.pid) then r.say "the reporter has ended" end
  end
end

--- SIGTERM while etcd hangs, which is the worst: the API server takes the request and does not answer.
local function terminate(w, s, r)
  w.c:signal("etcd", "STOP")
  local status
  status, r.exit = s:terminate(EXIT + 20)
  w.c:signal("etcd", "CONT")
  if status ~= 0 or r.exit > EXIT then
    r.say("after SIGTERM: status %s, %.1f s", tostring(status), r.exit)
  end
end

local function follow(w, subjects, rows, results, seconds)
  for _, s in ipairs(subjects) do
    s:start()
    -- The percent changes once while a fault stands, and the task outlives all rows.
    s:start_task("rename", math.max(0.35, seconds * 0.08))
  end
  for _, s in ipairs(subjects) do
    for _, sink in ipairs(SINKS) do tasks.wait(function() return s:taken(sink) end, READY, sink .. ": a first value") end
  end
  for i, row in ipairs(rows) do
    local ok, why = xpcall(row_flow, debug.traceback, w, row, subjects, results[i], seconds)
    if not ok then results[i].say("%s", why) end
  end
  local last = results[#results]
  for _, s in ipairs(subjects) do
    s:end_task()
    for _, sink in ipairs(SINKS) do
      tasks.wait(function() return s:taken(sink) == world.TOTAL end, LAST, sink .. ": the task's last value")
    end
  end
  for _, s in ipairs(subjects) do terminate(w, s, last) end
end

local function check(w, subjects, r)
  r.values, r.wrong = 0, 0
  local standing = w:standing(subjects)
  for i, s in ipairs(subjects) do
    local sent = s:sent()
    r.values = r.values + #sent
    local wrong = s:wrong(sent)
    r.wrong = r.wrong + #wrong
    for _, why in ipairs(wrong) do r.say("wrong: %s", why) end
    for _, sink in ipairs(SINKS) do
      if standing[i][sink] ~= ("%d/%d"):format(world.TOTAL, world.TOTAL) then r.say("%s stands at %s", sink, tostring(standing[i][sink])) end
    end
    if #r.problems > 0 then r.say("%s", "headway says:\n" .. (s.process and s.process:err():sub(-3000) or "")) end
  end
end

--- The rows as one flow for `tasks.run`, and their results; after the flow has ended `finish` checks what stands.
---@param c headway.spec.Cluster  of one's own
---@param rows table[]
---@param opts? { seconds?: number, subjects?: integer }
---@return fun() flow
---@return table[] results
---@return fun(why: string|false) finish
function M.flow(c, rows, opts)
  opts = opts or {}
  local w, results, specs = world.new(c), {}, {}
  for i, row in ipairs(rows) do
    local r = { name = row.name, problems = {} }
    function r.say(...) r.problems[#r.problems + 1] = string.format(...) end
    results[i] = r
  end
  for i = 1, opts.subjects or 2 do specs[i] = { name = "s" .. i, status = true } end
  local subjects = w:subjects(specs)
  local function finish(why)
    local last = results[#results]
    if why then last.say("%s", why) end
    local ok, raised = xpcall(check, debug.traceback, w, subjects, last)
    if not ok then last.say("%s", raised) end
    for _, s in ipairs(subjects) do s:close() end
    w:close()
  end
  return function() follow(w, subjects, rows, results, opts.seconds or 4) end, results, finish
end

return M
