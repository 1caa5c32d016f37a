--- What a parser declares of itself: options, hints, commands; read by the host, sent by the worker.
local core = require "headway_core"

--- A module with these fields, whose feed shows its option x.
local function module(fields)
  return ([[local M = { api = 1, name = "p", %s }
    function M.new(o) return { o = o, feed = function(self)
      local v = self.o.x
      return { done = 1, message = type(v) .. " " .. tostring(v) } end } end
    return M]]):format(fields)
end

local function module_of(options) return module("options = " .. options) end

local function given(options, opts)
  local h, why, code = core.host.new(module_of(options), "p", opts)
  if not h then return nil, why, code end
  return h:feed("x").message
end

local values = {
  -- name                  declaration of x                                              given      seen by new
  { "a string",          "{ type = 'string', help = 'h' }",                             "a b",     "string a b" },
  { "an empty string",   "{ type = 'string', help = 'h' }",                             "",        "string" },
  { "no default",        "{ type = 'string', help = 'h' }",                             nil,       "nil nil" },
  { "a default",         "{ type = 'string', default = 'd', help = 'h' }",              nil,       "string d" },
  { "over the default",  "{ type = 'string', default = 'd', help = 'h' }",              "e",       "string e" },
  { "a choice",          "{ type = 'string', choices = { 'a', 'b' }, help = 'h' }",     "b",       "string b" },
  { "an integer",        "{ type = 'integer', help = 'h' }",                            "-12",     "number -12" },
  { "hexadecimal",       "{ type = 'integer', help = 'h' }",                            "0x10",    "number 16" },
  { "at min",            "{ type = 'integer', min = 1, max = 3, help = 'h' }",          "1",       "number 1" },
  { "at max",            "{ type = 'integer', min = 1, max = 3, help = 'h' }",          "3",       "number 3" },
  { "an integer default", "{ type = 'integer', default = 7, help = 'h' }",              nil,       "number 7" },
  { "a number",          "{ type = 'number', help = 'h' }",                             "0.5",     "number 0.5" },
  { "true",              "{ type = 'boolean', help = 'h' }",                            "true",    "boolean true" },
  { "false",             "{ type = 'boolean', default = true, help = 'h' }",            "false",   "boolean false" },
}

describe("options, values:", function()
  for _, case in ipairs(values) do
    local name, declaration, text, seen = table.unpack(case, 1, 4)
    it(name, function()
      assert.equal(seen, given("{ x = " .. declaration .. " }", text and { x = text } or nil))
    end)
  end
end)

local refused = {
  -- name                declaration                                                  options            the error
  { "unknown",          "{ base = { type = 'string', help = 'h' } }",                { bsae = "1" },    "parser 'p' has no option 'bsae', did you mean 'base'" },
  { "unknown and far",  "{ base = { type = 'string', help = 'h' } }",                { colour = "1" },  "parser 'p' has no option 'colour'" },
  { "none are taken",   "{}",                                                        { x = "1" },       "parser 'p' takes no options, 'x' was given" },
  { "no integer",       "{ x = { type = 'integer', help = 'h' } }",                  { x = "abc" },     "option 'x' of parser 'p' is 'abc', expected an integer" },
  { "an integer with a dot", "{ x = { type = 'integer', help = 'h' } }",             { x = "1.0" },     "is '1.0', expected an integer" },
  { "an empty integer", "{ x = { type = 'integer', help = 'h' } }",                  { x = "" },        "is '', expected an integer" },
  { "below min",        "{ x = { type = 'integer', min = 1, max = 9, help = 'h' } }", { x = "0" },      "is '0', expected an integer: 1 to 9" },
  { "above max",        "{ x = { type = 'integer', max = 9, help = 'h' } }",         { x = "10" },      "expected an integer: 9 or less" },
  { "below a lone min", "{ x = { type = 'number', min = 0.5, help = 'h' } }",        { x = "0.4" },     "expected a number: 0.5 or more" },
  { "not a number",     "{ x = { type = 'number', min = 0, help = 'h' } }",          { x = "nan" },     "expected a number" },
  { "no choice",        "{ x = { type = 'string', choices = { 'a', 'b' }, help = 'h' } }", { x = "c" }, "expected a string: a, b" },
  { "no boolean",       "{ x = { type = 'boolean', help = 'h' } }",                  { x = "yes" },     "is 'yes', expected true or false" },
  { "controls are not shown", "{ x = { type = 'integer', help = 'h' } }",            { x = "\27[1m" },  "is '[1m', expected" },
}

