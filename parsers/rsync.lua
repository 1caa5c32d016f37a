--- rsync: `--info=progress2` (one line for the whole job) and `--progress` (one for each file).
-- Seen: 3.5.0; the form of 3.0 too, which was not recorded. Needs one of those flags; --no-inc-recursive makes
-- the total known at once.
--         12,000,000 100%    1.00MB/s    0:00:11 (xfr#60, to-chk=0/65)
--          4,748   0%    0.00kB/s    0:00:00 (xfr#1, ir-chk=1079/1121)     the list of files still grows
--      1,171,886   9%    1.00MB/s    0:00:10                               inside a file
--         12.00M 100%    1.00MB/s    0:00:11 (xfr#60, to-chk=0/65)         -h; -hh the same with 1024: option base
--        700.000 100%    1,02MB/s    0:00:03 (xfer#1, to-check=6/8)        other locales, rsync 3.0
--   rsync: [sender] send_files failed to open "/a/b": Permission denied (13)     one that xfr# counts all the same
--   file has vanished: "/a/b"
--   rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1338) [sender=3.5.0]
--   total size is 12,000,000  speedup is 7,398.27 (DRY RUN)
-- What counts is the entries that are checked, of all: to-chk is what is left of them, directories are entries
-- too. The percent is of bytes, rounded, and wrong where files are there already (a run that had half of them
-- ends at 49%): it is taken only while no more is known, inside a first big file. No total is ever made of it.
local units = require "headway.units"
local integer = require "headway.core".integer
local find, match, tonumber = string.find, string.match, tonumber -- this is the parser of the longest logs

---@class headway.parser.rsync : headway.Parser
---@field base integer
---@field mode "auto"|"total"|"file"   what a line's bytes are of; auto: not known yet
---@field listed boolean    names of files may stand between the lines: they may be of one file each
---@field bytes integer     of the last line
---@field sum integer       mode file: bytes of the files that are done
---@field files integer     xfr#
---@field missed integer    of them, those that it could not copy
---@field dry boolean
---@field entries integer   checked so far; total: of how many, nil = not known
---@field real integer     the same, as the last line had it
---@field total integer?
---@field scanning boolean
---@field steady boolean    the next line may be a usual one
---@field percent integer   the last one that was given as progress; -1 = none
---@field said integer     bytes, as long as they are all that is known
---@field ended string?
local M = {
  api = 1, name = "rsync", tool = "rsync", versions = "3.0 to 3.5", unit = "entries",
  commands = { "rsync" },
  hints = { "%", "file list", "rsync", "speedup is", "vanished" },
  newest = "(xfr#%+, to-chk=%-/%=)$", -- while the lines are usual ones: all that they leave behind is their counts
  options = {
    base = {
      type = "integer", default = 1000, min = 1000, max = 1024, help = "bytes of a K: 1000 for -h, 1024 for -hh",
    },
    mode = {
      type = "string", default = "auto", choices = { "auto", "total", "file" },
      help = "what a line is of: the whole job (--info=progress2), or one file (--progress)",
    },
  },
}
M.__index = M
M.DRY = "dry run: nothing is copied"

---@param opts { base: integer, mode: string }
function M.new(opts)
  local self = setmetatable({ base = opts.base, asked = opts.mode }, M)
  self:begin()
  return self
end

--- Another run of rsync in the same log, or the first.
function M:begin()
  local of_bytes, of_files = { unit = "bytes" }, { unit = "files" }
  self.mode, self.listed, self.bytes, self.sum, self.files = self.asked, false, 0, 0, 0
  self.entries, self.real, self.total, self.scanning = 0, 0, nil, false
  self.missed, self.dry, self.ended = 0, false, nil
  self.steady, self.percent, self.said = false, -1, 0
  self.sample, self.also, self.of_bytes, self.of_files = {}, { of_bytes, of_files }, of_bytes, of_files
end

--- Which codes leave part of the work done: not all files copied, some vanished, deletions cut short.
local PARTIAL = { [23] = true, [24] = true, [25] = true }

---@param code integer
local function ending(code)
  return code == 0 and "complete" or PARTIAL[code] and "partial" or "failed"
end

--- The tool's own word on how it went: its last errors, which may be glued to a line of progress on a pipe.
---@param text string
---@param from integer
---@return string? ended, string? message
local function verdict(text, from)
  local at = text:find("rsync error: ", from, true) or text:find("rsync warning: ", from, true)
  if not at then return nil end
  local code = text:match("%(code (%d+)%)", at)
  if not code then return nil end
  local words = text:sub(at):match "^rsync %a+: (.*)" or ""
  local cut = words:find(" (code ", 1, true)
  return ending(math.tointeger(tonumber(code)) or 1), words:sub(1, cut and cut - 1):gsub("%(see previous errors%)", "")
end

--- Takes the tool's word. Of several errors the first is the cause: a signal to one of its processes is told by all.
---@return string? message
function M:end_as(ended, message)
  if not ended or self.ended == "failed" then return nil end
  self.ended = ended
  return message
end

--- What never gets less within one run: the number of a file, the entries there are, those checked once all are listed.
function M:is_other_run(xfr, kind, left, total)
  if not self.total then return false end
  if xfr < self.files or total < self.total then return true end
  return kind == "to" and not self.scanning and total - left < self.real
end

--- Bytes are of one file when they fall, or when a file's last line says 100% and the job is not done.
function M:judge_mode(bytes, percent, xfr, left)
  if bytes < self.bytes or (xfr and self.listed and percent >= 100 and left > 0) then
    self.mode = "file"
  elseif xfr and percent < 100 then
    self.mode = "total"
  end
end

--- The end of a file: counts of files and entries. While the list grows a line may count entries that the next one
--- takes back.
function M:count(bytes, xfr, kind, left, total)
  if self.mode == "file" then
    if xfr > self.files then self.sum = units.add(self.sum, bytes) end
    bytes = 0
  end
  local entries = total - left
  self.real = entries
  if entries < self.entries then entries = self.entries < total and self.entries or total end
  if xfr > self.files then self.files = xfr end
  self.entries, self.total, self.scanning, self.bytes = entries, total, kind == "ir", bytes
end

--- Files that are there now.
function M:copied(xfr) return xfr > self.missed and xfr - self.missed or 0 end

--- Whether the percent is the progress: of the whole job, and further than the entries that are counted.
function M:takes_percent(percent)
  if percent > 100 or self.scanning then return false end
  if self.mode == "file" or (self.mode == "auto" and self.listed) then return false end
  local total = self.total
  return not total or (self.percent >= 0 and self.entries * 100 < self.percent * total)
end

--- The host has read a sample before the next record comes: one table does for all.
---@return headway.Sample
function M:say(percent)
  local s, total, moved = self.sample, self.total, self.bytes
  if self.mode == "file" then moved = units.add(self.sum, moved) end
  s.ended, s.message, s.fraction = nil, nil, nil
  if not total or self.percent > 0 then
    local by_percent = self:takes_percent(percent)
    if by_percent and percent > self.percent then self.percent = percent end
    s.fraction = by_percent and self.percent / 100 or nil
    if by_percent or not total then
      moved = math.max(moved, self.said)
      self.said = moved
      s.done, s.total, s.unit, s.scanning, s.also = moved, nil, "bytes", nil, nil
      return s
    end
    self.percent = 0 -- the entries have caught up
  end
  s.done, s.total, s.unit, s.scanning, s.also = self.entries, total, "entries", self.scanning, self.also
  self.of_bytes.done, self.of_files.done = moved, self:copied(self.files)
  return s
end

--- Digits and nothing else.
local function whole(digits)
  return #digits < 19 and tonumber(digits) or units.integer(digits)
end

--- Lines without counts: names come next, the summary, errors.
function M:other(record)
  if record:find("file list", 1, true) then
    self.listed = true
    return nil
  end
  if record:find "^file has vanished: " or record:find "^rsync: [%[%]%a ]*send_files failed to open " then
    self.missed = self.missed + 1
    return nil
  end
  local ended, message = verdict(record, 1)
  if ended then
    message = self:end_as(ended, message)
    return { ended = self.ended, message = message }
  end
  if record:find "^total size is [%d.,']+[KMGTP]? +speedup is " then
    self.dry = record:find("(DRY RUN)", 1, true) ~= nil
    self.ended = self.ended or (self.dry and "partial" or "complete")
    return { ended = self.ended, message = self.dry and M.DRY or nil }
  end
  return nil
end

local LINE = "^ *(%d[%d.,]*)([KMGTPE]?) +(%d+)%% +[%d.,]+%a+/s +[%d:?]+()"
local TAIL = "^ *%(xfe?r#(%d+), (%a%a)%-che?c?k=(%d+)/(%d+)%)()"

local PERCENT, SLASH, CLOSE = 37, 47, 41

--- The line that nearly all of a long run are, once it is known that lines are of the whole job and that the
--- entries are ahead of the percent. What is not exactly that gives nil, and is read with more care.
function M:usual(record)
  local bytes, at = integer(record)
  local _, _, sign = integer(record, at)
  if sign ~= PERCENT then return nil end
  local from = find(record, "(xfr#", at, true)
  if not from then return nil end
  local xfr, behind = integer(record, from + 5)
  if not xfr or find(record, ", to-chk=", behind, true) ~= behind then return nil end
  local left, slash, follower = integer(record, behind + 9)
  if follower ~= SLASH then return nil end
  local total, close, last = integer(record, slash + 1)
  if last ~= CLOSE or total ~= self.total then return nil end
  if close < #record and find(record, "^ *$", close + 1) == nil then return nil end
  local s, entries = self.sample, total - left
  if entries < self.entries or xfr < self.files or bytes < self.bytes then return nil end
  self.entries, self.real, self.files, self.bytes = entries, entries, xfr, bytes
  s.done, self.of_bytes.done, self.of_files.done = entries, bytes, self:copied(xfr)
  return s
end

function M:feed(record)
  if self.steady then
    local sample = self:usual(record)
    if sample then return sample end
  end
  local number, letter, percent, tail = match(record, LINE)
  if not number then return self:other(record) end
  local bytes = letter == "" and units.integer(number) or units.size(number .. letter, self.base)
  if not bytes then return nil end
  percent = #percent < 4 and tonumber(percent) or 999 -- it can pass 100
  local xfr, kind, left, total, behind = match(record, TAIL, tail)
  if xfr then
    xfr, left, total = whole(xfr), whole(left), whole(total)
    if not (xfr and left and total) then return nil, "counts over 63 bits" end
    if left > total then return nil, "more entries to check than there are" end
  end
  local restart = xfr and self:is_other_run(xfr, kind, left, total) or nil
  if restart then self:begin() end
  if self.mode == "auto" then self:judge_mode(bytes, percent, xfr, left) end
  if self.mode == "file" and bytes < self.bytes then -- another file: the last line of the one before was lost
    self.sum = units.add(self.sum, self.bytes)
  end
  if xfr then self:count(bytes, xfr, kind, left, total) else self.bytes = bytes end
  local sample = self:say(percent)
  sample.restart = restart
  self.steady = not restart and self.mode == "total" and sample.unit == "entries" and not self.scanning
  if (behind or tail) <= #record then
    self.steady = false -- the sample may hold the end: the next one must take it out again
    local ended, message = verdict(record, behind or tail)
    sample.message = self:end_as(ended, message)
    sample.ended = ended and self.ended
  end
  if self.steady then sample.newest = nil else sample.newest = false end
  return sample
end

---@param code? integer
function M:finish(code)
  local ended = code and ending(code) or self.ended
  if ended == "complete" and self.dry then ended = "partial" end
  return ended and { ended = ended } or nil
end

return M
