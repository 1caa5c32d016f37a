--- core.integer: a whole number at a place of a text, without a string being made.
local core = require "headway_core"

--- integer(text, from) as text: "n behind follower".
local function call(text, from)
  local h = assert(core.host.new(([[local core = require "headway.core"
    return { api = 1, new = function() return { feed = function(_, record)
      local t = table.pack(core.integer(record, %s))
      for i = 1, t.n do t[i] = tostring(t[i]) end
      return { done = 1, message = table.concat(t, " ") } end } end }]]):format(from or "nil"), "t"))
  local sample, why = h:feed(text)
  return sample and sample.message or why
end

local rows = {
  -- text                          from  n behind follower
  { "42",                        nil,  "42 3" },
  { "42 files",                  nil,  "42 3 32" },
  { "  42%",                     nil,  "42 5 37" },
  { "\t42",                      nil,  "42 4" },
  { "a42b",                      2,    "42 4 98" },
  { "a 42",                      2,    "42 5" },
  { "0",                         nil,  "0 2" },
  { "007",                       nil,  "7 4" },
  { "12,000,000 100%",           nil,  "12000000 11 32" },
  { "12.000.000",                nil,  "12000000 11" },
  { "12'000",                    nil,  "12000 7" },
  { "1,234,56",                  nil,  "nil" },
  { "1,2345",                    nil,  "nil" },
  { "1234,567",                  nil,  "nil" },
  { "1,234.567",                 nil,  "nil" },
  { "12.00M",                    nil,  "nil" },
  { "1.5",                       nil,  "nil" },
  { "5, to-chk",                 nil,  "5 2 44" },
  { "3 of 10.",                  6,    "10 8 46" },
  { "9223372036854775807",       nil,  "9223372036854775807 20" },
  { "9223372036854775808",       nil,  "nil" },
  { "9,223,372,036,854,775,807", nil,  "9223372036854775807 26" },
  { "9,223,372,036,854,775,808", nil,  "nil" },
  { "00000000000000000000000001", nil, "1 27" },
  { "-1",                        nil,  "nil" },
  { "+1",                        nil,  "nil" },
  { "x",                         nil,  "nil" },
  { "",                          nil,  "nil" },
  { "42",                        3,    "nil" },
  { "42",                        9,    "nil" },
  { "42",                        2,    "2 3" },
  { "42",                        "math.maxinteger", "nil" },
  { "1\0",                       nil,  "1 2 0" },
  { "\u{A0}1",                   nil,  "nil" },
}

describe("integer:", function()
  for _, row in ipairs(rows) do
    it(("%q from %s"):format(row[1], row[2]), function() assert.equal(row[3], call(row[1], row[2])) end)
  end

  for _, from in ipairs { "0", "-1", "math.mininteger", "1.5", "'x'" } do
    it("refuses to begin at " .. from, function() assert.is_truthy(call("42", from):find "bad argument #2") end)
  end

  it("agrees with units.integer on all that both read", function()
    local h = assert(core.host.new([[local core, units = require "headway.core", require "headway.units"
      return { api = 1, new = function() return { feed = function(_, record)
        local n, behind = core.integer(record)
        if n and behind <= #record then n = nil end
        if record:find "^[^%d]" then n = nil end
        if n ~= units.integer(record) then return nil, tostring(n) .. " and " .. tostring(units.integer(record)) end
      end } end }]], "t"))
    math.randomseed(1)
    for _ = 1, 20000 do
      local bytes = {}
      for i = 1, math.random(0, 12) do bytes[i] = ("0019,,..'x"):sub(math.random(10)):sub(1, 1) end
      local text = table.concat(bytes)
      local _, why = h:feed(text)
      assert.is_nil(why, text)
    end
  end)
end)
