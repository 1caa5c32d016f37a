local cjson = require "cjson"
local cli = require "spec.support.cli"
local shell = require "spec.support.cluster_shell"

--- Runs `headway check -o json`. row: args, env, and the text of a settings file.
local function check(row)
  local dir, done = cli.temp_dir()
  local args, env = { "check", "-o", "json" }, {}
  for _, arg in ipairs(row.args or {}) do args[#args + 1] = arg end
  for name, value in pairs(row.env or {}) do env[name] = value end
  if row.file then
    shell.write(dir .. "/h.yaml", row.file)
    env.HEADWAY_CONFIG = env.HEADWAY_CONFIG or dir .. "/h.yaml"
  end
  local run = cli.run(args, { env = env })
  done()
  local settings, problems, warnings = {}, {}, {}
  for line in run.stdout:gmatch "[^\n]+" do
    line = line:gsub(dir:gsub("%p", "%%%0") .. "/", "")
    local object = cjson.decode(line)
    if object.from then
      settings[object.setting] = object
    elseif object.problem or object.warning then
      local where = object.where ~= cjson.null and object.where .. ": " or ""
      local name = object.setting ~= cjson.null and object.setting .. " " or ""
      local list = object.problem and problems or warnings
      list[#list + 1] = where .. name .. (object.problem or object.warning)
    end
  end
  return { settings = settings, problems = problems, warnings = warnings, status = run.status, stderr = run.stderr }
end

describe("settings: who wins", function()
  local file = "source: { poll: 5s }\nsinks: [term, jsonl]\nparser:\n  options: { unit: 'a,b', re: x=y }\n"
  local cases = {
    -- name, row, setting, value, from, where
    { "default", {}, "source.poll", "3s", "default" },
    { "file", { file = file }, "source.poll", "5s", "file", "h.yaml:1" },
    { "environment over file", { file = file, env = { HEADWAY_POLL = "6s" } }, "source.poll", "6s", "env",
      "HEADWAY_POLL" },
    { "flag over environment", { file = file, env = { HEADWAY_POLL = "6s" }, args = { "--poll", "7s" } },
      "source.poll", "7s", "flag", "--poll" },
    { "the last flag", { args = { "--poll", "7s", "--poll=8s" } }, "source.poll", "8s", "flag", "--poll" },
    { "a short flag", { args = { "-nx" } }, "kube.namespace", "x", "flag", "-n" },
    { "an empty variable is none", { env = { HEADWAY_POLL = "" } }, "source.poll", "3s", "default" },
    { "FLUID_PROGRESS_FILE", { env = { FLUID_PROGRESS_FILE = "/p" } }, "source.file", "/p", "env",
      "FLUID_PROGRESS_FILE" },
    { "HEADWAY_FILE before it", { env = { FLUID_PROGRESS_FILE = "/p", HEADWAY_FILE = "/q" } }, "source.file", "/q",
      "env", "HEADWAY_FILE" },
    { "POD_NAME", { env = { POD_NAME = "p" } }, "pod.name", "p", "env", "POD_NAME" },
    { "HEADWAY_POD_NAME before it", { env = { POD_NAME = "p", HEADWAY_POD_NAME = "q" } }, "pod.name", "q", "env",
      "HEADWAY_POD_NAME" },
    { "NO_COLOR", { env = { NO_COLOR = "1" } }, "color", "never", "env", "NO_COLOR" },
    { "HEADWAY_COLOR before it", { env = { NO_COLOR = "1", HEADWAY_COLOR = "always" } }, "color", "always", "env",
      "HEADWAY_COLOR" },
    { "a list of the file", { file = file }, "sinks", "term,jsonl", "file", "h.yaml:2" },
    { "a map of the file", { file = file }, "parser.options", "unit=a\\,b,re=x\\=y", "file", "h.yaml:4" },
    { "a key with nothing behind", { file = "source:\n  poll:\nunit: ~\n" }, "source.poll", "3s", "default" },
    { "a group with nothing behind", { file = "source:\n" }, "source.poll", "3s", "default" },
    { "an empty file", { file = "# nothing\n" }, "source.poll", "3s", "default" },
    { "text that looks like a number", { file = "kube: { context: 7 }" }, "kube.context", "7", "file", "h.yaml:1" },
    { "the file itself", { file = "" }, "config", "h.yaml", "env", "HEADWAY_CONFIG" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local got = check(case[2])
      for _, problem in ipairs(got.problems) do -- what the parser says to its options is another matter
        assert.truthy(problem:find("parser.name ", 1, true), problem)
      end
      local setting = got.settings[case[3]]
      local where = setting.where ~= cjson.null and setting.where or nil
      assert.same({ case[4], case[5], case[6] }, { (setting.value:gsub(".*/(h%.yaml)", "%1")), setting.from, where })
    end)
  end

  it("--config before HEADWAY_CONFIG", function()
    local got = check { file = "source: { poll: 5s }", args = { "--config", "/dev/null" } }
    assert.same({ "3s", "/dev/null", "--config" },
      { got.settings["source.poll"].value, got.settings.config.value, got.settings.config.where })
  end)
end)

describe("settings: what is refused", function()
  local cases = {
    -- name                 row                                              problems
    { "no duration",        { env = { HEADWAY_POLL = "5x" } },
      { "HEADWAY_POLL: source.poll '5x': expected a duration such as 3s, 250ms or 1h30m, 100ms to 10m" } },
    { "no unit",            { args = { "--poll", "3" } },
      { "--poll: source.poll '3': expected a duration such as 3s, 250ms or 1h30m, 100ms to 10m" } },
    { "too short",          { file = "source:\n  poll: 99ms" },
      { "h.yaml:2: source.poll '99ms': expected a duration such as 3s, 250ms or 1h30m, 100ms to 10m" } },
    { "too long",           { args = { "--deadline=6m" } },
      { "--deadline: kube.deadline '6m': expected a duration such as 3s, 250ms or 1h30m, 100ms to 5m" } },
    { "no such word",       { args = { "--color", "allways" } },
      { "--color: color 'allways': expected auto|always|never; did you mean 'always'?" } },
    { "no such word of several", { file = "sinks: [term, json]" },
      { "h.yaml:1: sinks 'json': expected auto,annotation,term,jsonl,dir (one or several); did you mean 'jsonl'?" } },
    { "no switch", { file = "message: yes" }, { "h.yaml:1: message 'yes': expected on or off (true or false)" } },
    { "no number",          { args = { "--total", "ten" } },
      { "--total: total 'ten': expected a number such as 1000, or bytes such as 10GiB, 1 and up" } },
    { "a leading zero",     { file = "total: 0100" },
      { "h.yaml:1: total '0100': expected a number such as 1000, or bytes such as 10GiB, 1 and up" } },
    { "zero",               { args = { "--total=0" } },
      { "--total: total '0': expected a number such as 1000, or bytes such as 10GiB, 1 and up" } },
    { "over 63 bits",       { args = { "--total=9223372036854775808" } },
      { "--total: total '9223372036854775808': expected a number such as 1000, or bytes such as 10GiB, 1 and up" } },
    { "over 63 bits by unit", { args = { "--total=8388608Ti" } },
      { "--total: total '8388608Ti': expected a number such as 1000, or bytes such as 10GiB, 1 and up" } },
    { "no pairs",           { args = { "--parser-options", "a" } },
      { "--parser-options: parser.options 'a': expected name=value,name=value, each name once, at most 64" } },
    { "a pair twice",       { args = { "--parser-options", "a=1,a=2" } },
      { "--parser-options: parser.options 'a=1,a=2': expected name=value,name=value, each name once, at most 64" } },
    { "no log level",       { env = { HEADWAY_LOG = "info,annotation=loud" } },
      { "HEADWAY_LOG: log 'info,annotation=loud': expected error, warn, info or debug, as in info,annotation=debug" } },
    { "a line end in a path", { env = { HEADWAY_FILE = "/a\n/b" } },
      { "HEADWAY_FILE: source.file '/a /b': expected text without control characters" } },
    { "too long a text", { args = { "--unit", ("u"):rep(25) } }, { "--unit: unit expected at most 24 bytes, got 25" } },
    { "an empty flag",      { args = { "--file=" } }, { "--file: source.file '': expected a path" } },
    { "a map for a value",  { file = "source: { poll: { a: 1 } }" },
      { "h.yaml:1: source.poll expected one value, found a map" } },
    { "a value for a group", { file = "source: 3s" }, { "h.yaml:1: source expected a map of settings, found text" } },
    { "a list as file",     { file = "- a\n" }, { "h.yaml:1: expected a map of settings" } },
    { "two documents",      { file = "unit: x\n---\nunit: y\n" },
      { "h.yaml:3: a second document: a settings file holds one" } },
    { "broken YAML", { file = "unit: [x\n" },
      { "h.yaml:2: did not find expected ',' or ']' (while parsing a flow sequence that begins on line 1)" } },
    { "a missing file",     { args = { "--config", "/nowhere/x.yaml" } },
      { "open '/nowhere/x.yaml': No such file or directory" } },
    { "a directory as file", { args = { "--config", "/" } }, { "read '/': Is a directory" } },
    { "a file without end", { args = { "--config", "/dev/zero" } }, { "/dev/zero: more than 1048576 bytes" } },
    { "an unknown key",     { file = "source:\n  pol: 3s\n" },
      { "h.yaml:2: unknown setting 'source.pol', did you mean 'source.poll'?" } },
    { "a key on the wrong level", { file = "poll: 3s\n" },
      { "h.yaml:1: unknown setting 'poll', did you mean 'source.poll'?" } },
    { "a key like nothing", { file = "quux: 1\n" }, { "h.yaml:1: unknown setting 'quux'" } },
    { "a dotted key beside its group", { file = "source: { poll: 3s }\nsource.poll: 4s\n" },
      { "h.yaml:2: source.poll is set a second time in this file" } },
    { "a flag as key",      { file = "output: json\n" },
      { "h.yaml:1: output concerns one call: a flag, no key of the settings file" } },
    { "dir without its path", { args = { "--sinks", "dir" } },
      { "--sinks: sinks holds dir, but dir.path (--dir) is not set" } },
    { "hostile bytes are not shown", { args = { "--poll", "\27[31m5\u{202e}x" } },
      { "--poll: source.poll '[31m5 x': expected a duration such as 3s, 250ms or 1h30m, 100ms to 10m" } },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local got = check(case[2])
      assert.same(case[3], got.problems)
      assert.equal(1, got.status)
    end)
  end

  it("all of it at once, from everywhere", function()
    local file = "unti: x\nsource: { poll: 1h }\ntotal: -1\n"
    local got = check { file = file, env = { HEADWAY_BY = "me" }, args = { "--poll=x" } }
    assert.equal(5, #got.problems)
  end)

  it("what is wrong leaves what the next source says", function()
    local got = check { file = "source: { poll: 5s }", env = { HEADWAY_POLL = "no" } }
    assert.same({ "5s", "h.yaml:1" }, { got.settings["source.poll"].value, got.settings["source.poll"].where })
  end)
end)

describe("settings: numbers and switches that are taken", function()
  local cases = {
    { "bytes",            { "--total", "10GiB" }, "total" },
    { "thousands",        { "--total", "10k" },   "total" },
    { "the largest",      { "--total", "9223372036854775807" }, "total" },
    { "a bare switch",    { "--status-direct" },  "status.direct" },
    { "a switch, off",    { "--message=false" },  "message" },
    { "summed durations", { "--stall-after", "1h30m" }, "stall.after" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local got = check { args = case[2] }
      assert.same({}, got.problems)
      assert.equal("flag", got.settings[case[3]].from)
    end)
  end
end)

describe("settings: variables that are nearly ours", function()
  local cases = {
    -- name                          variable                    warning
    { "a typo", "HEADWAY_PARSR", "HEADWAY_PARSR: unknown variable, did you mean 'HEADWAY_PARSER'?" },
    { "a Service named headway",     "HEADWAY_PORT_443_TCP_ADDR" },
    { "its port",                    "HEADWAY_PORT" },
    { "a Service named headway-hub", "HEADWAY_HUB_SERVICE_HOST" },
    { "something else",              "HEADWAY_QUUX" },
    { "no variable of ours",         "HEADWIND" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local got = check { env = { [case[2]] = "x" } }
      assert.same({ case[3] }, got.warnings)
      assert.same({}, got.problems)
      assert.equal(0, got.status)
    end)
  end
end)

describe("settings: the table itself", function()
  local docs = cli.run({ "check", "--docs", "config" }).stdout

  it("docs/config.md is what the table prints: ./build/plain/headway check --docs config > docs/config.md", function()
    assert.equal(docs, shell.read "docs/config.md")
  end)

  it("its example is a settings file without problems", function()
    local example = docs:match("```yaml\n(.-)```"):gsub("name: rsync", "name: nm"):gsub("options: {.-}", "options: {}")
    local got = check { file = example }
    assert.same({}, got.problems)
  end)

  local rows = 0
  for name, cell in docs:gmatch "\n| `([%w.-]+)` | .- | (`%-%-.-) |" do
    rows = rows + 1
    it(name .. ": variable and flag have the same words", function()
      local flag = cell:match "^`%-%-([%w-]+)`"
      local env = cell:match "`(HEADWAY_[%w_]+)`"
      if name == "output" then return assert.is_nil(env) end
      local expected = "HEADWAY_" .. flag:upper():gsub("-", "_")
      assert.equal(expected, env)
      -- Kubernetes sets these beside a Service named headway
      assert.is_nil(env:find "^HEADWAY_PORT")
      assert.is_nil(env:find "_SERVICE_" or env:find "_PORT_")
    end)
  end

  it("has all rows", function() assert.is_true(rows >= 31) end)
end)
