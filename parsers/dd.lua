--- dd: status=progress, and what it prints when it ends or gets SIGUSR1.
-- Seen: 8.32, 9.1, 9.7 of GNU, also in German and French; busybox 1.35. Needs status=progress, or a SIGUSR1 each time.
--   1114112 bytes (1.1 MB, 1.1 MiB) copied, 1 s, 1.1 MB/s
--   2162688 Bytes (2,2 MB, 2,1 MiB) kopiert, 2 s, 1,1 MB/s
--   160+0 records in
--   160+0 records out                                             busybox: these two alone
--   dd: error writing '/dev/full': No space left on device
-- Bytes count. dd knows no total: the setting `total` gives it one. The last lines are the same as those for
-- SIGUSR1: they prove no end.
local ends = require "headway.ends"
local units = require "headway.units"

---@class headway.parser.dd : headway.Parser
---@field bytes integer?
---@field records integer?   written, whole ones and parts
---@field half boolean       the line of what was read is there, that of what was written comes next
---@field ended string?
local M = {
  api = 1, name = "dd", tool = "dd", versions = "8.32 to 9.7", unit = "bytes",
  commands = { "dd", "busybox dd" },
  shows = { "status=progress" },
  hints = { "s, ", "+", "dd: " },
}
M.__index = M

function M.new() return setmetatable({ half = false }, M) end

--- What falls is of another dd.
function M:count(record, digits)
  if not (record:find("[ \xA0]s, ") or record:find(" seconds, ", 1, true)) then return nil end
  local n = units.integer(digits)
  if not n then return nil, "bytes over 63 bits" end
  local restart = self.bytes and n < self.bytes or nil
  local records = self.records
  self.bytes, self.records = n, nil -- those of the line before
  return { done = n, unit = "bytes", restart = restart, also = records and { { done = records, unit = "records" } } }
end

--- In pairs: read, written. Bytes follow, but with busybox.
function M:pair(whole, part)
  self.half = not self.half
  if self.half then return nil end
  local n, m = units.integer(whole), units.integer(part)
  if not n or not m then return nil, "records over 63 bits" end
  local last = self.records
  self.records = units.add(n, m)
  if self.bytes then return nil end
  return { done = self.records, unit = "records", restart = last and self.records < last or nil }
end

function M:feed(record)
  local digits = record:match "^(%d+)[ \xC2][%a\x80-\xFF]+[ \xC2]" -- narrow blanks in French
  if digits then return self:count(record, digits) end
  local whole, part = record:match "^(%d+)%+(%d+)[ \xC2]"
  if whole then return self:pair(whole, part) end
  local words = record:match "^dd: (.*)$"
  if not words or words:find "^warning" then return nil end
  self.ended = "failed"
  return { ended = "failed", message = words }
end

M.finish = ends.by_status

return M
