--- headway.prometheus, in the sandbox that parsers have.
local core = require "headway_core"

local h = assert(core.host.new([[local prometheus = require "headway.prometheus"
  return { api = 1, record_max = 65536, new = function() return { feed = function(_, record)
    if record:find "^READ " then
      local into = { a = 7 }
      local any = prometheus.read(record:sub(6), { a = true, b = true }, into)
      return { done = any and 1 or 0, message = tostring(into.a) .. " " .. tostring(into.b) }
    end
    local name, value, labels = prometheus.line(record)
    if not name then return nil end
    return { done = 1, message = name .. " " .. tostring(value) .. " " .. labels } end } end }]], "t"))

local lines = {
  -- line                                    shown
  { "up 1",                                "up 1 " },
  { "a:b_c 12 1395066363000",              "a:b_c 12 " },
  { "  up\t1 ",                            "up 1 " },
  { 'up{a="b",c="d"} 5',                   'up 5 a="b",c="d"' },
  { 'up{a="}\\"{"} 5',                     'up 5 a="}\\"{"' },
  { 'up{a="\\\\"} 5',                      'up 5 a="\\\\"' },
  { "up{} 5",                              "up 5 " },
  { "up 1.2e+07",                          "up 12000000 " },
  { "up 9007199254740993",                 "up 9007199254740993 " },
  { "up 9.007199254740993e+15",            "up 9.007199254741e+15 " },
  { "up 0.5",                              "up 0.5 " },
  { "up -3",                               "up -3 " },
  { "up NaN" },
  { "up +Inf" },
  { "up 0x10" },
  { "up" },
  { "up " },
  { "up{a 1" },
  { 'up{a="b} 1' },
  { 'up{a="b\\' },
  { "# HELP up whether" },
  { "5 up" },
  { "" },
}

describe("prometheus.line:", function()
  for _, row in ipairs(lines) do
    it(("%q"):format(row[1]), function()
      local sample = h:feed(row[1])
      assert.equal(row[2] and row[2]:gsub("%s+$", "") or nil, sample and sample.message)
    end)
  end
end)

local pages = {
  -- name                     page                                  any  a b
  { "none of those",        "c 5",                                 0,   "7 nil" },
  { "one",                  "c 5\nb 3\n",                          1,   "7 3" },
  { "the last counts",      "a 1\nb 2",                            1,   "1 2" },
  { "labels are summed",    'a{x="1"} 1\na{x="2"} 2\n',            1,   "3 nil" },
  { "comments",             "# a 5\n# TYPE b counter\nb 1",        1,   "7 1" },
  { "a cut line",           "a 5\nb",                              1,   "5 nil" },
}

describe("prometheus.read:", function()
  for _, row in ipairs(pages) do
    it(row[1], function()
      local sample = h:feed("READ " .. row[2])
      assert.same({ row[3], row[4] }, { sample.done, sample.message })
    end)
  end
end)

describe("prometheus:", function()
  it("stays quick on text that is made to be slow", function()
    for _, record in ipairs { 'a{x="' .. ('\\"'):rep(32000), "a{" .. ("}"):rep(65000), 'a{' .. ('"'):rep(65000), "a " .. ("9"):rep(65000), ("a "):rep(32000),
      ("a"):rep(65536), "READ " .. ("a 1\n"):rep(16000), "READ " .. ("a{\n"):rep(20000) } do
      local began = os.clock()
      for _ = 1, 20 do h:feed(record) end
      assert.is_true(os.clock() - began < 1, record:sub(1, 20))
    end
  end)
end)
