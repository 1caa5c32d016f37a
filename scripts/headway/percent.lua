--- Percents -> shares of the whole: "42%" is 0.42.
---@class headway.percent
local percent = {}

--- A percent that is all of the text: "42%", "42.5 %", "42,5%".
---@param text string
---@return number? fraction  0 to 1; nil: it is none, or over 100
function percent.fraction(text)
  if #text > 32 then return nil end
  local whole, part = text:match "^%s*(%d+)[.,]?(%d*)%s?%%%s*$"
  if not whole or #whole > 3 then return nil end
  local value = tonumber(whole .. "." .. (part ~= "" and part or "0"))
  return value <= 100 and value / 100 or nil
end

--- A share from a count and its total, for tools that know both but as floats.
---@param done number
---@param total number
---@return number? fraction  nil: there is none
function percent.of(done, total)
  local f = total > 0 and done / total or nil
  return f and f >= 0 and f <= 1 and f or nil
end

return percent
