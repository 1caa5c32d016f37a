--- Runs rows of faults, all at once: each with a reporter, a listener of the proxy and a task of its own.
---
--- For each row: the reporter publishes; the fault begins and stands while the task goes on writing; it is healed; a value that is
--- newer than the heal arrives; the fault comes back, meets the task's last value, and is healed; that value arrives; the fault comes
--- back once more and SIGTERM meets it. What was found wrong is a list of texts for each row.
local cjson = require "cjson"
local shell = require "spec.support.cluster_shell"
local tasks = require "spec.support.tasks"
local world = require "spec.faults.world"

local M = {}

M.SECONDS = 4 -- how long a fault stands
local READY, RECOVERY, LAST, EXIT = 60, 120, 120, 6 -- time-outs, seconds
local LAST_STANDS = 1.5 -- seconds that the second fault stands, which meets the last value
local STALE = 30 -- how many values a first one after the heal may be behind: it may have waited for the other sink's request to end
local GROWTH_KIB = 1024 -- that private memory may grow by

---@class headway.spec.FaultRow  see rows.lua

---@class headway.spec.FaultResult
---@field name string
---@field problems string[]
---@field requests integer  while broken
---@field allowed integer
---@field recovery number?  seconds from the heal to the first newer value that was taken
---@field growth integer?  KiB
---@field values integer  how many were sent
---@field wrong integer  values among them that must not have been
---@field exit number  seconds from SIGTERM to the end

local function sinks(s) return s.status and { "annotation", "status" } or { "annotation" } end

--- Requests that left the reporter between two moments; tries that came to no request are in its own log.
local function requests(s, from, till)
  local asked, connected = 0, 0
  for _, event in ipairs(s.route:events()) do
    if event.t >= from and event.t <= till then
      if event.e == "request" then asked = asked + 1 elseif event.e == "connect" then connected = connected + 1 end
    end
  end
  return math.max(asked, connected)
end

--- What backoff, or the pace, allows in that time.
local function allowed(row, s, seconds)
  local tries = world.tries_allowed(seconds)
  if row.by_pace then tries = tries + math.ceil(seconds / world.GAP) end
  return #sinks(s) * (tries * (row.per_try or 1) + 2)
end

local function break_it(row, s) return row.break_by and row.break_by(s) or s.route:break_by(row.fault) end
local function heal_it(row, s) return row.heal_by and row.heal_by(s) or s.route:heal() end

---@param row headway.spec.FaultRow
---@param s headway.spec.Subject
---@param r headway.spec.FaultResult
local function stand(row, s, r, seconds)
  local refused, begun = s:refusals(), tasks.now()
  local from = break_it(row, s)
  tasks.sleep(row.seconds or seconds)
  if row.flows then
    tasks.wait(function() return s:taken("annotation", from) end, 20, "a value while the fault stands")
  elseif not row.stops then
    tasks.wait(function() return requests(s, from, math.huge) > 0 or s:refusals() > refused end, 20, "a try while the fault stands")
  end
  if row.stops then
    tasks.wait(function() return s.process:err():find(row.stops, 1, true) end, 30, "the word that nothing more is written")
  end
  r.broken = s.route:now()
  r.requests = math.max(requests(s, from, r.broken), s:refusals() - refused)
  r.allowed = allowed(row, s, tasks.now() - begun)
  if r.requests > r.allowed then r.say("%d requests while broken, %d are allowed", r.requests, r.allowed) end
end

--- The first value of the task that was sent later than that and taken.
local function first_taken(s, sink, after)
  for _, sent in ipairs(s:sent()) do
    if sent.took and sent.sink == sink and sent.i and sent.t > after then return sent end
  end
end

local function heal(row, s, r)
  local _, done = s:written()
  local healed = heal_it(row, s)
  if row.stops then
    tasks.sleep(1)
    local after = requests(s, r.broken + 200, math.huge)
    if after > 0 then r.say("%d requests after it has stopped", after) end
    return
  end
  for _, sink in ipairs(sinks(s)) do
    local first = tasks.wait(function() return first_taken(s, sink, healed) end, RECOVERY, sink .. ": a value after the heal")
    r.recovery = math.max(r.recovery or 0, (first.t - healed) / 1000)
    if not row.by_pace and not row.flows and first.i < done - STALE then
      r.say("%s: %d was sent when the task was at %d", sink, first.i, done)
    end
  end
