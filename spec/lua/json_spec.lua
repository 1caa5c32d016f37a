--- core.json: JSON text -> Lua values, for parsers.
local core = require "headway_core"

--- The parser's feed is the record given to core.json and shown as Lua text.
local h = assert(core.host.new([[
  local core = require "headway.core"
  local function show(v)
    if type(v) == "string" then return ("%q"):format(v):gsub("\\\n", "\\n") .. "" end
    if type(v) ~= "table" then return tostring(v) end
    local keys, t = {}, {}
    for k in pairs(v) do keys[#keys + 1] = k end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    for i, k in ipairs(keys) do t[i] = tostring(k) .. "=" .. show(v[k]) end
    return "{" .. table.concat(t, " ") .. "}"
  end
  return { api = 1, record_max = 65536, new = function() return { feed = function(_, record)
    local v, why = core.json(record)
    if why then return nil, why end
    return { done = 1, message = show(v) .. "." }
  end } end }]], "json"))

local rows = {
  -- name                  text                                   shown
  { "an object",         '{"a":1,"b":"x"}',                     '{a=1 b="x"}' },
  { "an empty object",   '{}',                                  '{}' },
  { "an array",          '[1,2,3]',                             '{1=1 2=2 3=3}' },
  { "an empty array",    ' [ ] ',                               '{}' },
  { "nested",            '{"a":{"b":[{"c":1}]}}',               '{a={b={1={c=1}}}}' },
  { "white space",       ' \t{ "a" :\r\n1 , "b" : 2 } ',        '{a=1 b=2}' },
  { "words",             '[true,false]',                        '{1=true 2=false}' },
  { "null in an object", '{"a":null,"b":1}',                    '{b=1}' },
  { "null in an array",  '[null,1]',                            '{1=false 2=1}' },
  { "the last of a name", '{"a":1,"a":2}',                      '{a=2}' },
  { "a null after all",  '{"a":1,"a":null}',                    '{}' },
  { "zero",              '0',                                   '0' },
  { "minus",             '-5',                                  '-5' },
  { "2^53 + 1 is exact", '9007199254740993',                    '9007199254740993' },
  { "2^63 - 1",          '9223372036854775807',                 '9223372036854775807' },
  { "2^63 is a float",   '9223372036854775808',                 '9.2233720368548e+18' },
  { "a whole float",     '12.0',                                '12' },
  { "an exponent",       '1.5e3',                               '1500' },
  { "a float over 2^53", '9007199254740993.0',                  '9.007199254741e+15' },
  { "a fraction",        '0.25',                                '0.25' },
  { "too big for a float", '1e999',                             'inf' },
  { "an escape",         [["a\"\\\/\tb"]],                      [["a\"\\/\9b"]] },
  { "a code point",      [["\u00e9\u20AC"]],                    '"é€"' },
  { "a pair",            [["\uD83D\uDE00"]],                    '"😀"' },
  { "half a pair",       [["\uD83Dx"]],                         '"\u{FFFD}x"' },
  { "the other half",    [["\uDE00"]],                          '"\u{FFFD}"' },
  { "half and a letter", [["\uD83D\u0041"]],                    '"\u{FFFD}A"' },
  { "bytes go through",  '"größe"',                             '"größe"' },
  { "a long string with escapes", '"' .. (".\\n"):rep(50) .. '"', '"' .. (".\\n"):rep(50) .. '"' },
}

describe("json:", function()
  for _, row in ipairs(rows) do
    it(row[1], function()
      local sample, why = h:feed(row[2])
      assert.is_nil(why)
      assert.equal(row[3] .. ".", sample.message)
    end)
  end
end)

local refused = {
  -- name                  text                     why
  { "nothing",           "",                      "unexpected end at byte 0" },
  { "white space",       "  ",                    "unexpected end" },
  { "text",              "hello",                 "unexpected character at byte 0" },
  { "something behind",  "{} x",                  "something follows the value at byte 3" },
  { "two values",        "{}{}",                  "something follows" },
  { "an open object",    '{"a":1',                "expected ',' or '}'" },
  { "a comma",           '{"a":1,}',              "expected a name" },
  { "no colon",          '{"a" 1}',               "expected ':'" },
  { "an unquoted name",  '{a:1}',                 "expected a name" },
  { "an open array",     '[1',                    "expected ',' or ']'" },
  { "an open string",    '"abc',                  "unfinished string" },
  { "open in an escape", '"abc\\',                "unfinished string" },
  { "open behind one",   '"a\\nbc',               "unfinished string" },
  { "a control",         '"a\nb"',                "control character" },
  { "a control behind an escape", '"\\t\nb"',     "control character" },
  { "a bad escape",      [["\x"]],                "bad escape" },
  { "a NUL escape",      '"\\\0"',                "bad escape" },
  { "short hex",         [["\u12"]],              "bad \\u escape" },
  { "bad hex",           [["\u12g4"]],            "bad \\u escape" },
  { "leading zero",      "012",                   "bad number" },
  { "a lone minus",      "-",                     "bad number" },
  { "a dot alone",       "1.",                    "bad number" },
  { "an empty exponent", "1e",                    "bad number" },
  { "a plus",            "+1",                    "unexpected character" },
  { "too many digits",   ("1"):rep(61),           "too many digits" },
  { "half a word",       "tru",                   "unexpected character" },
  { "NaN",               "NaN",                   "unexpected character" },
  { "deep arrays",       ("["):rep(33),           "nested too deep" },
  { "very deep",         ("["):rep(65536),        "nested too deep" },
  { "deep objects",      ('{"a":'):rep(40),       "nested too deep" },
}

describe("json, refused:", function()
  for _, row in ipairs(refused) do
    it(row[1], function()
      local sample, why = h:feed(row[2])
      assert.is_nil(sample)
      assert.is_truthy(why:find(row[3], 1, true), why)
    end)
  end

  it("32 levels are taken", function()
    assert.is_truthy(h:feed(("["):rep(32) .. ("]"):rep(32)))
  end)

  it("every cut of a document is refused, none crashes", function()
    local text = [[{"a":[1,-2.5e3,true,null,"x\u00e9\ud83d\ude00\n"],"b":{"c":{}}}]]
    for n = 0, #text - 1 do assert.is_nil((h:feed(text:sub(1, n)))) end
    assert.is_truthy(h:feed(text))
  end)

  it("memory comes from the parser's own share: a flood is refused, not fatal", function()
    local _, why, code = core.host.new([[local core = require "headway.core"
      local t = {}
      for i = 1, 100000 do t[i] = core.json('["' .. ("x"):rep(1000) .. i .. '"]') end]], "flood")
    assert.is_truthy(why:find "out of memory", why)
    assert.equal("limit", code)
  end)

  it("works where no memory can be had but the arena: in the confined worker", function()
    local w = core.worker.new { exe = os.getenv "HEADWAY_BIN" }
    local id = w:load([[local core = require "headway.core"
      return { api = 1, record_max = 65536, new = function() return { feed = function(_, record)
        return { done = #core.json(record)[1] } end } end }]], "json")
    local records = {}
    for i = 1, 50 do records[i] = '["' .. ("\\n"):rep(600 * i) .. '"]' end
    w:feed(id, records)
    local n = 0
    for _, event in ipairs(w:run(10000)) do
      if event.kind == "sample" then
        n = n + 1
        assert.equal(600 * n, event.sample.done)
      end
    end
    w:close()
    assert.equal(50, n)
  end)
end)
