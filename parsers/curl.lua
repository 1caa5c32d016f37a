--- curl: its meter, the bar of -#, and the meter of --parallel.
-- Seen: 7.74, 7.88, 8.14. No flag needed with -o or -O; -s takes the meter away.
--   % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current      begins each file
--   18 10.0M   18 1872k    0     0  1026k      0  0:00:09  0:00:01  0:00:08 1026k
--  100 1920k    0 1920k    0     0  1022k      0 --:--:--  0:00:01 --:--:-- 1022k      no length: 100 from the start
--  100 1757k    0     0  100 1757k      0  1023k  0:00:01  0:00:01 --:--:-- 1023k      -T
--   ###################                                                      26.4%     -#
--   80 --  2125k     0     2     1   0:00:02  0:00:02 --:--:-- 1025k                   -Z: all transfers together
--   curl: (18) transfer closed with 4194304 bytes remaining to read
-- Bytes count, rounded from 100,000 on. Files come one after another, each from 0 to 100; how many there are is known
-- at the end only. With -C the counts are of what was missing. The percent of -Z is of the transfers whose
-- length is known, and missing until all have one. -# without a length draws a bar that flies: no progress.
local parts = require "headway.parts"
local units = require "headway.units"

---@class headway.parser.curl : headway.Parser
---@field parts headway.Parts
---@field fraction number?    -Z: of the bytes
---@field transfers integer   -Z: how many were begun
---@field anew boolean?       the next sample begins anew
---@field bad boolean         this file failed, unless it is tried again
---@field failures integer    files that failed
---@field ended string?
local M = {
  api = 1, name = "curl", tool = "curl", versions = "7.74 to 8.14", unit = "bytes",
  commands = { "curl" },
  shows = { "!-s", "!--silent" },
  hints = { ":", "%" },
}
M.__index = M

function M.new() return setmetatable({ parts = parts.new(), transfers = 0, failures = 0 }, M) end

local function size(number, letter) return units.size(number .. letter, 1024, ".") end

local METER = "^ *(%d+) +(%d[%d.]*)([kMGTP]?) +(%d+) +(%d[%d.]*)([kMGTP]?) +(%d+) +(%d[%d.]*)([kMGTP]?)"
  .. " +%-?%d[%d.]*[kMGTP]? +%-?%d[%d.]*[kMGTP]? +[%d%-]"

--- Counts of one file; bytes that come after an error are of another try. While it connects all is 0, which says
--- nothing yet.
function M:take(sample, nothing)
  if self.parts.over then
    self.bad = false
  elseif self.bad and sample.done > 0 then
    self.bad, self.failures = false, self.failures - 1
  end
  self.ended = nil
  self.parts:take(sample)
  self.anew = sample.restart or self.anew
  if nothing then return nil end
  sample.restart, self.anew = self.anew, nil
  return sample
end

--- Two columns tell how much of what is known was received and sent. A length that is not known is taken for what
--- has come so far, which makes 100% of it: then the columns' own percents stay 0.
function M:meter(record)
  local _, t, t_unit, got_part, r, r_unit, sent_part, x, x_unit = record:match(METER)
  if not t then return nil end
  local total, got, sent = size(t, t_unit), size(r, r_unit), size(x, x_unit)
  if not (total and got and sent) then return nil, "counts over 63 bits" end
  local unknown = total == 0 or (total <= units.add(got, sent) and got_part .. sent_part == "00")
  local sample = { done = units.add(got, sent), total = not unknown and total or nil, unit = "bytes" }
  return self:take(sample, total == 0)
end

local PARALLEL = "^ *([%d%-]+) +([%d%-]+) +(%d[%d.]*)([kMGTP]?) +(%d[%d.]*)([kMGTP]?) +(%d+) +(%d+) +()"

--- What was sent and received by all transfers, and how many of them were begun and are alive.
function M:parallel(record)
  local down, up, d, d_unit, u, u_unit, begun, alive, rest = record:match(PARALLEL)
  if not down then return nil end
  rest = record:match("^%d+ +()", rest) or rest -- "Qd", those that wait: in older releases
  if not record:find("^[%d%-]+:[%d:%-]+ +[%d%-]", rest) then return nil end
  local got, sent = size(d, d_unit), size(u, u_unit)
  begun, alive = units.integer(begun), units.integer(alive)
  if not (got and sent and begun and alive) or alive > begun then return nil, "counts that can't be" end
  local percent = tonumber(down:match "^%d%d?%d?$" or up:match "^%d%d?%d?$")
  if percent and percent <= 100 then self.fraction = math.max(self.fraction or 0, percent / 100) end
  self.transfers = math.max(self.transfers, begun)
  local sample = self:take { done = units.add(got, sent), unit = "bytes" }
  sample.fraction, sample.also = self.fraction, { { done = begun - alive, unit = "files" } }
  return sample
end

--- The bar tells no bytes and no name: what falls is another file.
function M:hash(record)
  local whole, part = record:match "^[# ]* (%d+)%.(%d)%%$"
  if not whole or #whole > 3 then return nil end
  local fraction = tonumber(whole .. "." .. part) / 100
  if fraction > 1 then return nil end
  if fraction < self.parts.fraction then self.parts:close() end
  return self.parts:take { fraction = fraction }
end

function M:feed(record)
  if record:find("% Total", 1, true) then
    self.parts:close()
    return nil
  end
  local words = record:match "^curl: %(%d+%) (.*)$"
  if words then
    if not self.bad then self.failures = self.failures + 1 end
    self.bad, self.ended = true, "failed"
    return { ended = "failed", message = words }
  end
  local sample, why = self:meter(record)
  if not sample and not why then sample, why = self:parallel(record) end
  if sample or why then return sample, why end
  return self:hash(record)
end

--- The status is that of the last transfer (but with --fail-early): others may have failed.
---@param code? integer
function M:finish(code)
  if not code then return self.ended and { ended = self.ended } or nil end
  local files = math.max(self.parts.index, self.transfers)
  local ended = self.failures > 0 and self.failures < files and "partial" or code == 0 and "complete" or "failed"
  if files < 2 or ended == "failed" then return { ended = ended } end
  return { done = files - self.failures, total = files, unit = "files", ended = ended }
end

return M
