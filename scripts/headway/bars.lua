--- Several bars at once: a tool that draws one for each file that is under way.
--   local b = bars.new()
--   b:set("a.bin", 10, 100)  b:set("b.bin", 5, 50)  b:set("a.bin", 20, 100)
--   b:sum()                  25, 150
-- Names come from outside: at most 256 are kept. A bar that is full may be folded into the sum to make room.
local units = require "headway.units"

---@class headway.bars
local bars = {}

local BARS_MAX = 256

---@class headway.Bars
---@field bars table<string, { done: integer, total: integer? }>
---@field count integer
---@field folded integer   done of bars that were dropped because they were full
local Bars = {}
Bars.__index = Bars

---@return headway.Bars
function bars.new()
  return setmetatable({ bars = {}, count = 0, folded = 0 }, Bars)
end

--- Makes room: full bars become part of the sum.
function Bars:fold()
  for name, bar in pairs(self.bars) do
    if bar.total and bar.done >= bar.total then
      self.folded = units.add(self.folded, bar.total)
      self.bars[name] = nil
      self.count = self.count - 1
    end
  end
end

--- Sets one bar. What it shows less than before is taken as it was before.
---@param name string
---@param done integer
---@param total? integer
---@return boolean known  false: there are too many bars, it is not counted
function Bars:set(name, done, total)
  local bar = self.bars[name]
  if not bar then
    if self.count >= BARS_MAX then self:fold() end
    if self.count >= BARS_MAX then return false end
    bar = { done = 0 }
    self.bars[name] = bar
    self.count = self.count + 1
  end
  bar.done = math.max(bar.done, done)
  bar.total = total and math.max(total, bar.done) or nil
  return true
end

--- All bars together.
---@return integer done
---@return integer? total  nil: one of them has none
function Bars:sum()
  local done, total = self.folded, self.folded
  for _, bar in pairs(self.bars) do
    done = units.add(done, bar.done)
    total = total and bar.total and units.add(total, bar.total) or nil
  end
  return done, total
end

return bars
