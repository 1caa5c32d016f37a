--- borg: create, extract, check, compact and their like, with --progress.
-- Seen: 1.2.4, as text and with --log-json. Borg 2 was not recorded: its forms are read from its source
-- (docs/parsers.md).
--   36.23 MB O 36.23 MB C 36.23 MB D 29 N library/shelf2/book-17.bin      create: no total is known
--    97.2% Extracting: library/shelf2/book-35.bin
--   Checking segments 66.7%
--   This archive:               44.00 MB             44.00 MB             44.00 MB       --stats
--   1.50 kB O 1.00 kB U 3 N library/shelf2/book-17.bin                                   borg 2
--   Original size: 44.00 MB                                                              borg 2, --stats
--   {"type":"archive_progress","original_size":42777770,"nfiles":34,"path":"...","finished":false}
--   {"type":"progress_percent","msgid":"extract","current":44000000,"total":44000000,"finished":false,...}
-- create doesn't know how much there is; its last line may come well before the end. The text of extract ends
-- below 100%. Warnings (files that could not be read) are exit status 1, or 100 to 127.
local jsonl = require "headway.jsonl"
local phases = require "headway.phases"
local units = require "headway.units"

---@class headway.parser.borg : headway.Parser
---@field bytes integer
---@field files integer
---@field warned boolean
---@field stages headway.Phases
---@field value number     of the stage that runs: its percent, or its count
---@field ended string?
local M = {
  api = 1, name = "borg", tool = "borg", versions = "1.2", unit = "bytes",
  commands = { "borg" },
  shows = { "-p", "--progress", "--log-json" },
  hints = { " N ", "%", '"type"', "This archive:", "Original size:", "Number of files:", "[Errno" },
  record_max = 16384,
}
M.__index = M

function M.new()
  return setmetatable({ bytes = 0, files = 0, warned = false, stages = phases.new(), value = 0 }, M)
end

---@return headway.Sample
function M:archive(bytes, files, total)
  self.bytes, self.files = math.max(self.bytes, bytes), math.max(self.files, files)
  return {
    done = self.bytes, total = total, unit = "bytes",
    also = { { done = self.files, total = total and self.files, unit = "files" } },
  }
end

--- A phase of its own for each kind of work that has a percent.
function M:stage_of(words, value)
  local again = value < self.value
  self.value = value
  return self.stages:of(words, again)
end

--- ---- JSON ---------------------------------------------------------------------------------------

function M:percent_line(line)
  local done, total = jsonl.count(line.current), jsonl.count(line.total)
  if not done or not total or total == 0 or type(line.msgid) ~= "string" then return nil end
  if done > total then return nil, "more done than there is" end
  local unit = line.msgid == "extract" and "bytes" or "items"
  return { done = done, total = total, unit = unit, phase = self:stage_of(line.msgid, done) }
end

function M:json(record)
  local line, why = jsonl.decode(record)
  if why or type(line) ~= "table" then return nil, why end
  if line.type == "archive_progress" then
    local bytes, files = jsonl.count(line.original_size), jsonl.count(line.nfiles)
    return bytes and files and self:archive(bytes, files) or nil
  end
  if line.type == "progress_percent" then return self:percent_line(line) end
  if line.type ~= "log_message" then return nil end
  local message = type(line.message) == "string" and line.message or nil
  if line.levelname == "WARNING" then self.warned = true end
  if line.levelname ~= "ERROR" and line.levelname ~= "CRITICAL" then return nil end
  self.ended = "failed"
  return { ended = "failed", message = message }
end

--- ---- text ---------------------------------------------------------------------------------------

local function size(text) return units.size(text, 1000, ".") end

function M:text(record)
  local bytes = record:match "^(%d[%d.]* %a?i?B) O "
  local at = bytes and record:find(" N ", 1, true)
  local files = at and record:sub(math.max(1, at - 20), at - 1):match " (%d+)$"
  if files then
    bytes, files = size(bytes), units.integer(files)
    if not bytes or not files then return nil, "counts over 63 bits" end
    return self:archive(bytes, files)
  end
  local words, percent = "extract", record:match "^ *(%d[%d.]*)%% Extracting"
  if not percent then words, percent = record:match "^(%a[%a ]*) (%d[%d.]*)%%" end
  local value = percent and #percent < 8 and tonumber(percent)
  if value and value <= 100 then return { fraction = value / 100, phase = self:stage_of(words, value) } end
  return nil
end

function M:stats(record)
  local files = record:match "^Number of files: (%d+)$"
  if files then
    self.files = math.max(self.files, units.integer(files) or 0)
    return nil
  end
  local bytes = record:match "^This archive: +(%d[%d.]* %a+)" or record:match "^Original size: (%d[%d.]* %a+)$"
  bytes = bytes and size(bytes)
  if not bytes then return nil end
  self.ended = self.warned and "partial" or "complete"
  local s = self:archive(bytes, self.files, math.max(bytes, self.bytes))
  s.ended = self.ended
  return s
end

function M:feed(record)
  if record:find "^{" then -- what --json prints at the end is in many lines, and none of these
    if not record:find('"type"', 1, true) then return nil end
    return self:json(record)
  end
  if record:find("[Errno", 1, true) then
    self.warned = true
    return nil
  end
  local sample, why = self:text(record)
  if sample or why then return sample, why end
  return self:stats(record)
end

--- 1, and 100 to 127 where exit codes are "modern": it went on to the end, with warnings.
---@param code? integer
function M:finish(code)
  if not code then return self.ended and { ended = self.ended } or nil end
  local warned = code == 1 or (code >= 100 and code <= 127)
  return { ended = code == 0 and "complete" or warned and "partial" or "failed" }
end

return M
