--- Phases one after another, as a log names them: how many there are is not known.
--   local p = phases.new()
--   p:of "check"          { name = "check", index = 1 }
--   p:of "prune"          { name = "prune", index = 2 }
--   p:of("prune", true)   { name = "prune", index = 3 }
---@class headway.phases
local phases = {}

local INDEX_MAX = 999 -- of a phase

---@class headway.Phases
---@field now headway.Phase?   the one that runs
local Phases = {}
Phases.__index = Phases

---@return headway.Phases
function phases.new() return setmetatable({}, Phases) end

--- The phase of this name: the one that runs, else the next.
---@param name string
---@param anew? boolean   it is the next one although it has the same name
---@return headway.Phase
function Phases:of(name, anew)
  local now = self.now
  if not now or anew or now.name ~= name then
    self.now = { name = name, index = now and math.min(now.index + 1, INDEX_MAX) or 1 }
  end
  return self.now
end

return phases
