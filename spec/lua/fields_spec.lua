--- The fields of a module, of an option and of a sample stand in several places; here is what holds them together. What counts
--- is what the host asks a module for, and what convert.c takes of a sample.
local core = require "headway_core"

local function slurp(path)
  local file <close> = assert(io.open(path, "r"))
  return file:read "a"
end

local function set(list)
  local names = {}
  for _, name in ipairs(list) do names[name] = true end
  return names
end

local function words(text, pattern)
  local names = {}
  for name in text:gmatch(pattern) do names[name] = true end
  return names
end

-- ---- what the host takes ----------------------------------------------------------------------------

--- A module that has nothing of itself: it notes what it is asked for.
local ASKED = [[
  local module, option = {}, {}
  local function noting(has, asked)
    return setmetatable({}, { __index = function(_, key)
      asked[#asked + 1] = key
      return has[key]
    end })
  end
  local function new() return noting({ feed = function(_, record)
    return { message = table.concat(record == "option" and option or module, " ") } end }, module) end
  return noting({ api = 1, new = new, options = { x = noting({ type = "string", help = "x" }, option) } }, module)]]

local function asked_for(what)
  local h = assert(core.host.new(ASKED, "t", { x = "y" }))
  local sample = assert(h:feed(what))
  assert.is_true(#sample.message < 200, "cut")
  return words(sample.message, "%S+")
end

--- The table in convert.c; each is tried, too.
local function taken(level, form)
  local rows = slurp "core/lua/convert.c":match("%[" .. level .. "%] = (%b{})")
  local names = words(rows, '{ "(%w+)", read_')
  for name in pairs(names) do
    local h = assert(core.host.new(("return { api = 1, new = function() return { feed = function() return %s end } end }")
      :format(form:format(name .. " = function() end")), "t"))
    local _, why = h:feed "x"
    assert.is_falsy(why:find("no field", 1, true), why)
  end
  return names
end

local module, option = asked_for "module", asked_for "option"
local sample = taken("TOP", "{ %s }")
local count = taken("COUNT", "{ done = 1, also = { { %s } } }")
local phase = taken("PHASE", "{ phase = { %s } }")

-- ---- what the others name ---------------------------------------------------------------------------

local meta = slurp "scripts/headway/meta/core.lua"

--- The fields and functions of a class in the declarations.
local function declared(class)
  local text = meta:match("%-%-%-@class " .. class .. "\n(.-)\n\n")
  local names = words(text, "%-%-%-@field ([%w_]+)%??")
  for owner, name in meta:gmatch "\nfunction (%w+)[.:](%w+)" do
    if class:find(owner .. "$") then names[name] = true end
  end
  return names
end

--- The first cells of a table, up to the next heading: "`done`, `total`".
local function listed(path, heading)
  local text, names = slurp(path):match("\n" .. heading .. "\n(.-)\n#"), {}
  for cell in text:gmatch "\n| (`[^|]*) |" do
    for name in cell:gmatch "`([%w_]+)`" do names[name] = true end
  end
  return names, text
end

local function lint_list(path, name)
  local text = slurp(path):match("\nlocal " .. name .. " = (%b{})")
  return set(assert(load("return " .. text))())
end

describe("fields:", function()
  it("were found", function()
    assert.is_true(module.api and module.finish and module.commands and option.choices)
    assert.is_true(sample.done and sample.newest and count.unit and phase.weight)
  end)

  it("of a module are declared for editors", function() assert.same(module, declared "headway.Parser") end)

  it("of a module are known to the lint", function()
    local known = lint_list("scripts/tools/lint.lua", "MODULE")
    known.__index = nil -- Lua's own
    assert.same(module, known)
  end)

  it("of a module are in docs/parsers.md", function() assert.same(module, (listed("docs/parsers.md", "### The module"))) end)

  it("of an option are declared for editors", function() assert.same(option, declared "headway.Option") end)

  it("of an option are in docs/parsers.md", function()
    local _, text = listed("docs/parsers.md", "### The module")
    assert.same(option, words(text:match "| `options` |([^\n]*)":match "{(.-)}", "%a+"))
  end)

  it("of a sample are declared for editors", function()
    assert.same(sample, declared "headway.Sample")
    assert.same(count, declared "headway.Count")
    assert.same(phase, declared "headway.Phase")
  end)

  it("of a sample are known to the lint", function()
    assert.same(sample, lint_list("scripts/tools/lint_scopes.lua", "SAMPLE"))
  end)

  it("of a sample are in docs/reference.md", function()
    local names, text = listed("docs/reference.md", "## The sample")
    assert.same(sample, names)
    assert.same(count, words(text:match "| `also` |[^{]*{([^}]*)}", "%a+"))
    assert.same(phase, words(text:match "| `phase` |[^{]*{([^}]*)}", "%a+"))
  end)
end)
