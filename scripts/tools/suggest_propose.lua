--- From what was watched to proposals: which numbers behave like progress, and how much.
local propose = {}

local SAME_END = 0.995 -- of the total, from which on a run has ended there

-- ---- how much a series behaves ---------------------------------------------------------------------

--- steps: rises, falls; share: done of total at the end, nil: no total is known. Points, and why in words.
local function judge(rises, falls, n, share)
  local score = share and (share >= SAME_END and 50 or share >= 0.9 and 30 or share * 20) or 4
  score = score + 20 * rises / math.max(1, rises + falls) + math.min(rises, 10)
  if rises < 2 then score = score - 30 end
  if falls > rises / 10 then score = score - 25 end
  local why = ("in %d records it rose %d times, fell %d times"):format(n, rises, falls)
  if share then why = why .. (", and ended at %d%%"):format(math.floor(share * 100)) end
  return score, why
end

local KINDS = { pair = 8, percent = 3, json = 10, fields = 4, words = 5, rest = 5 }

-- ---- units -----------------------------------------------------------------------------------------

local function is_plural(word)
  return #word > 3 and #word <= 20 and word:find "^%l+s$" ~= nil and not word:find "ss$"
end

--- What is counted, by the words beside it; names as of a program too: "filesDone", "total_bytes".
---@param text string?
---@return string? unit
local function unit_in(text)
  for word in (text or ""):gsub("(%l)(%u)", "%1 %2"):lower():gmatch "%a+" do
    if is_plural(word) then return word end
  end
end

-- ---- pairs and percents ----------------------------------------------------------------------------

local SHOWN = { any = "anywhere", first = "at the beginning" }

local function title_of(s, back, unit)
  local where = SHOWN[s.by] or ("behind '%s'"):format((s.words:gsub("%c", " ")))
  if s.kind == "percent" then return "a percent " .. where end
  return ("%s '%s' total, %s %s"):format(back and "left" or "done", s.mark, unit, where)
end

--- most: how often the numbers came, by any words.
local function of_site(s, most)
  local back = s.kind == "pair" and s.rises * 4 < s.falls -- it tells what is left
  local rises, falls, done = s.rises, s.falls, s.done
  if back then rises, falls, done = s.left_rises, s.left_falls, s.total - s.done end
  if s.over > 0 or s.total <= 0 or rises == 0 then return nil end
  local score, why = judge(rises, falls, s.n, done / s.total)
  score = score + KINDS[s.kind] + (s.form == "size" and 2 or 0) + 6 * s.n / most
  score = score + (s.by == "label" and 2 or s.by == "head" and 1 or s.by == "first" and 1 or 0)
  if back then score = score - 4 end
  if s.moves * 2 > s.n then score = score - 10 end -- grows with its total: a ratio?
  local unit = s.kind == "percent" and "items" or s.form ~= "plain" and "bytes"
    or unit_in(s.word) or unit_in(s.by == "label" and s.words) or "items"
  return {
    site = s, kind = s.kind, back = back, score = score, why = why, title = title_of(s, back, unit), unit = unit,
    kept = { s.early, s.middle, s.late },
  }
end

