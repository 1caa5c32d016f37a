--- aws s3: cp, sync, mv, rm.
-- Seen: 1.45, 1.46 and 2.9, 2.23. No flag needed; --no-progress leaves the lines of the files, --quiet nothing.
--   Completed 105.9 KiB/~9.8 MiB (613.7 KiB/s) with ~52 file(s) remaining (calculating...)     totals grow
--   Completed 2.9 MiB/2.9 MiB (3.6 MiB/s) with 5 file(s) remaining
--   Completed 1 file(s) with 2 file(s) remaining                                               files of no bytes
--   upload: photos/img_001.raw to s3://demo/r1/img_001.raw        download, copy, move, delete
--   upload failed: photos/img_002.raw to s3://no-such/img_002.raw An error occurred (NoSuchBucket) when calling ...
--   (dryrun) upload: photos/img_001.raw to s3://demo/r3/img_001.raw
-- Bytes count, rounded to a tenth of their unit, and beside them the files: those with a line, and those that
-- remain. Bytes of a file that failed are counted too. No line tells the end: "remaining" ends at 1.
local units = require "headway.units"

---@class headway.parser.aws_s3 : headway.Parser
---@field done integer?       bytes
---@field total integer?      bytes
---@field files integer       with a line of their own
---@field failures integer
---@field all integer?        files there are
---@field scanning boolean?
---@field ended string?
---@field dry boolean?        it was only tried
local M = {
  api = 1, name = "aws_s3", tool = "aws-cli", versions = "1.45 to 2.23", unit = "bytes",
  commands = { "aws s3" },
  hints = { "Completed ", ": ", " failed", "cancelled" },
}
M.__index = M

function M.new() return setmetatable({ files = 0, failures = 0 }, M) end

--- Another command in the same log.
function M:begin() self.done, self.total, self.files, self.failures, self.all = nil, nil, 0, 0, nil end

---@return headway.Sample
function M:say(restart)
  local files = { done = self.files, total = self.all and math.max(self.all, self.files), unit = "files" }
  if not self.done then
    files.scanning, files.restart = self.scanning, restart
    return files
  end
  return {
    done = self.done, total = self.total, unit = "bytes", scanning = self.scanning, restart = restart, also = { files },
  }
end

--- What falls a little is sent again; what falls to a tenth, or below what there is, is another command's.
function M:bytes(done, total)
  local restart = self.done and (total < self.done or done <= self.done // 10) and done < self.done or nil
  if restart then self:begin() end
  self.done = math.max(math.min(done, total), self.done or 0)
  self.total = math.max(total, self.done)
  return restart
end

function M:remaining(record, from)
  local guess, left, rest = record:match("^with (~?)(%d+) file%(s%) remaining()", from)
  left = left and units.integer(left)
  if not left then return nil end
  self.scanning = (guess ~= "" or record:find("(calculating...)", rest, true)) and true or nil
  self.all = units.add(units.add(self.files, self.failures), left)
  return true
end

function M:progress(record)
  local n, n_unit, guess, m, m_unit, at = record:match "^Completed (%d[%d.]*) (%a+)/(~?)(%d[%d.]*) (%a+) %([^)]*%) ()"
  if n then
    local done, total = units.size(n .. n_unit, 1024, "."), units.size(m .. m_unit, 1024, ".")
    if not done or not total then return nil, "counts over 63 bits" end
    local restart = self:bytes(done, total)
    self:remaining(record, at)
    if guess ~= "" then self.scanning = true end
    return self:say(restart)
  end
  at = record:match "^Completed %d+ file%(s%) ()"
  return at and self:remaining(record, at) and self:say() or nil
end

local VERBS = { upload = true, download = true, copy = true, move = true, delete = true }

function M:feed(record)
  if record:find("Completed ", 1, true) == 1 then return self:progress(record) end
  if record:find("(dryrun) ", 1, true) == 1 then
    self.dry = true
    return { message = "dry run: nothing is copied" }
  end
  local verb = record:match "^(%l+): "
  if verb and VERBS[verb] then
    self.files = self.files + 1
    return self:say()
  end
  verb = record:match "^(%l+) failed: "
  if verb and VERBS[verb] then
    self.failures, self.ended = self.failures + 1, "failed"
    local sample = self:say()
    sample.message = record:match "(An error occurred .*)$" or record
    return sample
  end
  local words = record:match "^fatal error: (.*)$" or record:match "^(cancelled: .*)$"
  if not words then return nil end
  self.ended = "failed"
  return { ended = "failed", message = words }
end

--- 2: files were left out (or the command was wrong).
---@param code? integer
function M:finish(code)
  if not code then
    local partial = self.ended and self.failures > 0 and self.files > 0
    return self.ended and { ended = partial and "partial" or self.ended } or nil
  end
  if code == 0 then return { ended = self.dry and "partial" or "complete" } end
  return { ended = self.files > 0 and code <= 2 and "partial" or "failed" }
end

return M
