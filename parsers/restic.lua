--- restic: backup, restore, check, prune, copy and their like; with --json, or as text.
-- Seen: 0.14.0 (backup, check, prune), 0.18.0 (backup, restore). "exit_error" and "scan_finished" were not recorded:
-- they are read from its source (docs/parsers.md). On a pipe text needs RESTIC_PROGRESS_FPS=1; --json prints there
-- too, and its bytes are exact.
--   [0:02] 40.90%  12 files 17.164 MiB, total 36 files 41.962 MiB, 0 errors ETA 0:02
--   [0:06] 31 files 36.593 MiB, total 36 files 41.962 MiB, 0 errors
--   [0:05] 66.67%  4 / 6 packs                      check, prune: counters, one behind the other
--   [0:01] 72.63%  23 files/dirs 30.477 MiB, total 40 files/dirs 41.962 MiB                restore
--   Summary: Restored 40 files/dirs (41.962 MiB) in 0:01
--   processed 36 files, 41.962 MiB in 0:09
--   {"message_type":"status","percent_done":0.5,"total_files":36,"files_done":18,"total_bytes":44,"bytes_done":22}
--   {"message_type":"summary",...,"total_files_processed":36,"total_bytes_processed":44000000}
--   {"message_type":"exit_error","code":1,"message":"Fatal: wrong password or no key found"}
-- The total grows while restic looks for files, and nothing but -vv says when it is whole: a percent beside a time left
-- does, or the same total three times. At 100% it may still upload for long. Files that could not be read are
-- not in the summary; exit status 3 tells of them.
local jsonl = require "headway.jsonl"
local phases = require "headway.phases"
local units = require "headway.units"

---@class headway.parser.restic : headway.Parser
---@field whole boolean     the total is known to be all
---@field same integer      how often the total came again
---@field total integer     bytes, as last seen
---@field bytes integer
---@field files integer
---@field broken boolean    some files could not be read
---@field stages headway.Phases
---@field done integer      of the counter that runs
---@field of integer?       and its total
---@field ended string?
local M = {
  api = 1, name = "restic", tool = "restic", versions = "0.14 to 0.18", unit = "bytes",
  commands = { "restic" },
  hints = {
    '"message_type"', ", total ", " / ", "processed ", "Summary: Restored ", "Fatal: ", "at least one source file",
  },
  record_max = 16384, -- a JSON line lists the files that are under way
}
M.__index = M

local STEADY = 2 -- how often a total must come again
function M.new()
  return setmetatable({
    whole = false, same = 0, total = -1, bytes = 0, files = 0, broken = false, stages = phases.new(), done = 0,
  }, M)
end

--- Counts of a backup or restore; a total that is not known yet is nil.
---@return headway.Sample
function M:say(bytes, total, files, of_files)
  self.bytes, self.files = math.max(self.bytes, bytes), math.max(self.files, files)
  self.same = total == self.total and self.same + 1 or 0
  self.whole = self.whole or (total ~= nil and self.same >= STEADY)
  self.total = total or -1
  if total and total < self.bytes then total = self.bytes end
  if of_files and of_files < self.files then of_files = self.files end
  return {
    done = self.bytes, total = total, unit = "bytes", scanning = not self.whole or nil,
    also = { { done = self.files, total = of_files, unit = "files" } },
  }
end

--- The summary: what was processed is all there was, but for files that could not be read.
function M:close(bytes, files)
  self.whole = true
  self.ended = self.broken and "partial" or "complete"
  local total = self.broken and math.max(self.total, bytes) or bytes
  local s = self:say(bytes, total, files, not self.broken and files or nil)
  s.ended = self.ended
  return s
end

local UNREAD = 3 -- exit status of a backup that left out what it could not read

function M:unread()
  self.ended, self.broken = "partial", true
  return { ended = "partial", message = "some files could not be read" }
end

function M:fail(message)
  self.ended = "failed"
  return { ended = "failed", message = message }
