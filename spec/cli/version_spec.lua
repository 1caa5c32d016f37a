local cjson = require "cjson"
local cli = require "spec.support.cli"

describe("headway version", function()
  it("names itself and its libraries", function()
    local run = cli.run { "version" }
    assert.equal(0, run.status)
    assert.truthy(run.stdout:find "^headway %d+%.%d+%.%d+ %(%w+%)\n")
    for _, name in ipairs { "lua", "libcurl", "openssl", "libyaml", "libuv", "jansson" } do
      assert.truthy(run.stdout:find("\n" .. name .. " +%d+%.%d+"), name)
    end
  end)

  it("-o json is one object a line", function()
    local run = cli.run { "version", "-o", "json" }
    assert.equal(1, select(2, run.stdout:gsub("\n", "")))
    local object = cjson.decode(run.stdout)
    assert.truthy(object.version:find "^%d+%.%d+%.%d+$")
    assert.truthy(object.git)
    assert.truthy(object.libraries.libyaml)
  end)

  it("--version is the same as version", function()
    assert.equal(cli.run({ "version" }).stdout, cli.run({ "--version" }).stdout)
  end)

  it("does not print yaml", function()
    local run = cli.run { "version", "-o", "yaml" }
    assert.equal(2, run.status)
    assert.truthy(run.stderr:find("does not print -o yaml", 1, true))
  end)

  it("works with wrong settings all the same", function()
    assert.equal(0, cli.run({ "version" }, { env = { HEADWAY_POLL = "x", HEADWAY_CONFIG = "/nowhere" } }).status)
  end)

  local licenses = cli.run({ "version", "--licenses" }).stdout
  local cases = {
    { "headway", "Apache License" }, { "lua", "Lua.org, PUC-Rio" }, { "libcurl", "Daniel Stenberg" },
    { "libyaml", "Kirill Simonov" }, { "libuv", "Joyent" }, { "jansson", "Petri Lehtinen" },
    { "openssl", "OpenSSL Project Authors" }, { "glibc", "GNU LESSER GENERAL PUBLIC LICENSE" },
    { "gcc", "GCC Runtime Library Exception" },
  }
  for _, case in ipairs(cases) do
    it("--licenses holds the one of " .. case[1], function()
      local text = licenses:match("==== " .. case[1] .. " ====\n(.*)")
      assert.truthy(text)
      text = text:match "^(.-)\n==== " or text
      assert.truthy(text:find(case[2], 1, true))
    end)
  end

  it("--licenses begins with headway's own, to which others refer", function()
    assert.truthy(licenses:find "^==== headway ====\n")
  end)
end)
