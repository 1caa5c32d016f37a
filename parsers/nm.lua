--- "N/M": done over total. For progress files, and for logs in which a task says how far it is.
-- In a progress file (strict) the record is that or wrong, and a message may follow the counts. In a log only a
-- line that is N/M and nothing else counts ("10/11 tests passed" is no progress), all others say nothing.
-- Forms: "40/100", " 040 / 100 ", "40/100 copying a.bin" (file only), "0/0" (nothing known yet).
local nm = require "headway.core".nm

---@class headway.parser.nm : headway.Parser
---@field strict boolean
---@field sample headway.Sample
local M = {
  api = 1, name = "nm", unit = "items", word = true,
  hints = { "/" }, -- of a log; a progress file is looked at line by line, since what is no N/M there is refused
  newest = "^%+/%=$", -- a smaller N, or another M, is the task's word too, and a restart
  options = { unit = { type = "string", default = "items", help = "what is counted" } },
}
M.__index = M

local BOM = "^\xEF\xBB\xBF"

---@param opts { unit: string, strict: boolean }
function M.new(opts)
  return setmetatable({ strict = opts.strict, sample = { unit = opts.unit } }, M)
end

---@param record string
---@return headway.Sample? sample
---@return string? err
function M:feed(record)
  local done, total, message = nm(record) -- without done, total says why
  if not done then
    if not self.strict or record:find "^%s*$" or record:find(BOM .. "%s*$") then return nil end
    return nil, total
  end
  if message and not self.strict then return nil end
  local s = self.sample -- the host has read it before the next record comes: one table does for all
  s.done, s.total, s.message = done, total, message
  return s
end

return M
