--- Ends of a reporter at random moments, against a real API server, many at once: see spec/faults/endings.lua.
--- HEADWAY_RUNS sets how many: 20 by default, `./dev soak` takes 200.
local cluster = require "spec.support.cluster"
if cluster.skip(pending) then return end
if not pcall(require, "socket") then return pending "no lua-socket" end
local endings = require "spec.faults.endings"
local world = require "spec.faults.world"

local RUNS = math.tointeger(tonumber(os.getenv "HEADWAY_RUNS" or 20))
local AT_ONCE = 20
local KILLS = 5 -- for each pod

--- The problems of all runs, one after another.
local function problems(make, ...)
  local w = world.new(cluster.shared())
  local flows, results, judge = make(w, ...)
  endings.run(flows, results, AT_ONCE)
  judge()
  w:close()
  local lines = {}
  for _, r in ipairs(results) do
    for _, why in ipairs(r.problems) do lines[#lines + 1] = r.name .. ": " .. why end
  end
  return lines
end

it(("SIGTERM at a random moment, %d times: the last complete write is what the pod carries"):format(RUNS), function()
  local lines = problems(endings.terms, RUNS)
  assert.equal(0, #lines, table.concat(lines, "\n"))
end)

it(("SIGKILL at a random moment and a restart, %d times: nothing moves back, the newest value follows"):format(RUNS), function()
  local lines = problems(endings.kills, math.max(1, RUNS // KILLS), KILLS)
  assert.equal(0, #lines, table.concat(lines, "\n"))
end)
