--- git: clone, fetch, push, gc, fsck, checkout.
-- Seen: 2.39.5, in English and German. On a pipe it needs --progress; checkout shows none before two seconds
-- unless GIT_PROGRESS_DELAY=0. What LFS prints has the same form, not recorded.
--   remote: Counting objects:  42% (351/837)
--   Receiving objects:  89% (745/837), 8.98 MiB | 17.12 MiB/s
--   Löse Unterschiede auf: 100% (554/554), fertig.
--   fatal: early EOF
-- Each title is a phase with counts of its own; how many come is not known. What the server says once the
-- client's own counts run is left out. The log has no word of success.
local ends = require "headway.ends"
local phases = require "headway.phases"
local units = require "headway.units"

---@class headway.parser.git : headway.Parser
---@field phases headway.Phases
---@field now table?   the one that runs: remote, done, total
---@field ended string?
local M = {
  api = 1, name = "git", tool = "git", versions = "2.39", unit = "objects",
  commands = { "git" },
  hints = { "% (", "fatal: ", "error: failed" },
}
M.__index = M

local UNITS = { objects = true, deltas = true, files = true, commits = true, content = true }

function M.new() return setmetatable({ phases = phases.new() }, M) end

--- The phase that a line is of; nil: it is to be left out.
---@return headway.Phase?
function M:phase_of(title, remote, done, total)
  local now = self.now
  local same = now and now.remote == remote and now.total == total and done >= now.done
  if now and not same and remote and not now.remote and now.done < now.total then return nil end
  return self.phases:of(title, not same)
end

function M:feed(record)
  local words = record:match "^fatal: (.*)$" or record:match "^error: (failed .*)$"
  if words then
    self.ended = "failed"
    return { ended = "failed", message = words }
  end
  local remote = record:find("^remote: ") ~= nil
  local title, done, total, behind = record:match("^([^:%d][^:]*): +%d+%% %((%d+)/(%d+)%)()", remote and 9 or 1)
  if not title then return nil end
  done, total = units.integer(done), units.integer(total)
  if not done or not total then return nil, "counts over 63 bits" end
  if done > total then return nil, "more done than there is" end
  local phase = self:phase_of(title, remote, done, total)
  if not phase then return nil end
  self.now = { remote = remote, done = done, total = total }
  local unit = title:match "(%a+)$"
  local bytes = record:match("^, (%d[%d.]* %a+) | ", behind)
  bytes = bytes and units.size(bytes, 1024, ".")
  return {
    done = done, total = total, unit = UNITS[unit] and unit or "items", phase = phase,
    also = bytes and { { done = bytes, unit = "bytes" } } or nil,
  }
end

M.finish = ends.by_status

return M
