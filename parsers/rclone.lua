--- rclone: copy, sync, move and their like.
-- Seen: 1.60.1; the units of releases before 1.56 too, not recorded. Needs one of: --progress; --stats 1s with
-- -v or --stats-log-level NOTICE, also with --stats-one-line or --use-json-log.
--   Transferred:   	    1.040 MiB / 11.444 MiB, 9%, 1.040 MiB/s, ETA 9s
--   Transferred:            6 / 60, 10%
--   Checks:              1200 / 4000, 30%
--   2026/11/23 19:11:06 INFO  :     1.056 MiB / 11.444 MiB, 9%, 0 B/s, ETA - (xfr#5/60)
--   {"level":"info","msg":"...","stats":{"bytes":115,...,"totalBytes":120,"totalTransfers":60,"transfers":58}}
--   2026/11/23 19:11:17 Failed to copy: directory not found
-- Bytes count, which only JSON gives exactly; files and checks stand beside them. On a pipe --progress prints
-- blocks with no line end between: "Transferred:" may stand at the end of another line. Totals grow while
-- rclone still lists.
local jsonl = require "headway.jsonl"
local units = require "headway.units"

---@class headway.parser.rclone : headway.Parser
---@field bytes headway.Count?
---@field files headway.Count?
---@field checks headway.Count?
---@field ended string?
local M = {
  api = 1, name = "rclone", tool = "rclone", versions = "1.53 to 1.60", unit = "bytes",
  commands = { "rclone" },
  hints = { " / ", '"stats"', "Failed to " },
  record_max = 65536, -- a JSON line lists every transfer that is under way
}
M.__index = M

local PLACES_MAX = 8 -- of " / " that are looked at in a record
local NUMBER_MAX = 24 -- bytes of a number and its unit

function M.new() return setmetatable({}, M) end

--- "1.040 MiB", "548.260k" (before 1.56), "0 B"
local function size(number, unit)
  return units.size(number .. (unit == "off" and "" or unit), 1024, ".")
end

local function count(done, total, unit)
  return done and total and { done = done, total = total, unit = unit } or nil
end

--- Takes a count. What fell a little is held; what fell to a tenth, or below what there is, began anew.
---@param field "bytes"|"files"|"checks"
---@param new headway.Count?
function M:take_count(field, new)
  local old = self[field]
  if not new then return end
  if new.done > new.total then
    self.why = ("more %s are done than there are"):format(field)
    return
  end
  if old and new.done < old.done then
    if new.total < old.done or new.done <= old.done // 10 then
      self.restart = true
    else
      new.done = old.done
    end
  end
  self[field] = new
end

--- The counts around the " / " at `at`: of bytes, files or checks.
function M:take(record, at)
  local left = record:sub(math.max(1, at - NUMBER_MAX), at - 1)
  local n, n_unit = left:match "^.-(%d[%d.]*) ?(%a*)$"
  local m, m_unit, rest = record:match("^ / (%d[%d.]*) ?(%a*), [%d%-]+%%?()", at)
  if not n or not m then return false end
  if record:find("^, [%d.]+ ?%a*/s, ETA ", rest) then
    self:take_count("bytes", count(size(n, n_unit), size(m, m_unit), "bytes"))
    local xfr, of = record:match("^[^(]*%([^)]*xfr#(%d+)/(%d+)", rest)
    if xfr then
      self:take_count("files", count(units.integer(xfr), units.integer(of), "files"))
    elseif self.files and record:find("^, [^(]+$", rest) and not record:find("Transferred:", 1, true) then
      self.files.done = self.files.total -- one line: "(xfr#" is left out once every file is done
    end
    return true
  end
  local label = record:sub(math.max(1, at - 40), at - 1)
  local pair = n_unit == "" and m_unit == "" and count(units.integer(n), units.integer(m))
  if not pair then return false end
  if label:find "Transferred:[%s%d]+$" then
    self:take_count("files", { done = pair.done, total = pair.total, unit = "files" })
  elseif label:find "Checks:[%s%d]+$" then
    self:take_count("checks", { done = pair.done, total = pair.total, unit = "checks" })
  else
    return false
  end
  return true
end

function M:text(record)
  local from, any = 1, false
  for _ = 1, PLACES_MAX do
    local at = record:find(" / ", from, true)
    if not at then break end
    any = self:take(record, at) or any
    from = at + 3
  end
  return any
end

--- The counts of a JSON line; they are exact.
---@return boolean any, string? why
function M:json(record)
  local line, why = jsonl.decode(record)
  if why then return false, why end
  local stats = jsonl.get(line, "stats")
  if type(stats) ~= "table" then return false end
  local function pair(done, total, unit)
    return count(jsonl.count(stats[done]), jsonl.count(stats[total]), unit)
  end
  self:take_count("bytes", pair("bytes", "totalBytes", "bytes"))
  self:take_count("files", pair("transfers", "totalTransfers", "files"))
  self:take_count("checks", pair("checks", "totalChecks", "checks"))
  return true
end

--- While nothing is to be moved yet, what is checked shows that it lives: its total grows.
---@return headway.Sample?
function M:say()
  local also, restart = {}, self.restart
  self.restart = nil
  for _, c in ipairs { self.files or false, self.checks or false } do
    if c and c.total > 0 then also[#also + 1] = c end
  end
  if self.bytes and self.bytes.total > 0 then
    return { done = self.bytes.done, total = self.bytes.total, unit = "bytes", also = also, restart = restart }
  end
  if #also == 0 then return { done = 0, unit = "bytes", scanning = true, restart = restart } end
  local first = table.remove(also, 1)
  return { done = first.done, total = first.total, unit = first.unit, scanning = true, also = also, restart = restart }
end

--- Its last words when it gives up, behind the date.
local function failure(record)
  return record:match "^%d+/%d+/%d+ %d+:%d+:%d+ (Failed to %a+.*)$" or record:match "^(Failed to %a+.*)$"
end

--- Counts that contradict themselves are refused; the others of the same record stay.
---@return headway.Sample? sample, string? why
function M:outcome(any)
  local why = self.why
  self.why = nil
  if why or not any then return nil, why end
  return self:say()
end

function M:feed(record)
  if record:find "^%s*{" and record:find('"stats"', 1, true) then
    local any, why = self:json(record)
    if why then return nil, why end
    return self:outcome(any)
  end
  local words = failure(record)
  if words then
    self.ended = "failed"
    return { ended = "failed", message = words }
  end
  return self:outcome(self:text(record))
end

--- 9: it went well, and nothing had to be moved (--error-on-no-transfer).
---@param code? integer
function M:finish(code)
  if not code then return self.ended and { ended = self.ended } or nil end
  return { ended = (code == 0 or code == 9) and "complete" or "failed" }
end

return M
