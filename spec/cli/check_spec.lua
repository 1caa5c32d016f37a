local cjson = require "cjson"
local cli = require "spec.support.cli"
local shell = require "spec.support.cluster_shell"

describe("headway check", function()
  it("prints a table: setting, value, where from", function()
    local run = cli.run({ "check", "--poll", "5s" }, { env = { HEADWAY_UNIT = "files" } })
    assert.equal(0, run.status)
    assert.equal("", run.stderr)
    assert.truthy(run.stdout:find "^SETTING +VALUE +FROM\n")
    assert.truthy(run.stdout:find "\nsource%.poll +5s +%-%-poll\n")
    assert.truthy(run.stdout:find "\nunit +files +HEADWAY_UNIT\n")
    assert.truthy(run.stdout:find "\nsource%.file +%- +default\n")
    assert.truthy(run.stdout:find "\nparser nm: built in, works\n")
  end)

  it("then the problems, exit 1", function()
    local run = cli.run { "check", "--poll=x", "--by=me" }
    assert.equal(1, run.status)
    assert.truthy(run.stdout:find("\nproblem: --poll: source.poll 'x': expected a duration", 1, true))
    assert.truthy(run.stdout:find("\nproblem: --by: by 'me': expected auto|sidecar|wrapper", 1, true))
  end)

  it("-o json: every line is an object", function()
    local run = cli.run { "check", "-o", "json", "--poll=x" }
    local kinds = {}
    for line in run.stdout:gmatch "[^\n]+" do
      local object = cjson.decode(line)
      local kind = object.from and "setting" or object.problem and "problem" or object.parser and "parser"
      kinds[kind] = (kinds[kind] or 0) + 1
    end
    assert.is_true(kinds.setting >= 31)
    assert.same({ 1, 1 }, { kinds.problem, kinds.parser })
  end)

  it("a unit that can't be one is a problem", function()
    local run = cli.run { "check", "--unit", "fi;les" }
    assert.equal(1, run.status)
    assert.truthy(run.stdout:find "\nproblem: unit")
  end)
end)

describe("headway check PARSER", function()
  local dir, done
  setup(function() dir, done = cli.temp_dir() end)
  teardown(function() done() end)

  local works = "local M = { api = 1, name = 'own' }\nM.__index = M\n" ..
    "function M.new() return setmetatable({}, M) end\nfunction M:feed() end\nreturn M\n"
  local cases = {
    -- name, text, status, output
    { "works", works, 0, "parser own: .*/own%.lua, works" },
    { "no Lua", "return {{\n", 1, "problem: .*own%.lua:2" },
    { "no parser", "return 7\n", 1, "problem: .*own" },
    { "no end", "while true do end\n", 1, "problem: .*own" },
    { "raises", "error 'not today'\n", 1, "problem: .*not today" },
    { "empty", "", 1, "problem: .*own" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      shell.write(dir .. "/own.lua", case[2])
      local run = cli.run { "check", dir .. "/own.lua" }
      assert.truthy(run.stdout:find(case[4]), run.stdout)
      assert.equal(case[3], run.status)
      assert.is_nil(run.stdout:find("SETTING", 1, true) or run.stdout:find("parser nm", 1, true), run.stdout)
    end)
  end

  it("by name from the user's directory", function()
    shell.write(dir .. "/own.lua", works)
    local run = cli.run { "check", "--parser-dir", dir, "--parser", "own" }
    assert.equal(0, run.status, run.stdout)
    assert.truthy(run.stdout:find("parser own: " .. dir .. "/own.lua, works", 1, true))
  end)

  it("is told of it alone as JSON, too", function()
    shell.write(dir .. "/own.lua", works)
    local run = cli.run { "check", "-o", "json", dir .. "/own.lua" }
    assert.equal(1, select(2, run.stdout:gsub("\n", "")), run.stdout)
  end)

  it("options without a parser that is named are nobody's yet", function()
    local run = cli.run { "check", "--parser-options", "base=1024" }
    assert.equal(0, run.status, run.stdout)
    assert.truthy(run.stdout:find("\nwarning: --parser-options: parser.options are for the parser that", 1, true), run.stdout)
    run = cli.run { "check", "--parser", "rsync", "--parser-options", "bass=1024" }
    assert.equal(1, run.status, run.stdout)
    assert.truthy(run.stdout:find("parser 'rsync' has no option 'bass', did you mean 'base'", 1, true), run.stdout)
  end)

  it("a name that nobody has", function()
    local run = cli.run { "check", "--parser", "nn" }
    assert.equal(1, run.status)
    assert.truthy(run.stdout:find "problem: %-%-parser: parser%.name .*'nm'", run.stdout)
  end)
end)
