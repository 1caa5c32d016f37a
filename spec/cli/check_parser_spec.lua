--- What `headway check PARSER` finds: in the text of a parser, and on records that no tool prints.
local cjson = require "cjson"
local cli = require "spec.support.cli"
local shell = require "spec.support.cluster_shell"

local dir, done
setup(function() dir, done = cli.temp_dir() end)
teardown(function() done() end)

--- A parser around some lines of feed, or with its own text where that has a "return M".
local function parser(text)
  if not text:find "return M" then
    text = "local M = { api = 1, name = 'own' }\nM.__index = M\nfunction M.new() return setmetatable({}, M) end\n" ..
      "function M:feed(r)\n" .. text .. "\nend\nreturn M\n"
  end
  shell.write(dir .. "/own.lua", text)
  return dir .. "/own.lua"
end

--- The lines on this parser, without its directory.
local function check(text, ...)
  local run = cli.run { "check", parser(text), ... }
  local lines = {}
  for line in run.stdout:gmatch "[^\n]+" do
    if line:find("own", 1, true) then lines[#lines + 1] = (line:gsub(dir:gsub("%p", "%%%0") .. "/", "")) end
  end
  return lines, run.status, run
end

describe("a parser's text", function()
  local cases = {
    -- name, lines of feed (the first is line 5) or a whole module, what is said; none: it works
    { "a global that is read", "local x = cuont", { "problem: own.lua:5: global 'cuont' is read, and nobody makes it" } },
    { "and is like one", "local x = r or tostrng(r)", { "problem: own.lua:5: global 'tostrng' is read, and nobody makes it, did you mean 'tostring'?" } },
    { "once for each name", "local x = foobar\nlocal y = foobar", { "problem: own.lua:5: global 'foobar' is read, and nobody makes it" } },
    { "a global that is written", "if r == nil then count = 1 end", { "problem: own.lua:5: global 'count' is written: globals can't be made, write 'local count'" } },
    { "a global function", "if r then return end\nfunction helper() end",
      { "problem: own.lua:6: global 'helper' is written: globals can't be made, write 'local helper'" } },
    { "a global among several", "local a if not r then a, bcde = 1, 2 end",
      { "problem: own.lua:5: global 'bcde' is written: globals can't be made, write 'local bcde'" } },
    { "what parsers don't have", "if not r then return os.time() end", { "problem: own.lua:5: 'os' is not there for parsers" } },
    { "a library's function that is not there", "if not r then return string.dump(r) end", { "problem: own.lua:5: 'string.dump' is not there for parsers" } },
    { "one that is like another", "if not r then return math.tointger(r) end",
      { "problem: own.lua:5: 'math.tointger' is not there for parsers, did you mean 'tointeger'?" } },
    { "no field of a sample", "if not r then return { done = 1, totl = 2 } end", { "problem: own.lua:5: a sample has no field 'totl', did you mean 'total'?" } },
    { "a local out of its scope", "do local inner = 1 end\nlocal x = inner", { "problem: own.lua:6: global 'inner' is read, and nobody makes it" } },
    { "a local before it is there", "local x = x1\nlocal x1 = 2", { "problem: own.lua:5: global 'x1' is read, and nobody makes it" } },
    { "behind comments and strings", "-- a comment: foo\n--[==[ bar\n]] baz ]==] local s = 'quux\\' \\z\n  x' .. [[\nlong\n]]\nlocal x = nowhere",
      { "problem: own.lua:11: global 'nowhere' is read, and nobody makes it" } },
    { "all forms of the language", [==[
  if r then return end
  local k <const>, b, c <close> = 1, nil, nil
  local a = k
  for i = 1, 3 do local _ = i end
  for k, v in pairs { [1] = 2; x = 3, "y" } do a = k, v end
  while a < 2 do if a then break elseif b then goto done else b = a end end
  repeat local last = a until last
  ::done::
  local function f(...) return f, select("#", ...), ... end
  f { f "x", f'y', f[[z]] }:len()
  local t = { f = function(self) return self.f end, [a] = -2 ^ 3 .. "", #"x", not a, ~1 // 2 >> 3 << 4 & 5 | 6 }
  t.f, t["f"], a = a, (b), 0x1p-2 + 1e-3 + .5 + 3. + 0xA
  return r == "never" and { done = #t } or nil;]==], nil },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local lines, status, run = check(case[2])
      local texts = {}
      for _, line in ipairs(lines) do
        if line:find "own.lua:%d" and not line:find ": errs " then texts[#texts + 1] = line end
      end
      assert.same(case[3] or {}, texts)
      assert.equal(case[3] and 1 or 0, status, run.stdout)
      if not case[3] then assert.same({ "parser own: own.lua, works" }, lines) end
    end)
  end

  it("fields of the module that nobody knows are a warning", function()
    local lines, status = check [[
local M = { api = 1, name = "own", newset = true, LIMIT = 5, helper_of = 1 }
M.__index = M
M.rekord_max = 5
function M.new() return setmetatable({ limit = M.LIMIT }, M) end
function M:feed() if self.helper_of == 2 then self:extra() end end
function M:extra() end
function M:finnish() end
return M]]
    assert.same({
      "warning: own.lua:1: the module's field 'newset' is not in the contract, and nothing here reads it, did you mean 'newest'?",
      "warning: own.lua:3: the module's field 'rekord_max' is not in the contract, and nothing here reads it, did you mean 'record_max'?",
      "warning: own.lua:7: the module's field 'finnish' is not in the contract, and nothing here reads it, did you mean 'finish'?",
      "parser own: own.lua, works",
    }, lines)
    assert.equal(0, status)
  end)

  it("another name than its file's is a warning", function()
    local lines, status = check "local M = { api = 1, name = 'other' } M.__index = M\nfunction M.new() return setmetatable({}, M) end function M:feed() end return M"
    assert.same({ "warning: own.lua: its name is 'other', but it is found as 'own', by its file", "parser own: own.lua, works" }, lines)
    assert.equal(0, status)
  end)

  it("of 200 KiB is looked through to its last line", function()
    local lines, status = check(("local a = { %s }\n"):format(("'a(%d+)b', "):rep(2000)):rep(9) .. "local x = nowhere")
    assert.same({ "problem: own.lua:14: global 'nowhere' is read, and nobody makes it" }, lines)
    assert.equal(1, status)
  end)
end)

describe("counts over their total", function()
  local sample = "if n and #n < 9 and #m < 9 then return { done = math.tointeger(tonumber(n)), total = math.tointeger(tonumber(m)) } end"
  local cases = {
    { "on a record that any parser may meet", 'local n, m = r:match "^(%d+)/(%d+)$" ' .. sample, "done 2 over total 1 on '2/1'" },
    { "on one that its own pattern matches", 'local n, m = r:match "^copied (%d+) of +(%d+) files%.$" ' .. sample, "done 9 over total 1 on 'copied 9 of 1 files.'" },
    { "the total first", 'local m, n = r:match "^%[(%d+)%] %w+: (%d+)" ' .. sample, "done 9 over total 1 on '[1] 1: 9'" },
    { "one of several", "if r == '2/1' then return { done = 1, also = { { done = 3, total = 2, unit = 'x' } } } end", "done 3 over total 2 on '2/1'" },
  }
  for _, case in ipairs(cases) do
    it("are a problem, told once: " .. case[1], function()
      local lines, status = check(case[2])
      assert.same({ "problem: own.lua: " .. case[3] .. ": refuse it (return nil, why) or say nothing" }, lines)
      assert.equal(1, status)
    end)
  end

  it("are none where they are refused", function()
    local lines, status = check('local n, m = r:match "^copied (%d+) of (%d+)$" if n and math.tointeger(n) > math.tointeger(m) then return nil, "over" end ' .. sample)
    assert.same({ { "parser own: own.lua, works" }, 0 }, { lines, status })
  end)
end)

describe("the contract", function()
  local cases = {
    { "no api", "local M = { } M.new = function() return M end M.feed = M.new return M", "api is a nil, expected a number" },
    { "another api", "local M = { api = 2 } M.new = function() return M end M.feed = M.new return M", "api is 2, this headway knows 1" },
    { "no new", "local M = { api = 1 } return M", "new is a nil, expected a function" },
    { "no feed", "local M = { api = 1 } function M.new() return {} end return M", "feed is a nil, expected a function" },
    { "name of a wrong type", "local M = { api = 1, name = 7 } return M", "name is a number, expected a string" },
    { "record_max out of range", "local M = { api = 1, record_max = 65537 } return M", "record_max must be an integer from 1 to 65536" },
    { "newest of a wrong type", "local M = { api = 1, newest = 7 } return M", "newest is a number, expected a boolean" },
    { "newest that is no form", "local M = { api = 1, newest = 'yes' } return M", "newest is no form of a record: no number that grows" },
    { "new gives no table", "local M = { api = 1 } function M.new() return 1 end M.feed = M.new return M", "new returns a number" },
    { "syntax", "local M = { return M", "own.lua:1: " },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local lines, status = check(case[2])
      assert.equal(1, #lines)
      assert.truthy(lines[1]:find "^problem: own.lua: " and lines[1]:find(case[3], 1, true), lines[1])
      assert.equal(1, status)
    end)
  end
end)

describe("records that no tool prints", function()
  local cases = {
    -- name, lines of feed, what is said
    { "raises on an empty one", "if r == '' then error('empty!') end", "errs on an empty record: own.lua:5: empty!" },
    { "a fourth outcome", "if r == '{}' then return 7 end", "errs on '{}': feed returned number and nil, expected a table, nothing, or nil and a string" },
    { "a sample and a reason", "if r == 'null' then return { done = 1 }, 'x' end", "errs on 'null': feed returned table and string" },
    { "a count as text", "local n = r:match '^(%d+)%%$' if n then return { done = n } end", "errs on '0%': sample: done is a string, expected an integer" },
    { "a count over 63 bits", "local n, m = r:match '^(%d+)/(%d+)$' if n and #n > 9 then return { done = tonumber(n), total = tonumber(m) } end",
      "errs on '99999999999999999999/1': sample: done is 1e+20, expected an integer" },
    { "a share over 1", "local p = r:match '^(%d+)%%$' if p then return { fraction = tonumber(p) / 100 } end",
      "errs on '101%': sample: fraction is 1.01, expected 0 to 1" },
    { "raises on 64 KiB of digits", "if #r > 4000 and r:find '^%d' then error 'long' end", "errs on 4096 bytes of '1': own.lua:5: long" },
    { "raises on broken UTF-8", "utf8.len(r) .. ''", nil },
    { "its last word is wrong", "end function M:finish(c) if c == 143 then return false end", "errs on finish(143): feed returned boolean and nil" },
    { "nil arithmetic on another form", "local a, b = r:match '^(%-?%d+)/?(%d*)' if a then return a + b and nil end", "errs on '0%'" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local text = case[1]:find "UTF" and "local n = utf8.len(r) if n < 0 then return nil end" or case[2]
      local lines, status = check(text)
      local expected = case[3] or "errs on every byte there is: own.lua:5: attempt to compare nil with number"
      assert.truthy((lines[1] or ""):find("problem: own.lua: " .. expected, 1, true), table.concat(lines, "\n"))
      assert.equal(1, status)
    end)
  end

  it("a parser that always errs is told once", function()
    local lines, status = check "error 'always'"
    assert.same({ "problem: own.lua: errs on an empty record: own.lua:5: always",
      "problem: own.lua: set aside, as a reporter would: 16 errors in a row, the last: own.lua:5: always" }, lines)
    assert.equal(1, status)
  end)

  local bombs = {
    -- name, a pattern that runs away, the record that shows it
    { "digits", "(%d+)%s*/%s*(%d+)%s*/%s*(%d+)x", "bytes of '1'" },
    { "only behind its own words", "^copied: (a*)(a*)(a*)b", "bytes of 'a' behind 'copied:'" },
    { "a set", "^Total=([%d.]+)([%d.]+)([%d.]+) of", "bytes of '1' behind 'Total='" },
  }
  for _, bomb in ipairs(bombs) do
    it("a pattern that explodes, with the record: " .. bomb[1], function()
      local lines, status = check(("local M = { api = 1, name = 'own', record_max = 65536 }\nM.__index = M\n" ..
        "function M.new() return setmetatable({}, M) end\nfunction M:feed(r) if r:match '%s' then return nil end end\nreturn M"):format(bomb[2]))
      local text = table.concat(lines, "\n")
      assert.truthy(text:find("65536 " .. bomb[3], 1, true), text)
      assert.truthy(text:find "took longer than 2 s" or text:find "slow: %d+ ms", text)
      assert.equal(1, status)
    end)
  end

  it("one that only records with the parser's hint reach", function()
    local lines, status = check [[
local M = { api = 1, name = "own", hints = { "chk=" } }
M.__index = M
function M.new() return setmetatable({}, M) end
function M:feed(r) if r:find("chk=", 1, true) and r:match "^(a*)(a*)(a*)(a*)b" then return nil end end
return M]]
    assert.truthy((lines[1] or ""):find "problem: own.lua: on %d+ bytes of 'a': a record took longer than 2 s", table.concat(lines, "\n"))
    assert.equal(1, status)
  end)

  it("one that is only slow: told with its time", function()
    local lines, status = check "if #r > 4000 and r:find '^a1' then for _ = 1, 40000 do r:find '^a1.-$' end end"
    assert.truthy((lines[1] or ""):find "problem: own.lua: slow: %d+ ms for %d+ bytes of 'a1'" or lines[1]:find "longer than 2 s", lines[1])
    assert.equal(1, status)
  end)
end)

describe("headway check -o json PARSER", function()
  it("findings are objects", function()
    local run = cli.run { "check", "-o", "json", parser "local x = nowhere" }
    local found
    for line in run.stdout:gmatch "[^\n]+" do
      local o = cjson.decode(line)
      if o.problem then found = o end
    end
    assert.same({ problem = "global 'nowhere' is read, and nobody makes it", setting = cjson.null, where = dir .. "/own.lua:5" }, found)
  end)
end)

describe("what is built in", function()
  for path in io.popen("ls parsers/*.lua"):lines() do
    local name = path:match "([%w_]+)%.lua$"
    it(name .. " is fine", function()
      local run = cli.run { "check", name }
      assert.equal(0, run.status, run.stdout)
      assert.truthy(run.stdout:find("parser " .. name .. ": built in, works\n", 1, true), run.stdout)
      assert.falsy(run.stdout:find "warning", run.stdout)
    end)
  end
end)
