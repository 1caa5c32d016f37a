local yaml = require("headway_core").yaml

--- "map{a=int:1,b=list[text:x]}": shape, types and texts in one line.
local function shape(n)
  if n.kind == "scalar" then return n.type .. ":" .. n.text end
  local parts = {}
  for i, child in ipairs(n) do parts[i] = (child.key and child.key .. "=" or "") .. shape(child) end
  return n.kind == "map" and "{" .. table.concat(parts, ",") .. "}" or "[" .. table.concat(parts, ",") .. "]"
end

describe("yaml: what is read", function()
  local cases = {
    -- name                     yaml                                     shape
    { "a map",                  "a: 1\nb: x",                            "{a=int:1,b=text:x}" },
    { "a list",                 "- 1\n- [x, y]",                         "[int:1,[text:x,text:y]]" },
    { "keys keep their order",  "z: 1\na: 2\nm: 3",                      "{z=int:1,a=int:2,m=int:3}" },
    { "comments are ignored",   "# c\na: x # y\n# z",                    "{a=text:x}" },
    { "a # inside a word",      "a: x#y",                                "{a=text:x#y}" },
    { "empty is null",          "a:\nb: ~\nc: null\nd: ''",              "{a=null:,b=null:~,c=null:null,d=text:}" },
    { "booleans",               "[true, False, TRUE, yes, on, n, tRUE]",
      "[bool:true,bool:False,bool:TRUE,text:yes,text:on,text:n,text:tRUE]" },
    { "integers",               "[0, -7, +7, 0x1F, 0o17, 0644, 0899, 1_000]",
      "[int:0,int:-7,int:+7,int:0x1F,int:0o17,int:0644,real:0899,text:1_000]" },
    { "reals",                  "[1.5, .5, 1., 1e3, -.inf, .NaN, 1e, ., 1.2.3]",
      "[real:1.5,real:.5,real:1.,real:1e3,real:-.inf,real:.NaN,text:1e,text:.,text:1.2.3]" },
    { "quoted is text",         "['1', \"true\", '', 'it''s']",          "[text:1,text:true,text:,text:it's]" },
    { "dates are text",         "[2026-01-31, 12:30:45]",                "[text:2026-01-31,text:12:30:45]" },
    { "escapes",                [["a\tb\u00e9\x41"]],                    "text:a\tb\u{e9}A" },
    { "blocks",                 "a: |\n  1\n  2\nb: >-\n  x\n  y",       "{a=text:1\n2\n,b=text:x y}" },
    { "tags of the core schema", "[!!str 12, !!int '7', !!float 1, ! 3]", "[text:12,int:7,real:1,text:3]" },
    { "aliases are copied",     "a: &x {k: 1}\nb: *x\nc: [*x]",          "{a={k=int:1},b={k=int:1},c=[{k=int:1}]}" },
    { "the newest anchor",      "[&a 1, &a 2, *a]",                      "[int:1,int:2,int:2]" },
    { "an alias as key",        "a: &k x\n*k : 1",                       "{a=text:x,x=int:1}" },
    { "an anchor at a key",     "&k x: 1\ny: *k",                        "{x=int:1,y=text:x}" },
    { "a byte order mark",      "\u{feff}a: 1",                          "{a=int:1}" },
    { "CRLF",                   "a: 1\r\nb: 2\r\n",                      "{a=int:1,b=int:2}" },
    { "no end of line",         "a: 1",                                  "{a=int:1}" },
    { "one scalar",             "hello",                                 "text:hello" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local docs = assert(yaml.read(case[2]))
      assert.equal(1, #docs)
      assert.equal(case[3], shape(docs[1]))
    end)
  end
end)

describe("yaml: what is refused", function()
  local deep = ("["):rep(65) .. ("]"):rep(65)
  local laughs = { "a0: &a0 [x, x, x, x, x, x, x, x, x, x]" }
  for i = 1, 9 do
    local one = ("*a%d, "):format(i - 1)
    laughs[i + 1] = ("a%d: &a%d [%s]"):format(i, i, one:rep(10):sub(1, -3))
  end
  local long = "a: &a " .. ("x"):rep(100000) .. "\nb: [" .. ("*a, "):rep(200) .. "]"
  local anchors = {}
  for i = 1, 1001 do anchors[i] = ("- &a%d 1"):format(i) end
  local cases = {
    -- name                     yaml                           message
    { "a key twice",            "a: 1\nb: 2\na: 3",            "in:3: key 'a' a second time, the first is on line 1" },
    { "a key twice, quoted",    "{a: 1, 'a': 2}",              "in:1: key 'a' a second time, the first is on line 1" },
    { "a key twice, by alias",  "k: &x a\n*x : 1\na: 2",       "in:3: key 'a' a second time, the first is on line 2" },
    { "merge keys",             "a: &x {k: 1}\nb:\n  <<: *x",  "in:3: merge keys ('<<') are not supported" },
    { "a list as key",          "? [a]\n: 1",                  "in:1: a list or map can't be a key" },
    { "an empty key",           "a: 1\n?\n: 2",                "in:2: empty key" },
    { "other tags", "a: !!binary aGk=", "in:1: tag 'tag:yaml.org,2002:binary' is not supported" },
    { "local tags",             "a: 1\nb: !x {}",              "in:2: tag '!x' is not supported" },
    { "a tag that doesn't fit", "a: !!int x",                  "in:1: the value does not fit its tag" },
    { "a tag on the wrong kind", "!!map [1]",                  "in:1: tag 'tag:yaml.org,2002:map' is not supported" },
    { "NUL, escaped",           'a: 1\nb: "x\\0y"',            "in:2: NUL inside a text" },
    { "NUL",                    "a: 1\nb: x\0y",               "in:2: control characters are not allowed" },
    { "invalid UTF-8",          "a: 1\nb: \xff",               "in:2: invalid leading UTF-8 octet" },
    { "half a character",       "a: \xe2\x82",                 "in:1: incomplete UTF-8 octet sequence" },
    { "a tab as indentation",   "a:\n\tb: 1",                  "in:2: found character that cannot start any token" },
    { "an open bracket",        "a: [1,\nb: 2",                "in:3: did not find expected ',' or ']'" },
    { "an open quote",          "a: 1\nb: 'x",                 "in:2: found unexpected end of stream" },
    { "bad indentation",        "a: 1\n b: 2",                 "in:2: mapping values are not allowed in this context" },
    { "deeper than 64",         deep,                          "in:1: nested deeper than 64 levels" },
    { "an unknown alias",       "a: 1\nb: *x",                 "in:2: alias '*x': no such anchor before it" },
    { "an alias of the last document", "&x a\n---\n*x",        "in:3: alias '*x': no such anchor before it" },
    { "an alias of itself",     "a: &x [*x]",                  "in:1: an alias inside of what it stands for" },
    { "a billion laughs",       table.concat(laughs, "\n"),    "more than 100000 values" },
    { "much text by aliases",   long,                          "in:2: too much text" },
    { "1001 anchors",           table.concat(anchors, "\n"),   "in:1001: more than 1000 anchors" },
    { "100001 values",          ("- 1\n"):rep(100000),         "in:100000: more than 100000 values" },
    { "17 directives",          "#" .. ("\n%TAG !a! x"):rep(17), "more than 16 %TAG directives" },
    { "an unknown directive",   "%YAML 3.0\n---\na",           "found incompatible YAML document" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local docs, err = yaml.read(case[2])
      assert.is_nil(docs)
      assert.truthy(err:find(case[3], 1, true), err)
    end)
  end

  it("64 levels are not too deep", function()
    assert.truthy(yaml.read(("["):rep(64) .. ("]"):rep(64)))
  end)

  it("an alias may not make it deeper either", function()
    local inner, outer = ("["):rep(40) .. ("]"):rep(40), ("["):rep(30) .. "*a" .. ("]"):rep(30)
    local _, err = yaml.read("- &a " .. inner .. "\n- " .. outer)
    assert.truthy(err:find "deeper than 64")
  end)
end)

describe("yaml: lines and documents", function()
  it("tells where keys and values stand", function()
    local root = yaml.read("# head\na: 1\nb:\n  - x\n\n  -   y: z\nc: |\n  text\n")[1]
    local a, b, c = root[1], root[2], root[3]
    assert.same({ 2, 2 }, { a.key_line, a.line })
    assert.same({ 3, 4 }, { b.key_line, b.line })
    assert.same({ 4, 6, 6 }, { b[1].line, b[2].line, b[2][1].key_line })
    assert.equal(7, c.line)
  end)

  local cases = {
    { "nothing",             "",                          {} },
    { "only a comment",      "# c\n",                     {} },
    { "an empty document",   "---\n---\na",               { "text:a" } },
    { "several",             "a\n---\nb: 1\n...\n--- c\n", { "text:a", "{b=int:1}", "text:c" } },
    { "null, spelt out",     "null",                      { "null:null" } },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local shapes = {}
      for i, doc in ipairs(assert(yaml.read(case[2]))) do shapes[i] = shape(doc) end
      assert.same(case[3], shapes)
    end)
  end

  it("a wrong document is an error although the first is fine", function()
    local docs, err = yaml.read "a: 1\n---\nb: [\n"
    assert.is_nil(docs)
    assert.truthy(err:find "^in:4: ", err)
  end)
end)

describe("yaml: typed access", function()
  local cases = {
    -- name                what    yaml                     value                  message
    { "true",              "bool", "true",                  true },
    { "False",             "bool", "False",                 false },
    { "yes is no bool",    "bool", "yes",                   nil, "in:1: value: expected true or false, not 'yes'" },
    { "'true' is text",    "bool", "'true'",                nil, "expected true or false, not 'true'" },
    { "a list is no bool", "bool", "[1]",                   nil, "expected true or false, not a list" },
    { "int",               "int",  "-42",                   -42 },
    { "hex",               "int",  "0xff",                  255 },
    { "octal",             "int",  "0o17",                  15 },
    { "octal as in Go",    "int",  "0644",                  420 },
    { "largest",           "int",  "9223372036854775807",   math.maxinteger },
    { "smallest",          "int",  "-9223372036854775808",  math.mininteger },
    { "one too many",      "int",  "9223372036854775808",   nil, "an integer of at most 63 bits, not '92233" },
    { "a real is no int",  "int",  "1.0",                   nil, "expected an integer, not '1.0'" },
    { "null is no int",    "int",  "~",                     nil, "expected an integer, not nothing" },
    { "'7' is text",       "int",  "'7'",                   nil, "expected an integer, not '7'" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local value, err = yaml[case[2]](case[3])
      assert.equal(case[4], value)
      if case[5] then assert.truthy(err:find(case[5], 1, true), err) end
    end)
  end
end)
