--- Spark: the console's bar, and the log of level INFO.
-- Seen: 3.5.3, local. The bar is printed where spark.ui.showConsoleProgress is true and the level is above INFO.
--   [Stage 0:=============>                      (5 + 2) / 16]
--   [Stage 1:=====>   (3 + 2) / 14][Stage 2:>     (0 + 0) / 10]
--   ... INFO TaskSetManager: Finished task 0.0 in stage 0.0 (TID 0) in 2823 ms on host (executor 1) (1/16)
-- Each stage is a phase; how many come is not known. Of stages that run at once the lowest counts, until it is
-- done. The bar is wiped before a stage is full, and short stages have none.
local ends = require "headway.ends"
local phases = require "headway.phases"
local units = require "headway.units"

---@class headway.parser.spark : headway.Parser
---@field phases headway.Phases
---@field now table?   the stage that counts: id, done, total
---@field ended string?
local M = {
  api = 1, name = "spark", tool = "spark", versions = "3.5", unit = "tasks",
  commands = { "spark-submit", "spark-sql", "spark-shell", "pyspark" },
  hints = { "[Stage ", "Finished task ", "Job aborted due to stage failure" },
}
M.__index = M

local STAGES_MAX = 16 -- of a record

function M.new() return setmetatable({ phases = phases.new() }, M) end

---@return headway.Sample? sample, string? why
function M:take(id, done, total, gone)
  id, done, total = units.integer(id), units.integer(done), units.integer(total)
  if not (id and done and total) then return nil, "counts over 63 bits" end
  if done > total then return nil, "more tasks done than there are" end
  local now = self.now
  if not now or now.id ~= id then
    if now and (id < now.id or not (gone or now.done >= now.total)) then return nil end
    now = { id = id, done = 0 }
    self.now = now
  end
  now.done, now.total = math.max(now.done, done), total
  if now.done > total then now.done = total end
  return { done = now.done, total = total, unit = "tasks", phase = self.phases:of("stage " .. id) }
end

--- All stages of a bar; those that are not in it any more are over.
function M:bar(record, at)
  local first, found
  for _ = 1, STAGES_MAX do
    local id, done, total, behind = record:match("^%[Stage (%d+):[=> ]*%((%d+) %+ %d+%) / (%d+)%]()", at)
    if not id then break end
    local stage = { id, done, total }
    first = first or stage
    if self.now and units.integer(id) == self.now.id then found = stage end
    at = behind
  end
  local stage = found or first
  if not stage then return nil end
  return self:take(stage[1], stage[2], stage[3], found == nil)
end

function M:feed(record)
  local at = record:find("[Stage ", 1, true)
  if at then return self:bar(record, at) end
  if record:find("Job aborted due to stage failure", 1, true) then
    self.ended = "failed"
    return { ended = "failed", message = "job aborted due to stage failure" }
  end
  at = record:find("TaskSetManager: Finished task ", 1, true)
  local id = at and record:match("^TaskSetManager: Finished task [%d.]+ in stage (%d+)%.%d+ ", at)
  local done, total = record:match("%((%d+)/(%d+)%)$", math.max(1, #record - 48))
  if not id or not done then return nil end
  return self:take(id, done, total, false)
end

M.finish = ends.by_status

return M
