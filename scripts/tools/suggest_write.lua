--- A proposal as Lua that a person would write: the parser, and its spec.
local find = require "tools.suggest_find"

local write = {}

local DIGITS = "[%d.,]*%d"
local EDGE = "%f[%w.,]" -- where a number begins that is no part of a longer one

-- ---- patterns --------------------------------------------------------------------------------------

--- Words as a pattern; blanks may be any number of them.
local function literal(words)
  return (words:gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0"):gsub("%s+$", "%%s*"):gsub("%s+", "%%s+"))
end

local function behind(label)
  local short = #label:match "^[%w_%-]*" <= 4
  return "^.-" .. (short and "%f[%w]" or "") .. literal(label)
end

--- What stands in front of the numbers.
local function lead(s)
  if s.by == "label" then return behind(s.words) end
  if s.by == "head" then return "^%s*" .. literal(s.words) .. ".-" .. EDGE end
  return s.by == "first" and "^%s*" or "^.-" .. EDGE
end

local function mark_of(s)
  local guess = s.guess and "~?" or ""
  if s.mark == "/" then return "%s*/%s*" .. guess end
  return "%s+" .. s.mark:gsub(" ", "%%s+") .. "%s+" .. guess
end

local function hint_of(words)
  local hint = words and words:match "^%S+"
  return hint and #hint >= 3 and hint or nil
end

local function size(name, base)
  return base and ("units.size(%s, %d)"):format(name, base) or ("units.size(%s)"):format(name)
end

--- The last line: the sample.
local function counted(p, done, total)
  local of, unit = total and ", total = " .. total or "", p.unit ~= "items" and (", unit = %q"):format(p.unit) or ""
  return ("  return { done = %s%s%s }"):format(done, of, unit)
end

-- ---- bodies of feed --------------------------------------------------------------------------------

--- Where words claim that it is progress, what is none is refused; else it says nothing.
local function refuse(done, claims)
  local why = claims and ', "no count of a whole"' or ""
  return ("  if not %s or not total or %s > total then return nil%s end"):format(done, done, why)
end

local function of_percent(s)
  local pattern = lead(s) .. "(" .. DIGITS .. "%s?%%)"
  return {
    needs = { "percent" }, hint = s.by == "label" and hint_of(s.words) or "%", pattern = pattern,
    lines = {
      ('  local share = percent.fraction(record:match "%s" or "")'):format(pattern),
      "  return share and { fraction = share } or nil",
    },
  }
end

local function of_pair(p)
  local s = p.site
  local sizes = s.form == "size"
  local pattern = lead(s) .. "(" .. DIGITS .. (sizes and "%s?%a*)" or ")") .. mark_of(s) .. "(" .. DIGITS
    .. (sizes and "%s?%a+)" or ")") .. (s.form == "half" and "%s?(%a+)" or "")
  local done = p.back and "left" or "done"
  local body = {
    needs = { "units" }, pattern = pattern,
    hint = s.by == "label" and hint_of(s.words) or s.mark == "/" and "/" or " " .. s.mark .. " ",
    lines = {
      ('  local %s, total%s = record:match "%s"'):format(done, s.form == "half" and ", unit" or "", pattern),
      ("  if not %s then return nil end -- says nothing about progress"):format(done),
    },
  }
  local function read(name)
    if s.form == "plain" then return "units.integer(" .. name .. ")" end
    return size(s.form == "half" and name .. " .. unit" or name, s.base)
  end
  local add = body.lines
  add[#add + 1] = ("  %s, total = %s, %s"):format(done, read(done), read "total")
  add[#add + 1] = refuse(done, s.by == "label" or s.by == "head")
  add[#add + 1] = counted(p, p.back and "total - left" or "done", "total")
  return body
end

--- One count by the words beside it.
local function by_words(c)
  if c.name:sub(1, 1) == ">" then
    return "^.-" .. EDGE .. "(" .. DIGITS .. ")%s*" .. literal(c.name:sub(2)) .. "%f[%A]", c.name:sub(2)
  end
  return behind(c.name) .. (c.unit and "(" .. DIGITS .. "%s?%a*)" or "(" .. DIGITS .. ")"), hint_of(c.name)
end

local function read_column(c, name)
  if not c.unit then return "units.integer(" .. name .. ")" end
  return size(name, select(2, find.scale_of(c.unit)))
end

local function of_words(p)
  local done, hint = by_words(p.done)
  local other = p.total or p.left
  local name = p.total and "total" or "left"
  local lines = {
    ('  local done = record:match "%s"'):format(done),
    ('  local %s = record:match "%s"'):format(name, (by_words(other))),
    ("  if not done or not %s then return nil end -- says nothing about progress"):format(name),
    ("  done, %s = %s, %s"):format(name, read_column(p.done, "done"), read_column(other, name)),
  }
  if p.total then
    lines[#lines + 1] = refuse("done", true)
    lines[#lines + 1] = counted(p, "done", "total")
  else
    lines[#lines + 1] = '  if not done or not left or done > math.maxinteger - left then return nil, "no count" end'
    lines[#lines + 1] = counted(p, "done", "done + left")
  end
  return { needs = { "units" }, hint = hint, lines = lines }
end

--- The fields of a table up to the last one that is wanted; those at these places are taken.
local function field_pattern(first, second)
  local parts = {}
  for i = 1, math.max(first, second or 0) do parts[i] = (i == first or i == second) and "(%S+)" or "%S+" end
  return "^%s*" .. table.concat(parts, "%s+")
end

local function of_fields(p)
  local a, b = p.done.name, p.total.name
  local names = a < b and "done, total" or "total, done"
  return {
    needs = { "units" },
    lines = {
      ('  local %s = record:match "%s"'):format(names, field_pattern(a, b)),
      "  if not done then return nil end -- says nothing about progress",
      ("  done, total = %s, %s"):format(read_column(p.done, "done"), read_column(p.total, "total")),
      "  if not done or not total or done > total then return nil end -- the head of the table, say",
      counted(p, "done", "total"),
    },
  }
end

--- The way to a member of a JSON object: lines that make `doc` what holds it.
local function way_to(name)
  local lines, path = { "  local doc = core.json(record)" }, name:match "^(.*)%.[^.]*$"
  for key in (path or ""):gmatch "[^.]+" do
    lines[#lines + 1] = ('  doc = type(doc) == "table" and doc.%s'):format(key)
  end
  lines[#lines + 1] = '  if type(doc) ~= "table" then return nil end'
  return lines, name:match "[^.]*$"
end

local function of_json(p)
  local lines, done = way_to(p.done.name)
  local _, total = way_to(p.total.name)
  lines[#lines + 1] = ("  local done, total = doc.%s, doc.%s"):format(done, total)
  lines[#lines + 1] = '  if math.type(done) ~= "integer" or math.type(total) ~= "integer" then return nil end'
  lines[#lines + 1] = '  if done > total then return nil, "no count of a whole" end'
  lines[#lines + 1] = counted(p, "done", "total")
  return { needs = { "core" }, hint = '"' .. done .. '"', lines = lines }
end

-- ---- a column alone --------------------------------------------------------------------------------

local function one_of_json(p)
  local lines, key = way_to(p.done.name)
  lines[#lines + 1] = "  local n = doc." .. key
  if p.form == "count" then
    lines[#lines + 1] = '  if math.type(n) ~= "integer" then return nil end'
    lines[#lines + 1] = counted(p, "n")
  else
    local share = p.form == "percent" and "n / 100" or "n"
    lines[#lines + 1] = ('  if type(n) ~= "number" or %s > 1 then return nil end'):format(share)
    lines[#lines + 1] = ("  return { fraction = %s }"):format(share)
  end
  return { needs = { "core" }, hint = '"' .. key .. '"', lines = lines }
end

local function of_one(p)
  if p.sheet.kind == "json" then return one_of_json(p) end
  local pattern, hint
  if p.sheet.kind == "words" then
    pattern, hint = by_words(p.done)
  else
    pattern = field_pattern(p.done.name) .. (#p.sheet.names == 1 and "%s*$" or "")
  end
  if p.form == "percent" then
    return {
      needs = { "percent" },
      lines = {
        ('  local share = percent.fraction((record:match "%s" or "") .. "%%")'):format(pattern),
        "  return share and { fraction = share } or nil",
      },
    }
  end
  if p.form == "share" then
    return {
      needs = {},
      lines = {
        ('  local share = tonumber(record:match "%s" or "")'):format(pattern),
        "  return share and share >= 0 and share <= 1 and { fraction = share } or nil",
      },
    }
  end
  return {
    needs = { "units" }, hint = hint,
    lines = {
      ('  local done = record:match "%s"'):format(pattern),
      ("  done = done and %s"):format(read_column(p.done, "done")),
      "  if not done then return nil end -- says nothing about progress",
      counted(p, "done"),
    },
  }
end

local BODIES = {
  percent = function(p) return of_percent(p.site) end, pair = of_pair, words = of_words, rest = of_words,
  fields = of_fields, json = of_json, one = of_one,
}

--- What feed does, in lines; which modules it needs, a hint, and its pattern where it has one alone.
function write.body(p) return BODIES[p.kind](p) end

-- ---- the module ------------------------------------------------------------------------------------

--- A record in a comment: what a person sees of it.
local function shown(record)
  local text = record:gsub("[^ -~]+", " "):gsub("(%p)%1%1%1+", "%1%1%1"):gsub("%s+", " "):gsub("^ ", "")
  return #text > 90 and text:sub(1, 87) .. "..." or text
end

--- Scripts are known by their own name, behind their interpreter's.
local function command_of(about)
  local script = about.argument:match "^[%w_./%-]+%.%l+$" and about.argument:match "[^/]*$"
  if script and script:find "%.[plrsj][a-z]*$" then return about.program .. " " .. about.argument end
  return about.program
end

function write.parser(p, body, about)
  local late = p.kept[#p.kept]
  local lines = {
    ("--- %s: proposed by `headway suggest`, from %s."):format(about.name, shown(about.recording)),
    "--   " .. shown(late and late.record or ""),
  }
  for _, name in ipairs(body.needs) do lines[#lines + 1] = ('local %s = require "headway.%s"'):format(name, name) end
  lines[#lines + 1] = ""
  local fields = { "api = 1", ("name = %q"):format(about.name) }
  if about.program ~= "" then fields[#fields + 1] = ("tool = %q"):format(about.program) end
  local more = {}
  if about.program ~= "" then more[#more + 1] = ("commands = { %q }"):format(command_of(about)) end
  if body.hint and #body.hint <= 47 then more[#more + 1] = ("hints = { %q }"):format(body.hint) end
  lines[#lines + 1] = "local M = {"
  lines[#lines + 1] = "  " .. table.concat(fields, ", ") .. ","
  if more[1] then lines[#lines + 1] = "  " .. table.concat(more, ", ") .. "," end
  lines[#lines + 1] = "}\nM.__index = M\n\nfunction M.new() return setmetatable({}, M) end\n"
  lines[#lines + 1] = "function M.feed(_, record)"
  for _, line in ipairs(body.lines) do lines[#lines + 1] = line end
  lines[#lines + 1] = "end\n\nreturn M\n"
  return table.concat(lines, "\n")
end

-- ---- the spec --------------------------------------------------------------------------------------

local HEAD = [[
--- NAME: records, and what the parser makes of them, by `headway replay`. busted NAME_spec.lua
-- luacheck: std lua54+busted, no max line length
local here = debug.getinfo(1, "S").source:match "^@(.*/)" or "./"
local headway = os.getenv "HEADWAY" or "headway"

local cases = {
  -- record, COLUMNS; none: it says nothing about progress
]]

local TAIL = [[
}

--- The first line that replay prints of a record.
local function replay(record)
  local name = os.tmpname()
  local file <close> = assert(io.open(name, "wb"))
  file:write(record, "\n"):flush()
  local out <close> = assert(io.popen(("%s replay -o json --parser '%sNAME.lua' %s"):format(headway, here, name)))
  local line = assert(out:read "l", "headway does not run")
  os.remove(name)
  return line:find '"final":true' and "" or line
end

describe("NAME", function()
  for _, case in ipairs(cases) do
    it(case[1], function()
      local line = replay(case[1])
CHECKS
    end)
  end
end)
]]

local COUNTS = [[
      assert.equal(case[2], tonumber(line:match '"done":(%d+)'))
      assert.equal(case[3], tonumber(line:match '"total":(%d+)'))]]
local SHARES = [[
      local share = tonumber(line:match '"fraction":([%d.e-]+)')
      assert.equal(case[2], share and math.floor(share * 1e4 + 0.5) / 1e4)]]

local function is_share(p)
  return p.kind == "percent" or p.form == "percent" or p.form == "share"
end

local function row_of(p, kept)
  if is_share(p) then return ("  { %q, %s },"):format(kept.record, math.floor(kept.done * 100 + 0.5) / 1e4) end
  local done = p.back and kept.total - kept.done or kept.done
  if not kept.total then return ("  { %q, %d },"):format(kept.record, done) end
  return ("  { %q, %d, %d },"):format(kept.record, done, kept.total)
end

--- A record that it passes over.
local function silent_row(body, others)
  for _, record in ipairs(others) do
    if body.pattern and not record:find(body.pattern) then return ("  { %q },"):format(record) end
  end
end

function write.spec(p, body, about, others)
  local lines, seen = {}, {}
  for _, kept in ipairs(p.kept) do
    local row = row_of(p, kept)
    if not seen[row] then
      seen[row], lines[#lines + 1] = true, row
    end
  end
  lines[#lines + 1] = silent_row(body, others)
  local columns, checks = "done, total", COUNTS
  if is_share(p) then columns, checks = "share", SHARES end
  local head, tail = HEAD:gsub("COLUMNS", columns), TAIL:gsub("CHECKS", function() return checks end)
  return head:gsub("NAME", about.name) .. table.concat(lines, "\n") .. "\n" .. tail:gsub("NAME", about.name)
end

return write
