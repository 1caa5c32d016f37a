--- xtrabackup, mariadb-backup: --backup, --prepare, --copy-back.
-- Seen: mariadb-backup 10.11. Percona XtraBackup 2.4 and 8 were not recorded: their forms are read from its source
-- (docs/parsers.md).
--   [01] 2026-11-25 04:56:17 Copying ./shop/t8.ibd to /srv/backup/shop/t8.ibd
--   [01] 2026-11-25 04:56:17         ...done
--   2026-11-25T04:56:17.1-00:00 2 [Note] [MY-011825] [Xtrabackup] Done: Copying ./shop/t8.ibd to /srv/t8.ibd
--   2026-11-25T04:56:17.1-00:00 0 [ERROR] [MY-011825] [Xtrabackup] copy_file() failed.
--   180810 05:42:56 [01] Copying ./ibdata1 to /srv/backup/ibdata1                      2.4
--   [00] 2026-11-25 04:56:16 completed OK!
-- Files are counted; how many there are is not in the log: the option files tells.
local ends = require "headway.ends"

---@class headway.parser.xtrabackup : headway.Parser
---@field total integer?
---@field done integer
---@field open table<string, boolean>   threads that copy a file
---@field ended string?
local M = {
  api = 1, name = "xtrabackup", tool = "xtrabackup", versions = "mariadb-backup 10.11", unit = "files",
  commands = { "xtrabackup", "mariadb-backup", "mariabackup", "innobackupex" },
  hints = { "ing ", "...done", "Done: ", "completed OK!", "Error: ", "[ERROR]" },
  options = {
    files = {
      type = "integer", default = 0, min = 0, max = 1000000000, help = "how many files are copied; 0: not known",
    },
  },
}
M.__index = M

---@param opts { files: integer }
function M.new(opts)
  return setmetatable({ total = opts.files > 0 and opts.files or nil, done = 0, open = {} }, M)
end

---@return headway.Sample
function M:say(ended)
  local total = self.total and math.max(self.total, self.done)
  return { done = self.done, total = total, unit = "files", ended = ended }
end

local VERBS = { Copying = true, Streaming = true, Compressing = true, Encrypting = true, Decompressing = true }

--- What a line says behind its date; of MariaDB, of 2.4, of 8.
---@return string? thread, string? words, string? trouble  that it tells of
local function read(record)
  local thread, words = record:match "^%[(%d%d?%d?)%] %d+%-%d+%-%d+ [%d:]+ +(%S.*)$"
  if not words then words = record:match "^%d%d%d%d%d%d [%d:]+ +(%S.*)$" end
  if words and not thread and words:find "^%[%d" then thread, words = words:match "^%[(%d%d?%d?)%] +(%S.*)$" end
  if words then return thread, words, words:match "^Error: (.*)$" end
  local level
  level, words = record:match "^[%dTZ:.+-]+ %d+ %[(%a+)%] %[[%w-]+%] %[Xtrabackup%] (.*)$"
  return nil, words, level == "ERROR" and words or nil
end

function M:feed(record)
  local thread, words, trouble = read(record)
  if not words then return nil end
  if words:find "^completed OK!" then
    self.ended = "complete"
    return self:say "complete"
  end
  if words:find "^Done: " then
    self.done = self.done + 1
    return self:say()
  end
  if thread and VERBS[words:match "^%a+"] then
    self.open[thread] = true
  elseif thread and words:find "^%.%.%.done" and self.open[thread] then
    self.open[thread], self.done = nil, self.done + 1
    return self:say()
  elseif trouble then
    self.ended = "failed"
    return { ended = "failed", message = trouble }
  end
  return nil
end

M.finish = ends.by_status

return M
