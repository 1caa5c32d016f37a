--- aria2c: the readout and the summary.
-- Seen: 1.35, 1.36, 1.37, also in German. On a terminal no flag is needed; elsewhere --summary-interval=1 (60 s else).
--   [#3b2f64 1.0MiB/10MiB(10%) CN:1 DL:514KiB ETA:17s]                  [#8305b5 1.0MiB/0B CN:1 DL:0.9MiB]   no length
--   [DL:15KiB][#f1965f 0B/5.7MiB(0%)][#22a55f 0B/2.3MiB(0%)]            several at once
--   FILE: out/part-a.bin                                                behind each, in the summary
--   11/25 04:50:36 [NOTICE] Downloading 3 item(s)
--   11/25 04:50:36 [NOTICE] Download complete: out/part-b.bin
--   22a55f|OK  |   483KiB/s|out/part-b.bin                              one for each, at the end
-- Bytes count, rounded to two or three digits, where those of all downloads are known, else the files that are
-- complete; at the end the files, which are exact. Which download a complete file was is told by the summary
-- only: without it the one that is furthest is taken for it. Of BitTorrent and Metalink nothing was recorded.
local units = require "headway.units"

---@class headway.parser.aria2c : headway.Parser
---@field downloads table<string, { done: integer, total: integer?, file: string?, over: boolean? }>  by gid
---@field seen integer       of them
---@field last string?       gid of the last line, the next one names its file
---@field items integer      downloads there are
---@field complete integer
---@field failures integer
---@field ok integer         rows of the results
---@field rows integer
---@field ended string?
local M = {
  api = 1, name = "aria2c", tool = "aria2c", versions = "1.35 to 1.37", unit = "bytes",
  commands = { "aria2c" },
  hints = { "[#", "FILE: ", "[NOTICE]", "|OK", "|ERR", "|INPR", "|RM", "errorCode=" },
}
M.__index = M

local DOWNLOADS_MAX = 256

function M.new()
  return setmetatable({
    downloads = {}, seen = 0, items = 0, complete = 0, failures = 0, ok = 0, rows = 0,
  }, M)
end

local function size(number, unit) return units.size(number .. unit, 1024, ".") end

--- What one token of a readout says; a download never gets less.
function M:set(gid, done, total)
  local download = self.downloads[gid]
  if not download then
    if self.seen >= DOWNLOADS_MAX then return end
    download = { done = 0 }
    self.downloads[gid], self.seen = download, self.seen + 1
    self.items = math.max(self.items, self.seen)
  end
  if download.over then return end
  if total == 0 then total = nil end
  if total and done > total then done = total end
  download.done = math.max(download.done, done)
  download.total = total and math.max(total, download.done)
  self.last = gid
end

--- A file is complete: of a download whose file is known, else of the one that is furthest.
function M:fill(file)
  local best, share
  for _, download in pairs(self.downloads) do
    if not download.over then
      local f = download.file == file and 2 or download.total and download.done / math.max(download.total, 1) or 0
      if not share or f > share or (f == share and download.done > best.done) then best, share = download, f end
    end
  end
  if not best then return end
  best.over = true
  best.done = best.total or best.done
end

--- The bytes of all downloads that were seen.
---@return integer done, integer? total
function M:sum()
  local done, total = 0, 0
  for _, download in pairs(self.downloads) do
    done = units.add(done, download.done)
    total = total and download.total and units.add(total, download.total)
  end
  return done, self.seen == self.items and total or nil
end

--- Files that are there.
function M:whole() return math.min(math.max(self.ok, self.complete), self.items) end

---@return headway.Sample?
function M:say()
  local done, total = self:sum()
  local several = self.items > 1
  if self.seen == 0 and not several then return nil end
  local files = { done = self:whole(), total = self.items, unit = "files" }
  if several and not total then
    files.also = { { done = done, unit = "bytes" } }
    return files
  end
  return { done = done, total = total, unit = "bytes", also = several and { files } or nil }
end

--- A row of the results. Several downloads: what is complete, of all, when the last row is there.
function M:result(stat)
  self.rows = self.rows + 1
  self.items = math.max(self.items, self.rows)
  if stat == "OK" then self.ok = self.ok + 1 end
  local ok = self:whole()
  self.ended = ok == self.items and "complete" or ok > 0 and "partial" or "failed"
  if self.rows < self.items then return nil end
  if self.items < 2 then return { ended = self.ended } end
  return { done = ok, total = self.items, unit = "files", ended = self.ended }
end

function M:readout(record)
  local any
  for gid, n, n_unit, m, m_unit in record:gmatch "%[#(%x%x%x%x%x%x) (%d[%d.]*)(%a+)/(%d[%d.]*)(%a+)" do
    local done, total = size(n, n_unit), size(m, m_unit)
    if done and total then
      self:set(gid, done, total)
      any = true
    end
  end
  return any and self:say() or nil
end

--- Notices, in any language: "Download complete: FILE", "Downloading 3 item(s)".
function M:notice(text)
  local items = text:match "^[^%d:]+ (%d+) %S+$"
  if items then
    local n = units.integer(items)
    if n then self.items = math.max(n, self.items) end
    return nil
  end
  local file = text:match "^[^%d:#]+: (.+)$"
  if not file or file:find("listening", 1, true) then return nil end
  self.complete = self.complete + 1
  self.items = math.max(self.items, self.complete)
  self:fill(file)
  return self:say()
end

function M:feed(record)
  if record:find("[#", 1, true) then return self:readout(record) end
  local file = record:match "^FILE: (.*)$"
  if file then
    local download = self.downloads[self.last]
    if download then download.file = file end
    return nil
  end
  local stat = record:match "^%x%x%x%x%x%x|(%u+) *|"
  if stat then return self:result(stat) end
  local text = record:match "^%d+/%d+ [%d:]+ %[NOTICE%] (.*)$"
  if text then return self:notice(text) end
  local words = record:match "^ +%-> %[[^%]]*%] errorCode=%d+ (.*)$"
  return words and { message = words } or nil
end

--- 7: stopped by hand while downloads were under way.
---@param code? integer
function M:finish(code)
  if not code then return self.ended and { ended = self.ended } or nil end
  if code == 0 then return { ended = "complete" } end
  local some = code < 128 and code ~= 7 and self:whole() > 0
  return { ended = some and "partial" or "failed" }
end

return M
