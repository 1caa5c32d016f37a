--- What no other parser knows: looks for numbers that behave like progress.
-- Understood: N/M alone in a line, at once; then, once they have grown, pairs ("3/10", "3 of 10 files",
-- "1.5 MiB / 4 GiB"), percents ("42%", "42.5 %"), and bars of tqdm.
--   40/100                                        Copied 3 of 10 files
--   [#3b2f64 1.0MiB/10MiB(10%) CN:1]              Completed 1.1 MiB/~11.4 MiB (5.8 MiB/s)
--   model.bin   42%[====>      ]                  4.00MiB 0:00:04 [1022KiB/s] [===>   ] 40%
-- A number in a log is no progress by itself: ratios, rates, dates, versions, addresses, counts of tests or
-- attempts look alike. So a pair must come again in the same words, with the same total and more done; a
-- percent must grow twice.
-- What only grows with its total (compressed / read so far) never passes; words near it that speak of something
-- else rule it out.
local core = require "headway.core"
local units = require "headway.units"
local tqdm = require "parsers.tqdm"

---@class headway.parser.auto : headway.Parser
---@field bars headway.Parser
---@field series table<string, table>   by the words in front of the numbers
---@field main table?                   the series that is believed
---@field count integer                 of series
local M = { api = 1, name = "auto", unit = "items", hints = { "/", "%", " of " } }
M.__index = M

local SERIES_MAX = 32 -- different words that are watched
local PLACES_MAX = 6 -- of each mark that are looked at in a record
local LEFT_MAX, RIGHT_MAX = 40, 40 -- bytes of a number and its unit
local NEAR_MAX = 32 -- bytes at each side of it that are searched for words of something else
local KEY_MAX = 128 -- bytes in front of it that make its series

function M.new()
  return setmetatable({ bars = tqdm.new { base = 1024 }, series = {}, count = 0 }, M)
end

--- Words that say that numbers are no progress of the work.
local FOREIGN = {}
for word in ([[
  ratio ratios compress compressed compression speedup accuracy acc loss score confidence probability test tests
  tested testing pass passed passing fail failed failing failure failures ok skipped attempt attempts retry
  retries retrying try tries version versions cpu cpus cores mem memory ram swap disk usage used free load
  average battery quota budget error errors warning warnings replicas pods ready page pages http chk
]]):gmatch "%a+" do FOREIGN[word] = true end

local function is_foreign(record, from, to)
  local before = record:sub(math.max(1, from - NEAR_MAX), from - 1)
  if before:find "=> *$" then return true end -- "==> 34%" is what is left of 100%
  local near = (before .. " " .. record:sub(to + 1, to + NEAR_MAX)):lower()
  for word in near:gmatch "%a+" do
    if FOREIGN[word] then return true end
  end
  return false
end

--- What may stand at both sides of a number that stands alone.
local function opens(record, at)
  return at == 1 or record:find("^[%s%(%[{<>:=|,\"'\x80-\xFF]", at - 1) ~= nil
end

local function closes(record, at)
  if at > #record or record:find("^[%s%)%]}>|;\"'(%[\x80-\xFF]", at) then return true end
  return record:find("^[.,:]%D", at) ~= nil or record:find("^[.,:]$", at) ~= nil
end

--- Number and unit that end at `to`.
---@return integer? at, string? number, string? unit
local function number_before(record, to)
  local begin = math.max(1, to - LEFT_MAX)
  local left = record:sub(begin, to)
  local offset, number, unit = left:match "^.-()(%d[%d.,]*) *(%a*) *$"
  if not offset or (offset > 1 and left:find("^[%d.,]", offset - 1)) then return nil end
  return begin + offset - 1, number, unit
end

--- Number and unit that begin at `from`, perhaps behind "~".
---@return integer? upto, string? number, string? unit, boolean? guess
local function number_after(record, from)
  local guess, number, space, unit = record:sub(from, from + RIGHT_MAX):match "^ *(~?)(%d[%d.,]*)( *)(%a*)"
  if not number then return nil end
  local bare = number:match "^(.*%d)[.,]*$"
  local upto = record:find(number, from, true) + #bare
  if bare ~= number then return upto, bare, "", guess ~= "" end -- the end of a sentence
  if unit ~= "" and (space == "" or units.scale(unit)) then return upto + #space + #unit, bare, unit, guess ~= "" end
  return upto, bare, unit, guess ~= "" -- a word behind a space does not belong to the number
end

local NOUNS = {}
for word in ([[files objects items records rows steps blocks chunks parts images documents entries batches epochs
  samples packages layers tables keys messages frames tasks jobs]]):gmatch "%a+" do NOUNS[word] = true end

--- Both counts in one unit; nil: they are no pair.
---@return integer? done, integer? total, string? unit
local function pair_of(n, n_unit, m, m_unit)
  local n_scale, m_scale = n_unit ~= "" and units.scale(n_unit), m_unit ~= "" and units.scale(m_unit)
  if m_scale or n_scale then
    if not m_scale or (n_unit ~= "" and not n_scale) then return nil end
    local unit = n_unit ~= "" and n_unit or m_unit
    return units.size(n .. unit, 1000, "."), units.size(m .. m_unit, 1000, "."), "bytes"
  end
  local noun = m_unit:lower()
  return units.integer(n), units.integer(m), NOUNS[noun] and noun or "items"
end

--- The pair around a mark ("/" or "of") that stands at from..to.
local function pair_at(record, from, to)
  local at, n, n_unit = number_before(record, from - 1)
  local upto, m, m_unit, guess = number_after(record, to + 1)
  if not at or not upto or not opens(record, at) or not closes(record, upto) then return nil end
  if n_unit:lower() == "out" then n_unit = "" end
  local done, total, unit = pair_of(n, n_unit, m, m_unit)
  if not done or not total or done > total or total < 2 or is_foreign(record, at, upto - 1) then return nil end
  return { at = at, done = done, total = total, unit = unit, guess = guess }
end

local function percent_at(record, mark)
  local begin = math.max(1, mark - 12)
  local offset, whole, part = record:sub(begin, mark - 1):match "^.-()(%d+)[.,]?(%d*) ?$"
  if not offset or #whole > 3 then return nil end
  local at = begin + offset - 1
  local value = tonumber(whole .. "." .. (part ~= "" and part or "0"))
  if value > 100 or not opens(record, at) or not closes(record, mark + 1) then return nil end
  if record:find("^ of +%a", mark + 1) or is_foreign(record, at, mark) then return nil end
  return { at = at, percent = value }
end

--- Calls fn with each place of a mark.
local function each_place(record, mark, fn)
  local from = 1
  for _ = 1, PLACES_MAX do
    local at, to = record:find(mark, from, true)
    if not at then return end
    local found = fn(record, at, to)
    if found then return found end
    from = to + 1
  end
end

--- The words in front of numbers: what a series is known by. Bars and words with digits in them (times, rates,
-- names of parts) are left out, since they change.
local function key_of(record, found)
  local before = record:sub(math.max(1, found.at - KEY_MAX), found.at - 1):lower()
  local kind = found.percent and "%" or found.unit
  return kind .. before:gsub("%S*%d%S*", ""):gsub("[^%a]+", " ")
end

--- Whether a series has shown itself to be progress; takes what was found into it.
local function judge(s, found)
  if found.percent then
    s.grown = s.grown + (found.percent > (s.percent or 101) and 1 or 0)
    return s.grown >= 2
  end
  local same = s.total == found.total
  s.grown = s.grown + (same and found.done > s.done and 1 or 0)
  return s.grown >= 1
end

function M:series_of(key)
  local s = self.series[key]
  if not s and self.count < SERIES_MAX then
    s = { grown = 0 }
    self.series[key] = s
    self.count = self.count + 1
  end
  return s
end

local function is_full(s)
  return s.percent and s.percent >= 100 or s.total and s.done >= s.total
end

local function sample_of(s, restart)
  if s.percent then return { fraction = s.percent / 100, restart = restart } end
  return { done = s.done, total = s.total, unit = s.unit, scanning = s.guess or nil, restart = restart }
end

--- Counts begin anew: from the end to less than half, or from anywhere to nearly nothing. A percent that is
-- made of a total which grows falls too, but not so far.
local function begins_anew(s, value, last)
  return value <= last / (is_full(s) and 2 or 10)
end

--- What was found belongs to the main series, which only grows or begins anew.
local function advance(s, found)
  local value, last = found.percent or found.done, s.percent or s.done
  local restart = value < last and begins_anew(s, value, last) or nil
  if value < last and not restart then return sample_of(s) end
  s.percent, s.done, s.total, s.guess = found.percent, found.done, found.total, found.guess
  return sample_of(s, restart)
end

function M:take(record, found)
  if not found then return nil end
  local s = self:series_of(key_of(record, found))
  if not s then return nil end
  local believed = judge(s, found)
  if self.main == s then return advance(s, found) end
  s.percent, s.done, s.total, s.unit, s.guess = found.percent, found.done, found.total, found.unit, found.guess
  if self.main or not believed then return nil end
  self.main = s
  return sample_of(s)
end

--- A line that is N/M and nothing else is a task's own word.
function M:own_word(record)
  local done, total, message = core.nm(record)
  if not done or message then return nil end
  local last = self.told
  self.told = { done = done, total = total }
  local anew = last ~= nil and (done < last.done or (last.total > 0 and total ~= last.total))
  return { done = done, total = total, unit = "items", restart = anew or nil }
end

function M:feed(record)
  if record:find "^%s*%d+%s*/%s*%d+%s*$" then return self:own_word(record) end
  if self.told then return nil end
  if not self.main then
    local sample = record:find(" [", 1, true) and self.bars:feed(record)
    if sample or self.bars.main then return sample or nil end
  end
  local pair = each_place(record, "/", pair_at) or each_place(record, " of ", pair_at)
  return self:take(record, pair) or self:take(record, each_place(record, "%", percent_at))
end

---@param code? integer
function M.finish(_, code)
  return code and { ended = code == 0 and "complete" or "failed" } or nil
end

return M
