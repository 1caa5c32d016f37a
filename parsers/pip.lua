--- pip download, pip install.
-- Seen: 26.3 (bar, on a pipe too; --progress-bar=raw), 21.3 (older bar).
--     Downloading numpy-2.4.6-cp311-....whl (16.9 MB)
--        ━━━━━━━━━━╸━━━━━━━━━ 10.2/16.9 MB 3.1 MB/s eta 0:00:05
--        |████████▏                       | 4.2 MB 3.1 MB/s eta 0:00:05          before 22
--     Progress 262144 of 16918164                                               raw
--   Successfully downloaded numpy
-- Each file is a phase with counts of its own; how many come is not known. Small files have no bar. Sizes are
-- rounded, but for raw.
local ends = require "headway.ends"
local phases = require "headway.phases"
local units = require "headway.units"

---@class headway.parser.pip : headway.Parser
---@field files headway.Phases
---@field file { phase: headway.Phase, total: integer?, done: integer }?
---@field ended string?
local M = {
  api = 1, name = "pip", tool = "pip", versions = "21.3 to 26.3", unit = "bytes",
  commands = { "pip download", "pip install", "pip wheel", "python -m pip" },
  hints = { "Downloading ", "B/s", " eta ", "Progress ", "Successfully ", "ERROR: " },
}
M.__index = M

function M.new() return setmetatable({ files = phases.new() }, M) end

function M:open(name, total)
  self.file = { phase = self.files:of(name, true), done = 0, total = total }
  return self.file
end

---@return headway.Sample? sample, string? why
function M:say(done, total)
  local file = self.file or self:open "file"
  if not done then return nil, "bytes over 63 bits" end
  file.total = total or file.total
  file.done = math.max(file.done, done)
  if file.total and file.done > file.total then file.done = file.total end
  return { done = file.done, total = file.total, unit = "bytes", phase = file.phase }
end

local function size(number, unit) return units.size(number .. unit, 1000, ".") end

--- The counts of a bar, behind the last byte of it: "10.2/16.9 MB 3.1 MB/s", "4.2 MB 3.1 MB/s".
function M:bar(record)
  local at = record:match "^ +[\x80-\xFF%-]+() " or record:match "^ +|[\x80-\xFF# ]*|()"
  if not at then return nil end
  local done, total, unit = record:match("^ (%d[%d.]*)/(%d[%d.]*) (%a?B) ", at)
  if done then
    local n, m = size(done, unit), size(total, unit)
    if not n or not m then return nil, "bytes over 63 bits" end
    return self:say(math.min(n, m), m)
  end
  done, unit = record:match("^ (%d[%d.]*) (%a?B) ", at)
  if done then return self:say(size(done, unit)) end
  return nil
end

function M:feed(record)
  local done, total = record:match "^ *Progress (%d+) of (%d+)$"
  if done then
    done, total = units.integer(done), units.integer(total)
    if not done or not total then return nil, "bytes over 63 bits" end
    if done > total then return nil, "more done than there is" end
    return self:say(done, total)
  end
  local name, of = record:match "^ *Downloading (%S+) %((%d[%d.]* %a?B)%)$"
  if name then
    self:open(name:match "[^/]*$", size(of, ""))
    return self:say(0)
  end
  if record:find "^Successfully %a+ed " then
    self.ended = "complete"
    return { ended = "complete" }
  end
  local words = record:match "^ERROR: (.*)$"
  if words then
    self.ended = "failed"
    return { ended = "failed", message = words }
  end
  return self:bar(record)
end

M.finish = ends.by_status

return M