end

--- ---- JSON ---------------------------------------------------------------------------------------

function M:status(line)
  local count = jsonl.count
  local bytes = count(line.bytes_done or line.bytes_restored or 0)
  local files = count(line.files_done or line.files_restored or 0)
  if not bytes or not files then return nil, "a count that is none" end
  self.broken = self.broken or (count(line.error_count) or 0) > 0
  self.whole = self.whole or line.bytes_restored ~= nil or (count(line.seconds_remaining) or 0) > 0
  return self:say(bytes, count(line.total_bytes), files, count(line.total_files))
end

function M:summary(line)
  local bytes = jsonl.count(line.total_bytes_processed or line.bytes_restored)
  local files = jsonl.count(line.total_files_processed or line.files_restored)
  if not bytes or not files then return nil end
  return self:close(bytes, files)
end

function M:json(record)
  local line, why = jsonl.decode(record)
  if why or type(line) ~= "table" then return nil, why end
  local kind = line.message_type
  if line.action == "scan_finished" then
    self.whole = true
    return nil
  end
  if kind == "status" then return self:status(line) end
  if kind == "summary" then return self:summary(line) end
  if kind == "error" then self.broken = true end
  if kind == "exit_error" and line.code == UNREAD then return self:unread() end
  if kind == "exit_error" then return self:fail(type(line.message) == "string" and line.message or nil) end
  return nil
end

--- ---- text ---------------------------------------------------------------------------------------

local function size(text) return units.size(text, 1024, ".") end

--- A counter of check or prune; each of another name, or that begins anew, is a phase.
function M:counter(done, total, noun)
  done, total = units.integer(done), units.integer(total)
  if not done or not total then return nil, "counts over 63 bits" end
  if done > total then return nil, "more done than there is" end
  local stage = self.stages:of(noun, total ~= self.of or done < self.done)
  self.done, self.of = done, total
  local unit = noun:match "^%a+"
  return { done = done, total = total, unit = unit and unit:sub(1, 24), phase = stage }
end

local STATUS = "^(%d+) files%S* (%d[%d.]* %a+), total (%d+) files%S* (%d[%d.]* %a+)(.*)$"

function M:text(record)
  local at = record:match "^%[[%d:]+%] +()"
  local percent = at and record:match("^[%d.]+%% +()", at)
  local files, bytes, of_files, total, rest = record:match(STATUS, percent or at or 1)
  if files then
    bytes, total = size(bytes), size(total)
    if not bytes or not total then return nil, "bytes over 63 bits" end
    self.whole = self.whole or percent ~= nil
    self.broken = self.broken or rest:find "^, 0*[1-9]%d* errors" ~= nil
    local n, m = units.integer(files), units.integer(of_files)
    if not n or not m then return nil, "counts over 63 bits" end
    return self:say(bytes, total, n, m)
  end
  local done, of, noun = record:match "^%[[%d:]+%] +[%d.]+%% +(%d+) / (%d+) (%S.*)$"
  if done then return self:counter(done, of, noun) end
  files, bytes = record:match "^processed (%d+) files, (%d[%d.]* %a+) in "
  if not files then files, bytes = record:match "^Summary: Restored (%d+) files/dirs %((%d[%d.]* %a+)%) in " end
  bytes, files = bytes and size(bytes), files and units.integer(files)
  return bytes and files and self:close(bytes, files) or nil
end

function M:feed(record)
  if record:find '^%s*{"message_type"' then return self:json(record) end
  local fatal = record:match "^Fatal: (.*)$"
  if fatal then return self:fail(fatal) end
  if record:find("^Warning: at least one source file could not be read") then
    return self:unread()
  end
  return self:text(record)
end

---@param code? integer
function M:finish(code)
  if not code then return self.ended and { ended = self.ended } or nil end
  return { ended = code == 0 and "complete" or code == UNREAD and "partial" or "failed" }
end

return M