local function of_sites(sites, list)
  local most = {}
  for _, s in pairs(sites) do
    if s.by == "any" then most[s.kind] = math.max(most[s.kind] or 0, s.n) end
  end
  for _, s in pairs(sites) do list[#list + 1] = of_site(s, most[s.kind] or s.n) end
end

-- ---- sheets ----------------------------------------------------------------------------------------

local function value_at(row, name)
  return row.row[name] and row.row[name].value
end

--- How one column goes.
local function column_of(sheet, name)
  local c = { name = name, n = 0, rises = 0, falls = 0, whole = true }
  local last
  for _, row in ipairs(sheet.rows) do
    local v = value_at(row, name)
    if v then
      c.n = c.n + 1
      c.whole = c.whole and math.type(v) == "integer"
      if last and v > last then c.rises = c.rises + 1 elseif last and v < last then c.falls = c.falls + 1 end
      c.min, c.max = math.min(c.min or v, v), math.max(c.max or v, v)
      c.first, last = c.first or v, v
      c.unit, c.word = c.unit or row.row[name].unit, c.word or row.row[name].word
    end
  end
  c.last = last
  return c
end

--- Two columns row by row: how often the first is over the second, whether their sum stands still, whether a third is
-- its percent.
local function compare(sheet, a, b, columns)
  local both, over, sum, still = 0, 0, nil, true
  local percents = {}
  for _, c in ipairs(columns) do percents[c.name] = c.max <= 100 and c.name ~= a.name and c.name ~= b.name end
  for _, row in ipairs(sheet.rows) do
    local x, y = value_at(row, a.name), value_at(row, b.name)
    if x and y then
      both = both + 1
      if x > y then over = over + 1 end
      still = still and (not sum or x + y == sum)
      sum = x + y
      for name, may in pairs(percents) do
        local p = value_at(row, name)
        percents[name] = may and p ~= nil and (y == 0 or math.abs(p - 100 * x / y) <= 2)
      end
    end
  end
  local confirmed = false
  for _, fits in pairs(percents) do confirmed = confirmed or (fits and both >= 3) end
  return { both = both, over = over, still = still, confirmed = confirmed }
end

local TOTALS = { total = true, all = true, of = true, size = true, max = true, expected = true, overall = true }

local function words_of(name)
  local words = {}
  for word in tostring(name):gsub("^.*%.", ""):gsub("(%l)(%u)", "%1 %2"):lower():gmatch "%a+" do words[word] = true end
  return words
end

--- Whether two names are of one thing: "bytes_done" and "total_bytes". 0 to 3.
local function kinship(a, b)
  local x, y, points = words_of(a), words_of(b), 0
  for word in pairs(y) do
    if TOTALS[word] and not x[word] then points = 1 end
  end
  for word in pairs(x) do
    if y[word] and #word > 2 then return points + 2 end
  end
  return points
end

--- What a column counts: by the word behind it, or its name.
local function unit_of(c)
  return unit_in(c.word) or unit_in(tostring(c.name))
end

local function sheet_title(what, ...)
  local names = {}
  for i, name in ipairs { ... } do
    names[i] = type(name) == "number" and "field " .. name or "'" .. name:gsub("%c", " "):gsub("^>", "") .. "'"
  end
  return what:format(table.unpack(names))
end

local function kept_of(sheet, make)
  local kept, picked = {}, { sheet.rows[1], sheet.rows[#sheet.rows // 2 + 1], sheet.last }
  for _, row in ipairs(picked) do
    local done, total = make(row)
    if done then kept[#kept + 1] = { record = row.record, done = done, total = total } end
  end
  return kept
end

local function are_counts(a, b)
  return a.whole and b.whole and (a.unit ~= nil) == (b.unit ~= nil)
end

local function of_pair(sheet, a, b, columns)
  if a.falls > a.rises / 10 or b.max == 0 or not are_counts(a, b) then return nil end
  local c = compare(sheet, a, b, columns)
  if c.both < 2 then return nil end
  local kin = sheet.kind == "fields" and (c.confirmed and 3 or 0) or kinship(a.name, b.name)
  local share = b.last > 0 and a.last / b.last or 0
  local steady = b.falls == 0 and b.rises <= math.max(1, c.both // 2)
  if c.over > 0 or a.rises < 1 or not steady then return nil end
  if kin < 2 and not (share == 1 and (kin == 1 or b.rises == 0)) then return nil end
  if share == 1 and kin == 0 and a.rises < 3 then return nil end
  local score, why = judge(a.rises, a.falls, c.both, share)
  local size = a.unit or unit_of(a) == "bytes"
  return {
    sheet = sheet, kind = sheet.kind, done = a, total = b, why = why,
    score = score + KINDS[sheet.kind] + 3 * kin + (size and 2 or 0),
    title = sheet_title("%s of %s", a.name, b.name),
    unit = size and "bytes" or unit_of(a) or unit_of(b) or "items",
    kept = kept_of(sheet, function(row) return value_at(row, a.name), value_at(row, b.name) end),
  }
end

--- done and what is left: one rises as the other falls.
local function of_rest(sheet, a, b, columns)
  if sheet.kind ~= "words" or a.unit or not are_counts(a, b) then return nil end
  if a.rises < 3 or a.falls > 0 or b.falls < 3 then return nil end
  local c = compare(sheet, a, b, columns)
  if not c.still or c.both < 4 then return nil end
  local score, why = judge(a.rises, a.falls, c.both, a.last / math.max(1, a.last + b.last))
  return {
    sheet = sheet, kind = "rest", done = a, left = b, why = why .. "; the two always make the same sum",
    score = score + KINDS.rest, title = sheet_title("%s beside %s that are left", a.name, b.name),
    unit = unit_of(a) or unit_of(b) or "items",
    kept = kept_of(sheet, function(row)
      local done, left = value_at(row, a.name), value_at(row, b.name)
      return done, done and left and done + left
    end),
  }
end

--- A column alone: a percent or a share where it ends at the top of one, else a count without a total.
local function of_one(sheet, a)
  if a.rises < 2 or a.falls > a.rises / 10 then return nil end
  local percent = a.max == 100 and a.last == 100 and a.min < 100 and not a.unit and sheet.kind ~= "words"
  local share = a.max <= 1 and not a.whole
  if not percent and not share and not a.whole then return nil end
  local score, why = judge(a.rises, a.falls, a.n, percent and 1 or share and a.last or nil)
  local lone = percent and "%s as a percent" or share and "%s as a share" or "%s alone: no total is known"
  return {
    sheet = sheet, kind = "one", form = percent and "percent" or share and "share" or "count", done = a, why = why,
    score = score + (a.unit and 2 or 0) - (sheet.kind == "fields" and #sheet.names > 1 and 2 or 0),
    title = sheet_title(lone, a.name),
    unit = (percent or share) and "items" or a.unit and "bytes" or unit_of(a) or "items",
    kept = kept_of(sheet, function(row)
      local v = value_at(row, a.name)
      if percent then return v, 100 end
      if share then return v and v * 100, 100 end
      return v
    end),
  }
end

local function of_sheet(sheet, list)
  if sheet.rows[#sheet.rows] ~= sheet.last then sheet.rows[#sheet.rows + 1] = sheet.last end
  local columns = {}
  for _, name in ipairs(sheet.names) do
    local c = column_of(sheet, name)
    if c.n > 1 then columns[#columns + 1] = c end
  end
  for _, a in ipairs(columns) do
    if a.rises > 0 then
      list[#list + 1] = of_one(sheet, a)
      for _, b in ipairs(columns) do
        if a ~= b then
          list[#list + 1] = of_pair(sheet, a, b, columns)
          list[#list + 1] = of_rest(sheet, a, b, columns)
        end
      end
    end
  end
end

--- All proposals, the best first.
function propose.all(watched)
  local list = {}
  of_sites(watched.sites, list)
  for _, sheet in pairs(watched.sheets) do of_sheet(sheet, list) end
  for _, p in ipairs(list) do p.score = math.floor(p.score + 0.5) end
  table.sort(list, function(a, b)
    if a.score ~= b.score then return a.score > b.score end
    return a.title < b.title
  end)
  return list
end

return propose
