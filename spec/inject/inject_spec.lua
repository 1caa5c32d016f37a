--- Every error path of the commands: each system call and each allocation fails once, see walk.lua.
local scenarios = require "spec.inject.scenarios"
local walk = require "spec.inject.walk"

local missing = walk.missing()
if missing then return pending("fault injection: " .. missing) end

local modes = {
  { name = "each system call fails", class = "call" },
  { name = "each allocation fails", class = "memory" },
  { name = "each call of the worker fails", class = "call", who = "worker" },
}

local choice = walk.choice()
if type(choice) == "number" then print(("    fault injection: every tenth, HEADWAY_INJECT=%d"):format(choice)) end

describe("fault injection:", function()
  for _, scenario in ipairs(scenarios) do
    for i = 1, scenario.worker and #modes or 2 do
      local mode = modes[i]
      it(("%s: %s"):format(scenario.name, mode.name), function()
        local complaints, count, walked = walk.walk(scenario, mode)
        if os.getenv "HEADWAY_INJECT" then
          print(("    %-34s %-24s %5d of %5d"):format(scenario.name, mode.name, walked, count))
        end
        assert.is_true(count > 0)
        if #complaints > 0 then error(table.concat(complaints, "\n"), 0) end
      end)
    end
  end
end)
