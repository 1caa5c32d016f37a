--- hadoop distcp.
-- Not recorded: the forms are read from its source (docs/parsers.md).
--   26/11/25 05:00:01 INFO tools.DistCp: DistCp job-id: job_1700000000000_0001
--   26/11/25 05:00:09 INFO mapreduce.Job:  map 42% reduce 0%
--   26/11/25 05:00:19 INFO mapreduce.Job: Job job_1700000000000_0001 completed successfully
--                  Bytes Copied=12000000
--                  Files Failed=2                     with -i
-- The percent is of maps, which may be few and of unlike size. With -async the command ends with 0 when the job has
-- begun: nothing but its id was said then.
local units = require "headway.units"

---@class headway.parser.distcp : headway.Parser
---@field percent integer
---@field submitted boolean   nothing but the job's id was said
---@field ended string?
local M = {
  api = 1, name = "distcp", tool = "hadoop distcp", versions = "2.x and 3.x", unit = "percent",
  commands = { "hadoop distcp" },
  hints = { " map ", "job-id: job_", "Job job_", "Bytes Copied=", "Files Failed=" },
}
M.__index = M

function M.new() return setmetatable({ percent = 0, submitted = false }, M) end

function M:verdict(record)
  local at = record:find("Job job_", 1, true)
  local word = at and record:match("^Job job_[%w_]+ (%a+)", at)
  if word == "completed" then self.ended = self.ended or "complete" end
  if word == "failed" then self.ended = "failed" end
  return (word == "completed" or word == "failed") and { ended = self.ended } or nil
end

function M:feed(record)
  local at = record:find(" map ", 1, true)
  local percent = at and record:match("^ map (%d%d?%d?)%% reduce %d%d?%d?%%", at)
  if percent then
    percent = math.tointeger(tonumber(percent))
    if percent > 100 then return nil, "more than 100%" end
    self.percent, self.submitted = math.max(self.percent, percent), false
    return { fraction = self.percent / 100 }
  end
  if record:find "^%s*Files Failed=[1-9]" then
    self.ended = "partial"
    return { ended = "partial", message = "some files could not be copied" }
  end
  local bytes = record:match "^%s*Bytes Copied=(%d+)$"
  bytes = bytes and units.integer(bytes)
  if bytes then return { fraction = self.percent / 100, also = { { done = bytes, unit = "bytes" } } } end
  self.submitted = self.submitted or record:find("DistCp job-id: job_", 1, true) ~= nil
  return self:verdict(record)
end

---@param code? integer
function M:finish(code)
  if not code then return self.ended and { ended = self.ended } or nil end
  local partial = code == 0 and (self.ended == "partial" or self.submitted and not self.ended)
  return { ended = partial and "partial" or code == 0 and "complete" or "failed" }
end

return M
