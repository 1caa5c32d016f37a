--- Ends of a reporter at random moments, many at once: SIGTERM, after which the pod must carry what the task had written last; and
--- SIGKILL with a new reporter after it, which must move nothing back.
---
--- What the task "had written" is exact from both sides: it notes a value before and after each write. What was noted as done
--- before the signal was sent must be published, or something newer; and what is published must have been begun.
local shell = require "spec.support.cluster_shell"
local tasks = require "spec.support.tasks"
local world = require "spec.faults.world"

local M = {}

local EXIT = 6
local HOW = { "rename", "echo", "append" }
local PACES = { 0.002, 0.01, 0.05, 0.2 } -- seconds between two writes

local function result(results, name)
  local r = { name = name, problems = {} }
  function r.say(...) r.problems[#r.problems + 1] = string.format(...) end
  results[#results + 1] = r
  return r
end

--- The pod's and the operation's value, as a number of the task; nil when it is none.
local function stands(value)
  local i, total = (value or ""):match "^(%d+)/(%d+)$"
  return total == tostring(world.TOTAL) and math.tointeger(tonumber(i)) or nil
end

---@param s headway.spec.Subject
local function end_by_term(s, r, delay)
  local how, pace = HOW[math.random(#HOW)], PACES[math.random(#PACES)]
  r.how = ("%s each %g ms, SIGTERM after %.3f s"):format(how, pace * 1000, delay)
  s:start { HEADWAY_DEADLINE = "10s" }
  s:start_task(how, pace)
  tasks.wait(function() return select(2, s:written()) > 0 end, 20, "the task's first value")
  tasks.sleep(delay)
  local _, done = s:written() -- before the signal
  local status
  r.done = done
  status, r.exit = s:terminate(EXIT + 20)
  s.task:kill "KILL"
  if status ~= 0 then r.say("ended with status %s", tostring(status)) end
end

local function judge_term(s, r, standing)
  local begun = s:written()
  for sink, value in pairs(standing) do
    local i = stands(value)
    if not i or i < r.done then r.say("%s stands at %s, %d was complete before SIGTERM", sink, tostring(value), r.done) end
    if i and not begun[i] then r.say("%s stands at %s, which was never begun", sink, value) end
  end
  if not standing.annotation then r.say "no annotation" end
  for _, why in ipairs(s:wrong(s:sent())) do r.say("wrong: %s", why) end
end

--- The runs, as flows for `tasks.run`.
---@param w headway.spec.World  without proxy
---@param count integer
---@return (fun())[] flows
---@return table[] results
---@return fun() judge  after the flows
function M.terms(w, count)
  local flows, results, specs = {}, {}, {}
  for i = 1, count do specs[i] = { name = w.c:unique "term", status = i % 4 == 0 } end
  local subjects = w:subjects(specs)
  for i, s in ipairs(subjects) do
    local r = result(results, ("SIGTERM, run %d"):format(i))
    flows[i] = function() end_by_term(s, r, math.random() ^ 2 * 3) end
  end
  return flows, results, function()
    local standing = w:standing(subjects)
    for i, s in ipairs(subjects) do
      judge_term(s, results[i], standing[i])
      if #results[i].problems > 0 then results[i].say("%s\nheadway says:\n%s", results[i].how or "", s.process:err():sub(-2000)) end
      s:close()
    end
  end
end

---@param s headway.spec.Subject
local function kill_and_restart(s, r, times)
  s:start_task(HOW[math.random(#HOW)], 0.02)
  tasks.wait(function() return select(2, s:written()) > 0 end, 20, "the task's first value")
  r.kills = 0
  for _ = 1, times do
    s:start()
    tasks.sleep(math.random() ^ 2 * 1.5)
    s.process:kill "KILL"
    tasks.wait(function() return shell.exists(s.process.dir .. "/status") end, 20, "the reporter's end")
    s.process:close()
    r.kills = r.kills + 1
  end
  s:start()
  s:end_task()
  tasks.wait(function() return s:taken "annotation" == world.TOTAL end, 60, "the newest value")
  local status = s:terminate(EXIT + 20)
  if status ~= 0 then r.say("ended with status %s", tostring(status)) end
end

--- SIGKILL at random moments, and a new reporter each time.
---@param w headway.spec.World  without proxy
---@param count integer  pods
---@param times integer  kills for each
function M.kills(w, count, times)
  local flows, results, specs = {}, {}, {}
  for i = 1, count do specs[i] = { name = w.c:unique "kill" } end
  local subjects = w:subjects(specs)
  for i, s in ipairs(subjects) do
    local r = result(results, ("SIGKILL, pod %d"):format(i))
    flows[i] = function() kill_and_restart(s, r, times) end
  end
  return flows, results, function()
    local standing = w:standing(subjects)
    for i, s in ipairs(subjects) do
      local r = results[i]
      for _, why in ipairs(s:wrong(s:sent())) do r.say("wrong: %s", why) end
      if stands(standing[i].annotation) ~= world.TOTAL then r.say("the pod stands at %s", tostring(standing[i].annotation)) end
      if #r.problems > 0 then r.say("headway says:\n%s", s.process:err():sub(-2000)) end
      s:close()
    end
  end
end

--- Runs flows in batches, so that not all processes live at once; errors become problems of the results.
---@param flows (fun())[]
---@param results table[]
---@param at_once integer
function M.run(flows, results, at_once)
  for from = 1, #flows, at_once do
    local batch = table.move(flows, from, math.min(from + at_once - 1, #flows), 1, {})
    for i, why in ipairs(tasks.run(batch)) do
      if why then results[from + i - 1].say("%s", why) end
    end
  end
end

return M
