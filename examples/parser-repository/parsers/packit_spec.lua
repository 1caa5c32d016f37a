--- packit: records, and what the parser makes of them, by `headway replay`. busted packit_spec.lua
-- luacheck: std lua54+busted, no max line length
local here = debug.getinfo(1, "S").source:match "^@(.*/)" or "./"
local headway = os.getenv "HEADWAY" or "headway"

local cases = {
  -- record, done, total; none: it says nothing about progress
  { "stowed 1 crates, 11 on the quay", 1, 12 },
  { "stowed 7 crates, 5 on the quay", 7, 12 },
  { "stowed 12 crates, 0 on the quay", 12, 12 },
}

--- The first line that replay prints of a record.
local function replay(record)
  local name = os.tmpname()
  local file <close> = assert(io.open(name, "wb"))
  file:write(record, "\n"):flush()
  local out <close> = assert(io.popen(("%s replay -o json --parser '%spackit.lua' %s"):format(headway, here, name)))
  local line = assert(out:read "l", "headway does not run")
  os.remove(name)
  return line:find '"final":true' and "" or line
end

describe("packit", function()
  for _, case in ipairs(cases) do
    it(case[1], function()
      local line = replay(case[1])
      assert.equal(case[2], tonumber(line:match '"done":(%d+)'))
      assert.equal(case[3], tonumber(line:match '"total":(%d+)'))
    end)
  end
end)
