--- Phases of one task, perhaps with weights: which part of the work a sample is of.
--   local p = phases.new { { name = "scan", weight = 0.1 }, { name = "copy", weight = 0.9 } }
--   p:enter "copy"
--   return p:sample { done = 3, total = 10 }   gets phase = { name = "copy", index = 2, count = 2, weight = 0.9 }
-- With weights the whole is one fraction; then all phases have one, and they make 1 at most. A phase that was
-- left is not entered again: lines that come late don't move the task back.
---@class headway.phases
local phases = {}

---@class headway.Phases
---@field list headway.Phase[]
---@field now integer   0 = none was entered
local Phases = {}
Phases.__index = Phases

--- Wrong use raises: it is the parser's own text.
---@param list { name: string, weight: number? }[]
---@return headway.Phases
function phases.new(list)
  local p, sum, weights = { list = {}, now = 0 }, 0, 0
  for i, phase in ipairs(list) do
    p.list[i] = { name = phase.name, index = i, count = #list, weight = phase.weight }
    sum = sum + (phase.weight or 0)
    weights = weights + (phase.weight and 1 or 0)
  end
  if weights ~= 0 and weights ~= #list then error("phases: some have a weight, some have none", 2) end
  if sum > 1 + 1e-9 then error("phases: weights make more than 1", 2) end
  return setmetatable(p, Phases)
end

--- Enters a phase by its name, when it lies ahead.
---@param name string
---@return boolean entered  false: it is the present one, one that is over, or none
function Phases:enter(name)
  for i = self.now + 1, #self.list do
    if self.list[i].name == name then
      self.now = i
      return true
    end
  end
  return false
end

--- Says in a sample which phase it is of.
---@param sample headway.Sample
---@return headway.Sample sample  the same table
function Phases:sample(sample)
  sample.phase = self.list[self.now]
  return sample
end

return phases
