--- The scopes of a Lua text that has loaded: which names are locals where, what stands behind dots, which strings may
-- be patterns. One pass over the tokens, a function for each form of the grammar.
local words = require "tools.lint_words"

local M = {}

--- The contract's fields of a sample.
local SAMPLE = { "done", "total", "unit", "fraction", "message", "phase", "scanning", "restart", "also", "ended",
  "newest" }
local NOT_THERE = { io = true, os = true, debug = true, package = true, load = true, loadfile = true, dofile = true,
  collectgarbage = true, xpcall = true, warn = true, loadstring = true, unpack = true, setfenv = true, getfenv = true }
local FINDINGS = 60

-- ---- scopes ----------------------------------------------------------------------------------------

---@class headway.tools.lint.Walk : headway.tools.lint.Reader
---@field scope table          names, in the chain of scopes
---@field found table[]        { line, kind, text }
---@field used table<string, boolean>  names that stand behind "." or ":"
---@field made table<string, table<string, integer>>  fields of the tables in locals of the chunk: name -> line
---@field patterns string[]
---@field hints string[]     of the module
---@field inside string        name of the function at hand
local Walk = setmetatable({}, { __index = words.Reader })
Walk.__index = Walk

function Walk:find(line, kind, text)
  if #self.found < FINDINGS then self.found[#self.found + 1] = { line, kind, text } end
end

function Walk:open() self.scope = setmetatable({}, { __index = self.scope }) end
function Walk:close() self.scope = getmetatable(self.scope).__index end
function Walk:declare(name) self.scope[name] = true end

function Walk:take(kind)
  if self.kind ~= kind then return false end
  self:next()
  return true
end

--- What Lua itself has found fine already: when it does not fit here, the rest is left alone.
function Walk:want(kind)
  if not self:take(kind) then error({ stop = self.began }, 0) end
end

function Walk:name()
  local name = self.value
  self:want "name"
  return name
end

function Walk:is_global(name) return not self.scope[name] and name ~= "_ENV" end

