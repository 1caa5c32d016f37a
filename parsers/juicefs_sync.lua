--- juicefs sync: its bars, its log, or its metrics.
-- Seen: 1.4.1; the bars of 1.0 and 1.1 too, which were not recorded. On a pipe nothing but the last line comes;
-- the metrics are always there, on 127.0.0.1:9567 or the next free port.
--    Scanned objects: 1/60 [>-------------------]  8.2/s ETA: 7s          objects that are handled, of those found
--      Copied bytes: 161.1 KiB (164981 Bytes)   1.3 MiB/s
--     Failed objects: 0                          0.0/s                     the last of 11 bars
--   ... <INFO>: Found: 60, excluded: 0 (0 B), skipped: 0 (0 B), copied: 60 (11.44 MiB), extra: 0 (0 B), failed: 0
--   ... <DEBUG>: Copied data of 2023/img_000.raw (164981 bytes) in 296.019296ms      with -v: no total
--   juicefs_sync_handled{cmd="sync",pid="11021"} 12                          a page of metrics, whole or line by line
-- What is found grows while it still lists. A source that does not exist is no error of the tool's: 0 of 0.
local ends = require "headway.ends"
local juicefs = require "headway.juicefs"
local prometheus = require "headway.prometheus"
local units = require "headway.units"

---@class headway.parser.juicefs_sync : headway.Parser
---@field objects headway.Count?  total: as found so far
---@field bytes integer?          copied
---@field copied integer          objects that the log of -v named
---@field metrics table<string, number>
---@field succeeded headway.Count?   objects that were copied, of those that were to be
---@field ended string?
local M = {
  api = 1, name = "juicefs_sync", tool = "juicefs", versions = "1.0 to 1.4", unit = "objects",
  commands = { "juicefs sync" },
  hints = { "objects", "Copied ", "Found: ", "juicefs_sync_", "FATAL" },
  record_max = 65536, -- a page of metrics
}
M.__index = M

function M.new() return setmetatable({ copied = 0, metrics = {} }, M) end

---@return headway.Sample?
function M:say(restart)
  local o = self.objects
  if not o then return nil end
  local also = {}
  if self.bytes then also[1] = { done = self.bytes, unit = "bytes" } end
  also[#also + 1] = self.succeeded
  return { done = o.done, total = o.total, unit = "objects", also = also, restart = restart }
end

--- Whether counts are of another run: one has ended, or less is found than was handled, or nearly nothing is handled.
function M:is_other_run(done, total)
  local before = self.objects
  if not before or done >= before.done then return false end
  return self.ended ~= nil or (total and total < before.done) or done <= before.done // 10
end

--- Takes what is handled, which never gets less within one run. Total nil: not known just now.
---@return headway.Sample
function M:count(done, total)
  local restart = self:is_other_run(done, total) or nil
  if restart then self.bytes, self.succeeded, self.ended = nil, nil, nil end
  if self.objects and not restart then done = math.max(done, self.objects.done) end
  self.objects = { done = done, total = total }
  return self:say(restart)
end

function M:bars(record)
  local done, total = record:match "^%s*Scanned objects[ %a]*: *(%d+) */ *(%d+)"
  done, total = done and units.integer(done), total and units.integer(total)
  if done and total then
    if done > total then return nil, "more objects are handled than were found" end
    return self:count(done, total)
  end
  local bytes = record:match "^%s*Copied bytes: [^(]*%((%d+) Bytes%)"
    or record:match "^%s*Copied objects size: [^(]*%((%d+) Bytes%)"
  if bytes then
    self.bytes = math.max(units.integer(bytes) or 0, self.bytes or 0)
    return nil
  end
  return record:find "^%s*Failed objects" and self:say() or nil -- the last bar of a redraw
end

--- The last line. Some of it failed: the tool says so once more, and fails.
function M:found(record)
  local at = record:find("Found: ", 1, true)
  local found, rest = record:match("^Found: (%d+),()", at or 1)
  if not at or not found then return nil end
  local failed = units.integer(record:match(" failed: (%d+)", rest) or "")
  local copied, bytes = record:match(" copied: (%d+) %(([%d.]+ ?%a*)%)", rest)
  copied, bytes = copied and units.integer(copied), bytes and units.size(bytes, 1024, ".")
  local total = units.integer(found)
  if not total or not failed then return nil end
  self.bytes = bytes and math.max(bytes, self.bytes or 0) or self.bytes
  self.objects = { done = total, total = total }
  self.succeeded = copied and { done = copied, total = units.add(copied, failed), unit = "copied" }
  self.ended = failed > 0 and "partial" or "complete"
  local sample = self:say()
  sample.ended = self.ended
  sample.message = self.ended == "partial" and ("%d objects failed"):format(failed) or nil
  return sample
end

--- -v: each object that was copied, its total is not known.
function M:copied_one(record)
  local at = record:find("Copied data of ", 1, true)
  local size = at and record:match(" %((%d+) bytes%) in [%d.]+[^%s]*s", at)
  size = size and units.integer(size)
  if not size then return nil end
  self.copied = self.copied + 1
  self.bytes = units.add(self.bytes or 0, size)
  if self.objects then return nil end -- bars, or metrics, know more
  return { done = self.copied, unit = "objects", also = { { done = self.bytes, unit = "bytes" } } }
end

local WANTED = { juicefs_sync_handled = true, juicefs_sync_scanned = true, juicefs_sync_copied_bytes = true }

--- Line by line the metrics come in the order of their names: "scanned" is the last of those that count.
function M:metric(record)
  local m = self.metrics
  if not prometheus.read(record, WANTED, m) or not record:find("juicefs_sync_scanned", 1, true) then return nil end
  local bytes = m.juicefs_sync_copied_bytes
  if math.type(bytes) == "integer" and bytes >= 0 then self.bytes = bytes end
  local done, total = m.juicefs_sync_handled, m.juicefs_sync_scanned
  if math.type(done) ~= "integer" or math.type(total) ~= "integer" or done < 0 then return nil end
  -- The two are read one after the other while objects are handled: a total that lags is none.
  return self:count(done, total >= done and total or nil)
end

function M:feed(record)
  if record:find("juicefs_sync_", 1, true) then
    local sample = self:metric(record)
    if sample then return sample end
  end
  local sample, why = self:bars(record)
  sample = sample or self:found(record) or self:copied_one(record)
  if sample or why then return sample, why end
  local words = juicefs.fatal(record)
  if not words then return nil end
  self.ended = "failed"
  return { ended = "failed", message = words }
end

M.finish = ends.by_status

return M
