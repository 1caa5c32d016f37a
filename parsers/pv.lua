--- pv: its bar, and -n.
-- Seen: 1.6 and 1.9, also in German. Off a terminal it needs -f or -n; a size needs a file, or -s.
--   1.00MiB 0:00:01 [ 942KiB/s] [==>                               ] 10% ETA 0:00:09
--       model: 2.00MiB 0:00:02 [1.01MiB/s] [===========>           ] 66% ETA 0:00:01     -N
--    100k 0:00:01 [91.8k/s] [ <=>                                  ]                     -l: lines; no size
--   [=======================>                                      ] 33%                 -p
--   10                       -n: percents; with -b bytes, with -l lines: it shows once it passes 100
--   1.0830 1048576           -n -t -b
-- The percent is the progress, of a total that is not in the log; bytes stand beside it, rounded to three digits, exact
-- with -n -b. -8 tells bits. Of several pv with -c and -N (not recorded) the first counts.
local ends = require "headway.ends"
local units = require "headway.units"

---@class headway.parser.pv : headway.Parser
---@field numeric "auto"|"percent"|"count"   what a number alone is
---@field who string?       name of the one that counts
---@field done integer?
---@field fraction number?
---@field percents integer  numbers alone up to 100, since it was not known what they are
---@field ended string?
local M = {
  api = 1, name = "pv", tool = "pv", versions = "1.6 to 1.9", unit = "bytes",
  commands = { "pv" },
  shows = { "!-q", "!--quiet" },
  options = {
    numeric = {
      type = "string", default = "auto", choices = { "auto", "percent", "bytes", "lines" },
      help = "what the numbers of -n are: percents, with -b bytes, with -l lines",
    },
  },
}
M.__index = M

---@param opts { numeric: string }
function M.new(opts) return setmetatable({ numeric = opts.numeric, percents = 0 }, M) end

--- What falls is of another pv.
---@param done integer?
---@param unit string?
---@param percent integer?
function M:say(done, unit, percent)
  local fraction = percent and math.min(percent, 100) / 100
  local fell = (done and self.done and done < self.done) or (fraction and self.fraction and fraction < self.fraction)
  self.done, self.fraction = done or self.done, fraction or self.fraction
  return { done = done, unit = done and unit, fraction = fraction, restart = fell and self.said or nil }
end

local PERCENTS_SURE = 3 -- numbers up to 100 in a row that show that they are percents

--- -n. Percents may pass 100 where -s was too small; bytes and lines are seldom under 100 for long.
function M:number(digits)
  local n = units.integer(digits)
  if not n then return nil, "number over 63 bits" end
  local kind = self.numeric
  if kind == "auto" then
    if n > 100 then
      self.numeric, kind = "bytes", "bytes"
    else
      self.percents, kind = self.percents + 1, "percent"
      if n > 0 and self.percents >= PERCENTS_SURE then self.numeric = "percent" end
    end
  end
  if kind == "percent" then return self:say(nil, nil, n) end
  return self:say(n, kind, nil)
end

--- A word that is a count: "1.00MiB", "8.00Mib" (bits), "100k" (lines, where it comes first).
local function count_of(word, first)
  local number, scale, letter = word:match "^(%d[%d.,]*)([kKMGTPE]?i?)([Bb]?)$"
  if not number or (letter == "" and not first) then return nil end
  local unit = letter == "B" and "bytes" or letter == "b" and "bits" or "lines"
  return units.size(number .. scale, unit == "lines" and 1000 or 1024), unit
end

--- Words between blanks, in any order (-F); a name stands in front.
local WORDS_MAX = 16
local NAME = "^ *([^ ][^:]*): +"

local function read(record, from)
  local done, unit, percent, last
  local words = 0
  for word in record:gmatch("%S+", from) do
    words = words + 1
    if words > WORDS_MAX then break end
    local digits = word:match "^(%d+)%%$"
    if digits and #digits < 6 then percent = tonumber(digits) end
    if not done then
      done, unit = count_of(word, words == 1)
    elseif words == 2 and word:find "^[Bb]$" then
      done, unit = count_of(last .. word) -- "335 B"
    end
    last = word
  end
  if unit == "lines" and not percent and not record:find("[", 1, true) then return nil end
  return done, unit, percent
end

function M:line(record)
  local name, from = record:match(NAME .. "()")
  local done, unit, percent = read(record, from)
  if not done and not percent then return nil end
  if self.who ~= name and self.said then
    if (self.fraction or 0) < 1 then return nil end
    self.done, self.fraction = nil, nil
    local sample = self:say(done, unit, percent)
    self.who, sample.restart = name, true
    return sample
  end
  self.who = name
  return self:say(done, unit, percent)
end

function M:feed(record)
  local digits = record:match "^(%d+)$" or record:match "^%d+[.,]%d+ (%d+)$"
  local sample, why
  if digits then
    sample, why = self:number(digits)
  else
    local words = record:match "^pv: (.*)$"
    if words and not words:find "^ *%d" then
      self.ended = "failed"
      return { ended = "failed", message = words }
    end
    sample = self:line(record)
  end
  self.said = self.said or sample ~= nil
  return sample, why
end

M.finish = ends.by_status

return M
