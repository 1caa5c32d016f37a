--- `headway run` under faults, between it and a real API server: each row of spec/faults/rows.lua with a reporter, a task and a
--- listener of the fault proxy of its own, all at once; beside them the faults of the real server (spec/faults/server.lua), on a
--- cluster of their own. What must hold is in spec/faults/runner.lua.
---
--- The sanitized build runs the rows that are marked `quick` (a fifth), and looks at no memory, which is the sanitizer's
--- there. HEADWAY_FAULTS=all runs all of them; `./dev soak` is the long version.
local cluster = require "spec.support.cluster"
local faults = require "spec.support.faults"
if cluster.skip(pending) or faults.skip(pending) then return end
local rows = require "spec.faults.rows"
local runner = require "spec.faults.runner"
local server = require "spec.faults.server"
local shell = require "spec.support.cluster_shell"
local world = require "spec.faults.world"

local SANITIZED = os.getenv "HEADWAY_PRESET" == "dev"
local ALL = not SANITIZED or os.getenv "HEADWAY_FAULTS" == "all"
local HAS_SHIM = not SANITIZED and shell.exists((os.getenv "HEADWAY_BUILD" or "build/plain") .. "/clock_shim.so")

local function chosen(list)
  local out = {}
  for _, row in ipairs(list) do
    if (ALL or row.quick) and (HAS_SHIM or not row.plain_only) then out[#out + 1] = row end
  end
  return out
end

local proxied, real = chosen(rows), chosen(server.rows)
local outcome = {} -- by name

setup(function()
  local c, own = cluster.shared(), assert(cluster.start())
  local w = world.new(c, faults.start(c))
  local flow, of_server, finish = server.flow(own, real)
  local results, errors = runner.run(w, proxied, { more = { flow }, memory = not SANITIZED })
  finish(errors[#proxied + 1])
  own:stop()
  w:close()
  for _, list in ipairs { results, of_server } do
    for _, r in ipairs(list) do outcome[r.name] = r end
  end
end)

for _, list in ipairs { proxied, real } do
  for _, row in ipairs(list) do
    it(row.name, function()
      local r = outcome[row.name]
      assert.equal(0, #r.problems, table.concat(r.problems, "\n"))
    end)
  end
end
