--- Reads the text of a parser and says what is wrong with it before it ever meets a log. It is a parser itself, run in
-- the worker like any other, since what it reads may be anyone's: a record "S..." is a piece of the text; each "N" that
-- follows gives one finding as a refusal, "LINE KIND TEXT", and nothing when there are no more. KIND:
--   problem  globals that are not there, library functions that parsers don't have, fields that no sample has
--   warning  fields of the module that the contract doesn't know and nothing reads
--   attack   hexadecimal: the beginning of a record ("-": none), and a character to fill it with, made from a pattern
--   record   hexadecimal: one with several numbers that a pattern matches, the first of them above the others, or below
--   hint     hexadecimal: what a record must hold to be looked at at all
-- It follows scopes, not types: what it can't know it doesn't say. Syntax errors are Lua's to tell.
local scopes = require "tools.lint_scopes"
local words = require "tools.lint_words"

---@class headway.tools.lint : headway.Parser
local M = { api = 1, name = "lint", record_max = 65536 }
M.__index = M

--- The contract's fields of a module.
local MODULE = { "api", "name", "unit", "record_max", "newest", "word", "new", "feed", "finish", "tool", "versions",
  "commands", "shows", "hints", "options", "__index" }
local ATTACKS, PREFIX = 80, 48
local RECORDS, RECORD = 64, 80

function M.new() return setmetatable({ pieces = {}, given = 0 }, M) end

-- ---- attacks ---------------------------------------------------------------------------------------

local CANDIDATES = "1a A./,:-_%=0zZx(["

--- The pieces of a pattern that match one character: { text, quantifier, sample character }.
local function items_of(pattern)
  local items, at = {}, pattern:find "^%^" and 2 or 1
  while at <= #pattern do
    local text = pattern:match("^%%b..", at) or pattern:match("^%[%^?%]?[^%]]*%]", at)
      or pattern:match("^%%.", at) or pattern:match("^.", at)
    local quantifier = pattern:match("^[*+?-]", at + #text) or ""
    at = at + #text + #quantifier
    if not text:find "^[()]$" and not text:find "^%%[bf%d]" then
      local item = { text = "^" .. text .. "$", quantifier = quantifier }
      for c in (CANDIDATES .. text):gmatch "." do
        local fine, found = pcall(string.find, c, item.text)
        if fine and found then
          item.sample = c
          break
        end
      end
      if item.sample then items[#items + 1] = item end
    end
  end
  return items
end

local function both_match(a, b)
  for c in CANDIDATES:gmatch "." do
    if c:find(a.text) and c:find(b.text) then return c end
  end
end

--- What makes a repeated piece of a pattern run long: the shortest way to it, then what it matches, also what the next
--- one that is repeated matches too.
local function attacks_on(pattern, add)
  local items, prefix = items_of(pattern), ""
  for i, item in ipairs(items) do
    if item.quantifier:find "[*+-]" then
      add(prefix, item.sample)
      for k = i + 1, #items do
        local c = items[k].quantifier:find "[*+-]" and both_match(item, items[k])
        if c then
          add(prefix, c)
          break
        end
      end
    end
    if item.quantifier == "" or item.quantifier == "+" then prefix = prefix .. item.sample end
  end
end

local function hex(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function all_attacks(patterns, found)
  local seen, count = {}, 0
  for _, pattern in ipairs(patterns) do
    attacks_on(pattern, function(prefix, c)
      local key = hex(prefix:sub(1, PREFIX)) .. " " .. hex(c)
      if #prefix == 0 then key = "- " .. hex(c) end
      if not seen[key] and count < ATTACKS then
        seen[key], count = true, count + 1
        found[#found + 1] = { 0, "attack", key }
      end
    end)
  end
end

-- ---- records ---------------------------------------------------------------------------------------

local function is_digit(item)
  return ("1"):find(item.text) and ("9"):find(item.text) and not ("a"):find(item.text)
end

--- Whether a pattern can have two numbers at all.
local function has_numbers(pattern)
  local _, classes = pattern:gsub("%%d", "")
  local _, ranges = pattern:gsub("0%-9", "")
  return classes + ranges > 1
end

--- The shortest text that a pattern matches, its numbers `first`, then `others`; nil: it has no two of them.
local function record_of(items, first, others)
  local text, count = {}, 0
  for i, item in ipairs(items) do
    local digit = is_digit(item)
    if digit then count = count + 1 end
    if digit or item.quantifier == "" or item.quantifier == "+" then
      text[i] = digit and (count == 1 and first or others) or item.sample
    else
      text[i] = ""
    end
  end
  local record = table.concat(text)
  return count > 1 and #record <= RECORD and record or nil
end

local function all_records(patterns, found)
  local seen, count = {}, 0
  for _, pattern in ipairs(patterns) do
    if count < RECORDS and not seen[pattern] and has_numbers(pattern) then
      local items = items_of((pattern:gsub("([^%%])%$$", "%1")))
      for _, record in ipairs { record_of(items, "9", "1"), record_of(items, "1", "9") } do
        count = count + 1
        found[#found + 1] = { 0, "record", hex(record) }
      end
    end
    seen[pattern] = true
  end
end

-- ---- findings --------------------------------------------------------------------------------------

local function check_module(w)
  local fields = w.module and w.made[w.module]
  local names = {}
  for name in pairs(fields or {}) do names[#names + 1] = name end
  table.sort(names, function(a, b) return fields[a] < fields[b] or (fields[a] == fields[b] and a < b) end)
  for _, name in ipairs(names) do
    if not words.is_one_of(name, MODULE) and not w.used[name] then
      w:find(fields[name], "warning",
        ("the module's field '%s' is not in the contract, and nothing here reads it%s")
          :format(name, words.nearest(name, MODULE)))
    end
  end
end

local function lint(text)
  local w = scopes.walk(text)
  check_module(w)
  if w.hints[1] then w.found[#w.found + 1] = { 0, "hint", hex(w.hints[1]) } end
  all_attacks(w.patterns, w.found)
  all_records(w.patterns, w.found)
  return w.found
end

---@param record string
function M:feed(record)
  if record:sub(1, 1) == "S" then
    self.pieces[#self.pieces + 1] = record:sub(2)
    return nil
  end
  self.found = self.found or lint(table.concat(self.pieces))
  self.given = self.given + 1
  local f = self.found[self.given]
  if f then return nil, ("%d %s %s"):format(f[1], f[2], f[3]) end
end

return M
