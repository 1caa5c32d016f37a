--- rsync -n: what would be copied. Its progress2 is that of a real run to the last byte, only the command line tells.
-- Seen: 3.5.0. Where the command is not known, rsync.lua knows a dry run by its last line: "total size is ... (DRY
-- RUN)".
--        12,000,000 100%   11.18GB/s    0:00:00 (xfr#60, to-chk=0/65)        nothing was copied
-- Entries are checked as in any run, so they count; bytes and files would be those of the next one.
local rsync = require "parsers.rsync"

---@class headway.parser.rsync_dry : headway.Parser
---@field inner headway.Parser
local M = {
  api = 1, name = "rsync_dry", tool = "rsync", versions = "3.0 to 3.5", unit = "entries",
  commands = { "rsync -n", "rsync --dry-run" },
  hints = { "%", "file list", "rsync", "speedup is", "vanished" },
}
M.__index = M

function M.new() return setmetatable({ inner = rsync.new { base = 1000, mode = "total" } }, M) end

--- The best end that it can have.
local function less(ended) return ended == "complete" and "partial" or ended end

function M:feed(record)
  local s, why = self.inner:feed(record)
  if not s then return nil, why end
  local counted = s.unit == "entries"
  return {
    done = counted and s.done or nil, total = counted and s.total or nil, unit = counted and s.unit or nil,
    scanning = s.scanning, restart = s.restart, ended = less(s.ended), message = s.message or rsync.DRY,
  }
end

---@param code? integer
function M:finish(code)
  local s = self.inner:finish(code)
  return s and { ended = less(s.ended), message = rsync.DRY } or nil
end

return M
