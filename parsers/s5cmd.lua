--- s5cmd: cp, mv, sync, rm, run; --show-progress and --json.
-- Seen: 2.2, 2.3. --show-progress (of cp) tells bytes; else there is a line for each object, with --json its size.
--   99.13%  ━━━━━━━━━━━━━━━━━━━  625.16 kB / 630.62 kB (678.72 kB/s) 0s left (130/133)
--   cp photos/img_002.raw s3://demo/s1/img_002.raw
--   {"operation":"cp","success":true,"source":"a","destination":"s3://demo/a","object":{"type":"file","size":164981}}
--   ERROR "cp photos/img_001.raw s3://no-such/img_001.raw": NoSuchBucket: The specified bucket does not exist ...
-- On a pipe nothing stands between two bars: the last one of a record counts. The totals are of what was listed so far,
-- little ahead of what is done, so that the tool's percent is near 100 from the start: they are provisional until
-- they stand still. Bytes of an object that failed are counted too: objects tell it.
local jsonl = require "headway.jsonl"
local units = require "headway.units"

---@class headway.parser.s5cmd : headway.Parser
---@field bytes headway.Count?
---@field objects headway.Count
---@field scanning boolean?
---@field failures integer
---@field ended string?
local M = {
  api = 1, name = "s5cmd", tool = "s5cmd", versions = "2.2 to 2.3", unit = "bytes",
  commands = { "s5cmd" },
  hints = { " / ", "s3://", '"operation"', "ERROR" },
  record_max = 65536, -- bars that come without a pause are one record
}
M.__index = M

function M.new() return setmetatable({ objects = { done = 0, unit = "objects" }, failures = 0 }, M) end

---@return headway.Sample
function M:say(restart)
  if not self.bytes then
    return { done = self.objects.done, total = self.objects.total, unit = "objects", scanning = self.scanning }
  end
  return {
    done = self.bytes.done, total = self.bytes.total, unit = "bytes", scanning = self.scanning, restart = restart,
    also = { self.objects },
  }
end

local NUMBER_MAX = 24 -- bytes of a number and its unit
local TAIL_MAX = 80 -- bytes of what stands behind the sizes

--- The bar around a " / ": both sizes, and the objects at its end.
local function bar_at(record, at)
  local n, n_unit = record:sub(math.max(1, at - NUMBER_MAX), at - 1):match "(%d[%d.]*) ([kMGTPE]?B)$"
  local m, m_unit, rest = record:match("^ / (%d[%d.]*) ([kMGTPE]?B)()", at)
  if not n or not m then return nil end
  local k, of = record:sub(rest, rest + TAIL_MAX):match "%((%d+)/(%d+)%)"
  k, of = units.integer(k or ""), units.integer(of or "")
  local done, total = units.size(n .. n_unit, 1000, "."), units.size(m .. m_unit, 1000, ".")
  if not (k and of and done and total) or k > of then return nil end
  return { done = math.min(done, total), total = total, objects = k, all = of }
end

--- Takes a bar. What falls to a tenth, or below what there is, is of another command.
function M:take(bar)
  local bytes, objects = self.bytes, self.objects
  local restart = bytes and bar.done < bytes.done and (bar.total < bytes.done or bar.done <= bytes.done // 10) or nil
  if restart then
    objects.done, bytes = 0, nil
  end
  local grown = not (bytes and bytes.total) or bar.total > bytes.total or bar.all ~= objects.total
  self.scanning = bar.all > 1 and grown and bar.objects < bar.all or nil
  local done = math.max(bar.done, bytes and bytes.done or 0)
  self.bytes = { done = done, total = math.max(bar.total, done), unit = "bytes" }
  objects.done = math.max(bar.objects, objects.done)
  objects.total = math.max(bar.all, objects.done)
  return self:say(restart)
end

local LAST_MAX = 8192 -- bytes at the end of a record that the last bar is looked for in

function M:bars(record)
  local from, last = math.max(1, #record - LAST_MAX), nil
  while true do
    local at = record:find(" / ", from, true)
    if not at then break end
    last, from = bar_at(record, at) or last, at + 3
  end
  return last and self:take(last)
end

--- One more object has a line of its own; of how many nobody says.
function M:object()
  self.objects.done, self.objects.total, self.scanning = self.objects.done + 1, nil, nil
end

function M:failed(words)
  self.failures, self.ended = self.failures + 1, "failed"
  return { message = (words:gsub(" status code: .*", "")) }
end

--- With --json: an object each, exact; with --stat a last line for each command.
function M:json(record)
  local line, why = jsonl.decode(record)
  if why then return nil, why end
  if not line.operation then return nil end
  if type(line.error) == "string" then return self:failed(line.error) end
  if line.success ~= true then return nil end
  self:object()
  local size = jsonl.count(jsonl.get(line, "object", "size"))
  if size then
    self.bytes = { done = units.add(self.bytes and self.bytes.done or 0, size), unit = "bytes" }
  end
  return self:say()
end

function M:feed(record)
  if record:find("{", 1, true) == 1 then
    if not record:find('"operation"', 1, true) then return nil end -- no line of s5cmd's
    return self:json(record)
  end
  local at = record:find('ERROR "', 1, true)
  local sample = self:bars(record)
  if at then
    local failure = self:failed(record:match('^[^"]*": (.*)$', at + 7) or record:sub(at))
    if not sample then return failure end
    sample.message = failure.message
  end
  if sample or not record:find "^%l+ .*s3://" then return sample end
  if self.bytes then return nil end
  self:object()
  return self:say()
end

---@param code? integer
function M:finish(code)
  local some = self.failures > 0 and self.objects.done > 0
  if not code then return self.ended and { ended = some and "partial" or "failed" } or nil end
  if code == 0 then return { ended = "complete" } end
  return { ended = some and code < 128 and "partial" or "failed" }
end

return M
