--- tar: --checkpoint, --totals, -v.
-- Seen: 1.34, 1.35 of GNU, also in German and French. Needs --checkpoint=N, with any action that prints, or -v.
--   tar: Write checkpoint 100                                    records, of 20 blocks of 512 bytes: option blocking
--   tar: Schreib-Kontrollpunkt 50
--   W: 645120 (630KiB, 1.4MiB/s)                                 "%T" in --checkpoint-action=echo or ttyout
--   Total bytes written: 12052480 (12MiB, 1.1MiB/s)              --totals, --checkpoint-action=totals
--   .......                                                      --checkpoint-action=dot: they are counted
--   photos/2023/img_039.raw                                      -v: any other line is an entry
--   tar: Exiting with failure status due to previous errors
-- Bytes count, exact where tar says so itself, else records: the last checkpoint is up to N records before the end. tar
-- knows no total: the setting `total` gives it one. With -v a line of anything else that writes to the same log
-- is counted, too.
local units = require "headway.units"

---@class headway.parser.tar : headway.Parser
---@field record integer    bytes of one
---@field bytes integer?
---@field dots integer
---@field entries integer
---@field ended string?
local M = {
  api = 1, name = "tar", tool = "tar", versions = "1.34 to 1.35", unit = "bytes",
  commands = { "tar" },
  shows = { "--checkpoint", "-v", "--verbose" },
  options = {
    blocking = {
      type = "integer", default = 20, min = 1, max = 1048576, help = "blocks of 512 bytes in a record, as tar -b",
    },
  },
}
M.__index = M

---@param opts { blocking: integer }
function M.new(opts) return setmetatable({ record = opts.blocking * 512, dots = 0, entries = 0 }, M) end

--- Bytes, or entries, or dots, whichever of them there is; the others beside it.
---@return headway.Sample
function M:say(restart)
  local counts = {}
  if self.bytes then counts[1] = { done = self.bytes, unit = "bytes" } end
  if self.entries > 0 then counts[#counts + 1] = { done = self.entries, unit = "entries" } end
  if self.dots > 0 then counts[#counts + 1] = { done = self.dots, unit = "checkpoints" } end
  local first = table.remove(counts, 1)
  return { done = first.done, unit = first.unit, restart = restart, also = #counts > 0 and counts or nil }
end

--- What falls is of another tar.
function M:count(bytes)
  local restart = self.bytes and bytes < self.bytes or nil
  self.bytes = bytes
  if restart then
    self.entries, self.dots = 0, 0
  end
  return self:say(restart)
end

local TOTALS_MAX = 96 -- bytes of "12052480 (12MiB, 1.1MiB/s)"

local function totals(record)
  local upto = record:match "^.*/s%)()"
  if not upto then return nil end
  local digits = record:sub(math.max(1, upto - TOTALS_MAX), upto - 1):match "(%d+) %([%d.,]+%a*, [%d.,?]+%a*/s%)$"
  return digits and units.integer(digits)
end

--- "tar: Write checkpoint 100", in any language: words, then a number.
local function checkpoint(record)
  local words, digits = record:match "^tar: ([^%d]+) (%d+)$"
  if not words or words:find " status$" then return nil end
  return units.integer(digits)
end

--- tar's own words when it ends badly.
function M:trouble(record)
  if record:find("Error is not recoverable", 1, true) then
    self.ended = "failed"
  elseif record:find("due to previous errors", 1, true) then
    self.ended = "partial"
  else
    return nil
  end
  return { ended = self.ended, message = record:sub(6) }
end

function M:feed(record)
  local bytes = totals(record)
  if bytes then return self:count(bytes) end
  if record:find("tar: ", 1, true) == 1 then
    local records = checkpoint(record)
    if not records then return self:trouble(record) end
    if records > math.maxinteger // self.record then return nil, "records over 63 bits" end
    return self:count(records * self.record)
  end
  if record:find "^%.+$" then
    self.dots = self.dots + #record
  else
    self.entries = self.entries + 1
  end
  return self:say()
end

--- 1: files differ, or changed while they were read.
---@param code? integer
function M:finish(code)
  if not code then return self.ended and { ended = self.ended } or nil end
  if code == 0 then return { ended = "complete" } end
  return { ended = (code == 1 or (code == 2 and self.ended == "partial")) and "partial" or "failed" }
end

return M
