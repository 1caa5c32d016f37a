--- wget: dots, bars, -nv; wget of busybox; bars of wget2.
-- Seen: 1.21, 1.25, also in German and French; wget2 1.99; busybox 1.35. No flag needed, -q takes all away (but
-- with --show-progress); wget2 needs --progress=bar.
--   Length: 3145728 (3.0M), 2097152 (2.0M) remaining [application/octet-stream]
--     3072K ........ ........ ........ ........ ........ ........ 60%  998K 4s
--   model.bin             54%[==================>                 ]   1.65M  1.01MB/s    eta 2s
--   model.bin                [  <=>                               ] 424.00K  1.02MB/s         no length
--   2026-11-25 04:49:53 (1.01 MB/s) - ‘model.bin’ saved [3145728/3145728]
--   2026-11-25 04:50:01 URL:http://127.0.0.1/a [1800000/1800000] -> "a" [1]              -nv: one line a file
--   2026-11-25 04:50:16 ERROR 404: File not found.
--   Downloaded: 2 files, 2.6M in 2.6s (1.01 MB/s)                                        several files: the end
--   m.bin                 75% |***************************************             | 1328k  0:00:00 ETA   busybox
--   part-b.bin            43% [=====================>              ]  384.00K    2.00MB/s                 wget2
-- Bytes count: of one file after another, how many there are is known at the end only. A line of dots is read when
-- it is whole: 50 KiB, with dot:giga 32 MiB. The bar alone (-q) and busybox tell no total, only the percent of
-- it. wget2 draws its files at once and tells no total: of several, only the bytes count.
local bars = require "headway.bars"
local ends = require "headway.ends"
local parts = require "headway.parts"
local units = require "headway.units"

---@class headway.parser.wget : headway.Parser
---@field parts headway.Parts
---@field bars headway.Bars    wget2: by name
---@field alone boolean?       wget2: there is one file
---@field total integer?       of the present file
---@field sum integer          -nv: bytes of all files
---@field saved integer        files
---@field files integer?       the same, as wget sums up
---@field failures integer     files
---@field ended string?
local M = {
  api = 1, name = "wget", tool = "wget", versions = "1.21 to 1.25", unit = "bytes",
  commands = { "wget", "wget2", "busybox wget" },
  hints = { "K ", "[", ": ", "ETA", "saved", "Giving up" },
}
M.__index = M

function M.new()
  return setmetatable({ parts = parts.new(), bars = bars.new(), sum = 0, saved = 0, failures = 0 }, M)
end

local function size(number, letter) return units.size(number .. letter, 1024) end

local function percent_of(digits)
  local percent = #digits < 4 and tonumber(digits)
  return percent and percent <= 100 and percent or nil
end

--- A percent beside a count without a total; it never goes back.
---@param percent? number|false
function M:beside(sample, percent)
  if percent then
    self.parts.fraction = math.max(percent / 100, self.parts.fraction)
    sample.fraction = self.parts.fraction
  end
  return sample
end

