--- docs/parsers.md says what the parsers say of themselves, and its example works.
local core = require "headway_core"

local file <close> = assert(io.open("docs/parsers.md", "r"))
local text = file:read "a"

--- Rows of the tables: the cells of each line that begins with "| `".
local rows = {}
for line in text:gmatch "[^\n]+" do
  if line:find "^| `" then
    local cells = {}
    for cell in line:gmatch "| ([^|]*) " do cells[#cells + 1] = cell:gsub("`", "") end
    rows[#rows + 1] = cells
  end
end

local function meta_of(name) return core.host.new(core.parsers.find(name).text, name):meta() end

describe("docs/parsers.md:", function()
  it("lists every built-in parser, and no other", function()
    local listed, built_in = {}, {}
    for _, cells in ipairs(rows) do
      if #cells >= 3 and core.parsers.find(cells[1]) then listed[cells[1]] = true end
    end
    for _, entry in ipairs(core.parsers.list()) do built_in[entry.name] = true end
    assert.same(built_in, listed)
  end)

  for _, entry in ipairs(core.parsers.list()) do
    it(entry.name .. ": names its versions, its commands and its options", function()
      local meta = meta_of(entry.name)
      local first, options = nil, {}
      for _, cells in ipairs(rows) do
        if cells[1] == entry.name and not first then
          first = cells
        elseif cells[1] == entry.name then
          options[cells[2]] = cells
        end
      end
      local versions = (meta.versions or ""):match "^[^,]*"
      assert.is_truthy(table.concat(first, " "):find(versions, 1, true))
      for _, command in ipairs(meta.commands or {}) do
        assert.is_truthy(first[4]:lower():find(command:lower(), 1, true), command)
      end
      for _, option in ipairs(meta.options or {}) do
        local cells = assert(options[option.name], "no row for the option " .. option.name)
        assert.equal(option.default, cells[4])
        assert.equal(option.range or "text", cells[3])
        options[option.name] = nil
      end
      assert.same({}, options)
    end)
  end

  it("has its options in order", function()
    local last, seen = "", 0
    for _, cells in ipairs(rows) do
      if #cells == 5 and core.parsers.find(cells[1]) then
        assert.is_true(last < cells[1] .. " " .. cells[2], cells[1])
        last, seen = cells[1] .. " " .. cells[2], seen + 1
      end
    end
    assert.is_true(seen > 5)
  end)

  it("lists every module of the toolkit", function()
    local pipe = assert(io.popen "ls scripts/headway/*.lua")
    for path in pipe:lines() do
      local module = "headway." .. path:match "([%w_]+)%.lua$"
      assert.is_truthy(text:find("`" .. module .. "`", 1, true), module)
    end
    pipe:close()
  end)

  it("has an example that works", function()
    local h = assert(core.host.new(text:match "```lua\n(.-)```", "mytool"))
    assert.same({ done = 3, total = 10, unit = "files" }, h:feed "copied 3 of 10")
    assert.is_nil((h:feed "copied a"))
    assert.is_nil((h:feed "hello"))
    local _, why = h:feed "copied 11 of 10"
    assert.equal("more copied than there is", why)
    assert.same({ ended = "failed" }, h:finish(1))
    assert.equal("mytool copy", h:meta().commands[1])
  end)
end)
