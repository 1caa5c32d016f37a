--- xz: -v.
-- Seen: 5.2, 5.4, 5.8, also in German. Needs -v; on a terminal it draws a line each second, else each file has one line
-- in the end.
--   words.txt (1/2)                                                              of several files
--    48.5 %           0.6 MiB / 1.9 MiB = 0.316                   0:01           compressed / not = ratio
--     --- %           0.4 MiB / 0.9 MiB = 0.441                   0:01           from a pipe: no size is known
--   words.txt: 1669.8 KiB / 3906.2 KiB = 0.427, 0:02                             not on a terminal: the end
--   more.txt: 6.1 %, 8192 B / 120.0 KiB = 0.067                                  the same when it failed
-- The pair is no progress: both grow. The percent is, of a file's bytes that are read; beside it counts what is
-- not compressed, read or written, rounded. Files come one after another.
local parts = require "headway.parts"
local percent = require "headway.percent"
local units = require "headway.units"

---@class headway.parser.xz : headway.Parser
---@field parts headway.Parts
---@field whole integer       files that have their last line
---@field failed boolean
---@field ended string?
local M = {
  api = 1, name = "xz", tool = "xz", versions = "5.2 to 5.8", unit = "bytes",
  commands = { "xz", "unxz" },
  shows = { "-v", "--verbose" },
  hints = { " / ", "/", "xz: " },
}
M.__index = M

function M.new() return setmetatable({ parts = parts.new(), whole = 0, failed = false }, M) end

local RATIO = "^ *%d[%d.,]* %a+ / (%d[%d.,]*) (%a+) = "
local LEFT_MAX = 160 -- bytes behind a file's name

--- The line of a terminal.
function M:line(record)
  local share, at = record:match "^ *([%d.,%-]+ ?%%) +()"
  if not share then return nil end
  local number, unit = record:match(RATIO, at)
  local bytes = number and units.size(number .. unit, 1024)
  if not bytes then return nil end
  local fraction = percent.fraction(share)
  if fraction and fraction < self.parts.fraction and not self.parts.over then self.parts:close() end
  return self.parts:take { done = bytes, unit = "bytes", fraction = fraction }
end

--- A file's only line: all of it, or, behind a percent, as far as it came.
function M:last(record)
  local tail = record:sub(-LEFT_MAX)
  local number, unit = tail:match "%d %a+ / (%d[%d.,]*) (%a+) = [%d.,]+"
  local bytes = number and units.size(number .. unit, 1024)
  if not bytes then return nil end
  local share = tail:match ": ([%d.,]+ %%), "
  local sample = self.parts:take {
    done = bytes, unit = "bytes", fraction = share and percent.fraction(share), total = not share and bytes or nil,
  }
  if not share then
    self.parts:close()
    self.whole, self.ended = self.whole + 1, self.failed and "partial" or "complete"
    sample.ended = self.ended
  end
  return sample
end

function M:feed(record)
  local words = record:match "^xz: (.*)$"
  if words then
    self.failed, self.ended = true, "failed"
    return { ended = "failed", message = words }
  end
  if record:find(" / ", 1, true) then return self:line(record) or self:last(record) end
  local name, index, count = record:match "^(.*) %((%d+)/(%d+)%)$"
  if name then
    self.parts:close()
    self.parts.name, self.parts.count = name, units.integer(count)
    self.whole = math.max(self.whole, (units.integer(index) or 1) - 1)
  end
  return nil
end

--- 2: something was odd, the work is done.
---@param code? integer
function M:finish(code)
  if not code then return self.ended and { ended = self.ended } or nil end
  if code == 0 or code == 2 then return { ended = "complete" } end
  return { ended = code < 128 and self.whole > 0 and "partial" or "failed" }
end

return M
