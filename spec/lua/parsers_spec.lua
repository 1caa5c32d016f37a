--- Which file a parser's name means.
local parsers = require("headway_core").parsers

describe("parser lookup:", function()
  local dir

  setup(function()
    dir = os.tmpname()
    os.remove(dir)
    os.execute(("mkdir -p '%s/sub.lua' && ln -s real '%s/linked.lua'"):format(dir, dir))
    for name, text in pairs { ["nm.lua"] = "-- mine", ["rsyncx.lua"] = "-- own", real = "-- behind a link",
                              ["no-name.lua"] = "", ["notes.txt"] = "", ["big.lua"] = (" "):rep(256 * 1024 + 1) } do
      local f = assert(io.open(dir .. "/" .. name, "w"))
      f:write(text)
      f:close()
    end
  end)
  teardown(function() os.execute("rm -r '" .. dir .. "'") end)

  it("the built-in one", function()
    local found = assert(parsers.find "nm")
    assert.equal("nm", found.name)
    assert.equal("built in", found.where)
    assert.equal("@parsers/nm.lua", found.chunk)
    assert.is_false(found.user)
    assert.is_truthy(found.text:find "function M:feed")
  end)

  it("the user's own one wins", function()
    assert.same({ name = "nm", where = dir .. "/nm.lua", chunk = "@" .. dir .. "/nm.lua", user = true, text = "-- mine" },
      parsers.find("nm", dir))
  end)

  it("a directory that has none, or is none, leaves the built-in one", function()
    assert.is_false(parsers.find("nm", dir .. "/sub.lua").user)
    assert.is_false(parsers.find("nm", "/nonexistent").user)
    assert.is_false(parsers.find("nm", "").user)
  end)

  it("links are followed, as mounted ConfigMaps need", function()
    assert.equal("-- behind a link", parsers.find("linked", dir).text)
  end)

  it("a path", function()
    local found = assert(parsers.find(dir .. "/rsyncx.lua"))
    assert.equal("rsyncx", found.name)
    assert.equal("-- own", found.text)
  end)

  local wrong = {
    -- name                    what                words                                                          code
    { "an unknown name",     "rsyncxx",          "no parser 'rsyncxx', did you mean 'rsyncx'",                  "config" },
    { "a far name",          "quite_other",      "no parser 'quite_other'",                                     "config" },
    { "a path without end",  "a/b",              "expected letters, digits and '_', or a .lua file",            "config" },
    { "dots",                "..",               "expected letters",                                            "config" },
    { "nothing",             "",                 "expected letters",                                            "config" },
    { "a long name",         ("x"):rep(64),      "expected letters",                                            "config" },
    { "no such file",        "/nonexistent.lua", "no such file",                                                "config" },
    { "a file's odd name",   "./no-name.lua",    "the file's name must be letters, digits and '_'",             "config" },
    { "a directory",         "sub",              "is no regular file",                                          "input" },
    { "a file too big",      "big",              "more than 262144 bytes",                                      "limit" },
  }
  for _, case in ipairs(wrong) do
    it("refused: " .. case[1], function()
      local found, why, code = parsers.find(case[2], dir)
      assert.is_nil(found)
      assert.is_truthy(why:find(case[3], 1, true), why)
      assert.equal(case[4], code)
    end)
  end

  it("the list says what is there, where it comes from and what it hides", function()
    local list = {}
    for _, entry in ipairs(parsers.list(dir)) do list[entry.name] = entry end
    assert.same({ name = "nm", where = dir .. "/nm.lua", user = true, hides = true }, list.nm)
    assert.same({ name = "rsyncx", where = dir .. "/rsyncx.lua", user = true, hides = false }, list.rsyncx)
    assert.is_nil(list["no-name"])
    assert.is_nil(list.notes)
    assert.is_nil(list.sub)
    assert.equal("built in", parsers.list()[1].where)
  end)

  it("the list is sorted", function()
    local names = {}
    for i, entry in ipairs(parsers.list(dir)) do names[i] = entry.name end
    local sorted = { table.unpack(names) }
    table.sort(sorted)
    assert.same(sorted, names)
  end)
end)
