--- headway.units, in the sandbox that parsers have.
local core = require "headway_core"

--- Calls a function of the module inside a host: args is the text of a Lua expression list.
local function call(name, args)
  local h = assert(core.host.new(([[local units = require "headway.units"
    return { api = 1, new = function() return { feed = function()
      local n = units.%s(%s)
      return { done = 1, message = math.type(n) == "integer" and tostring(n) or "none " .. tostring(n) } end } end }]])
    :format(name, args), "t"))
  local message = assert(h:feed "x").message
  return message ~= "none nil" and (math.tointeger(message) or message) or nil
end

local MOST = math.maxinteger

local integers = {
  -- text                     value
  { "0",                    0 },
  { "007",                  7 },
  { "12000000",             12000000 },
  { "12,000,000",           12000000 },
  { "12.000.000",           12000000 },
  { "12'000'000",           12000000 },
  { "12\u{2019}000",        12000 },
  { "12 000 000",           12000000 },
  { "12\u{A0}000\u{A0}000", 12000000 },
  { "12\u{202F}000",        12000 },
  { "12\u{2009}000",        12000 },
  { "1,234",                1234 },
  { "1.234",                1234 },
  { "999",                  999 },
  { "9223372036854775807",  MOST },
  { "9,223,372,036,854,775,807", MOST },
  { "00009223372036854775807", MOST },
  { "9007199254740993",     9007199254740993 },
  { "9223372036854775808" },
  { "18446744073709551617" },
  { "99999999999999999999" },
  { "1,23" },
  { "1,2345" },
  { "1234,567" },
  { "1,234.567" },
  { "1,234,56" },
  { "1,,234" },
  { "1,234," },
  { ",123" },
  { "-1" },
  { "+1" },
  { "1e3" },
  { "0x10" },
  { "" },
  { " 1" },
  { "1 " },
  { "1\0" },
  { "١" },
  { "1\u{A0}" },
  { "1\u{200B}234" },
}

describe("units.integer:", function()
  for _, row in ipairs(integers) do
    it(("%q"):format(row[1]), function() assert.equal(row[2], call("integer", ("%q"):format(row[1]))) end)
  end
end)

local sizes = {
  -- arguments                    bytes
  { '"0 B"',                    0 },
  { '"1 B"',                    1 },
  { '"12"',                     12 },
  { '"12 bytes"',               12 },
  { '"1 byte"',                 1 },
  { '"548.260 KiB"',            561418 },        -- 561418.24
  { '"11.444 MiB"',             11999903 },      -- 11999903.744
  { '"1.040 MiB"',              1090519 },       -- 1090519.04
  { '"353Ki"',                  361472 },
  { '"1,50 GB"',                1500000000 },
  { '"1.50 GB"',                1500000000 },
  { '"12.00M"',                 12000000 },
  { '"12.00M", 1024',           12582912 },
  { '"384k", 1024',             393216 },
  { '"24.0M", 1024',            25165824 },
  { '"1.12M", 1024',            1174405 },       -- 1174405.12
  { '"1,234 MiB"',              1293942 },       -- a decimal comma: 1293942.784
  { '"1,234"',                  1234 },
  { '"1.234"',                  1234 },
  { '"1.5"',                    1 },
  { '"1,234 KiB", nil, "."',    1263616 },       -- grouped, since the mark is known
  { '"1.234,5 KiB"',            1264128 },
  { '"1,234.5 KiB"',            1264128 },
  { '"1.234.567 kB"',           1234567000 },
  { '"1 234,5 kB"',             1234500 },
  { '"1\u{202F}234,5\u{A0}Ko"' },
  { '"7 EiB"',                  8070450532247928832 },
  { '"7.999999999999999999 EiB"', 9223372036854775806 }, -- 9223372036854775806.84...
  { '"8 EiB"' },
  { '"9.2 EB"',                 9200000000000000000 },
  { '"9.3 EB"' },
  { '"0.000000000000000000000000001 EiB"', 0 },
  { '"1.15 EiB"',               1325859730297874022 }, -- 1325859730297874022.4
  { '"0.1 KiB"',                102 },
  { '"0.9999 KB"',              999 },
  { '"5 KB"',                   5000 },
  { '"5 kb"',                   5000 },
  { '"5 MBytes"',               5000000 },
  { '"5 XB"' },
  { '"5 MiBB"' },
  { '"5 files"' },
  { '"MiB"' },
  { '".5 MiB"' },
  { '"5. MiB"' },
  { '"-5 MiB"' },
  { '"5 MiB/s"' },
  { '"5 MiB "' },
  { '"1e3 MiB"' },
  { '"nan"' },
  { '""' },
}

describe("units.size:", function()
  for _, row in ipairs(sizes) do
    it(row[1], function() assert.equal(row[2], call("size", row[1])) end)
  end

  it("agrees with exact arithmetic on hundredths of every unit", function()
    local scales = { B = 1, KiB = 2 ^ 10 | 0, MiB = 2 ^ 20 | 0, GiB = 2 ^ 30 | 0, TiB = 2 ^ 40 | 0, PiB = 2 ^ 50 | 0, kB = 1000, GB = 10 ^ 9 | 0 }
    local calls, expected = {}, {}
    for unit, scale in pairs(scales) do
      for hundredths = 0, 399, 7 do
        calls[#calls + 1] = ('"%d.%02d %s"'):format(hundredths // 100, hundredths % 100, unit)
        expected[#expected + 1] = hundredths * scale // 100
      end
    end
    local h = assert(core.host.new(([[local units = require "headway.units"
      local given = { %s }
      return { api = 1, new = function() return { i = 0, feed = function(self)
        self.i = self.i + 1
        return { done = units.size(given[self.i]) } end } end }]]):format(table.concat(calls, ",")), "t"))
    for i, value in ipairs(expected) do assert.equal(value, assert(h:feed "x").done, calls[i]) end
  end)
end)

describe("units.add:", function()
  for _, row in ipairs { { "1, 2", 3 }, { "math.maxinteger, 0", MOST }, { "math.maxinteger, 1", MOST }, { "1, math.maxinteger", MOST } } do
    it(row[1], function() assert.equal(row[2], call("add", row[1])) end)
  end
end)

describe("units:", function()
  it("stay quick on text that is made to be slow", function()
    local h = assert(core.host.new([[local units = require "headway.units"
      return { api = 1, record_max = 65536, new = function() return { feed = function(_, record)
        return { done = units.integer(record) or units.size(record) or 0 } end } end }]], "t"))
    for _, record in ipairs { ("1"):rep(65536), ("1,"):rep(32768), ("123,"):rep(16384), ("1 "):rep(32768), "1" .. ("\u{A0}"):rep(30000),
      ("9"):rep(79), ("1."):rep(39), ("1 "):rep(39) .. "x" } do
      local began = os.clock()
      for _ = 1, 100 do h:feed(record) end
      assert.is_true(os.clock() - began < 1)
    end
  end)
end)