function Walk:read_global(name, line)
  if not self:is_global(name) or _G[name] ~= nil or self.told[name] then return end
  self.told[name] = true
  if NOT_THERE[name] then
    self:find(line, "problem", ("'%s' is not there for parsers"):format(name))
  else
    local names = {}
    for known in pairs(_G) do names[#names + 1] = known end
    table.sort(names)
    self:find(line, "problem", ("global '%s' is read, and nobody makes it%s"):format(name, words.nearest(name, names)))
  end
end

function Walk:write_global(name, line)
  if self:is_global(name) then
    local text = "global '%s' is written: globals can't be made, write 'local %s'"
    self:find(line, "problem", text:format(name, name))
  end
end

-- ---- expressions -----------------------------------------------------------------------------------

local BINARY = {}
for word in ("+ - * / // % ^ .. == ~= < > <= >= and or & | ~ << >>"):gmatch "%S+" do BINARY[word] = true end
local UNARY = { ["-"] = true, ["not"] = true, ["#"] = true, ["~"] = true }

--- A table; returns its named fields.
function Walk:table_constructor()
  local fields = {}
  self:want "{"
  while self.kind ~= "}" do
    local line, name = self.began, self.value
    if self:take "[" then
      self:expression()
      self:want "]"
      self:want "="
      self:expression()
    elseif self.kind == "name" then
      local save_at, save_line = self.at, self.line
      self:next()
      if self:take "=" then
        fields[name] = line
        self.in_hints = name == "hints"
        self:expression()
        self.in_hints = false
      else -- a value that begins with a name: again from there
        self.at, self.line, self.kind, self.value, self.began = save_at, save_line, "name", name, line
        self:expression()
      end
    else
      self:expression()
    end
    if not self:take "," and not self:take ";" then break end
  end
  self:want "}"
  return fields
end

function Walk:arguments()
  if self.kind == "string" then
    self:literal()
  elseif self.kind == "{" then
    self:table_constructor()
  else
    self:want "("
    if self.kind ~= ")" then self:expressions() end
    self:want ")"
  end
end

--- A string that looks like a pattern, or like nothing else, is remembered.
function Walk:literal()
  local text = self.value
  if self.in_hints then self.hints[#self.hints + 1] = text end
  if text:find "[%%%^%[%]%.%*%+%-%?]" and #text <= 200 then self.patterns[#self.patterns + 1] = text end
  self:next()
end

--- string.dump
function Walk:library_field(library, field, line)
  local real = _G[library]
  if type(real) == "table" and library ~= "_G" and real[field] == nil then
    local names = {}
    for name in pairs(real) do names[#names + 1] = name end
    table.sort(names)
    local text = "'%s.%s' is not there for parsers%s"
    self:find(line, "problem", text:format(library, field, words.nearest(field, names)))
  end
end

--- Returns what it is: "name" (and which), "field" (of which local, which), "call" or "value".
function Walk:suffixed()
  local what, name, field, line = "name", self.value, nil, self.began
  if self:take "(" then
    self:expression()
    self:want ")"
    what = "value"
  else
    self:name()
  end
  local first = what == "name"
  local function touch()
    if what == "name" then self:read_global(name, line) end
  end
  while true do
    if self.kind == "." or self.kind == ":" then
      local method = self.kind == ":"
      touch()
      self:next()
      field = self:name()
      if first and not method and self:is_global(name) then self:library_field(name, field, line) end
      what = first and "field" or "value"
      if method then
        self.used[field] = true
        self:arguments()
        what = "call"
      end
      if not first then self.used[field] = true end
      if self.kind ~= "=" and self.kind ~= "," then self.used[field] = true end
    elseif self:take "[" then
      touch()
      self:expression()
      self:want "]"
      what = "value"
    elseif self.kind == "(" or self.kind == "{" or self.kind == "string" then
      touch()
      self:arguments()
      what = "call"
    else
      return what, name, field, line
    end
    first = false
  end
end

function Walk:simple()
  if self.kind == "string" then
    self:literal()
  elseif self.kind == "{" then
    self.constructed = self:table_constructor()
    return
  elseif self:take "function" then
    self:body(false, "function")
  elseif self.kind == "name" or self.kind == "(" then
    local what, name, field, line = self:suffixed()
    if what == "name" then self:read_global(name, line) end
    if what == "field" then self.used[field] = true end
  else
    self:next() -- number, nil, true, false, ...
  end
  self.constructed = nil
end

function Walk:expression()
  local constructed
  while UNARY[self.kind] do self:next() end
  self:simple()
  constructed = self.constructed
  while BINARY[self.kind] do
    constructed = nil
    self:next()
    while UNARY[self.kind] do self:next() end
    self:simple()
  end
  self.constructed = constructed
  return constructed
end

--- Returns the fields of the first, when it is a table constructor.
function Walk:expressions()
  local fields = self:expression()
  while self:take "," do self:expression() end
  return fields
end

function Walk:body(method, name)
  local outer = self.inside
  self.inside = name
  self:open()
  if method then self:declare "self" end
  self:want "("
  while self.kind == "name" do
    self:declare(self:name())
    if not self:take "," then break end
  end
  self:take "..."
  self:want ")"
  self:block()
  self:want "end"
  self:close()
  self.inside = outer
end

-- ---- statements ------------------------------------------------------------------------------------

local statements = {}

statements["if"] = function(w)
  repeat
    w:next()
    w:expression()
    w:want "then"
    w:scoped()
  until w.kind ~= "elseif"
  if w:take "else" then w:scoped() end
  w:want "end"
end

statements["while"] = function(w)
  w:next()
  w:expression()
  w:want "do"
  w:scoped()
  w:want "end"
end

statements["do"] = function(w)
  w:next()
  w:scoped()
  w:want "end"
end

statements["for"] = function(w)
  w:next()
  local names = { w:name() }
  while w:take "," do names[#names + 1] = w:name() end
  if not w:take "=" then w:want "in" end
  w:expressions()
  w:want "do"
  w:open()
  for _, name in ipairs(names) do w:declare(name) end
  w:block()
  w:close()
  w:want "end"
end

statements["repeat"] = function(w)
  w:next()
  w:open()
  w:block()
  w:want "until"
  w:expression() -- sees the locals of the block
  w:close()
end

statements["function"] = function(w)
  w:next()
  local line, name, method, field = w.began, w:name(), false, nil
  local short = w.kind ~= "." and w.kind ~= ":"
  if short then w:write_global(name, line) else w:read_global(name, line) end
  while w.kind == "." or w.kind == ":" do
    method = w.kind == ":"
    w:next()
    field = w:name()
  end
  if field and w.made[name] then w.made[name][field] = line end
  w:body(method, field or name)
end

statements["local"] = function(w)
  w:next()
  if w:take "function" then
    local name = w:name()
    w:declare(name)
    return w:body(false, name)
  end
  local names = {}
  repeat
    names[#names + 1] = w:name()
    if w:take "<" then
      w:name()
      w:want ">"
    end
  until not w:take ","
  local fields = w:take "=" and w:expressions()
  for _, name in ipairs(names) do w:declare(name) end
  if fields and w.inside == "" then w.made[names[1]] = fields end
end

statements["return"] = function(w)
  w:next()
  local name = w.kind == "name" and w.value
  local direct = w.kind == "{" and (w.inside == "feed" or w.inside == "finish")
  if w.kind ~= "end" and w.kind ~= "else" and w.kind ~= "elseif" and w.kind ~= "until" and w.kind ~= ";" then
    local fields = w:expressions()
    if w.inside == "" then w.module = name or w.module end
    for field, line in pairs(direct and fields or {}) do
      if not words.is_one_of(field, SAMPLE) then
        w:find(line, "problem", ("a sample has no field '%s'%s"):format(field, words.nearest(field, SAMPLE)))
      end
    end
  end
  w:take ";"
end

statements["goto"] = function(w)
  w:next()
  w:name()
end

statements["::"] = function(w)
  w:next()
  w:name()
  w:want "::"
end

function Walk:call_or_assignment()
  local targets = {}
  repeat
    targets[#targets + 1] = { self:suffixed() }
  until not self:take ","
  if not self:take "=" then return end
  for _, t in ipairs(targets) do
    local what, name, field, line = table.unpack(t, 1, 4)
    if what == "name" then self:write_global(name, line) end
    if what == "field" and self.made[name] then self.made[name][field] = self.made[name][field] or line end
  end
  self:expressions()
end

local BLOCK_ENDS = { ["end"] = true, ["else"] = true, ["elseif"] = true, ["until"] = true }

function Walk:block()
  while not (BLOCK_ENDS[self.kind] and (self.value or self.at > #self.text)) do
    local statement = statements[self.kind]
    if statement then
      statement(self)
    elseif self.kind == "break" or self.kind == ";" then
      self:next()
    else
      self:call_or_assignment()
    end
  end
end

function Walk:scoped()
  self:open()
  self:block()
  self:close()
end

--- Walks through all of it; what is left when something does not fit is not looked at.
---@return headway.tools.lint.Walk
function M.walk(text)
  local w = words.reader(text, Walk)
  w.scope, w.found, w.used, w.made, w.patterns, w.hints, w.told, w.inside = {}, {}, {}, {}, {}, {}, {}, ""
  local fine, why = pcall(w.block, w)
  if not fine and type(why) ~= "table" then error(why, 0) end
  return w
end

return M
