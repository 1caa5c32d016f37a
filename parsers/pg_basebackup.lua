--- pg_basebackup --progress.
-- Seen: 15, in English and German, with -v too.
--   51234/63432 kB (80%), 0/1 tablespace (/srv/backup/base/4/2838         )
--   63442/63442 kB (100%), 1/1 Tablespace
--   pg_basebackup: base backup completed                  -v, in English
-- The total is an estimate, and grows with what is written once that passes it. When all of it is there the
-- write-ahead log may still stream, and files are synced.
local ends = require "headway.ends"
local units = require "headway.units"

---@class headway.parser.pg_basebackup : headway.Parser
---@field bytes integer
---@field ended string?
local M = {
  api = 1, name = "pg_basebackup", tool = "pg_basebackup", versions = "15", unit = "bytes",
  commands = { "pg_basebackup" },
  shows = { "-P", "--progress" },
  hints = { " kB (", "waiting for checkpoint", "pg_basebackup: error: ", "base backup completed" },
}
M.__index = M

function M.new() return setmetatable({ bytes = 0 }, M) end

local KIB_MAX = math.maxinteger // 1024

function M:other(record)
  if record:find "^waiting for checkpoint" then return { message = "waiting for checkpoint" } end
  local words = record:match "^pg_basebackup: error: (.*)$"
  if words then
    self.ended = "failed"
  elseif record:find "^pg_basebackup: base backup completed" then
    self.ended = "complete"
  else
    return nil
  end
  return { ended = self.ended, message = words }
end

function M:feed(record)
  local done, total, spaces, of = record:match "^ *(%d+)/(%d+) kB %(%d+%%%), (%d+)/(%d+) "
  if not done then return self:other(record) end
  done, total, spaces, of = units.integer(done), units.integer(total), units.integer(spaces), units.integer(of)
  if not (done and total and spaces and of) or total > KIB_MAX or done > KIB_MAX then
    return nil, "counts over 63 bits"
  end
  if done > total or spaces > of then return nil, "more done than there is" end
  self.bytes = math.max(self.bytes, done * 1024)
  return {
    done = self.bytes, total = math.max(total * 1024, self.bytes), unit = "bytes",
    also = { { done = spaces, total = of, unit = "tablespaces" } },
  }
end

M.finish = ends.by_status

return M
