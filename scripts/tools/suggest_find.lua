--- The numbers of a record, and what each could be: a count of a whole ("3/10", "3 of 10"), a percent, a count that is
-- known by the word beside it, a field of a table, a member of a JSON object. Nothing is judged here: that takes many
-- records.
local core = require "headway.core"
local units = require "headway.units"

local find = {}

local NUMBERS, BYTES = 24, 1024 -- of a record that are looked at
local MEMBERS, DEPTH = 24, 3 -- of a JSON object
local FIELDS = 16

-- ---- numbers ---------------------------------------------------------------------------------------

--- Letters that scale a number: "MiB", "k". A lone letter is of 1024, as most tools print it.
---@return integer? scale, integer? base
function find.scale_of(unit)
  if unit == "" or #unit > 5 then return nil end
  local base = unit:find "^%a$" and 1024 or nil
  return units.scale(unit, base), base
end

--- What a number with that unit comes to.
---@return number? value  nil: over 63 bits, or digits in groups that are none
function find.value_of(text, unit)
  if unit then
    local _, base = find.scale_of(unit)
    return units.size(text .. unit, base)
  end
  return units.integer(text) or tonumber((text:gsub(",", ".")))
end

--- Whether digits are a part of a word, of a time, or of a date.
local function is_of_word(record, from, to)
  local before, behind = record:sub(math.max(1, from - 2), from - 1), record:sub(to + 1, to + 3)
  return before:find "[%a_]$" ~= nil or before:find "%d[:+%-]$" ~= nil or behind:find "^[:+%-]%d" ~= nil
    or behind:find "^%a+[%d_]" ~= nil or behind:find "^_" ~= nil
end

