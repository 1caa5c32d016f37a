--- The rooms of core/ and who may see whom: cmake/layers.txt is the rule, this checks the code against it.
local lfs = require "lfs"

-- Which outside library a header belongs to; any other <header> is taken for libc's.
local headers = {
  { "^jansson", "jansson" }, { "^uv%.h$", "libuv" }, { "^uv/", "libuv" }, { "^yaml%.h$", "libyaml" },
  { "^lua", "liblua" }, { "^lauxlib%.h$", "liblua" }, { "^curl/", "libcurl" }, { "^openssl/", "libssl" },
}

local function words(text)
  local set = {}
  for word in text:gmatch "%S+" do set[word] = true end
  return set
end

local function read_layers()
  local rooms, order = {}, {}
  for line in io.lines "cmake/layers.txt" do
    local name, sees, exports, keeps = line:match "^(%l+):([^|]*)|([^|]*)|(.*)$"
    if name then
      order[#order + 1] = name
      rooms[name] = { sees = words(sees), exports = words(exports), keeps = words(keeps) }
    else
      assert(line == "" or line:find "^#", "cmake/layers.txt: can't read " .. line)
    end
  end
  return rooms, order
end

local rooms, order = read_layers()

local function library_of(header)
  for _, row in ipairs(headers) do
    if header:find(row[1]) then return row[2] end
  end
end

--- May the room include headers of this library: its own, or handed on by a room that it sees.
local function may_use(room, library)
  if rooms[room].exports[library] or rooms[room].keeps[library] then return true end
  for seen in pairs(rooms[room].sees) do
    if rooms[seen].exports[library] then return true end
  end
  return false
end

--- What is wrong with one #include of a room, or nil.
local function judge(room, open, name)
  if open == "<" then
    local library = library_of(name)
    local fine = not library or may_use(room, library)
    return not fine and ("<%s>: %s is not for this room"):format(name, library) or nil
  end
  local other = name:match "^([%w_]+)/[%w_/]+%.h$"
  if not other then return '"' .. name .. '": write it as "room/file.h"' end
  if not lfs.attributes("core/" .. name) then return '"' .. name .. '": no such file' end
  if other == room or rooms[room].sees[other] then return nil end
  return ([["%s": %s doesn't see %s]]):format(name, room, other)
end

local function check_includes(room)
  local wrong = {}
  for file in lfs.dir("core/" .. room) do
    if file:find "%.[ch]$" then
      local n = 0
      for line in io.lines(("core/%s/%s"):format(room, file)) do
        n = n + 1
        local open, name = line:match '^%s*#%s*include%s*([<"])([^>"]+)[>"]'
        local why = name and judge(room, open, name)
        if why then wrong[#wrong + 1] = ("core/%s/%s:%d: %s"):format(room, file, n, why) end
      end
    end
  end
  return wrong
end

--- The hw_ symbols of a room's archive; which: "--defined-only" or "--undefined-only".
local function symbols(build, room, which)
  local set = {}
  local archive = ("%s/libhw_%s.a"):format(build, room)
  if not lfs.attributes(archive) then return set end
  local pipe = assert(io.popen(("nm -P -g %s '%s' 2>/dev/null"):format(which, archive)))
  for line in pipe:lines() do
    local name = line:match "^(hw_[%w_]+) "
    if name then set[name] = true end
  end
  pipe:close()
  return set
end

describe("layers:", function()
  it("each room sees only rooms that stand above it in the table, so there is no cycle", function()
    local above = {}
    for _, room in ipairs(order) do
      for seen in pairs(rooms[room].sees) do
        assert.is_true(above[seen], room .. " sees " .. seen .. ", which doesn't stand above it")
      end
      above[room] = true
    end
  end)

  it("every folder of core/ is in the table, and no source lies beside them", function()
    for entry in lfs.dir "core" do
      local known = entry:find "^%." or rooms[entry]
      assert.is_truthy(known, "core/" .. entry .. " is not in cmake/layers.txt")
    end
  end)

  for _, room in ipairs(order) do
    if lfs.attributes("core/" .. room) then
      it(room .. " includes only what it sees", function()
        assert.same({}, check_includes(room))
      end)
    end
  end

  it("the linked archives agree: no room calls a function of one that it doesn't see", function()
    local build = os.getenv "HEADWAY_BUILD"
    if not build then return pending "HEADWAY_BUILD is not set" end
    local owner, wrong = {}, {}
    for _, room in ipairs(order) do
      for name in pairs(symbols(build, room, "--defined-only")) do owner[name] = room end
    end
    assert.is_truthy(next(owner), "no hw_ symbol in the archives of " .. build)
    for _, room in ipairs(order) do
      for name in pairs(symbols(build, room, "--undefined-only")) do
        local other = owner[name] or room
        if other ~= room and not rooms[room].sees[other] then
          wrong[#wrong + 1] = ("%s calls %s of %s"):format(room, name, other)
        end
      end
    end
    assert.same({}, wrong)
  end)
end)
