--- mysqldump, mariadb-dump --verbose.
-- Seen: MariaDB 10.11. MySQL's own was not recorded: by its source (docs/parsers.md) it prints the same lines, with a
-- folder in front of its name where it was called so. Without --result-file the dump goes to stdout and the lines
-- of --verbose to stderr: both are read.
--   -- Retrieving table structure for table t10...
--   -- Disconnecting from localhost...
--   mysqldump: Couldn't find table: "none"
-- Tables are counted; how many there are is not in the log: the option tables tells.
local ends = require "headway.ends"

local M = {
  api = 1, name = "mysqldump", tool = "mysqldump", versions = "MariaDB 10.11", unit = "tables",
  commands = { "mysqldump", "mariadb-dump" },
  shows = { "-v", "--verbose" },
  hints = { "-- Retrieving table structure", "-- Disconnecting from", "mysqldump: ", "mariadb-dump: " },
  options = {
    tables = {
      type = "integer", default = 0, min = 0, max = 1000000000, help = "how many tables are dumped; 0: not known",
    },
  },
}
M.__index = M

---@param opts { tables: integer }
function M.new(opts)
  return setmetatable({ total = opts.tables > 0 and opts.tables or nil, begun = 0 }, M)
end

function M:say(done, ended)
  local total = self.total and math.max(self.total, done)
  return { done = done, total = total, unit = "tables", ended = ended }
end

local NAMES = { mysqldump = true, ["mariadb-dump"] = true }

function M:feed(record)
  if record:find "^%-%- Retrieving table structure for table ." then
    self.begun = self.begun + 1
    return self:say(self.begun - 1)
  end
  if record:find "^%-%- Disconnecting from " then
    self.ended = self.ended or "complete"
    return self:say(self.ended == "failed" and math.max(self.begun - 1, 0) or self.begun, self.ended)
  end
  local name, words = record:match "^([%w_./-]+): (.*)$"
  if name and not NAMES[name:match "[^/]*$"] then return nil end
  if not words or words:find "^%[?[Ww]arning" or words:find "^Deprecated" then return nil end
  self.ended = "failed"
  return { ended = "failed", message = words }
end

M.finish = ends.by_status

return M
