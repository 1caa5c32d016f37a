--- Fluid's DataLoad on JuiceFS: a script runs `juicefs warmup` in each worker pod, one after another.
-- Read: the trace that `set -x` of such a script leaves, without a terminal; not recorded in a cluster yet.
-- What counts is the workers that are done:
--   + podNames=jfsdemo-worker-0:jfsdemo-worker-1                        how many there are
--   + (( i<2 ))                                                         the same, once it loops
--   + /usr/local/bin/kubectl -n default exec -it jfsdemo-worker-0 -- timeout 30m /usr/local/bin/juicefs warmup /mnt/a
--   juicefs warmup on jfsdemo-worker-0 starts                           and "ends": where the script says so
--   2026/11/23 18:59:47.593482 juicefs[3417] <INFO>: warmup cache: 240 files (80 MiB bytes) [warmup@warmup.go:309]
--   + (( i++ ))                                                         one is done
--   command terminated with exit code 1                                 kubectl's word on one that failed
-- Files and bytes of all workers are summed beside it. The Enterprise Edition loads all from one worker: it ends at
-- 1/n.
local ends = require "headway.ends"
local units = require "headway.units"
local warmup = require "parsers.juicefs_warmup"

---@class headway.parser.juicefs_dataload : headway.Parser
---@field total integer?     workers
---@field done integer
---@field running boolean    one is at work
---@field files integer
---@field bytes integer      of those that are done
---@field inner headway.Parser  of the one at work
local M = {
  api = 1, name = "juicefs_dataload", tool = "Fluid DataLoad (JuiceFS)", unit = "workers",
  hints = {
    "podNames=", "(( i", " warmup ", "warmup on ", " cache", "arming up ", "armed up ", "scanned data: ", "FATAL",
    "command terminated",
  },
}
M.__index = M

function M.new()
  return setmetatable({ done = 0, running = false, files = 0, bytes = 0, inner = warmup.new() }, M)
end

--- More workers than were listed: how many there are is not known.
---@return headway.Sample
function M:say(restart)
  local total = self.total and self.total >= self.done and self.total or nil
  local files, bytes = self.files, self.bytes
  if self.running then
    files, bytes = units.add(files, self.inner.files or 0), units.add(bytes, self.inner.bytes or 0)
  end
  return {
    done = self.done, total = total, unit = "workers", restart = restart,
    also = { { done = bytes, unit = "bytes" }, { done = files, unit = "files" } },
  }
end

function M:finish_worker()
  if not self.running then return nil end
  self.files = units.add(self.files, self.inner.files or 0)
  self.bytes = units.add(self.bytes, self.inner.bytes or 0)
  self.running, self.done = false, self.done + 1
  return self:say()
end

function M:start_worker()
  self:finish_worker() -- one that never said that it was done
  self.running, self.inner = true, warmup.new()
  return self:say()
end

--- Lines of the shell's trace.
function M:trace(record)
  local names = record:match "^%++ podNames='?([%w.:-]+)'?$"
  if names then
    local _, colons = names:gsub(":%w", "")
    local again = self.done > 0 or nil -- the script is run once more
    if again then self.done, self.running, self.files, self.bytes = 0, false, 0, 0 end
    self.total = colons + 1
    return self:say(again)
  end
  local of = record:match "^%++ %(%( *i *< *(%d+) *%)%)$"
  if of then
    self.total = units.integer(of) or self.total
    return self:say()
  end
  if record:find "^%++ %(%( *i%+%+ *%)%)$" then return self:finish_worker() end
  if record:find("kubectl ", 1, true) and record:find(" exec ", 1, true) and record:find("juicefs warmup", 1, true) then
    return self:start_worker()
  end
  return nil
end

function M:feed(record)
  if record:find "^%+" then return self:trace(record) end
  local words = record:match "^juicefs warmup on .* (%a+)$"
  if words == "starts" then return not self.running and self:start_worker() or nil end
  if words == "ends" then return self:finish_worker() end
  if record:find "^command terminated with exit code %d" then return { ended = "failed", message = record } end
  local inner, why = self.inner:feed(record)
  if not inner then return nil, why end
  if inner.ended == "failed" then return { ended = "failed", message = inner.message } end
  if inner.ended and self.running then return self:finish_worker() end
  if not self.running then return nil end
  local sample = self:say()
  sample.message = inner.message
  return sample
end

M.finish = ends.by_status

return M
