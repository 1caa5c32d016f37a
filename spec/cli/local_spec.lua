--- `headway local`: the script of a DataProcess runs here, annotation and status are shown live.
local cjson = require "cjson"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"

describe("headway local", function()
  local dir, p

  before_each(function() dir = process.temp_dir() end)
  after_each(function()
    if p then p:close() end
    p = nil
    process.remove(dir)
  end)

  local HEAD = [[
apiVersion: data.fluid.io/v1alpha1
kind: DataProcess
metadata:
  name: demo
spec:
  dataset: {name: d, namespace: default, mountPath: /data}
  processor:
]]

  --- A manifest whose script has these lines.
  local function manifest(script, fields)
    local text = HEAD .. (fields or "    script:\n      command: [bash]\n      source: |\n")
    for line in (script .. "\n"):gmatch "(.-)\n" do text = text .. "        " .. line .. "\n" end
    shell.write(dir .. "/op.yaml", text)
    return dir .. "/op.yaml"
  end

  local function run(path, ...)
    p = process.start({ process.headway, "local", "-f", path, ... }, { TMPDIR = dir })
    return p:wait(20)
  end

  --- What is left in the temporary directory but the manifest.
  local function leftovers()
    return (select(2, shell.run("ls " .. shell.quote(dir) .. " | grep -v op.yaml")))
  end

  it("shows annotation and status as YAML, the end included", function()
    assert.equal(0, run(manifest 'echo 40/100 half way > "$FLUID_PROGRESS_FILE"'))
    local out = p:out()
    assert.matches("\n  phase: Complete\n", out)
    assert.matches("\n    progress: 100/100\n", out)
    assert.matches("\n    fluid.io/data%-progress: 100/100\n", out)
    assert.matches("\n  name: demo%-processor%-job%-local\n", out)
    assert.matches("^apiVersion: data.fluid.io/v1alpha1\nkind: DataProcess\n", out)
    assert.equal("", leftovers())
  end)

  it("publishes each value as a line of JSON", function()
    local path = manifest(([[
wait_for() { until [ -e %s/seen$1 ]; do sleep 0.05; done; }
wait_for 0
for i in 1 2 3; do
  echo $i/3 > $FLUID_PROGRESS_FILE
  wait_for $i
done]]):format(dir))
    p = process.start({ process.headway, "local", "-f", path, "-o", "json" }, { TMPDIR = dir })
    for i = 0, 3 do
      assert(p:expect("out", ('"progress":"%d/%d"'):format(i, i == 0 and 100 or 3)), p:err())
      shell.write(dir .. "/seen" .. i, "")
    end
    assert.equal(0, p:wait())
    local seen = {}
    for line in p:out():gmatch "[^\n]+" do
      local value = cjson.decode(line)
      seen[value.progress] = value.state
    end
    assert.same({ ["0/100"] = "waiting", ["1/3"] = "running", ["2/3"] = "running", ["3/3"] = "complete" }, seen)
  end)

  it("a script that fails: exit 1, the last true value, the reason", function()
    assert.equal(1, run(manifest "echo 3/9 > $FLUID_PROGRESS_FILE; exit 7", nil))
    assert.matches("\n  phase: Failed\n", p:out())
    assert.matches("message: exit status 7", p:out())
    local last = p:out():match ".*fluid.io/data%-progress: (%S+)"
    assert.equal("3/9", last)
  end)

  it("a script that is killed says by which signal", function()
    assert.equal(1, run(manifest "kill -9 $$", nil))
    assert.matches("ended by signal 9", p:out())
  end)

  it("takes the feature request's own spelling, with a hint for each old word", function()
    local path = manifest("echo 1/1 > $FLUID_PROGRESS_FILE", [[
    metadata: {annotations: {fluid.io/data-progress: 0/100, mine: x}}
    script:
      image: nginx:latest
      script: |
]])
    assert.equal(0, run(path))
    for _, word in ipairs { "podMetadata", "source", "imageTag" } do assert.matches(word, p:err()) end
    assert.matches("\n    mine: x\n", p:out())
    assert.matches("\n      imageTag: latest\n", p:out())
  end)

  it("the examples are valid and run", function()
    for _, name in ipairs { "dataprocess", "dataprocess-request" } do
      local text = assert(shell.read("examples/dataprocess/" .. name .. ".yaml"))
      shell.write(dir .. "/op.yaml", (text:gsub("sleep 10", "sleep 0.1")))
      assert.equal(0, run(dir .. "/op.yaml"))
      assert.matches("\n    fluid.io/data%-progress: 100/100\n", p:out())
      p:close()
    end
  end)

  it("reads the manifest from standard input, and finds the DataProcess among others", function()
    local path = manifest "echo 1/1 > $FLUID_PROGRESS_FILE"
    shell.write(path, "kind: Dataset\napiVersion: data.fluid.io/v1alpha1\n---\n" .. shell.read(path))
    p = process.start({ "sh", "-c", shell.command { process.headway, "local", "-f", "-" } .. " < " .. path })
    assert.equal(0, p:wait())
  end)

  it("sets the manifest's variables and keeps a progress file that it names", function()
    local path = manifest("echo $GREETING; echo 5/8 > $FLUID_PROGRESS_FILE; exit 1", ([[
    script:
      env: [{name: GREETING, value: hello}, {name: FLUID_PROGRESS_FILE, value: %s/own}, {name: X, valueFrom: {}}]
      source: |
]]):format(dir))
    assert.equal(1, run(path))
    assert.matches("hello", p:err())
    assert.matches("X: valueFrom", p:err())
    assert.matches("fluid.io/data%-progress: 5/8", p:out())
    assert.equal("5/8\n", shell.read(dir .. "/own"))
  end)

  it("runs the command of a podSpec", function()
    shell.write(dir .. "/op.yaml", HEAD .. [[
    job: {podSpec: {containers: [{name: c, image: x, command: [sh, -c], args: ["echo 2/2 > $FLUID_PROGRESS_FILE"]}]}}
]])
    assert.equal(0, run(dir .. "/op.yaml"))
    assert.matches("fluid.io/data%-progress: 2/2", p:out())
  end)

  it("writes a directory of manifests that are whole at any time", function()
    local out = dir .. "/manifests"
    assert.equal(0, run(manifest "echo 1/2 > $FLUID_PROGRESS_FILE", "--dir", out))
    local op = shell.read(out .. "/DataProcess-default-demo.yaml")
    local pod = shell.read(out .. "/Pod-default-demo-processor-job-local.yaml")
    assert.matches("\n  phase: Complete\n", op)
    assert.matches("\n    fluid.io/data%-progress: 2/2\n", pod)
  end)

  it("ends its script when it is told to end", function()
    p = process.start({ process.headway, "local", "-f", manifest "echo 1/2 > $FLUID_PROGRESS_FILE; sleep 600" },
      { TMPDIR = dir })
    assert(p:expect("out", "data%-progress: 1/2"))
    p:kill "TERM"
    assert.equal(1, p:wait())
    assert.matches("ended by signal 15", p:out())
    assert.equal("", leftovers())
  end)

  it("kills a script that ignores the signal at the second one", function()
    p = process.start({ process.headway, "local", "-f", manifest "trap '' TERM; echo 1/2 > $FLUID_PROGRESS_FILE; while :; do sleep 1; done" },
      { TMPDIR = dir })
    assert(p:expect("out", "data%-progress: 1/2"))
    p:kill "TERM"
    p:kill "INT" -- of another kind, since two pending signals of one kind are one
    assert.equal(1, p:wait())
    assert.matches("ended by signal 9", p:out())
  end)

  it("on a terminal the script's output scrolls above a view that is redrawn", function()
    local path = manifest 'for i in 1 2 3; do echo "step $i"; echo $i/3 > $FLUID_PROGRESS_FILE; sleep 0.4; done'
    p = process.start({ process.headway, "local", "-f", path }, { TMPDIR = dir, TERM = "xterm", LANG = "C.UTF-8" }, true)
    assert.equal(0, p:wait())
    local out = p:out()
    assert.matches("step 1", out)
    assert.matches("33%%, 1/3", out)
    assert.matches("complete, 100%%, 3/3", out)
    assert.matches("\27%[1A\27%[2K", out)
  end)

  local bad = {
    { "no file",            nil,                                        2, "%-f" },
    { "a file that is not there", "/nowhere.yaml",                      3, "/nowhere.yaml" },
    { "no YAML",            "a: [",                                     3, "op.yaml:%d" },
    { "another kind",       "kind: Pod\napiVersion: v1\nmetadata: {name: x}", 3, "op.yaml:1: .*kind Pod" },
    { "nothing",            "",                                         3, "holds no document" },
    { "no name",            HEAD:gsub("name: demo", "x: y") .. "    script: {source: 'true'}", 3, "metadata.name" },
    { "nothing to run",     HEAD .. "    podMetadata: {}",              3, "neither script nor" },
    { "an empty script",    HEAD .. "    script: {source: ''}",         3, "there is no script" },
    { "an image alone",     HEAD .. "    job: {podSpec: {containers: [{name: c, image: i}]}}", 3, "no command" },
    { "an unquoted value",  HEAD .. "    script: {source: 'true', env: [{name: A, value: 1}]}", 3, "quote it" },
    { "variables as a map", HEAD .. "    script: {source: 'true', env: {A: b}}", 3, "expected a list" },
    { "two of them",        HEAD .. "    script: {source: 'true'}\n---\n" .. HEAD, 3, "second DataProcess" },
    { "no such interpreter", HEAD .. "    script: {source: 'true', command: [no-such-shell]}", 3, "no%-such%-shell" },
  }
  for _, row in ipairs(bad) do
    it("names what is wrong: " .. row[1], function()
      local argv = { process.headway, "local" }
      if row[2] then
        local path = row[2]
        if path:sub(1, 1) ~= "/" then
          path = dir .. "/op.yaml"
          shell.write(path, row[2])
        end
        argv[3], argv[4] = "-f", path
      end
      p = process.start(argv, { TMPDIR = dir })
      assert.equal(row[3], p:wait())
      assert.matches(row[4], p:err())
      assert.equal("", leftovers())
    end)
  end
end)
