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
  return { done = self.loaded, unit = "files", message = failed }
end

--- How many names a path or a list of them holds.
local function names_of(text)
  if text:sub(1, 1) ~= "[" then return 1 end
  local _, commas = text:gsub(",/", "")
  return commas + 1
end

--- `fs load --progress`: a report, which may know the totals.
function M:report(record)
  local files, rest = record:match "^%s*Files Processed: (%d+)()"
  if files then
    self.files = { done = units.integer(files), unit = "files" }
    local of = record:match("^ out of (%d+)", rest)
    self.files.total = of and units.integer(of)
  else
    local bytes
    bytes, rest = record:match "^%s*Bytes Loaded: ([%d.]+ ?%a*)()"
    if not bytes then return nil end
    bytes = bytes:gsub("out$", "")
    self.bytes = { done = units.size(bytes:match "^%S+ ?%S*", 1024, "."), unit = "bytes" }
    local of = record:match("out of ([%d.]+ ?%a*)", rest - 4)
    self.bytes.total = of and units.size(of, 1024, ".")
  end
  local also = {}
  for _, c in ipairs { self.bytes or false, self.files or false } do
    if c and c.done and (not c.total or c.done <= c.total) then also[#also + 1] = c end
  end
  local main = table.remove(also, 1)
  return main and { done = main.done, total = main.total, unit = main.unit, also = also } or nil
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
