--- Words for the lint: which of some names is meant, and the tokens of a Lua text.
local M = {}

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch "%a+" do KEYWORDS[word] = true end

--- Edit distance, given up above 2.
local function is_near(a, b)
  if math.abs(#a - #b) > 2 then return false end
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      corner, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, corner + cost)
    end
  end
  return row[#b] <= (#b > 3 and 2 or 1)
end

function M.nearest(word, names)
  for _, name in ipairs(names) do
    if is_near(word, name) then return (", did you mean '%s'?"):format(name) end
  end
  return ""
end

function M.is_one_of(word, names)
  for _, name in ipairs(names) do
    if name == word then return true end
  end
  return false
end

-- ---- tokens ----------------------------------------------------------------------------------------

---@class headway.tools.lint.Reader
---@field text string
---@field at integer        behind the token at hand
---@field line integer
---@field kind string       "name", "string", "number", "end", or the keyword or operator itself
---@field value string?     of a name or string
local Reader = {}
Reader.__index = Reader

function Reader:count_lines(from, to)
  for _ in self.text:sub(from, to):gmatch "\n" do self.line = self.line + 1 end
end

--- Behind "[", "[==[" and what it encloses; nil: it is no long bracket.
function Reader:long_bracket(at)
  local level = self.text:match("^%[(=*)%[", at)
  if not level then return nil end
  local _, stop = self.text:find("]" .. level .. "]", at, true)
  return stop or #self.text, at + #level + 2, (stop or #self.text) - #level - 2
end

function Reader:skip_space()
  while true do
    local _, stop = self.text:find("^%s+", self.at)
    if not stop and self.text:find("^%-%-", self.at) then
      stop = self:long_bracket(self.at + 2) or select(2, self.text:find("^[^\n]*", self.at))
    elseif not stop and self.at == 1 and self.text:find "^#" then
      stop = select(2, self.text:find "^[^\n]*")
    end
    if not stop then return end
    self:count_lines(self.at, stop)
    self.at = stop + 1
  end
end

local ESCAPES = { n = "\n", t = "\t", r = "\r", a = "\a", b = "\b", f = "\f", v = "\v" }

local function unescape(text)
  return (text:gsub("\\z%s*", ""):gsub("\\x(%x%x)", function(x) return string.char(tonumber(x, 16)) end)
    :gsub("\\(%d%d?%d?)", function(d) return tonumber(d) < 256 and string.char(tonumber(d)) or "" end)
    :gsub("\\(.)", function(c) return ESCAPES[c] or c end))
end

function Reader:take_string(quote)
  local at = self.at + 1
  while true do
    local stop = self.text:find("[\\\n" .. quote .. "]", at) or #self.text + 1
    local c = self.text:sub(stop, stop)
    if c ~= "\\" then
      self.kind, self.value = "string", unescape(self.text:sub(self.at + 1, stop - 1))
      self:count_lines(self.at, stop - 1)
      self.at = stop + 1
      return
    end
    at = self.text:match("^z%s*()", stop + 1) or stop + 2 -- a line's end may be escaped, or skipped by \z
  end
end

local OPERATORS = { "^%.%.%.", "^[=~<>:/.]=", "^<<", "^>>", "^//", "^%.%.", "^::", "^." }

--- Reads the next token.
function Reader:next()
  self:skip_space()
  self.began = self.line
  self.value = nil
  if self.at > #self.text then
    self.kind = "end"
    return
  end
  local word = self.text:match("^[%a_][%w_]*", self.at)
  if word then
    self.kind, self.value, self.at = KEYWORDS[word] and word or "name", word, self.at + #word
    return
  end
  local quote = self.text:match("^[\"']", self.at)
  if quote then return self:take_string(quote) end
  local stop, from, to = self:long_bracket(self.at)
  if stop then
    self.kind, self.value = "string", self.text:sub(from, to)
    self:count_lines(self.at, stop)
    self.at = stop + 1
    return
  end
  local number = self.text:match("^%.?%d[%w_.]*", self.at)
  if number then
    number = number:match "^0[xX][%x.]*[pP]?[+-]?%d*" or self.text:match("^%d*%.?%d*[eE]?[+-]?%d*", self.at)
    self.kind, self.at = "number", self.at + math.max(#number, 1)
    return
  end
  for _, pattern in ipairs(OPERATORS) do
    local operator = self.text:match(pattern, self.at)
    if operator then
      self.kind, self.at = operator, self.at + #operator
      return
    end
  end
end

--- A reader on the first token of a text; methods of a class of it are found first.
---@return headway.tools.lint.Reader
function M.reader(text, class)
  local r = setmetatable({ text = text, at = 1, line = 1 }, class or Reader)
  r:next()
  return r
end

M.Reader = Reader

return M
