--- Parts one after another: a tool that counts each of its files from zero, and tells no total of all.
--   local p = parts.new()
--   p:take { done = 5, total = 9 }   as it is
--   p:close()                        that file is over
--   p:take { done = 1, total = 7 }   gets phase = { index = 2 }
-- The first part gets no phase, since most runs have one file. What falls within a part began anew; what falls a
-- little was rounded, or goes over the wire again: it is held.
---@class headway.parts
local parts = {}

local INDEX_MAX = 999 -- of a phase

---@class headway.Parts
---@field index integer     which part this is, 0 = none yet
---@field count integer?    of how many, where the tool says so
---@field name string?      of this part
---@field over boolean      what comes next is of another part
---@field done integer      of this part
---@field fraction number   of this part
local Parts = {}
Parts.__index = Parts

---@return headway.Parts
function parts.new()
  return setmetatable({ index = 0, over = true, done = 0, fraction = 0 }, Parts)
end

--- The present part is over.
function Parts:close() self.over = true end

--- How many parts are over.
---@return integer
function Parts:closed() return self.over and self.index or self.index - 1 end

--- Whether a smaller value is one that was rounded or is sent again, rather than a beginning.
local function is_slip(last, now) return now >= last - last / 8 end

--- Takes a count, a fraction or both, of the present part: holds it, or says that it began anew; adds the phase.
---@param sample headway.Sample
---@return headway.Sample sample  the same table
function Parts:take(sample)
  if self.over then
    self.over, self.index, self.done, self.fraction = false, self.index + 1, 0, 0
    sample.restart = self.index > INDEX_MAX or nil
  end
  local done, total, fraction = sample.done, sample.total, sample.fraction
  if done and total and done > total then done = total end -- both were rounded
  if (done and not is_slip(self.done, done)) or (fraction and not is_slip(self.fraction, fraction)) then
    sample.restart, self.done, self.fraction = true, 0, 0
  end
  if done then
    self.done = math.max(done, self.done)
    sample.done, sample.total = self.done, total and math.max(total, self.done)
  end
  if fraction then
    self.fraction = math.max(fraction, self.fraction)
    sample.fraction = self.fraction
  end
  if self.index > 1 or (self.count or 0) > 1 then
    local index = math.min(self.index, INDEX_MAX)
    local count = self.count and self.count >= index and self.count <= INDEX_MAX and self.count or nil
    sample.phase = { index = index, count = count, name = self.name }
  end
  return sample
end

return parts
