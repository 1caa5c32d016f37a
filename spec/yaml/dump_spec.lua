local yaml = require("headway_core").yaml

describe("yaml: JSON values as kubectl prints them", function()
  local cases = {
    -- name                 json                                          yaml
    { "a map",              [[{"b":1,"a":"x"}]],                          "b: 1\na: x\n" },
    { "lists not indented", [[{"a":[1,{"b":2,"c":3}],"d":4}]],            "a:\n- 1\n- b: 2\n  c: 3\nd: 4\n" },
    { "maps indented by 2", [[{"a":{"b":{"c":1}}}]],                      "a:\n  b:\n    c: 1\n" },
    { "lists in lists",     [=[[[1,2],[3]]]=],                            "- - 1\n  - 2\n- - 3\n" },
    { "empty ones",         [[{"a":{},"b":[],"c":""}]],                   "a: {}\nb: []\nc: \"\"\n" },
    { "null and bools",     [=[[null,true,false]]=],                      "- null\n- true\n- false\n" },
    { "text that is none",  [=[["true","1","null","~","1.5"]]=],
      '- "true"\n- "1"\n- "null"\n- "~"\n- "1.5"\n' },
    { "text of YAML 1.1",   [=[["yes","on","y","0644","1_000","12:30:45","0b1","<<"]]=],
      '- "yes"\n- "on"\n- "y"\n- "0644"\n- "1_000"\n- "12:30:45"\n- "0b1"\n- "<<"\n' },
    { "times",              [[{"t":"2026-01-31T12:00:00Z"}]],             't: "2026-01-31T12:00:00Z"\n' },
    { "text that may stand plain", [=[["40/100","a b","10.0.0.1","1.2.3","x#y","a:b","-x"]]=],
      "- 40/100\n- a b\n- 10.0.0.1\n- 1.2.3\n- x#y\n- a:b\n- -x\n" },
    { "text that needs quotes", [=[["a: b","#x","- x","{","*a","'"," x","@x"]]=],
      "- 'a: b'\n- '#x'\n- '- x'\n- '{'\n- '*a'\n- ''''\n- ' x'\n- '@x'\n" },
    { "lines as a block",   [[{"s":"a\nb\n","t":"x\ny","u":"x\n\n"}]],
      "s: |\n  a\n  b\nt: |-\n  x\n  y\nu: |+\n  x\n\n" },
    { "control characters", [=[["a\tb","a\u0001","\u2028"]]=],            '- "a\\tb"\n- "a\\x01"\n- "\\L"\n' },
    { "other scripts",      [=[["é","進捗"]]=],                            "- é\n- 進捗\n" },
    { "long lines are folded", '["' .. ("word "):rep(18) .. 'end"]',
      "- " .. ("word "):rep(15) .. "word\n  word word end\n" },
    { "numbers", "[9007199254740993,-1,1.5,1e100]", "- 9007199254740993\n- -1\n- 1.5\n- 1e100\n" },
    { "keys are quoted too", [[{"true":1,"a b":2,"":3,"x: y":4}]],        '"true": 1\na b: 2\n"": 3\n\'x: y\': 4\n' },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      assert.equal(case[3], yaml.dump(case[2]))
    end)
  end

  it("NUL is refused, since no YAML reader of ours takes it", function()
    local text, err = yaml.dump [=[["a\u0000b"]]=]
    assert.is_nil(text)
    assert.truthy(err:find "NUL")
  end)

  it("a ceiling is a refusal", function()
    local text, err = yaml.dump('["' .. ("x"):rep(1000) .. '"]', 500)
    assert.is_nil(text)
    assert.truthy(err:find "more than 500 bytes", err)
  end)

  it("65 levels are refused, as the reader would", function()
    local text, err = yaml.dump(("["):rep(65) .. ("]"):rep(65))
    assert.is_nil(text)
    assert.truthy(err:find "deeper than 64")
  end)
end)

describe("yaml: from YAML to JSON", function()
  local cases = {
    { "a manifest",  "kind: Pod\nmetadata: {name: x, labels: {a: '1'}}\nn: [1, 2.5, ~]",
      [[{"kind":"Pod","metadata":{"name":"x","labels":{"a":"1"}},"n":[1,2.5,null]}]] },
    { "file modes",  "mode: 0644",   [[{"mode":420}]] },
    { "exact",       "n: 9007199254740993", [[{"n":9007199254740993}]] },
    { "number keys", "1: a\ntrue: b", [[{"1":"a","true":"b"}]] },
  }
  for _, case in ipairs(cases) do
    it(case[1], function() assert.equal(case[3], yaml.json(case[2])) end)
  end

  local refused = {
    { "infinite", "a: .inf" }, { "no number", "a: .nan" }, { "over 63 bits", "a: 18446744073709551616" },
    { "over any real", "a: 1e999" },
  }
  for _, case in ipairs(refused) do
    it(case[1] .. " is refused", function()
      local value, err = yaml.json(case[2])
      assert.is_nil(value)
      assert.equal("in:1: a number that JSON can't hold", err)
    end)
  end
end)

describe("yaml: round trip", function()
  --- Texts that look like something else, or break lines where they should not.
  local pieces = {
    "", " ", "  ", "\n", "\n\n", "a", "b c", "- ", ": ", "#", " #", "'", '"', "\\", "|", ">", "%", "@", "&a",
    "*a", "!", "?", "{", "}", "[", "]", ",", "true", "null", "~", "1", "0", ".", "-", "+", "e", "_", "0x",
    "yes", "<<", "=", "---", "...", "\t", "\r", "\u{85}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{e9}",
    "\u{1f600}", "\u{7f}", "\1", "2026-01-01", "12:30",
  }

  local function escape(text)
    return (text:gsub('[%c"\\\127]', function(c) return ("\\u%04x"):format(c:byte()) end))
  end

  --- A JSON value of random shape; keys are numbered, so they never repeat.
  local function random_value(depth)
    local kind = math.random(depth > 3 and 4 or 6)
    if kind <= 3 then
      local parts = {}
      for i = 1, math.random(0, 5) do parts[i] = pieces[math.random(#pieces)] end
      return '"' .. escape(table.concat(parts)) .. '"'
    elseif kind == 4 then
      local plain = { "null", "true", "false", "0", "-1", "12345678901234", "0.5" }
      return plain[math.random(#plain)]
    end
    local items = {}
    for i = 1, math.random(0, 4) do
      local key = ('"%s%d":'):format(escape(pieces[math.random(#pieces)]), i)
      items[i] = (kind == 5 and key or "") .. random_value(depth + 1)
    end
    return kind == 5 and "{" .. table.concat(items, ",") .. "}" or "[" .. table.concat(items, ",") .. "]"
  end

  it("what is written is read as the same value, 3000 times", function()
    math.randomseed(7)
    for _ = 1, 3000 do
      local value = random_value(0)
      local text = assert(yaml.dump(value))
      local back, err = yaml.json(text)
      assert(back, ("%s\n%s\n%s"):format(err, value, text))
      assert.equal(yaml.canon(value), back, text)
    end
  end)
end)
