local cjson = require "cjson"
local cli = require "spec.support.cli"
local shell = require "spec.support.cluster_shell"

local PARSER = [[
local M = { api = 1, name = "move", unit = "files" }
M.__index = M
function M.new() return setmetatable({}, M) end
function M:feed(r)
  local word, n, m = r:match "^(%a+) (%d+)/(%d+)"
  if not word then return nil, r == "bad" and "bad" or nil end
  n, m = math.tointeger(tonumber(n)), math.tointeger(tonumber(m))
  if word == "scan" then return { done = n, unit = "files", scanning = true } end
  if word == "again" then return { done = n, total = m, unit = "files", restart = true } end
  local index = word == "copy" and 1 or word == "check" and 2 or nil
  return { done = n, total = m, unit = "files", phase = index and { index = index, count = 2, name = word .. " <&>" } }
end
return M]]

local dir, done
setup(function()
  dir, done = cli.temp_dir()
  shell.write(dir .. "/move.lua", PARSER)
end)
teardown(function() done() end)

local function cast(name, events)
  local lines = { '{"version": 2, "width": 80, "height": 24, "command": "mv \\"<a>\\" & b"}' }
  for _, e in ipairs(events) do lines[#lines + 1] = cjson.encode { e[1], "o", e[2] .. "\n" } end
  shell.write(dir .. "/" .. name, table.concat(lines, "\n") .. "\n")
  return dir .. "/" .. name
end

local function plot(path, ...)
  local out = dir .. "/out.svg"
  os.remove(out)
  local run = cli.run { "replay", "--parser-dir", dir, "--parser", "move", "--plot", out, path, ... }
  return shell.read(out), run
end

--- Well-formed as far as we write XML: tags closed in order, no stray "<" or "&", quoted attributes. Returns the texts.
local function check_xml(svg)
  local open, texts, at = {}, {}, 1
  while true do
    local from, to, close, name, rest = svg:find("<(/?)([%a:]+)([^<>]*)>", at)
    local text = svg:sub(at, (from or #svg + 1) - 1)
    assert.falsy(text:find "[<>]", text)
    assert.falsy(text:gsub("&%a+;", ""):find "&", text)
    if text:find "%S" then texts[#texts + 1] = text end
    if not from then break end
    if close == "/" then
      assert.equal(name, table.remove(open))
    else
      local bare = rest:gsub('^%s*(.-)%s*/?$', "%1"):gsub('[%w:-]+="[^"<&]*"%s*', "")
      assert.equal("", bare)
      if rest:sub(-1) ~= "/" then open[#open + 1] = name end
    end
    at = to + 1
  end
  assert.equal(0, #open)
  return texts
end

local function has(list, text)
  for _, one in ipairs(list) do
    if one == text then return true end
  end
  return false
end

describe("headway replay --plot", function()
  it("is one picture that stands alone", function()
    local svg, run = plot(cast("a.cast", { { 1, "x 1/4" }, { 2, "x 2/4" }, { 4, "x 4/4" } }), "--exit", "0")
    assert.same({ 0, "" }, { run.status, run.stderr })
    local texts = check_xml(svg)
    for _, text in ipairs { "a.cast", "4/4  ·  complete", "3 samples of 3 records, 0 refused", "Progress", "0%", "100%",
      "parser move · mv &quot;&lt;a&gt;&quot; &amp; b", "0 s", "1 s", "4 s", "time since the start" } do
      assert.is_true(has(texts, text), text)
    end
    assert.truthy(svg:find("@media(prefers-color-scheme:dark)", 1, true))
    for _, foreign in ipairs { "<script", "href", "url%(", "@import", "<image", "on%a+=" } do
      assert.falsy(svg:find(foreign), foreign)
    end
    local without = svg:gsub('xmlns="http://www.w3.org/2000/svg"', "")
    assert.falsy(without:find "://")
  end)

  it("progress holds until the next value; places are exact", function()
    local svg = plot(cast("b.cast", { { 0, "x 0/4" }, { 5, "x 2/4" }, { 10, "x 4/4" } }))
    -- 836 by 250 pixels from 84, 96.
    assert.truthy(svg:find('class="line progress" d="M84.0 346.0H502.0L502.0 221.0H920.0L920.0 96.0H920.0h0"', 1, true), svg)
  end)

  it("states are bands, phases and restarts are marks", function()
    local svg = plot(cast("c.cast", { { 0, "scan 5/0" }, { 100, "copy 1/9" }, { 101, "copy 2/9" }, { 102, "copy 3/9" },
      { 103, "copy 4/9" }, { 500, "copy 5/9" }, { 600, "again 1/4" },
      { 700, "check 4/4" }, { 1000, "x 4/4" } }))
    local texts = check_xml(svg)
    assert.truthy(svg:find('<rect x="84.0" y="96" width="83.6" height="250" class="scanning"/>', 1, true), svg)
    -- From 180 s after the last change on.
    assert.truthy(svg:find('<rect x="320.6" y="96" width="181.4" height="250" class="stalled"/>', 1, true), svg)
    for _, text in ipairs { "phase 1 of 2: copy &lt;&amp;&gt;", "phase 2 of 2: check &lt;&amp;&gt;", "restart", "stalled", "scanning" } do
      assert.is_true(has(texts, text), text)
    end
    assert.falsy(has(texts, "waiting"))
  end)

  it("rate and estimated end where they are known", function()
    local events = {}
    for i = 1, 60 do events[i] = { i, ("x %d/60"):format(i) } end
    local texts = check_xml((plot(cast("d.cast", events))))
    for _, text in ipairs { "Rate, files/s", "Estimated end", "dashed: when it ended", "1:00" } do
      assert.is_true(has(texts, text), text)
    end
    texts = check_xml((plot(cast("e.cast", { { 1, "x 1/4" } }))))
    assert.falsy(has(texts, "Estimated end"))
  end)

  it("a plain log: over bytes", function()
    shell.write(dir .. "/f.log", ("x 1/4\n"):rep(500) .. "x 3/4\n")
    local svg = plot(dir .. "/f.log")
    local texts = check_xml(svg)
    assert.is_true(has(texts, "bytes of output (a plain log has no times)"))
    assert.is_true(has(texts, "512 B"))
  end)

  it("however many samples: bounded, and the same each time", function()
    local lines = {}
    for i = 1, 100000 do lines[i] = ("x %d/100000"):format(i) end
    shell.write(dir .. "/g.log", table.concat(lines, "\n") .. "\n")
    local svg = plot(dir .. "/g.log")
    check_xml(svg)
    assert.is_true(#svg > 10000 and #svg < 150000, #svg)
    assert.truthy(svg:find('L920.0 96.0H920.0h0"', 1, true))
    assert.equal(svg, (plot(dir .. "/g.log")))
  end)

  it("many marks, no samples, nothing at all", function()
    local events = {}
    for i = 1, 300 do events[i] = { i, "again 1/4" } end
    check_xml((plot(cast("h.cast", events))))
    check_xml((plot(cast("i.cast", { { 1, "nothing" } }))))
    check_xml((plot(cast("j.cast", {}))))
    shell.write(dir .. "/0.log", "")
    check_xml((plot(dir .. "/0.log")))
  end)

  it("hostile names", function()
    local svg = plot(cast('<script>&"\27]0;\xEF\xBF\xBE\xff.cast', { { 1, "x 1/4" } }))
    check_xml(svg)
    assert.truthy(svg:find("&lt;script&gt;&amp;&quot;", 1, true))
    assert.falsy(svg:find "[\27\xff]")
    assert.falsy(svg:find "\xEF\xBF\xBE")
  end)

  it("only the last line is printed, unless -o is given", function()
    local path = cast("k.cast", { { 1, "x 1/4" }, { 2, "x 2/4" } })
    assert.truthy(select(2, plot(path)).stdout:find "^      end  2/4 [^\n]*\n2 records[^\n]*\n$")
    assert.truthy(select(2, plot(path, "-o", "table")).stdout:find "^   1.000s  1/4 ")
    assert.equal(3, select(2, select(2, plot(path, "-o", "json")).stdout:gsub("\n", "")))
  end)

  it("what is expected is still judged, and the picture is there", function()
    local svg, run = plot(cast("l.cast", { { 1, "x 1/4" } }), "--expect", "4/4")
    assert.equal(1, run.status)
    check_xml(svg)
  end)

  it("that can't be written: exit 3, nothing is left", function()
    local path = cast("m.cast", { { 1, "x 1/4" } })
    local run = cli.run { "replay", "--parser-dir", dir, "--parser", "move", "--plot", dir .. "/no/out.svg", path }
    assert.equal(3, run.status)
    assert.truthy(run.stderr:find "^headway replay: write '.*out.svg.part': No such file")
    shell.run("mkdir " .. dir .. "/taken")
    run = cli.run { "replay", "--parser-dir", dir, "--parser", "move", "--plot", dir .. "/taken", path }
    assert.equal(3, run.status)
    assert.falsy(shell.exists(dir .. "/taken.part"))
  end)
end)