describe("options, refused:", function()
  for _, case in ipairs(refused) do
    local name, declaration, opts, words = table.unpack(case)
    it(name, function()
      local seen, why, code = given(declaration, opts)
      assert.is_nil(seen)
      assert.is_truthy(why:find(words, 1, true), why)
      assert.equal("lua", code)
    end)
  end
end)

local bad = {
  -- name                       fields of the module                                       words
  { "options a string",       "options = ''",                                            "options is a string" },
  { "an option a string",     "options = { x = '' }",                                    "option x is a string, expected a table" },
  { "a numbered option",      "options = { { type = 'string', help = '' } }",            "options: a key is a number" },
  { "a capital",              "options = { X = { type = 'string', help = '' } }",        "option 'X' is no name" },
  { "strict is the host's",   "options = { strict = { type = 'string', help = '' } }",   "option 'strict' is no name" },
  { "a long name",            "options = { [('x'):rep(32)] = { type = 'string', help = '' } }", "is no name" },
  { "no type",                "options = { x = { help = '' } }",                         "option x: type must be" },
  { "another type",           "options = { x = { type = 'table', help = '' } }",         "option x: type must be" },
  { "no help",                "options = { x = { type = 'string' } }",                   "option x has no help" },
  { "a default of another type", "options = { x = { type = 'integer', default = '1', help = '' } }", "default is not an integer" },
  { "a float default",        "options = { x = { type = 'integer', default = 1.5, help = '' } }", "default is not an integer" },
  { "choices of numbers",     "options = { x = { type = 'integer', choices = { 'a' }, help = '' } }", "choices are for strings" },
  { "a choice that is none",  "options = { x = { type = 'string', choices = { 1 }, help = '' } }", "choices[1] is a number" },
  { "min of a string",        "options = { x = { type = 'string', min = 1, help = '' } }", "min and max are for numbers" },
  { "hints a string",         "hints = 'x'",                                             "hints is a string" },
  { "a hint a number",        "hints = { 1 }",                                           "hints[1] is a number" },
  { "an empty hint",          "hints = { '' }",                                          "hints[1] must be 1 to 47 bytes" },
  { "a long hint",            "hints = { 'a', ('x'):rep(48) }",                          "hints[2] must be 1 to 47 bytes" },
  { "commands a string",      "commands = 'rsync'",                                      "commands is a string" },
  { "shows a string",         "shows = '-v'",                                            "shows is a string" },
  { "shows a number",         "shows = { 5 }",                                           "shows[1] is a number" },
  { "a command a table",      "commands = { {} }",                                       "commands[1] is a table" },
  { "a long command",         "commands = { ('x'):rep(64) }",                            "longer than 63" },
  { "tool a number",          "tool = 5",                                                "tool is a number" },
}

