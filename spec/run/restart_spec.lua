--- A reporter that is restarted: what it had published on the pod is the least that is shown, where its parser counts anew.
local cjson = require "cjson"
local probe = require "spec.support.kube_probe"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local sidecar = require "spec.support.sidecar"
if not pcall(require, "socket") then return pending "no lua-socket" end

local PROGRESS, DETAIL = "fluid.io/data-progress", "fluid.io/data-progress-detail"

describe("headway run that is restarted", function()
  local dir, log, server, p
  before_each(function()
    dir = process.temp_dir()
    log = dir .. "/log"
  end)
  after_each(function()
    if p then p:close() end
    if server then server.stop() end
    p, server = nil, nil
    process.remove(dir)
  end)
  teardown(probe.clean)

  local function append(text)
    local f = assert(io.open(log, "a"))
    f:write(text)
    f:close()
  end

  --- A pod that carries these, and a reporter whose parser counts the lines of a log: "restart" begins anew.
  local function start(annotations, ...)
    local pod = { kind = "Pod", metadata = { name = "x", namespace = "ns", uid = "11111111-1111-1111-1111-111111111111",
      resourceVersion = "7", annotations = annotations } }
    server = probe.serve { answers = { { body = cjson.encode(pod) } } }
    shell.write(dir .. "/config", ([[{"current-context":"x","contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}],
      "clusters":[{"name":"c","cluster":{"server":"%s"}}],"users":[{"name":"u","user":{"token":"abc"}}]}]]):format(server.url))
    local parser = sidecar.parser(dir, "counts", [[
      if record == "restart" then self.n = 0 return { done = 0, total = 100, unit = "files", restart = true } end
      self.n = (self.n or 0) + 1
      return { done = self.n, total = 100, unit = "files" }]])
    p = process.start { process.headway, "run", "--kubeconfig", dir .. "/config", "--namespace", "ns", "--pod-name", "x",
      "--sinks", "annotation", "--percent-gap", "100ms", "--poll", "100ms", "--parser", parser, ... }
  end

  --- What was written so far: N/M and the detail of each patch.
  local function writes()
    local list = {}
    for _, request in ipairs(server.log "request") do
      local meta = request.body ~= "" and cjson.decode(request.body).metadata
      local a = meta and meta.annotations
      if a then list[#list + 1] = { nm = a[PROGRESS], detail = a[DETAIL] and cjson.decode(a[DETAIL]) } end
    end
    return list
  end

  local function await(nm)
    return assert(shell.wait_until(function()
      for _, w in ipairs(writes()) do
        if w.nm == nm then return w end
      end
    end, 20), nm .. " did not come: " .. p:err())
  end

  local HELD = { [PROGRESS] = "40/100", [DETAIL] = '{"v":1,"done":40,"total":100,"unit":"files"}' }

  it("shows nothing less until it has come up to that", function()
    append(("file\n"):rep(3)) -- the rest was in the log that is rotated away
    start(HELD, "--log-file", log)
    local first = await "40/100"
    assert.same({ 40, 100, "files", "running", "the reporter was restarted: nothing less than what it had published is shown" },
      { first.detail.done, first.detail.total, first.detail.unit, first.detail.state, first.detail.reason })
    append(("file\n"):rep(36))
    shell.run "sleep 0.5"
    append(("file\n"):rep(2))
    assert.is_nil(await("41/100").detail.reason)
    for _, w in ipairs(writes()) do assert.is_truthy(w.nm == "40/100" or w.nm == "41/100", w.nm) end
  end)

  it("begins anew where the parser says so", function()
    append "file\n"
    start(HELD, "--log-file", log)
    await "40/100"
    append "restart\nfile\nfile\n"
    assert.is_nil(await("2/100").detail.reason)
  end)

  it("believes a progress file at once", function()
    shell.write(dir .. "/progress", "7/100\n")
    append "file\n"
    start(HELD, "--log-file", log, "--file", dir .. "/progress")
    await "7/100"
  end)

  it("is not held up by a detail that is none, nor by what is no N/M", function()
    append(("file\n"):rep(3))
    start({ [PROGRESS] = "2/100", [DETAIL] = '{"done":-5,"unit":7}' }, "--log-file", log)
    await "3/100"
    p:close()
    server.stop()
    start({ [PROGRESS] = "nonsense", [DETAIL] = '{"done":50,"total":100,"unit":"files"}' }, "--log-file", log)
    await "3/100"
  end)
end)
