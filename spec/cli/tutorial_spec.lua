--- The tutorial of docs/parsers.md, as it stands there: its commands are run, its parser is used. And the example of a repository of
-- parsers, with what editors are given.
local cli = require "spec.support.cli"
local shell = require "spec.support.cluster_shell"

local section = assert(shell.read "docs/parsers.md"):match "\n## From an unknown tool to a parser\n(.-)\n## "
local commands, parser = section:match "```sh\n(.-)```", section:match "```lua\n(.-)```"

local dir, done, root
setup(function()
  dir, done = cli.temp_dir()
  root = assert(io.popen "pwd"):read "l"
  assert(shell.run(("mkdir %s/bin && cp examples/parser/packit %s && ln -s %s %s/bin/headway")
    :format(dir, dir, cli.bin:find "^/" and cli.bin or root .. "/" .. cli.bin, dir)))
end)
teardown(function() done() end)

--- Shell commands, in the tutorial's directory, with headway in the path.
local function run(line)
  local _, said, status = shell.run(("cd %s && PATH=%s/bin:$PATH && { %s\n} 2>&1"):format(dir, dir, line))
  return said, status
end

local function count(text, skip)
  local n = 0
  for line in text:gmatch "[^\n]+" do
    if not skip or not line:find(skip) then n = n + 1 end
  end
  return n
end

describe("the tutorial", function()
  it("is six commands and fifteen lines of Lua", function()
    assert.is_true(count(commands) <= 6)
    assert.is_true(count(parser, "^%-%-") <= 15)
  end)

  it("works with what suggest has written, unedited", function()
    local said, status = run("set -e\n" .. commands)
    assert.equal(0, status, said)
    assert.is_truthy(said:find("quite sure: ", 1, true), said)
    assert.is_truthy(said:find("parser packit: parsers/packit.lua, works", 1, true), said)
    assert.is_truthy(said:find("end  12/12", 1, true), said)
    assert.is_truthy(said:find("fluid.io/data-progress: 12/12", 1, true), said)
    assert.is_truthy(shell.read(dir .. "/packit.svg"):find("^<svg"))
    local _, specs, result = shell.run(("HEADWAY=%s/bin/headway build/plain/house_lua spec/support/house_busted.lua %s/parsers/packit_spec.lua 2>&1")
      :format(dir, dir))
    assert.equal(0, result, specs)
  end)

  it("works with the parser that it shows", function()
    shell.write(dir .. "/parsers/packit.lua", parser)
    local list = {}
    for line in commands:gmatch "[^\n]+" do list[#list + 1] = line end
    local said, status = run("set -e\nrm -rf out\n" .. table.concat(list, "\n", 3))
    assert.equal(0, status, said)
    assert.is_truthy(said:find("end  12/12", 1, true), said)
    assert.is_truthy(said:find('"unit":"crates"', 1, true), said)
    assert.is_truthy(said:find('"state":"complete"', 1, true), said)
  end)
end)

describe("a repository of parsers", function()
  it("passes its own checks, with the tutorial's parser", function()
    assert.equal(parser, shell.read "examples/parser-repository/parsers/packit.lua")
    local said, status = run(("cd %s/examples/parser-repository && ./check.sh"):format(root))
    assert.equal(0, status, said)
    assert.is_truthy(said:find("replay recordings/packit.cast", 1, true), said)
    local _, specs, result = shell.run(
      ("HEADWAY=%s/bin/headway build/plain/house_lua spec/support/house_busted.lua examples/parser-repository/parsers/packit_spec.lua 2>&1"):format(dir))
    assert.equal(0, result, specs)
  end)

  it("fails when a parser is wrong, or a recording ends elsewhere", function()
    for _, harm in ipairs { "echo 11/12 > recordings/packit.expect", "echo 'cuont()' >> parsers/packit.lua" } do
      local _, status = run(("rm -rf copy && cp -r %s/examples/parser-repository copy && cd copy && %s && ./check.sh"):format(root, harm))
      assert.not_equal(0, status, harm)
    end
  end)

  it("has a workflow and a manifest that are YAML, and run what is there", function()
    local core = require "headway_core"
    for _, file in ipairs { ".github/workflows/parsers.yaml", "sidecar.yaml" } do
      assert.is_truthy(core.yaml.json(assert(shell.read("examples/parser-repository/" .. file)), file), file)
    end
  end)

  it("gets contract and toolkit for its editor", function()
    local said, status = run "headway parsers --meta types"
    assert.equal(0, status, said)
    assert.equal(shell.read "scripts/headway/meta/core.lua", shell.read(dir .. "/types/headway/meta/core.lua"))
    assert.equal(shell.read "scripts/headway/units.lua", shell.read(dir .. "/types/headway/units.lua"))
    assert.is_nil(io.open(dir .. "/types/tools"))
  end)
end)