--- Bytes so far and the percent, which is rounded down: with the length the better of both, else beside each other.
---@param done integer
---@param percent integer?
function M:count(done, percent)
  self.ended = nil
  local total = self.total
  if total and percent then
    done = math.max(done, total // 100 * percent + total % 100 * percent // 100)
    if percent == 100 then done = total end
  end
  local sample = self.parts:take { done = done, total = total, unit = "bytes" }
  return self:beside(sample, not total and percent)
end

--- The end of a file.
function M:close(ended)
  self.parts:close()
  self.total, self.ended = nil, ended
end

--- A file is there. What that makes of the whole, as far as it is known.
function M:save()
  self.saved = self.saved + 1
  return self.failures == 0 and "complete" or "partial"
end

--- "    50K .......... .......... ..........  0%  380M 0s": where the line begins, and the percent where it ends.
function M:dots(record)
  local offset, percent, sign = record:match "^ *(%d+)K[ .,]+(%d*)(%%?)"
  if not offset then return nil end
  local done = units.size(offset .. "KiB")
  return done and self:count(done, sign ~= "" and percent_of(percent) or nil)
end

--- What is drawn with "=" and ">" stands between brackets, the percent in front of them, the bytes behind.
function M:bar(record)
  local at, rest = record:find "%[[ =<>+]+%] "
  if not at then return nil end
  local number, letter = record:match("^ *(%d[%d.,]*)([KMGTP]?) +[%d.,%-]+ ?[KMGT]?[Bb]/s", rest)
  local done = number and size(number, letter)
  if not done then return nil end
  local digits, space = record:sub(math.max(1, at - 5), at - 1):match "(%d+)%%( ?)$"
  local percent = digits and percent_of(digits)
  if space ~= " " then return self:count(done, percent) end
  return self:bar2(record:match "^%S+" or "", done, percent)
end

--- wget2: several at once. Of one file alone the percent is the progress.
function M:bar2(name, done, percent)
  if not self.bars:set(name, done) then return nil end
  local sample = self.parts:take { done = self.bars:sum(), unit = "bytes" }
  return self:beside(sample, self.alone and percent)
end

--- "[Files: 0  Bytes: 0  [0 B/s] Redirects: 0  Todo: 2  ]", cut where the terminal ends.
function M:status2(record)
  local files, todo = record:match "^%[Files: (%d+) .* Todo: (%d+) "
  if files then self.alone = files == "0" and todo == "1" end
end

--- busybox: "20% |******      |  368k  0:00:03 ETA"; without a length "384k --:--:-- ETA", and 100% in the end.
function M:busybox(record)
  local left = record:match "^(.*) [%d:%-]+ ETA *$"
  local number, letter = (left or ""):sub(-16):match " (%d+)([kMGTP]?) *$"
  local done = number and size(number, letter)
  if not done then return nil end
  local digits = left:match "%f[%d](%d+)%% |[* ]*|"
  return self:count(done, digits and percent_of(digits))
end

--- "[5/10]", without a length "[5]", and what stands behind.
---@return string? n, string? m
local function counts(record, behind)
  local n, m = record:match("%[(%d+)/(%d+)%]" .. behind)
  if n then return n, m end
  return record:match("%[(%d+)%]" .. behind)
end

local DATE = "^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d "

--- -nv: a file is saved, bytes are summed up.
function M:brief(digits)
  local done = units.integer(digits)
  if not done then return nil, "counts over 63 bits" end
  self.sum, self.ended = units.add(self.sum, done), self:save()
  local sample = self.parts:take { done = self.sum, unit = "bytes" }
  sample.also, sample.ended = { { done = self.saved, unit = "files" } }, self.ended
  return sample
end

--- A file is saved.
function M:whole(n, m)
  local done, total = units.integer(n), m and units.integer(m)
  if not done or (m and (not total or done > total)) then return nil, "counts that can't be" end
  local sample = self.parts:take { done = done, total = total, unit = "bytes" }
  self:close(self:save())
  sample.ended = self.ended
  return sample
end

--- Lines with a date: a file is saved, or can't be had.
function M:dated(record)
  local digits = counts(record, " %-> ")
  if digits then return self:brief(digits) end
  local n, m = counts(record, "$")
  if n then return self:whole(n, m) end
  local words = record:match "^%S+ %S+ (%S+ %d%d%d: .*)$"
  if not words and record:find(" Giving up.", 1, true) then words = record:match "^%S+ %S+ (.*)$" end
  if not words then return nil end
  self.failures = self.failures + 1
  self:close "failed"
  return { ended = "failed", message = words }
end

--- "Downloaded: 2 files, 2.6M in 2.6s": when there were several.
function M:summary(record)
  local n = record:match "^[^%d:]+: (%d+)[ \xC2][%a\x80-\xFF]+, %d[%d.,]*[KMGTP]? "
  return ends.summary(self, n and units.integer(n))
end

function M:feed(record)
  local length, follower = record:match "^[^%s%d:][^%d:]*: (%d+) ?([%(%[]?)"
  if length and (follower ~= "" or record:find "%d$") then
    self.total = units.integer(length)
    return nil
  end
  if record:find(DATE) then return self:dated(record) end
  local words = record:match "^wget: (.*)$" -- busybox gives up
  if words then
    self.failures = self.failures + 1
    self:close "failed"
    return { ended = "failed", message = words }
  end
  if record:find "^'.*' saved$" then -- busybox
    self:close(self:save())
    return { ended = self.ended }
  end
  if record:find("[Files: ", 1, true) == 1 then return self:status2(record) end
  return self:dots(record) or self:bar(record) or self:busybox(record) or self:summary(record)
end

---@param code? integer
function M:finish(code)
  if not code then return self.ended and { ended = self.ended } or nil end
  if code == 0 then return { ended = "complete" } end
  return { ended = self.saved > 0 and code < 128 and "partial" or "failed" }
end

return M
