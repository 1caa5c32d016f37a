--- Numbers as tools print them -> exact integers: digits in groups, sizes with SI and IEC units.
-- Nothing passes through a float. What is no such number gives nil, never a guess.
--   units.integer "12,000,000"   12000000       units.size "11.444 MiB"   11999903
--   units.integer "12.000.000"   12000000       units.size "1,50 GB"      1500000000
--   units.integer "12 000 000"   12000000       units.size("34k", 1024)   34816
---@class headway.units
local units = {}

local find, gsub, match, tonumber = string.find, string.gsub, string.match, tonumber

--- Digits are kept in groups of three by dot, comma, apostrophe, space, or one of Unicode's narrow ones.
local SPACES = { ["\u{A0}"] = "_", ["\u{202F}"] = "_", ["\u{2009}"] = "_", ["\u{2019}"] = "'" }

local function plain(text)
  if not find(text, "[\xC2\xE2]") then return text end
  return (text:gsub("[\xC2\xE2][\x80-\xBF]+", SPACES))
end

--- A whole number of at most 63 bits.
---@param digits string  digits and nothing else
local function whole(digits)
  return math.tointeger(tonumber(digits)) -- over 63 bits tonumber gives a float, which tointeger may still take
end

local function exact(digits)
  local n = #digits < 19 and whole(digits) or nil
  if n then return n end
  local short = digits:match "^0*(%d+)$" or digits
  if #short > 19 or (#short == 19 and short > "9223372036854775807") then return nil end
  return whole(short)
end

--- Patterns of groups, by the mark between them and how many marks there are; made when they are needed.
local GROUPS = {}
for _, mark in ipairs { ".", ",", "'", "_", " " } do GROUPS[mark] = {} end

local function groups_of(mark, count)
  local patterns = GROUPS[mark]
  if not patterns[count] then patterns[count] = "^%d%d?%d?" .. ("%" .. mark .. "%d%d%d"):rep(count) .. "$" end
  return patterns[count]
end

--- Takes the groups apart: all but the first have three digits, and one mark stands between all of them.
---@param text string  at most 80 bytes
---@return string? digits
local function ungroup(text)
  local mark = match(text, "^%d%d?%d?([.,'_ ])")
  if not mark then return match(text, "^%d+$") end
  local digits, count = gsub(text, "[.,'_ ]", "")
  return find(text, groups_of(mark, count)) and digits or nil
end

--- A whole number; digits may stand in groups.
---@param text string  no white space around it
---@return integer? n  nil: it is none, or over 63 bits
function units.integer(text)
  if #text < 19 and not find(text, "%D") then return tonumber(text) end -- "" too: nil
  if #text > 80 or not find(text, "^%d") then return nil end
  local digits = ungroup(plain(text))
  return digits and exact(digits)
end

--- The sum of two counts, at most 2^63-1: it stays there instead of going below zero.
---@param a integer  not below 0
---@param b integer  the same
---@return integer
function units.add(a, b)
  return a > math.maxinteger - b and math.maxinteger or a + b
end

local POWERS = { k = 1, m = 2, g = 3, t = 4, p = 5, e = 6 }

--- How many bytes one of a unit is: "", "B", "k", "kB", "MB", "MiB", "Mi", "bytes"...
---@param unit string
---@param base? integer  of a unit that names none ("k", "KB"): 1000, or 1024
---@return integer? bytes  nil: no unit of bytes
function units.scale(unit, base)
  local lower = unit:lower()
  if lower == "" or lower == "b" or lower == "byte" or lower == "bytes" then return 1 end
  local letter, iec = lower:match "^([kmgtpe])(i?)b?$"
  if not letter then letter, iec = lower:match "^([kmgtpe])(i?)bytes?$" end
  if not letter then return nil end
  local scale = 1
  for _ = 1, POWERS[letter] do scale = scale * (iec == "i" and 1024 or base or 1000) end
  return scale
end

--- floor(0.digits * scale), exactly. Digit by digit from the last: the floor of a floor is the floor of the whole.
local function part_of(scale, digits)
  if scale == 1 then return 0 end
  local half, sum = scale // 2, 0 -- halves, so that 9 * 2^60 never comes up
  for i = #digits, 1, -1 do sum = ((digits:byte(i) - 48) * half + sum // 2) // 5 end
  return sum
end

--- Cuts a number into what stands before and behind its decimal mark.
---@param text string  digits and marks
---@param decimal? string  the mark, "." or ","; nil: the last of two kinds; a lone one, but for a comma that groups
--- where `grouped` allows it
local function split(text, decimal)
  local head, mark, tail = text:match "^([%d.,'_ ]*)([.,])(%d*)$"
  if not mark then return text, "" end
  if decimal and mark ~= decimal then return text, "" end
  if not decimal and head:find(mark, 1, true) then return text, "" end -- 1.234.567
  return head, tail
end

--- A size: a number, which may have decimals and groups, and a unit, "11.444 MiB". Decimals are cut, not rounded.
-- A lone dot or comma is the decimal mark when a unit follows (1,234 MiB is a bit more than one), and groups
-- when none does (1,234 is over a thousand), unless `decimal` says which it is.
---@param text string      no white space around it
---@param base? integer    of units that name none ("k", "KB"): 1000 (default), or 1024
---@param decimal? string  the decimal mark, when it is known: "." or ","
---@return integer? bytes  nil: it is no size, or over 63 bits
function units.size(text, base, decimal)
  if not text:find "^%d" or #text > 80 then return nil end
  local number, unit = plain(text):match "^([%d.,'_ ]*%d)[_ ]*(%a*)$"
  local scale = number and units.scale(unit, base)
  if not scale then return nil end
  local head, tail = split(number, decimal)
  if unit == "" and not decimal and tail ~= "" and not head:find "[.,'_ ]" and #tail == 3 then
    head, tail = number, ""
  end
  local digits = ungroup(head)
  local n = digits and exact(digits)
  if not n or n > math.maxinteger // scale then return nil end
  local sum = n * scale + part_of(scale, tail)
  return sum >= 0 and sum or nil
end

return units
