--- What no other parser knows: looks for numbers that behave like progress.
-- Understood at once: N/M alone in a line, bars of tqdm, lines of rsync (its percent misleads). Once they have grown:
-- pairs ("Copied 3/10", "3 of 10 files", "1.5 MiB / 4 GiB"), percents ("42% done", "[===>  ] 42.5 %").
--   40/100                                        Copied 3 of 10 files
--   [#3b2f64 1.0MiB/10MiB(10%) CN:1]              Completed 1.1 MiB/~11.4 MiB (5.8 MiB/s)
--   model.bin   42%[====>      ]                  4.00MiB 0:00:04 [1022KiB/s] [===>   ] 40%
-- A number in a log is no progress by itself: ratios, rates, dates, versions, addresses, use of memory, counts of
-- tests or pods look alike, and many of them grow. Nothing shown is better than a wrong figure, so this is asked:
--   something beside the number shows that it is of work: a word of it, a bar, its own percent, a time left, or
--   nothing else stands in the record; and no word of its clause speaks of something else;
--   a pair comes again in the same words, with the same total and more done; a percent grows twice.
-- A number of a thing ("Epoch 3/3", "file 3 of 10") and of a step that begins ("[3/3] Copying a") say which one is
-- worked on: one less is done.
local core = require "headway.core"
local ends = require "headway.ends"
local evidence = require "headway.evidence"
local units = require "headway.units"
local rsync = require "parsers.rsync"
local tqdm = require "parsers.tqdm"

---@class headway.parser.auto : headway.Parser
---@field bars headway.Parser
---@field rsync headway.Parser?         once a line of it came
---@field series table<string, table>   by the words in front of the numbers
---@field main table?                   the series that is believed
---@field outer table?                  the first of things that are numbered: what counts inside them is not all
---@field count integer                 of series
local M = {
  api = 1, name = "auto", unit = "items", hints = { "/", "%", " of ", "rsync", "file list", "speedup is" },
}
M.__index = M

local SERIES_MAX = 32 -- different words that are watched
local PLACES_MAX = 6 -- of each mark that are looked at in a record
local SIDE_MAX = 40 -- bytes of a number and its unit
local GROUPED_MAX = 512 -- bytes of a record whose numbers may have plain spaces
local PERCENTS_MAX = 1024 -- bytes of a line of percents and nothing else
local KEY_MAX = 128 -- bytes in front of it that make its series

function M.new()
  return setmetatable({ bars = tqdm.new { base = 1024 }, series = {}, count = 0 }, M)
end

-- ---- numbers ----------------------------------------------------------------------------------------

--- What may stand at both sides of a number that stands alone.
local function opens(record, at)
  if at > 2 and record:find("^%d:", at - 2) then return false end -- seconds
  return at == 1 or record:find("^[%s%(%[{<>:=|,\"'\x80-\xFF]", at - 1) ~= nil
    or (at > 2 and record:find("^%.%.", at - 2) ~= nil)
end

local function closes(record, at)
  if at > #record or record:find("^[%s%)%]}>|;\"'(%[\x80-\xFF]", at) then return true end
  return record:find("^[.,:]%D", at) ~= nil or record:find("^[.,:]$", at) ~= nil
end

--- Spaces that don't break, and groups: "1 234,5 MB of 2 000,0 MB" is "1_234,5 MB of 2_000,0 MB". A plain space is in
--- a number only where the total shows that it is, since nothing else stands between "of" and a total.
local NARROW = { ["\u{A0}"] = true, ["\u{202F}"] = true, ["\u{2009}"] = true }

local function join(groups)
  while groups ~= "" and groups:gsub("^%d%d?%d?", ""):gsub(" %d%d%d", "") ~= "" do
    groups = groups:match "^%d+ *(.*)$"
  end
  return groups
end

local function grouped(record)
  if record:find "[\xC2\xE2]" then
    record = record:gsub("[\xC2\xE2][\x80-\xBF]+", function(c) return NARROW[c] and "\u{A0}" end)
      :gsub("(%d)\u{A0}(%d%d%d)%f[%D]", "%1_%2"):gsub("(%d)\u{A0}(%d%d%d)%f[%D]", "%1_%2"):gsub("\u{A0}", " ")
  end
  if #record > GROUPED_MAX or not record:find "[/f] ?~?[1-9]%d?%d? %d%d%d[ %d]*,%d" then return record end
  return (record:gsub("%f[%w]([1-9][%d ]* %d%d%d)(,%d)", function(groups, rest)
    local number = join(groups)
    return groups:sub(1, #groups - #number) .. number:gsub(" ", "_") .. rest
  end))
end

--- Number and unit that end at `to`.
---@return integer? at, string? number, string? unit
local function number_before(record, to)
  local begin = math.max(1, to - SIDE_MAX)
  local left = record:sub(begin, to)
  local offset, number, unit = left:match "^.-()(%d[%d.,_]*) *(%a*) *$"
  if not offset or (offset > 1 and left:find("^[%d.,_]", offset - 1)) then return nil end
  return begin + offset - 1, number, unit
end

--- Number and unit that begin at `from`, perhaps behind "~".
---@return integer? upto, string? number, string? unit, string? noun, boolean? guess
local function number_after(record, from)
  local guess, number, space, word = record:sub(from, from + SIDE_MAX):match "^ *(~?)(%d[%d.,_]*)( *)(%a*)"
  if not number then return nil end
  local bare = number:match "^(.*%d)[.,]*$"
  local upto = record:find(number, from, true) + #bare
  if bare ~= number then return upto, bare, "", "", guess ~= "" end -- the end of a sentence
  if word ~= "" and (space == "" or units.scale(word)) then
    return upto + #space + #word, bare, word, "", guess ~= ""
  end
  return upto, bare, "", word:lower(), guess ~= "" -- a word behind a space does not belong to the number
end

--- Bytes of a unit; "m" is more often minutes, or thousandths.
local function scale_of(unit) return unit ~= "" and unit ~= "m" and units.scale(unit) end

--- The decimal mark that both sides have; nil: each has another one. What could be either, "1,234", is in groups.
local function mark_of(n, m)
  local mark
  for _, number in ipairs { n, m } do
    local head, last, tail = number:match "^([%d_.,]*)([.,])(%d+)$"
    local shows = last and (#tail ~= 3 or head:find "_" or head:find(last == "," and "%." or ",")) and last
    if mark and shows and mark ~= shows then return nil end
    mark = shows or mark
  end
  return mark or "."
end

--- Both counts in one unit; nil: they are no pair.
---@return integer? done, integer? total, string? unit
local function pair_of(n, n_unit, m, m_unit, noun)
  local n_scale, m_scale = scale_of(n_unit), scale_of(m_unit)
  if (n_unit ~= "" and not n_scale) or (m_unit ~= "" and not m_scale) or (n_scale and not m_scale) then return nil end
  if not m_scale then return units.integer(n), units.integer(m), evidence.nouns[noun] and noun or "items" end
  local mark = mark_of(n, m)
  if not mark then return nil end
  return units.size(n .. (n_scale and n_unit or m_unit), 1000, mark), units.size(m .. m_unit, 1000, mark), "bytes"
end

--- The pair around a mark ("/" or "of") that stands at from..to.
local function pair_at(record, from, to)
  if not record:find("^ *~?%d", to + 1) then return nil end -- most are in paths
  local at, n, n_unit = number_before(record, from - 1)
  local upto, m, m_unit, noun, guess = number_after(record, to + 1)
  if not at or not upto or not opens(record, at) or not closes(record, upto) then return nil end
  if n_unit:lower() == "out" then n_unit = "" end
  local done, total, unit = pair_of(n, n_unit, m, m_unit, noun)
  if not done or not total or done > total or total < 2 then return nil end
  local found = { at = at, upto = upto, done = done, total = total, unit = unit, guess = guess }
  if evidence.is_date(record, found) or not evidence.is_work(record, found) then return nil end
  return found
end

local function percent_at(record, mark)
  local begin = math.max(1, mark - 12)
  local offset, whole, part = record:sub(begin, mark - 1):match "^.-()(%d+)[.,]?(%d*) ?$"
  if not offset or #whole > 3 then return nil end
  local percent = tonumber(whole .. "." .. (part ~= "" and part or "0"))
  local found = { at = begin + offset - 1, upto = mark + 1, percent = percent }
  if found.percent > 100 or not opens(record, found.at) or not closes(record, found.upto) then return nil end
  if record:find("^ of +%a", found.upto) or not evidence.is_work(record, found) then return nil end
  return found
end

--- "0%...10%...20%" and "0% 10% 20%": one line that grows, of which some was not seen as it came. Equal steps, or dots:
--- a row of a table has neither.
local function percents_of(record)
  if record:find "[^%d%%.,; ]" or #record > PERCENTS_MAX then return nil end
  local list, step = {}, nil
  for at, number, upto in record:gmatch "()(%d+)%%()" do
    local percent, last = tonumber(number), list[#list]
    local grows = last and percent - last.percent
    if percent > 100 or (grows and grows <= 0) then return nil end
    if step and grows ~= step and not record:find "%.%." then return nil end
    step = step or grows
    list[#list + 1] = { at = at, upto = upto, percent = percent }
  end
  return #list > 2 and list or nil
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

-- ---- series -----------------------------------------------------------------------------------------

--- The words in front of numbers: what a series is known by. Bars and words with digits in them (times, rates,
--- names of parts) are left out, since they change.
local function key_of(record, found)
  local before = record:sub(math.max(1, found.at - KEY_MAX), found.at - 1):lower()
  local kind = found.percent and "%" or found.unit
  return kind .. before:gsub("%S*%d%S*", ""):gsub("[^%a]+", " ")
end

--- Whether a series has shown itself to be progress; takes what was found into it.
local function judge(s, found)
  if found.percent then
    local last = s.percent or found.percent
    s.grown = found.percent > last and s.grown + 1 or found.percent < last and 0 or s.grown
    return s.grown >= 2
  end
  if s.total ~= found.total or found.done < s.done then s.grown = 0
  elseif found.done > s.done then s.grown = s.grown + 1 end
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
--- made of a total which grows falls too, but not so far.
local function begins_anew(s, value, last)
  return value <= last / ((is_full(s) or s.thing) and 2 or 10)
end

local function assign(s, found)
  s.percent, s.done, s.total, s.unit, s.guess = found.percent, found.done, found.total, found.unit, found.guess
  s.thing = found.thing
end

--- What was found belongs to the main series, which only grows or begins anew.
local function advance(s, found)
  local value, last = found.percent or found.done, s.percent or s.done
  local restart = value < last and begins_anew(s, value, last) or nil
  local other = value < last or (found.total and not found.guess and found.total < s.total)
  if other and not restart then return sample_of(s) end
  assign(s, found)
  return sample_of(s, restart)
end

function M:take(record, found)
  if not found then return nil end
  local s = self:series_of(key_of(record, found))
  if not s then return nil end
  local believed = judge(s, found)
  if self.main == s then return advance(s, found) end
  assign(s, found)
  self.outer = self.outer or (s.thing and s)
  if not believed or (self.outer or s) ~= s then return nil end
  if self.main and not s.thing then return nil end
  local inner = self.main
  self.main = s
  return sample_of(s, inner and true)
end

--- One after another, as if each had come alone.
function M:take_percents(list)
  local sample
  for _, found in ipairs(list) do sample = self:take("", found) or sample end
  return sample
end

-- ---- the parser -------------------------------------------------------------------------------------

--- A line that is N/M and nothing else is a task's own word.
function M:own_word(record)
  local done, total, message = core.nm(record)
  if not done or message then return nil end
  local last = self.told
  self.told = { done = done, total = total }
  local anew = last ~= nil and (done < last.done or (last.total > 0 and total ~= last.total))
  return { done = done, total = total, unit = "items", restart = anew or nil }
end

--- Forms that can't be mistaken have a parser of their own; the first one stays.
function M:by_its_own_parser(record)
  if not self.rsync and not self.bars.main and record:find "%(xfe?r#%d+, [it][ro]%-che?c?k=" then
    self.rsync = rsync.new { base = 1000, mode = "auto" }
  end
  if self.rsync then return self.rsync:feed(record) end
  if record:find(" [", 1, true) then return self.bars:feed(record) end
end

function M:feed(record)
  if record:find "^%s*%d+%s*/%s*%d+%s*$" then return self:own_word(record) end
  if self.told then return nil end
  if not self.main and not self.outer then
    local sample, why = self:by_its_own_parser(record)
    if sample or self.rsync or self.bars.main then return sample, why end
  end
  local percents = percents_of(record)
  if percents then return self:take_percents(percents) end
  record = grouped(record)
  local pair = each_place(record, "/", pair_at) or each_place(record, " of ", pair_at)
  return self:take(record, evidence.less_begun(record, pair)) or self:take(record, each_place(record, "%", percent_at))
end

---@param code? integer
function M:finish(code)
  if self.rsync then return self.rsync:finish(code) end
  return ends.by_status(self, code)
end

return M
