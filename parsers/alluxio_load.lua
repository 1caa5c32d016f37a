--- Alluxio: `fs distributedLoad` and `fs load`, as Fluid's DataLoad runs them.
-- Read: the messages of 2.x, as its source prints them; not recorded yet. The tool knows no total: the setting
-- `total` is for what is known from elsewhere.
--   /data/a.bin loading
--   Successfully loaded path /data/a.bin after 1 attempts
--   /data/b.bin is already fully loaded in Alluxio
--   Failed to complete loading /data/c.bin after 3 retries.
--   files: [/data/a.bin,/data/b.bin] loadingSuccessfully loaded path [/data/a.bin,/data/b.bin] after 1 attempts
--   Files Processed: 120 out of 400     Bytes Loaded: 125.00MB out of 500.00MB                  fs load --progress
-- Files count. Batches print the names that fit in 80 bytes ("..." stands for the others): then only those are
-- counted.
local units = require "headway.units"

---@class headway.parser.alluxio_load : headway.Parser
---@field loaded integer
---@field failed integer
local M = {
  api = 1, name = "alluxio_load", tool = "alluxio", versions = "2.x", unit = "files",
  commands = { "alluxio fs distributedLoad", "alluxio fs load", "alluxio fs distributedload" },
  hints = { "loaded", "Failed to complete loading ", "Files Processed: ", "Bytes Loaded: " },
}
M.__index = M

function M.new() return setmetatable({ loaded = 0, failed = 0 }, M) end

---@return headway.Sample
function M:say()
  local failed = self.failed > 0 and ("%d failed"):format(self.failed) or nil
  local reported = self.files and self.files.done or 0
  return { done = math.max(self.loaded, reported), unit = "files", message = failed }
end

--- How many names a path or a list of them holds.
local function names_of(text)
  if text:sub(1, 1) ~= "[" then return 1 end
  local _, commas = text:gsub(",/", "")
  return commas + 1
end

local TOO_MUCH = "more is loaded than there is"

--- A count of a report, which never falls.
---@return headway.Count? count, string? why
local function grown(before, least, done, total, unit)
  if not done then return before end
  if total and done > total then return before, TOO_MUCH end
  done = math.max(done, least, before and before.done or 0)
  return { done = done, total = total and total >= done and total or nil, unit = unit }
end

--- `fs load --progress`: a report, which may know the totals.
function M:report(record)
  local why
  local files, rest = record:match "^%s*Files Processed: (%d+)()"
  if files then
    local of = record:match("^ out of (%d+)", rest)
    self.files, why = grown(self.files, self.loaded, units.integer(files), of and units.integer(of), "files")
  else
    local bytes = record:match "^%s*Bytes Loaded: ([%d.]+%a*)"
    if not bytes then return nil end
    local of = record:match "^%s*Bytes Loaded: [%d.]+%a* out of ([%d.]+%a*)"
    self.bytes, why = grown(self.bytes, 0, units.size(bytes, 1024, "."), of and units.size(of, 1024, "."), "bytes")
  end
  if why then return nil, why end
  local main, other = self.bytes or self.files, self.bytes and self.files
  return main and { done = main.done, total = main.total, unit = main.unit, also = other and { other } } or nil
end

function M:feed(record)
  local _, at = record:find("Successfully loaded path ", 1, true)
  if at then
    local path = record:sub(at + 1):match "^(.*) after %d+ attempts$"
    if not path then return nil end
    self.loaded = self.loaded + names_of(path)
    return self:say()
  end
  if record:find "^/.* is already fully loaded in Alluxio$" or record:find "^/.* loaded$" then
    self.loaded = self.loaded + 1
    return self:say()
  end
  local _, failed = record:find("Failed to complete loading ", 1, true)
  if failed then
    local path = record:sub(failed + 1):match "^(.*) after %d+ retries%.$"
    if not path then return nil end
    self.failed = self.failed + names_of(path)
    return self:say()
  end
  return self:report(record)
end

--- It ends with 0 although files failed.
---@param code? integer
function M:finish(code)
  if not code then return nil end
  if code ~= 0 then return { ended = "failed" } end
  return { ended = self.failed > 0 and "partial" or "complete" }
end

return M
