--- 7z, 7zz, 7za, 7zr: add, extract, test.
-- Seen: 26.02 (7zz) and p7zip 16.02. On a pipe it needs -bsp1 (percents to stdout).
--   Add new data to archive: 4 folders, 36 files, 44000000 bytes (42 MiB)
--    42% 15 + library/shelf1/book-10.bin
--   Everything is Ok
-- The percent is of bytes; the number behind it is of files that are done. Percents are redrawn with
-- backspaces. A fast job shows no more than 0%.
local units = require "headway.units"

---@class headway.parser.sevenzip : headway.Parser
---@field percent integer
---@field files integer
---@field total integer?    files there are
---@field archives integer
---@field restart boolean?
---@field ended string?
local M = {
  api = 1, name = "sevenzip", tool = "7-Zip", versions = "16.02 to 26.02", unit = "files",
  commands = { "7z", "7zz", "7za", "7zr" },
  hints = {
    "%", "Everything is Ok", " bytes (", "Files", "rrors", "ERROR", "WARNING", "Break signaled", "ing archive: ",
    "as archive", "Archives with ",
  },
}
M.__index = M

function M.new() return setmetatable({ percent = 0, files = 0, archives = 0 }, M) end

---@return headway.Sample
function M:say()
  local s = { fraction = self.percent / 100, restart = self.restart }
  if self.files > 0 or self.total then
    s.also = { { done = self.files, total = self.total, unit = "files" } }
  end
  self.restart = nil
  return s
end

function M:count_files(files)
  self.files = math.max(self.files, files or 0)
  if self.total and self.total < self.files then self.total = nil end
end

local WORDS = {
  { "^Break signaled", "failed" }, { "^ERROR", "failed" }, { "^System ERROR", "failed" },
  { "^Sub items Errors: ", "failed" }, { "^Archives with Errors: ", "failed" },
  { "^Can't open as archive: ", "failed" }, { "^WARNINGS for files:", "partial" },
  { "^WARNING: Cannot open ", "partial" }, { "^Archives with Warnings: ", "partial" },
}

--- What it says of how it went: the worst counts.
function M:verdict(record)
  for _, row in ipairs(WORDS) do
    if record:find(row[1]) then
      if self.ended ~= "failed" then self.ended = row[2] end
      return { ended = self.ended, message = record }
    end
  end
  return nil
end

function M:other(record)
  if record:find "^Everything is Ok" then
    self.percent, self.ended = 100, self.ended or "complete"
    self:count_files(self.total)
    local s = self:say()
    s.ended = self.ended
    return s
  end
  local total = record:match "^Add new data to archive: [^(]*%f[%d](%d+) files?, %d+ bytes"
  if total then
    self.total = units.integer(total)
    return nil
  end
  if record:find "^%a+ing archive: " then
    self.archives = self.archives + 1
    if self.archives > 1 then self.percent, self.files, self.total, self.restart = 0, 0, nil, true end
    return nil
  end
  local files = record:match "^Files: (%d+)$" or record:match "^Files read from disk: (%d+)$"
  if not files then return self:verdict(record) end
  self:count_files(units.integer(files))
  return self:say()
end

function M:feed(record)
  local percent, behind = record:match "^ *(%d%d?%d?)%%()"
  if not percent or not (behind > #record or record:find("^ ", behind)) then return self:other(record) end
  percent = math.tointeger(tonumber(percent))
  if percent > 100 then return nil, "more than 100%" end
  self.percent = math.max(self.percent, percent)
  local files = record:match("^ +(%d+) [+U=.RTD%-]", behind)
  if files then self:count_files(units.integer(files)) end
  return self:say()
end

--- 1: warnings, such as files that could not be read.
---@param code? integer
function M:finish(code)
  if not code then return self.ended and { ended = self.ended } or nil end
  return { ended = code == 0 and "complete" or code == 1 and "partial" or "failed" }
end

return M
