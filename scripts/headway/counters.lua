--- Counters that begin again: a tool that counts each of its files from zero.
--   local bytes = counters.new()
--   bytes:feed(10) 10   bytes:feed(90) 90   bytes:feed(5) 95, true
local units = require "headway.units"

---@class headway.counters
local counters = {}

---@class headway.Counter
---@field last integer   as it was read last
---@field base integer   what the runs before this one came to
---@field runs integer   how often it began
local Counter = {}
Counter.__index = Counter

---@return headway.Counter
function counters.new()
  return setmetatable({ last = 0, base = 0, runs = 1 }, Counter)
end

--- Takes what was read. A smaller value than the last one is another run.
---@param n integer  not below 0
---@return integer sum     over all runs, at most 2^63-1
---@return boolean begun   whether this one begins another run
function Counter:feed(n)
  local begun = n < self.last
  if begun then
    self.base = units.add(self.base, self.last)
    self.runs = self.runs + 1
  end
  self.last = n
  return units.add(self.base, n), begun
end

return counters
