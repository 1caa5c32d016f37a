--- juicefs warmup, with --evict and --check too.
-- Seen: 1.4.1; the words of 1.0 to 1.3, 0.x and of the Enterprise Edition 5 too, which were not recorded. No
-- flags needed. The tool knows no total: the setting `total` is for what is known from elsewhere, `unit` says
-- of what it is.
--   warmup cache file: 7                         19.4/s                     on a terminal, redrawn
--   warmup cache size: 4.1 MiB (4285301 Bytes)   11.3 MiB/s
--   ... juicefs[3417] <INFO>: warmup cache: 240 files (80 MiB bytes) [warmup@warmup.go:309]      all there is on a pipe
--   ... <INFO>: check cache: 240 files checked, 80 MiB of 80 MiB (100.0%) cached
--   ... <INFO>: warmup cache for 1 paths in background                      it goes on in the mount: nothing more comes
--   Warming up count: 7  19.4/s     Warming up bytes: 4.1 MiB (4285301 Bytes)  11.3 MiB/s
--   ... <INFO>: Successfully warmed up 240 files (84000000 bytes)
--   scanned: 9, scanned data: 1 GiB, completed: 5, completed data: 500 MiB, speed: 1 MiB/s, failed blocks: 0, ...
--   ... <FATAL>: open control file for /mnt/no-such-dir: ... [main@main.go:31]
-- The last line rounds the bytes. It counts files whose objects are lost as well: no log tells of them.
local juicefs = require "headway.juicefs"
local units = require "headway.units"

---@class headway.parser.juicefs_warmup : headway.Parser
---@field files integer?
---@field bytes integer?
---@field exact boolean     bytes is no rounded number
---@field over boolean      the last line came: what counts from zero then is another run
---@field ended string?
local M = {
  api = 1, name = "juicefs_warmup", tool = "juicefs", versions = "1.0 to 1.4, Enterprise 5", unit = "bytes",
  commands = { "juicefs warmup" },
  hints = {
    "cache file: ", "cache size: ", " cache: ", "arming up ", "armed up ", "scanned data: ", "in background", "FATAL",
  },
}
M.__index = M

local BACKGROUND = "only started: it goes on in the mount, which says nothing of it"

function M.new() return setmetatable({ exact = false, over = false }, M) end

--- Counts only grow, but for another run after the last line.
---@return headway.Sample?
function M:say(files, bytes)
  local restart = self.over and ((files and files < (self.files or 0)) or (bytes and bytes < (self.bytes or 0))) or nil
  if restart then self.files, self.bytes, self.exact = nil, nil, false end
  if restart or not self.over then self.over = false end
  self.files = files and math.max(files, self.files or 0) or self.files
  self.bytes = bytes and math.max(bytes, self.bytes or 0) or self.bytes
  local also = self.files and { { done = self.files, unit = "files" } } or nil
  if self.bytes then return { done = self.bytes, unit = "bytes", also = also, restart = restart } end
  if self.files then return { done = self.files, unit = "files", restart = restart } end
  return nil
end

--- The redrawn lines.
function M:spinner(record)
  local files = record:match "^%a+ cache file: *(%d+)" or record:match "^Warming up count: *(%d+)"
  if files then return self:say(units.integer(files), nil) end
  local bytes = record:match "^%a+ cache size: [^(]*%((%d+) Bytes%)"
    or record:match "^Warming up bytes: [^(]*%((%d+) Bytes%)"
  if bytes then
    local sample = self:say(nil, units.integer(bytes))
    self.exact = true
    return sample
  end
  local done, total = record:match "^Warm%a+ up paths: *(%d+) */ *(%d+)" -- 0.x
  done, total = done and units.integer(done), total and units.integer(total)
  if not done or not total then return nil end
  if done > total then return nil, "more paths are done than there are" end
  return { done = done, total = total, unit = "paths" }
end

--- The last line: files, bytes as they were printed.
---@return string? files, string? bytes
local function summary(record)
  local at = record:find("cache: ", 1, true)
  if at then
    local files, bytes = record:match("^cache: (%d+) files %(([%d.]+ ?%a*) bytes%)", at)
    if files then return files, bytes end
    return record:match("^cache: (%d+) files checked, [%d.]+ ?%a* of ([%d.]+ ?%a*) ", at)
  end
  at = record:find("uccessfully warmed up ", 1, true)
  if not at then return nil end
  return record:match("^uccessfully warmed up (%d+) files %(([%d.]+ ?%a*)%)", at)
end

function M:summary(record)
  local files, bytes = summary(record)
  if not files then return nil end
  local rounded = bytes and not self.exact and units.size(bytes, 1024, ".") or nil
  local sample = self:say(units.integer(files), rounded) or {}
  self.over, self.ended = true, "complete"
  sample.ended = "complete"
  return sample
end

--- Enterprise Edition: what is scanned grows while it still looks.
local function enterprise(record)
  local at = record:find("scanned: ", 1, true)
  if not at then return nil end
  local total, total_size, rest = record:match("^scanned: *(%d+), *scanned data: *([%d.]+ ?%a*), *()", at)
  if not total then return nil end
  local done, done_size = record:match("^completed: *(%d+), *completed data: *([%d.]+ ?%a*),", rest)
  if not done then return nil end
  local n, m = units.size(done_size, 1024, "."), units.size(total_size, 1024, ".")
  local files, of = units.integer(done), units.integer(total)
  if not (n and m and files and of) or n > m or files > of then return nil, "more is completed than was scanned" end
  return { done = n, total = m, unit = "bytes", also = { { done = files, total = of, unit = "items" } } }
end

function M:feed(record)
  local sample, why = self:spinner(record)
  sample = sample or self:summary(record)
  if not sample and not why then sample, why = enterprise(record) end
  if sample or why then return sample, why end
  if record:find "cache for %d+ paths in background" then
    self.ended = "partial" -- the command is over, the work is not
    return { ended = "partial", message = BACKGROUND }
  end
  local words = juicefs.fatal(record)
  if not words then return nil end
  self.ended = "failed"
  return { ended = "failed", message = words }
end

---@param code? integer
function M:finish(code)
  local background = self.ended == "partial"
  local ended = code and (code ~= 0 and "failed" or not background and "complete") or self.ended
  return ended and { ended = ended } or nil
end

return M