describe("declarations, refused:", function()
  for _, case in ipairs(bad) do
    it(case[1], function()
      local h, why, code = core.host.new(module(case[2]), "p")
      assert.is_nil(h)
      assert.is_truthy(why:find(case[3], 1, true), why)
      assert.equal("lua", code)
    end)
  end

  for _, list in ipairs { { "hints", "'h'", 16 }, { "commands", "'c'", 16 }, { "shows", "'s'", 16 } } do
    it("as many " .. list[1] .. " as there is room for, and one more", function()
      assert.is_truthy(core.host.new(module(("%s = { %s }"):format(list[1], (list[2] .. ","):rep(list[3]))), "p"))
      local _, why = core.host.new(module(("%s = { %s }"):format(list[1], (list[2] .. ","):rep(list[3] + 1))), "p")
      assert.is_truthy(why:find("more than " .. list[3], 1, true), why)
    end)
  end

  it("as many options as there is room for, and one more", function()
    local function options(n)
      local t = {}
      for i = 1, n do t[i] = ("o%d = { type = 'string', help = 'h' }"):format(i) end
      return "options = { " .. table.concat(t, ", ") .. " }"
    end
    assert.equal(16, #core.host.new(module(options(16)), "p"):meta().options)
    local _, why = core.host.new(module(options(17)), "p")
    assert.is_truthy(why:find "more than 16 options", why)
  end)
end)

describe("declarations, hostile:", function()
  local endless = "setmetatable({}, { __index = function() while true do end end })"
  local cases = {
    -- name                          module                                                                    words
    { "a module that never answers", "return " .. endless,                                                    "instruction limit" },
    { "options that never answer",   "return { api = 1, options = " .. endless .. ", new = function() return { feed = print } end }",
                                                                                                              nil },
    { "an option that never answers", "return { api = 1, options = { x = " .. endless .. " } }",              "instruction limit" },
    { "choices that never answer",   "return { api = 1, options = { x = { type = 'string', help = '', choices = " .. endless .. " } }, "
                                     .. "new = function() return { feed = print } end }",                     nil },
    { "hints that never answer",     "return { api = 1, hints = " .. endless .. ", new = function() return { feed = print } end }", nil },
    { "a default that tells",        "return { api = 1, options = { x = { type = 'string', help = '', default = "
                                     .. "setmetatable({}, { __tostring = function() while true do end end }) } } }", "default is not a string" },
    { "a change while it is read",   "local o = {} for i = 1, 9 do o['o' .. i] = setmetatable({ type = 'string' }, { __index = function(_, k) "
                                     .. "if k == 'help' then for n = 1, 99 do o['p' .. n] = nil o['q' .. n] = { } end return 'h' end end }) end "
                                     .. "return { api = 1, options = o }",                                    "" },
    { "a huge help",                 "return { api = 1, options = { x = { type = 'string', help = ('h'):rep(4000000) } } }", "longer than 159" },
    { "bytes that are no text",      "return { api = 1, tool = '\\27[1m\\0x', new = function() return { feed = print } end }", nil },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local h, why = core.host.new(case[2], "p")
      if case[3] then
        assert.is_nil(h)
        assert.is_truthy(why:find(case[3], 1, true), why)
      else
        assert.is_truthy(h, why)
      end
    end)
  end

  it("controls in texts are cleaned", function()
    assert.equal("[1m", core.host.new("return { api = 1, tool = '\\27[1m\\0x', new = function() return { feed = print } end }", "p"):meta().tool)
  end)
end)

local declared = [[tool = "a tool", versions = "1 to 3", commands = { "a", "a b" }, hints = { "x", "\0\255" },
  options = { y = { type = "integer", default = 3, min = 1, help = "an y" }, x = { type = "boolean", help = "an x" } } ]]
local expected = {
  api = 1, name = "p", record_max = 4096, tool = "a tool", versions = "1 to 3", commands = { "a", "a b" },
  hints = { "x", "\0\255" },
  options = {
    { name = "x", type = "boolean", help = "an x" },
    { name = "y", type = "integer", range = "1 or more", default = "3", help = "an y" },
  },
}

describe("declarations:", function()
  it("are what the host read", function()
    assert.same(expected, core.host.new(module(declared), "p"):meta())
  end)

  it("pass the wire", function()
    local w = core.worker.new { exe = os.getenv "HEADWAY_BIN" }
    w:load(module(declared), "p")
    local meta
    for _, event in ipairs(w:run(10000)) do meta = meta or event.meta end
    w:close()
    assert.same(expected, meta)
  end)

  it("of the greatest size pass the wire", function()
    local options, hints, commands = {}, {}, {}
    for i = 1, 16 do
      options[i] = ("%s = { type = 'string', default = ('d'):rep(63), help = ('h'):rep(159) }"):format(("o%02d"):format(i) .. ("x"):rep(28))
      hints[i] = ("('%s'):rep(47)"):format(string.char(96 + i))
      commands[i] = ("('%s'):rep(63)"):format(string.char(96 + i))
    end
    local text = module(("options = { %s }, hints = { %s }, commands = { %s }"):format(
      table.concat(options, ","), table.concat(hints, ","), table.concat(commands, ",")))
    local w = core.worker.new { exe = os.getenv "HEADWAY_BIN" }
    w:load(text, "p")
    local meta
    for _, event in ipairs(w:run(10000)) do meta = meta or event.meta end
    w:close()
    assert.same(core.host.new(text, "p"):meta(), meta)
    assert.equal(16, #meta.options)
  end)

  it("an option that doesn't fit is a failed load", function()
    local w = core.worker.new { exe = os.getenv "HEADWAY_BIN" }
    w:load(module(declared), "p", { y = "0" })
    local why
    for _, event in ipairs(w:run(10000)) do why = why or event.kind == "load_failed" and event.why end
    w:close()
    assert.equal("option 'y' of parser 'p' is '0', expected an integer: 1 or more", why)
  end)
end)

describe("hints:", function()
  local counting = [[return { api = 1, hints = { "%", "\0x", "rsync" }, new = function() return { n = 0,
    feed = function(self, record) self.n = self.n + 1 return { done = self.n } end } end }]]
  local rows = {
    -- record            looked at
    { "50%",            true },
    { "%",              true },
    { "a\0x",           true },
    { "an rsync error", true },
    { "rsyn",           false },
    { "\0y",            false },
    { "",               false },
    { ("x"):rep(65536), false },
    { ("x"):rep(65535) .. "%", true },
  }

  it("a record without one never reaches Lua", function()
    local h, n = assert(core.host.new(counting, "p")), 0
    for _, row in ipairs(rows) do
      n = n + (row[2] and 1 or 0)
      assert.same(row[2] and { done = n } or nil, h:feed(row[1]))
    end
  end)

  it("are found wherever they stand, and only as a whole", function()
    local hint = "eta-zeta"
    local h = assert(core.host.new(('return { api = 1, hints = { %q }, new = function() return { feed = function() return { done = 1 } end } end }')
      :format(hint), "p"))
    math.randomseed(1)
    for _ = 1, 3000 do
      local bytes = {}
      for i = 1, math.random(0, 40) do bytes[i] = ("eta-z"):byte(math.random(5)) end
      local record = string.char(table.unpack(bytes))
      if math.random(2) == 1 then
        local at = math.random(0, #record)
        record = record:sub(1, at) .. hint:sub(1, math.random(#hint - 1, #hint)) .. record:sub(at + 1)
      end
      assert.equal(record:find(hint, 1, true) ~= nil, h:feed(record) ~= nil, record)
    end
  end)

  it("is silent in the worker", function()
    local w = core.worker.new { exe = os.getenv "HEADWAY_BIN" }
    local id = w:load(counting, "p")
    local records, seen, silent = {}, 0, 0
    for i, row in ipairs(rows) do records[i] = row[1] end
    w:feed(id, records)
    for _, event in ipairs(w:run(10000)) do
      if event.kind == "sample" then
        seen = seen + 1
        assert.is_true(rows[event.index + 1][2])
      elseif event.kind == "silent" then
        silent = silent + event.count
      end
    end
    w:close()
    assert.equal(5, seen)
    assert.equal(4, silent)
  end)

  it("is not even sent to the worker once the parser is loaded, and counts all the same", function()
    local w = core.worker.new { exe = os.getenv "HEADWAY_BIN" }
    local id = w:load(counting, "p")
    w:run(10000)
    local records, indices, silent = {}, {}, 0
    for i = 1, 5000 do records[i] = i % 7 == 0 and "50%" or ("x"):rep(i % 90) end
    w:feed(id, records)
    for _, event in ipairs(w:run(10000)) do
      if event.kind == "sample" then indices[#indices + 1] = event.index + 1 end
      if event.kind == "silent" then silent = silent + event.count end
    end
    w:close()
    assert.equal(5000 // 7, #indices)
    for i, index in ipairs(indices) do assert.equal(7 * i, index) end
    assert.equal(5000 - 5000 // 7, silent)
  end)

  it("all of a batch skipped is a batch that is done", function()
    local w = core.worker.new { exe = os.getenv "HEADWAY_BIN" }
    local id = w:load(counting, "p")
    w:run(10000)
    w:feed(id, { "a", "b", "" }, 7)
    local kinds = {}
    for _, event in ipairs(w:run(10000)) do kinds[#kinds + 1] = event.kind .. (event.count or event.seq) end
    w:close()
    assert.same({ "silent3", "fed7" }, kinds)
  end)

  it("hide nothing of a progress file, in the worker too", function()
    local w = core.worker.new { exe = os.getenv "HEADWAY_BIN" }
    local id = w:load_named("nm", true)
    w:run(10000)
    w:feed(id, { "50" })
    local said
    for _, event in ipairs(w:run(10000)) do said = said or event.kind == "refused" end
    w:close()
    assert.is_true(said)
  end)

  it("hide nothing of a progress file", function()
    local h = assert(core.host.new(core.parsers.find("nm").text, "nm", nil, true))
    local _, why = h:feed "50"
    assert.is_truthy(why:find "not N/M", why)
  end)

  it("finish is not skipped", function()
    local h = assert(core.host.new([[return { api = 1, hints = { "x" }, new = function() return { feed = print,
      finish = function() return { done = 1 } end } end }]], "p"))
    assert.same({ done = 1 }, h:finish(0))
  end)
end)