--- Adds what stands behind the digits: a unit that scales them, a word, "%", "/s".
local function look_behind(record, n)
  local glued = record:match("^%a+", n.to + 1)
  local spaced = not glued and record:match("^%s(%a+)", n.to + 1)
  local unit = glued or spaced
  if unit and find.scale_of(unit) and not record:find("^[%d_]", n.to + #unit + (spaced and 2 or 1)) then
    n.unit, n.upto = unit, n.to + #unit + (spaced and 1 or 0)
    n.word = #unit > 1 and find.scale_of(unit) == 1 and unit or nil -- "bytes"
  else
    n.word = glued or record:match("^%s+(%a+)", n.to + 1)
    n.glued, n.upto = glued, n.to
  end
  n.percent = record:match("^%s?()%%", n.to + 1)
  if n.percent then n.upto = n.percent end
  n.rate = record:find("^/%a", n.upto + 1) ~= nil or record:find("^%s?%a?ps%f[%A]", n.upto + 1) ~= nil
  n.value = find.value_of(n.text, n.unit)
end

--- The numbers of a record, from left to right.
function find.numbers(record)
  local list, at = {}, 1
  while #list < NUMBERS do
    local from, to = record:find("%d[%d.,]*", at)
    if not from then break end
    at = to + 1
    local text = record:sub(from, to):match "^.*%d"
    local n = { from = from, to = from + #text - 1, text = text }
    if not is_of_word(record, from, n.to) then
      look_behind(record, n)
      list[#list + 1] = n
    end
  end
  return list
end

-- ---- the words beside them -------------------------------------------------------------------------

--- The word in front of a number and what stands between, "Completed ", "to-chk=". A part of a file's name is none.
---@return string? label
function find.label_of(record, from, bound)
  local begin = math.max(bound, from - 32)
  local near = record:sub(begin, from - 1)
  local at = near:find "[%a_][%a_%-]*[%s:=#(%[<\"'|]*$"
  if not at then return nil end
  local before = begin + at - 2
  if before >= 1 and not record:find("^[%s(%[,;|<>\"'{=]", before) then return nil end
  return (near:sub(at):gsub("%s+", " "))
end

--- The words that a record begins with, when a colon follows: "epoch: ".
local function head_of(record, from)
  local head = record:match "^%s*(%a[%a _%-]*[:=])"
  return head and #head <= 32 and (record:find(head, 1, true)) + #head <= from and head or nil
end

-- ---- pairs and percents ----------------------------------------------------------------------------

local MARKS = { { "^%s*/%s*(~?)$", "/" }, { "^%s+of%s+(~?)$", "of" }, { "^%s+out of%s+(~?)$", "out of" } }

local function mark_between(record, a, b)
  local between = record:sub(a.upto + 1, b.from - 1)
  for _, mark in ipairs(MARKS) do
    local guess = between:match(mark[1])
    if guess then return mark[2], guess ~= "" end
  end
end

--- 2026/11/23, 1/2/3.
local function is_chain(record, a, b)
  local before = record:sub(math.max(1, a.from - 2), a.from - 1)
  return before:find "%d%s?/$" ~= nil or record:find("^%s?/%s?%d", b.upto + 1) ~= nil
end

---@return table? pair  done, total, kind of its numbers and how it is written
local function pair_of(record, a, b)
  local mark, guess = mark_between(record, a, b)
  if not mark or is_chain(record, a, b) or a.percent or b.percent then return nil end
  local form = (a.unit or b.unit) and "size" or "plain"
  local done = a.value
  if form == "size" and not b.unit then return nil end
  if form == "size" and not a.unit and a.value ~= 0 then
    form, done = "half", find.value_of(a.text, b.unit)
  end
  if math.type(done) ~= "integer" or math.type(b.value) ~= "integer" then return nil end
  return {
    kind = "pair", mark = mark, guess = guess, form = form, done = done, total = b.value,
    unit = b.unit, word = b.word, base = find.scale_of(b.unit or "") and select(2, find.scale_of(b.unit)),
  }
end

--- Where a number is: in which words, or at the beginning.
local function place(record, n, bound, site)
  site.from = n.from
  site.label = find.label_of(record, n.from, bound)
  site.head = head_of(record, n.from)
  site.first = record:find "^%s*%d" ~= nil and record:find "%d" == n.from
  return site
end

--- Calls fn with each pair and each percent of a record.
function find.each_whole(record, numbers, fn)
  local bound = 1
  for i, n in ipairs(numbers) do
    local after = numbers[i + 1]
    local pair = after and not n.used and pair_of(record, n, after)
    if pair then
      n.used, after.used = true, true
      fn(place(record, n, bound, pair))
    elseif n.percent and not n.used then
      local value = tonumber((n.text:gsub(",", ".")))
      n.used = true
      if value and value <= 100 then
        fn(place(record, n, bound, { kind = "percent", done = value, total = 100 }))
      end
    end
    bound = n.upto + 1
  end
end

-- ---- sheets: several counts of one record -----------------------------------------------------------

local TIMES = {}
for word in ("s sec secs seconds ms min mins minutes h"):gmatch "%a+" do TIMES[word] = true end

--- Counts by the word in front of them, else the one behind: { ["total "] = 36, [">files"] = 12 }, and their names in
-- order.
function find.labelled(record, numbers)
  local row, names, bound = {}, {}, 1
  for _, n in ipairs(numbers) do
    if not n.used and not n.rate and not (n.glued and not n.unit) and math.type(n.value) == "integer" then
      local name = find.label_of(record, n.from, bound)
      name = name or (n.word and not TIMES[n.word] and ">" .. n.word)
      if name and not row[name] and #names < FIELDS then
        row[name] = { value = n.value, unit = n.unit, word = n.word }
        names[#names + 1] = name
      end
    end
    bound = n.upto + 1
  end
  return row, names
end

--- The fields of a line of a table, where most of them are numbers: { [1] = 58, [2] = 10485760 }.
function find.fields(record)
  local row, names, count = {}, {}, 0
  for field in record:gmatch "%S+" do
    count = count + 1
    if count > FIELDS then return nil end
    local text, unit = field:match "^(%d[%d.,]*)(%a*)$"
    local value = text and (unit == "" or find.scale_of(unit)) and find.value_of(text, unit ~= "" and unit or nil)
    if value then
      row[count] = { value = value, unit = unit ~= "" and unit or nil }
      names[#names + 1] = count
    end
  end
  if count == 0 or #names * 2 < count then return nil end
  return row, names, count
end

--- The numbers of a JSON object, by the way to them: { ["stats.bytes"] = 5 }.
function find.members(record)
  if not record:find "^%s*{" then return nil end
  local doc = core.json(record)
  if type(doc) ~= "table" then return nil end
  local row, names = {}, {}
  local function walk(t, path, depth)
    local keys = {}
    for key in pairs(t) do
      if type(key) == "string" and key:find "^[%a_][%w_]*$" then keys[#keys + 1] = key end
    end
    table.sort(keys)
    for _, key in ipairs(keys) do
      local value, name = t[key], path .. key
      if type(value) == "number" and value >= 0 and #names < MEMBERS then
        row[name], names[#names + 1] = { value = value }, name
      elseif type(value) == "table" and depth < DEPTH then
        walk(value, name .. ".", depth + 1)
      end
    end
  end
  walk(doc, "", 1)
  return row, names
end

find.BYTES = BYTES
return find
