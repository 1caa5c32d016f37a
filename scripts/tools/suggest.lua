--- Reads the records of a tool that nobody knows yet, and proposes parsers for it: `headway suggest`. It is a parser
-- itself, run in the worker like any other, since records may be anyone's:
--   "R..."  records, with a line end between them
--   "Q..."  name, program, argument, recording, with line ends between them: no more records come
--   "N"     asks for the next line of the answer, given as a refusal; nothing: there are no more
-- The answer, best proposal first: "C SURE TITLE" begins one, "W TEXT" is why, "P HEX" and "S HEX" are pieces of the
-- parser and of its spec.
-- Every number is watched in three ways: as one half of a pair or a percent, by the words in front of it, and as a
-- column beside others. What rises, stays below its total, and ends there behaves like progress.
local find = require "tools.suggest_find"
local propose = require "tools.suggest_propose"
local write = require "tools.suggest_write"

---@class headway.tools.suggest : headway.Parser
local M = { api = 1, name = "suggest", record_max = 65536 }
M.__index = M

local SITES, SHEETS, ROWS, OTHERS = 192, 20, 64, 12
local PROPOSALS = 6
local PIECE = 90 -- bytes of text in a line of the answer

function M.new()
  return setmetatable({ sites = {}, site_count = 0, sheets = {}, sheet_count = 0, others = {}, records = 0 }, M)
end

-- ---- watching --------------------------------------------------------------------------------------

--- The first record, one about in the middle, and the last.
local function keep_record(s, record, done, total)
  local kept = { record = record, done = done, total = total }
  s.early = s.early or kept
  if s.n & (s.n - 1) == 0 then s.middle = kept end
  s.late = kept
end

local function count_step(s, done, total)
  local left, was = total - done, s.total - s.done
  if done > s.done then s.rises = s.rises + 1 elseif done < s.done then s.falls = s.falls + 1 end
  if left > was then s.left_rises = s.left_rises + 1 elseif left < was then s.left_falls = s.left_falls + 1 end
  if total ~= s.total then s.moves = s.moves + 1 end
end

local function add_to_site(s, found, record)
  s.n = s.n + 1
  if s.n > 1 then count_step(s, found.done, found.total) end
  if found.done > found.total then s.over = s.over + 1 end
  s.done, s.total = found.done, found.total
  s.guess, s.base = s.guess or found.guess, s.base or found.base
  if s.word ~= found.word then s.word = nil end
  if s.unit ~= found.unit then s.unit = nil end
  keep_record(s, record, found.done, found.total)
end

local function new_site(found, by, words)
  return {
    kind = found.kind, mark = found.mark, form = found.form, word = found.word, unit = found.unit, by = by,
    words = words,
    n = 0, rises = 0, falls = 0, left_rises = 0, left_falls = 0, moves = 0, over = 0,
  }
end

--- One way to know the numbers again: by nothing, by their label, by the record's first words, by their place.
function M:watch(found, by, words, record, seen)
  local key = table.concat({ found.kind, found.mark or "", found.form or "", by, words }, "|")
  if seen[key] then return end
  seen[key] = true
  local s = self.sites[key]
  if not s then
    if self.site_count >= SITES then return end
    s = new_site(found, by, words)
    self.sites[key], self.site_count = s, self.site_count + 1
  end
  add_to_site(s, found, record)
end

--- Makes room: what came only once is not missed.
function M:drop_sheets()
  for key, sheet in pairs(self.sheets) do
    if sheet.n == 1 then self.sheets[key], self.sheet_count = nil, self.sheet_count - 1 end
  end
end

--- A row of several counts; of many rows some are kept, evenly, and the last.
function M:add_row(kind, shape, row, names, record)
  local key = kind .. "|" .. shape
  local sheet = self.sheets[key]
  if not sheet then
    if self.sheet_count >= SHEETS then self:drop_sheets() end
    if self.sheet_count >= SHEETS then return end
    sheet = { kind = kind, shape = shape, names = names, known = {}, n = 0, step = 1, rows = {} }
    self.sheets[key], self.sheet_count = sheet, self.sheet_count + 1
  end
  for _, name in ipairs(names) do
    if not sheet.known[name] and #sheet.names <= 24 then
      sheet.known[name] = true
      if sheet.names ~= names then sheet.names[#sheet.names + 1] = name end
    end
  end
  sheet.last = { row = row, record = record }
  if sheet.n % sheet.step == 0 then sheet.rows[#sheet.rows + 1] = sheet.last end
  sheet.n = sheet.n + 1
  if #sheet.rows <= ROWS then return end
  for i = 1, ROWS // 2 do sheet.rows[i] = sheet.rows[2 * i - 1] end
  for i = #sheet.rows, ROWS // 2 + 1, -1 do sheet.rows[i] = nil end
  sheet.step = sheet.step * 2
end

function M:take(record)
  local members, names = find.members(record)
  self.records = self.records + 1
  if members then self:add_row("json", "", members, names, record) end
  record = record:sub(1, find.BYTES)
  local numbers, seen = find.numbers(record), {}
  find.each_whole(record, numbers, function(found)
    self:watch(found, "any", "", record, seen)
    if found.label then self:watch(found, "label", found.label, record, seen) end
    if found.head and not found.label then self:watch(found, "head", found.head, record, seen) end
    if found.first then self:watch(found, "first", "", record, seen) end
  end)
  if members then return end
  local row, labels = find.labelled(record, numbers)
  if labels[1] then self:add_row("words", table.concat(labels, "\0"), row, labels, record) end
  local fields, columns, count = find.fields(record)
  if fields then self:add_row("fields", tostring(count), fields, columns, record) end
  if #self.others < OTHERS then self.others[#self.others + 1] = record end
end

-- ---- answering -------------------------------------------------------------------------------------

local function hex(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function in_pieces(answer, mark, text)
  for at = 1, #text, PIECE do answer[#answer + 1] = mark .. " " .. hex(text:sub(at, at + PIECE - 1)) end
end

--- Proposals that come to the same lines are one.
function M:answer(about)
  local answer, seen, given = {}, {}, 0
  for _, p in ipairs(propose.all(self)) do
    local body = write.body(p)
    local key = table.concat(body.lines, "\n")
    if not seen[key] and given < PROPOSALS then
      seen[key], given = true, given + 1
      answer[#answer + 1] = ("C %d %s"):format(p.score, p.title)
      answer[#answer + 1] = "W " .. p.why
      in_pieces(answer, "P", write.parser(p, body, about))
      in_pieces(answer, "S", write.spec(p, body, about, self.others))
    end
  end
  return answer
end

local function about_of(text)
  local list = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do list[#list + 1] = line end
  return { name = list[1], program = list[2], argument = list[3], recording = list[4] }
end

---@param message string
function M:feed(message)
  local kind, text = message:sub(1, 1), message:sub(2)
  if kind == "R" then
    for record in text:gmatch "[^\n]+" do self:take(record) end
  elseif kind == "Q" then
    self.lines, self.given = self:answer(about_of(text)), 0
  elseif kind == "N" and self.lines then
    self.given = self.given + 1
    local line = self.lines[self.given]
    if line then return nil, line end
  end
  return nil
end

return M
