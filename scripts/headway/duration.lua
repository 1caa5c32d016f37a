--- Times that tools print -> seconds: "0:00:12", "1h2m3s", "2 min 5 s", "250ms".
-- What is not known yet ("-", "--:--", "??:??:??", "?") gives nil, as does all else that is no duration.
---@class headway.duration
local duration = {}

local LONGEST = 1e9 -- seconds; over thirty years is a fault of the tool's

local UNITS = {
  ms = 0.001, s = 1, sec = 1, secs = 1, second = 1, seconds = 1,
  m = 60, min = 60, mins = 60, minute = 60, minutes = 60,
  h = 3600, hr = 3600, hour = 3600, hours = 3600, d = 86400, day = 86400, days = 86400, w = 604800, weeks = 604800,
}
UNITS["us"], UNITS["µs"], UNITS["ns"] = 1e-6, 1e-6, 1e-9

local function number(text)
  return tonumber((text:gsub(",", ".")))
end

--- "1:02:03", "02:03.5"; the first part may be any number, the others stay below 60.
local function clock(text)
  local a, b, c, part = text:match "^(%d+):(%d%d):?(%d*)([.,]?%d*)$"
  if not a or #a > 9 or (c ~= "" and #c ~= 2) or text:find ":$" then return nil end
  if tonumber(b) > 59 or (c ~= "" and tonumber(c) > 59) then return nil end
  local whole = c == "" and tonumber(a) * 60 + tonumber(b) or tonumber(a) * 3600 + tonumber(b) * 60 + tonumber(c)
  local rest = #part > 1 and number("0" .. part) or 0
  return rest and whole + rest or nil
end

--- "1h2m3s", "2 min 5 s": each unit smaller than the one before it.
local function sum(text)
  local total, from, last = 0, 1, math.huge
  repeat
    local amount, unit, upto = text:match("^%s*(%d+[.,]?%d*)%s?([%a\xC2\xB5]+)()", from)
    local scale = amount and UNITS[unit]
    if not scale or #amount > 18 or scale >= last then return nil end
    total, from, last = total + number(amount) * scale, upto, scale
  until from > #text
  return total
end

--- A duration in seconds.
---@param text string
---@return number? seconds  nil: it is none, or longer than thirty years
function duration.seconds(text)
  if #text > 64 then return nil end
  local s = text:match "^%s*(.-)%s*$"
  local seconds = clock(s) or sum(s)
  return seconds and seconds <= LONGEST and seconds or nil
end

return duration