end

local function last_value(row, s)
  break_it(row, s)
  s:end_task()
  tasks.wait(function() return select(2, s:written()) == world.TOTAL end, 20, "the task's end")
  tasks.sleep(LAST_STANDS)
  heal_it(row, s)
  for _, sink in ipairs(sinks(s)) do
    tasks.wait(function() return s:taken(sink) == world.TOTAL end, LAST, sink .. ": the task's last value")
  end
end

local function terminate(s, r)
  local status
  status, r.exit = s:terminate(EXIT + 20)
  if status ~= 0 then r.say("ended with status %s", tostring(status))
  elseif r.exit > EXIT then r.say("took %.1f s to end", r.exit) end
end

local function flow(row, s, r, opts)
  s:start(row.prepare and row.prepare(s))
  s:start_task()
  for _, sink in ipairs(row.first or sinks(s)) do
    tasks.wait(function() return s:taken(sink) end, READY, sink .. ": a first value")
  end
  local before = s:memory()
  stand(row, s, r, opts.seconds or M.SECONDS)
  heal(row, s, r)
  if not shell.alive(s.process.pid) then r.say "the reporter has ended" end
  if not row.stops then
    last_value(row, s)
    r.growth = s:memory() - before
    if opts.memory ~= false and r.growth > GROWTH_KIB then r.say("%d KiB more than before", r.growth) end
    r.exact = true
    break_it(row, s)
    tasks.sleep(0.2)
  else
    s:end_task()
    tasks.wait(function() return select(2, s:written()) == world.TOTAL end, 20, "the task's end")
  end
  terminate(s, r)
end

--- Runs the rows against one world.
---@param w headway.spec.World
---@param rows headway.spec.FaultRow[]
---@param opts? { seconds?: number, memory?: boolean, more?: (fun())[] }  memory = false: is not looked at; more: flows that
---  run beside
---@return headway.spec.FaultResult[]
function M.run(w, rows, opts)
  opts = opts or {}
  local specs, flows, results = {}, {}, {}
  for i, row in ipairs(rows) do specs[i] = { name = "f" .. i, status = row.status } end
  local subjects = w:subjects(specs)
  for i, row in ipairs(rows) do
    local r = { name = row.name, problems = {} }
    function r.say(...) r.problems[#r.problems + 1] = string.format(...) end
    results[i] = r
    flows[i] = function() flow(row, subjects[i], r, opts) end
  end
  for _, more in ipairs(opts.more or {}) do flows[#flows + 1] = more end
  local errors = tasks.run(flows)
  local standing = w:standing(subjects)
  for i, s in ipairs(subjects) do
    local r, sent = results[i], s:sent()
    if errors[i] then r.say("%s", errors[i]) end
    local wrong = s:wrong(sent)
    r.values, r.wrong = #sent, #wrong
    for _, why in ipairs(wrong) do r.say("wrong: %s", why) end
    for _, sink in ipairs(r.exact and sinks(s) or {}) do
      if standing[i][sink] ~= ("%d/%d"):format(world.TOTAL, world.TOTAL) then
        r.say("%s stands at %s", sink, tostring(standing[i][sink]))
      end
    end
    local new = s.remade_operation and w.c:get(s.remade_operation)
    if new and (new.status.infos or {}).progress then r.say("the new operation got %s", new.status.infos.progress) end
    if s.remade and standing[i].annotation then r.say("the new pod got %s", standing[i].annotation) end
    if #r.problems > 0 then
      r.log = s.process and s.process:err():sub(-3000)
      r.say("%s", "headway says:\n" .. tostring(r.log))
    end
    s:close()
  end
  return results, errors
end

--- For messages.
function M.show(results)
  for _, r in ipairs(results) do
    print(cjson.encode { name = r.name, requests = r.requests, allowed = r.allowed, recovery = r.recovery, growth = r.growth,
      values = r.values, exit = r.exit, problems = #r.problems })
  end
end

return M
