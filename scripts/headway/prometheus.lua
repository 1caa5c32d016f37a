--- Prometheus' text format: one metric a line, "name{label=\"value\"} 42 timestamp".
-- A whole page may be one record, or each line of it: both go through the same functions. Values that are whole are
-- exact integers, also where they are written as floats below 2^53 ("1.2e+07").
---@class headway.prometheus
local prometheus = {}

local EXACT = 2 ^ 53

--- "42", "1.2e+07" -> 42, 12000000; "0.5" -> 0.5
---@param text string
---@return number? value  nil: it is no number; NaN and infinities are none here
local function value_of(text)
  if not text:find "^[%d.eE+-]+$" then return nil end
  local v = tonumber(text)
  if math.type(v) ~= "float" then return v end
  return v > -EXACT and v < EXACT and v == math.floor(v) and math.tointeger(v) or v
end

--- Behind the labels: a "}" inside a quoted value is none.
---@param line string
---@param at integer  of the "{"
---@return integer? behind
local function skip_labels(line, at)
  local i = at + 1
  while true do
    local stop = line:find('["}]', i)
    if not stop then return nil end
    if line:byte(stop) == 125 then return stop + 1 end
    i = stop + 1
    repeat -- to the quote that ends the value
      local mark = line:find('["\\]', i)
      if not mark then return nil end
      i = mark + (line:byte(mark) == 92 and 2 or 1)
    until line:byte(mark) == 34
  end
end

--- Reads one line.
---@param line string
---@return string? name   nil: a comment, an empty line, or no metric
---@return number? value
---@return string? labels  what stands between the braces, "" = there are none
function prometheus.line(line)
  local name, at = line:match "^%s*([%a_:][%w_:]*)()"
  if not name then return nil end
  local labels, from = "", at
  if line:sub(at, at) == "{" then
    from = skip_labels(line, at)
    if not from then return nil end
    labels = line:sub(at + 1, from - 2)
  end
  local value = line:match("^%s+(%S+)", from)
  value = value and value_of(value)
  if not value then return nil end
  return name, value, labels
end

--- Reads a page, or a line of one; of a metric with several sets of labels the values are summed.
---@param text string
---@param wanted table<string, any>  names that count, as keys
---@param into table<string, number>  name -> value; those that are not in the text stay as they were
---@return boolean any  whether one of them was there
function prometheus.read(text, wanted, into)
  local found = {}
  for line in text:gmatch "[^\n]+" do
    local name, value = prometheus.line(line)
    if name and wanted[name] then found[name] = (found[name] or 0) + value end
  end
  for name, value in pairs(found) do into[name] = value end
  return next(found) ~= nil
end

return prometheus
