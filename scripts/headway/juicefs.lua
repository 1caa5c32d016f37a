--- What the commands of juicefs have in common.
---@class headway.juicefs
local juicefs = {}

--- Why it gave up, from its log: "... juicefs[3417] <FATAL>: open control file: ... [main@main.go:31]", without the
-- place in its source.
---@param record string
---@return string? words  nil: the record says no such thing
function juicefs.fatal(record)
  local _, at = record:find("<FATAL>: ", 1, true)
  if not at then return nil end
  local place = record:find(" [", at, true)
  return record:sub(at + 1, place and place - 1)
end

return juicefs
