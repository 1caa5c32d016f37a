--- JSON lines: one object a line, as many tools log. Counts are exact up to 2^63-1.
local core = require "headway.core"

---@class headway.jsonl
local jsonl = {}

--- Decodes a line; what stands in front of the first "{" (a date, a level) is left out.
---@param record string
---@return table? object  nil and no why: there is no object in the line
---@return string? why    it begins like one and is none: cut, or broken
function jsonl.decode(record)
  local at = record:find("{", 1, true)
  if not at then return nil end
  local value, why = core.json(at == 1 and record or record:sub(at))
  if why then return nil, why end
  return value
end

--- A member of a member, or nil where one of them is missing or no object.
---@param object any
---@param ... string  names
---@return any value
function jsonl.get(object, ...)
  for i = 1, select("#", ...) do
    if type(object) ~= "table" then return nil end
    object = object[(select(i, ...))]
  end
  return object
end

--- A value as a count: floats over 2^53 are none, since they are not exact.
---@param value any
---@return integer? count  0 to 2^63-1
function jsonl.count(value)
  return math.type(value) == "integer" and value >= 0 and value or nil
end

return jsonl
