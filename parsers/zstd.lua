--- zstd: its own progress, and -v.
-- Seen: 1.4, 1.5. On a terminal no flag is needed, else --progress; -v alone has one line for each file, in the end.
--   Read:  1.50 MiB /  3.81 MiB ==> 34%                                      Read:   512 KiB  ==> 34%   from a pipe
--   Read :  1 /  3 MB ==> 42%                                                1.4: whole MiB
--   Compress: 1/2 files. Current: words.txt Read:   512 KiB /  3.81 MiB ==> 44%
--   (L19) Buffered: 2.31 MiB - Consumed: 1.50 MiB - Compressed:  624 KiB => 40.63%        -v
--   all.zst              : 9.25 MiB...                                       -d: what is written
--   words.txt            : 39.45%   (  3.81 MiB =>   1.51 MiB, words.txt.zst)
--   words.txt.zst        : 4000000 bytes                                     -d
--     2 files compressed : 39.71% (  5.72 MiB =>   2.27 MiB)                 several: the end
-- The percents are ratios. What is read counts, rounded, of one file after another. -d and pipes tell no total.
local ends = require "headway.ends"
local parts = require "headway.parts"
local units = require "headway.units"

---@class headway.parser.zstd : headway.Parser
---@field parts headway.Parts
---@field present integer?    number of the present file, as zstd counts
---@field whole integer       files that have their last line
---@field files integer?      the same, as zstd sums up
---@field failures integer
---@field ended string?
local M = {
  api = 1, name = "zstd", tool = "zstd", versions = "1.4 to 1.5", unit = "bytes",
  commands = { "zstd", "unzstd" },
  shows = { "!-q", "!--quiet" },
  hints = { "=>", "...", " bytes", "zstd: " },
}
M.__index = M

function M.new() return setmetatable({ parts = parts.new(), whole = 0, failures = 0 }, M) end

--- "512 KiB", "1.000 MiB", "2000000 B", "4000000" and "1 MB", which is a MiB
local function size(number, unit) return units.size(number .. unit, 1024, ".") end

function M:count(done, total)
  if not done then return nil end
  self.ended = nil
  return self.parts:take { done = done, total = total, unit = "bytes" }
end

--- Of several files: the present one, and of how many.
function M:which(record)
  local index, count = record:match "^%a+: +(%d+)/ *(%d+) files%. "
  index = index and units.integer(index)
  if not index then return end
  if self.present and self.present ~= index then self.parts:close() end
  self.present = index
  self.parts.count = units.integer(count)
end

local READ_MAX = 80 -- bytes of "Read: ..." at the end of a line

function M:read(record)
  local tail = record:sub(-READ_MAX)
  local number, unit, at = tail:match "Read ?: +(%d[%d.]*) *(%a*) +()"
  if not number then return nil end
  self:which(record)
  local m, m_unit = tail:match("^/ +(%d[%d.]*) (%a+) +==>", at)
  if not m then return tail:find("^==>", at) and self:count(size(number, unit)) or nil end
  if unit == "" then unit = m_unit end
  return self:count(size(number, unit), size(m, m_unit))
end

--- A file's last line: all of it is read; or written, with -d.
function M:last(record)
  local tail = record:sub(-4 * READ_MAX)
  local number, unit = tail:match "%% +%( *(%d[%d.]*) *(%a*) +=> "
  if not number then
    number, unit = tail:match ": (%d+) (bytes) *$"
  end
  local done = number and size(number, unit)
  if not done then return nil end
  local sample = self:count(done, done)
  self.parts:close()
  self.whole, self.ended = self.whole + 1, self.failures == 0 and "complete" or "partial"
  sample.ended = self.ended
  return sample
end

--- "2 files compressed : ...", "2 files decompressed : 6000000 bytes total"
function M:summary(record)
  local files = record:match "^ *(%d+) files? %l+ : "
  return ends.summary(self, files and units.integer(files))
end

--- Errors may be glued to the line before: "==> 44%zstd: error 70 : Write error : ..."
function M:trouble(record)
  local at = record:find("zstd: ", 1, true)
  if not at then return nil end
  self.failures, self.ended = self.failures + 1, "failed"
  return { ended = "failed", message = record:sub(at + 6):match "^(.*%S)" }
end

function M:feed(record)
  local failure = self:trouble(record)
  if failure then return failure end
  local sample = self:read(record) or self:summary(record)
  if sample then return sample end
  local number, unit = record:match "^%(L%-?%d+%) Buffered ?: *%d[%d.]* ?%a* %- Consumed ?: *(%d[%d.]*) ?(%a*) "
  if not number then
    number, unit = record:sub(-READ_MAX):match ": (%d[%d.]*) (%a+)%.%.%. *$"
  end
  if not number then return self:last(record) end
  self:which(record)
  return self:count(size(number, unit))
end

---@param code? integer
function M:finish(code)
  if not code then return self.ended and { ended = self.ended } or nil end
  if code == 0 then return { ended = "complete" } end
  return { ended = code < 128 and self.whole > 0 and "partial" or "failed" }
end

return M
