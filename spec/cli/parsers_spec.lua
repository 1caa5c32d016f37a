--- `headway parsers`: the list, and what one says of itself.
local cjson = require "cjson"
local cli = require "spec.support.cli"
local core = require "headway_core"
local shell = require "spec.support.cluster_shell"

local dir, done
setup(function()
  dir, done = cli.temp_dir()
  shell.write(dir .. "/own.lua", [[
local M = { api = 1, name = "own", tool = "owntool", versions = "2", commands = { "owntool go" }, hints = { "g\xFFo" }, newest = true,
  record_max = 9000, unit = "cows", options = { base = { type = "integer", default = 5, min = 1, max = 9, help = "of what" } } }
function M.new() return { feed = function() end } end
return M
]])
  shell.write(dir .. "/nm.lua", "return { api = 1, new = function() return { feed = function() end } end }")
end)
teardown(function() done() end)

local function json(...)
  local run = cli.run { "parsers", "-o", "json", ... }
  local list, by_name = {}, {}
  for line in run.stdout:gmatch "[^\n]+" do
    list[#list + 1] = cjson.decode(line)
    by_name[list[#list].parser] = list[#list]
  end
  return by_name, list, run
end

describe("headway parsers", function()
  it("lists all that are built in, with tool, versions and commands", function()
    local _, list, run = json()
    assert.equal(0, run.status)
    for i, entry in ipairs(core.parsers.list()) do
      assert.equal(entry.name, list[i].parser)
      local meta = core.host.new(core.parsers.find(entry.name).text, entry.name):meta()
      assert.same(meta.commands or {}, list[i].commands)
      assert.same(#(meta.options or {}), #list[i].options)
      assert.is_true(list[i].built_in)
    end
    local table_form = cli.run({ "parsers" }).stdout
    assert.is_truthy(table_form:find "\nrsync +rsync +3%.0 to")
  end)

  it("shows the user's own, and what they hide", function()
    local found = json("--parser-dir", dir)
    assert.equal(dir .. "/own.lua", found.own.where)
    assert.is_false(found.own.built_in)
    assert.is_true(found.nm.hides)
    assert.is_nil(found.rsync.hides)
  end)

  it("tells all of one", function()
    local found = json("--parser-dir", dir, "own").own
    assert.equal("owntool", found.tool)
    assert.equal("cows", found.unit)
    assert.equal(9000, found.record_max)
    assert.is_true(found.newest)
    assert.same({ "owntool go" }, found.commands)
    assert.same({ name = "base", type = "integer", range = "1 to 9", default = "5", help = "of what" }, found.options[1])
    local text = cli.run({ "parsers", dir .. "/own.lua" }).stdout
    for _, part in ipairs { "owntool go", "at most 9000 bytes", "only the newest", "base=integer, 1 to 9", "default 5" } do
      assert.is_truthy(text:find(part, 1, true), part)
    end
  end)

  it("names what can't be loaded, and goes on", function()
    shell.write(dir .. "/broken.lua", "return {")
    local found, _, run = json("--parser-dir", dir)
    assert.equal(1, run.status)
    assert.is_truthy(found.broken.problem)
    assert.is_truthy(found.rsync)
    assert.equal(1, cli.run({ "parsers", dir .. "/broken.lua" }).status)
    os.remove(dir .. "/broken.lua")
    local none = cli.run { "parsers", "rsnc" }
    assert.equal(2, none.status)
    assert.is_truthy(none.stderr:find("did you mean 'rsync'", 1, true))
  end)
end)
