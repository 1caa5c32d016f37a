--- The alerts and the dashboard of deploy/: every metric they name is one that a hub shows, and the other way round; and what
--- Prometheus' own checker says of them, and of the metrics.
local cjson = require "cjson"
local core = require "headway_core"
local exposition = require "spec.support.exposition"
local metrics = require "spec.support.metrics"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"

local RULES, DASHBOARD = "deploy/prometheus/headway.rules.yaml", "deploy/grafana/headway.json"
--- Shown for those who look for them, and of no use on a picture.
local PLAIN = { process_virtual_memory_bytes = true, headway_build_info = true }

local function rules()
  local document = cjson.decode((assert(core.yaml.json(shell.read(RULES)))))
  local list = {}
  for _, group in ipairs(document.groups) do
    for _, rule in ipairs(group.rules) do list[#list + 1] = rule end
  end
  return list
end

--- Each query of the dashboard, with its panel's title.
local function queries()
  local list = {}
  local function walk(value, title)
    if type(value) ~= "table" then return end
    title = value.title or title
    for key, inner in pairs(value) do
      if (key == "expr" or key == "query") and type(inner) == "string" and inner ~= "prometheus" then
        list[#list + 1] = { title = title, expr = inner }
      else
        walk(inner, title)
      end
    end
  end
  walk(cjson.decode(shell.read(DASHBOARD)))
  return list
end

--- The metrics that an expression names.
local function names(expr)
  local list = {}
  for name in expr:gsub('"[^"]*"', '""'):gmatch "[%a_:][%w_:]*" do
    if name:find "^headway_" or name:find "^process_" then list[#list + 1] = name end
  end
  return list
end

local function family_of(families, name)
  if families[name] then return families[name].type ~= "histogram" and name end -- a histogram has no sample of its own name
  local base = name:gsub("_bucket$", ""):gsub("_sum$", ""):gsub("_count$", "")
  return families[base] and families[base].type == "histogram" and base
end

describe("alerts and dashboard", function()
  local shown, exprs
  setup(function()
    shown = exposition.parse((metrics.render(3, 3)))
    exprs = queries()
    for _, rule in ipairs(rules()) do exprs[#exprs + 1] = { title = rule.alert, expr = rule.expr } end
  end)

  it("name metrics that a hub shows", function()
    assert.is_true(#exprs > 40)
    for _, e in ipairs(exprs) do
      local list = names(e.expr)
      assert.is_true(#list > 0 or e.expr:find "^absent%(up{" ~= nil, e.expr)
      for _, name in ipairs(list) do assert.truthy(family_of(shown, name), ("%s: %s"):format(e.title, name)) end
    end
  end)
  it("label them as the hub does", function()
    for _, e in ipairs(exprs) do
      for name, braces in e.expr:gmatch "([%a_]%w*_[%w_]+){([^}]*)}" do
        local family = shown[family_of(shown, name)]
        local known = { job = true, instance = true, le = true }
        for _, sample in ipairs(family and family.samples or {}) do
          for label in pairs(sample.labels) do known[label] = true end
        end
        for label in braces:gmatch "([%a_]+)[=!]" do assert.is_true(known[label] or false, ("%s: %s{%s}"):format(e.title, name, label)) end
      end
    end
  end)
  it("use all that a hub shows, which is documented", function()
    local used = {}
    for _, e in ipairs(exprs) do
      for _, name in ipairs(names(e.expr)) do used[family_of(shown, name)] = true end
    end
    local page = shell.read "docs/reference.md"
    for name in pairs(shown) do
      assert.is_true(used[name] or PLAIN[name] or false, name .. " is on no picture")
      local tail = name:gsub("^headway_hub_watch_", "_"):gsub("^process_", "")
      assert.truthy(page:find(name, 1, true) or page:find(tail, 1, true), name .. " is not documented")
    end
  end)
  it("have titles, one id each, and places that do not overlap", function()
    local ids, cells = {}, {}
    for _, panel in ipairs(cjson.decode(shell.read(DASHBOARD)).panels) do
      assert.truthy(#panel.title > 0 and not ids[panel.id])
      ids[panel.id] = true
      local g = panel.gridPos
      assert.is_true(g.x + g.w <= 24)
      for x = g.x, g.x + g.w - 1 do
        for y = g.y, g.y + g.h - 1 do
          local cell = ("%d,%d"):format(x, y)
          assert.is_nil(cells[cell], panel.title)
          cells[cell] = true
        end
      end
    end
    for _, rule in ipairs(rules()) do
      assert.truthy(rule.labels.severity == "warning" or rule.labels.severity == "critical")
      assert.truthy(rule.annotations.summary and rule.annotations.description)
    end
  end)
end)

describe("promtool", function()
  local ok, out = shell.run "spec/deploy/promtool.sh 2>&1"
  local promtool = ok and out:match "([^\n]+)\n$"
  if not promtool then return pending("can't be had: " .. out) end
  local dir
  setup(function() dir = process.temp_dir() end)
  teardown(function() process.remove(dir) end)

  local function check(...)
    local fine, said = shell.run(("cd %s && %s 2>&1"):format(shell.quote(dir), shell.command { promtool, ... }))
    assert.is_true(fine, said)
    return said
  end

  it("takes the rules, and they fire when they should", function()
    shell.write(dir .. "/headway.rules.yaml", shell.read(RULES))
    shell.write(dir .. "/headway.rules.test.yaml", shell.read "spec/deploy/headway.rules.test.yaml")
    assert.truthy(check("check", "rules", "headway.rules.yaml"):find("SUCCESS: " .. #rules() .. " rules found", 1, true))
    check("test", "rules", "headway.rules.test.yaml")
    local tests = shell.read(dir .. "/headway.rules.test.yaml")
    for _, rule in ipairs(rules()) do
      assert.truthy(tests:find("alertname: " .. rule.alert .. "\n", 1, true), rule.alert .. " fires in no test")
    end
  end)
  it("takes the queries of the dashboard", function()
    local lines = { "groups: [ { name: x, rules: [" }
    for i, e in ipairs(queries()) do
      local expr = e.expr:gsub("^label_values%((.*), %w+%)$", "%1"):gsub("%$__rate_interval", "5m"):gsub("%$%w+", "x")
      lines[#lines + 1] = cjson.encode({ record = "x:" .. i, expr = expr }):gsub("\\/", "/") .. ","
    end
    lines[#lines + 1] = "] } ]\n"
    shell.write(dir .. "/queries.yaml", table.concat(lines, "\n"))
    assert.truthy(check("check", "rules", "queries.yaml"):find "SUCCESS")
  end)
  it("finds nothing to say against the metrics", function()
    shell.write(dir .. "/metrics", (metrics.render(20, 10)))
    local fine, said = shell.run(("%s check metrics < %s 2>&1"):format(shell.quote(promtool), shell.quote(dir .. "/metrics")))
    assert.is_true(fine, said)
    assert.equal("", said)
  end)
end)
