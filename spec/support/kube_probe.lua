--- Runs kube_probe, the kube room and its sinks behind JSON lines: commands in, events out.
---
---     local probe = require "spec.support.kube_probe"
---     if probe.skip(pending) then return end
---     local events = probe.run({ { ["do"] = "classify", status = 404 } })
---     events.is[1].outcome          -- events by kind, in the order they came; events.all has them all
---
--- HEADWAY_KUBE_PROBE names the program, else it is looked for in the build directory HEADWAY_BUILD.
local cjson = require "cjson"
local shell = require "spec.support.cluster_shell"

local M = {}

---@return string? path
local function find()
  local given = os.getenv "HEADWAY_KUBE_PROBE"
  if given then return given end
  local build = os.getenv "HEADWAY_BUILD"
  local path = build and build .. "/kube_probe"
  return path and shell.exists(path) and path or nil
end

---@param pending fun(name: string)  busted's
---@return boolean skip
function M.skip(pending)
  if find() then return false end
  pending "kube_probe is not built: HEADWAY_BUILD is not set"
  return true
end

--- A directory that is removed by `M.clean`.
local dirs = {}
function M.dir()
  local _, path = shell.run "mktemp -d \"${TMPDIR:-/tmp}/headway-kube.XXXXXX\""
  path = path:gsub("\n", "")
  dirs[#dirs + 1] = path
  return path
end

function M.clean()
  for _, path in ipairs(dirs) do shell.run("rm -rf " .. shell.quote(path)) end
  dirs = {}
end

---@param commands table[]
---@param opts? { env?: table<string, string>, prefix?: string }  env: added to a bare environment (HOME and
---  KUBECONFIG of the person who runs the specs must not matter); prefix: of the command line
---@return table events
function M.run(commands, opts)
  opts = opts or {}
  local dir = M.dir()
  local lines = {}
  for i, command in ipairs(commands) do lines[i] = cjson.encode(command) end
  shell.write(dir .. "/script", table.concat(lines, "\n") .. "\n")
  local words = { "env", "-i", "PATH=" .. os.getenv "PATH" }
  for _, name in ipairs { "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" } do
    if os.getenv(name) then words[#words + 1] = name .. "=" .. os.getenv(name) end
  end
  for name, value in pairs(opts.env or {}) do words[#words + 1] = name .. "=" .. value end
  for word in (opts.prefix or os.getenv "HEADWAY_PROBE_PREFIX" or ""):gmatch "%S+" do words[#words + 1] = word end
  words[#words + 1] = find()
  local ok, output, code = shell.run(("cd %s && %s < script 2> stderr"):format(shell.quote(dir), shell.command(words)))
  local events = { all = {}, dir = dir, code = code, stderr = shell.read(dir .. "/stderr") }
  for line in output:gmatch "[^\n]+" do
    local event = cjson.decode(line)
    local kind = event.event
    events[kind] = events[kind] or {}
    table.insert(events[kind], event)
    table.insert(events.all, event)
  end
  if not ok then
    error(("kube_probe ended with %d: %s\n%s"):format(code, events.stderr, output:sub(-2000)), 2)
  end
  return events
end

--- Starts fake_api.lua with a plan; the answer has url, port, dir and functions stop() and log().
---@param plan table
---@return table server
function M.serve(plan)
  local dir = M.dir()
  shell.write(dir .. "/plan", cjson.encode(plan))
  local script = "spec/support/fake_api.lua"
  shell.run(("exec lua5.4 %s %s >%s/out 2>&1 &"):format(script, shell.quote(dir), shell.quote(dir)))
  local port = shell.wait_until(function() return shell.read(dir .. "/port") end, 10)
  if not port then error("fake server: " .. tostring(shell.read(dir .. "/out")), 2) end
  local server = { dir = dir, port = port,
    url = ("%s://127.0.0.1:%s"):format(plan.tls and "https" or "http", port) }
  function server.stop() shell.write(dir .. "/stop", "x") end
  --- Events of one kind: "request", "connection", "handshake", "closed".
  function server.log(kind)
    local events = {}
    for line in (shell.read(dir .. "/log") or ""):gmatch "[^\n]+" do
      local event = cjson.decode(line)
      if event.event == kind then events[#events + 1] = event end
    end
    return events
  end
  return server
end

--- `serve` for a spec file, whose servers stop behind each test.
---@param after_each fun(fn: fun())  busted's
---@return fun(plan: table): table serve
function M.server_of_tests(after_each)
  local servers = {}
  after_each(function()
    for _, server in ipairs(servers) do server.stop() end
    servers = {}
  end)
  return function(plan)
    servers[#servers + 1] = M.serve(plan)
    return servers[#servers]
  end
end

--- The lines that were logged, at that level.
---@param events table
---@param level string  "warn"
---@return string[]
function M.logged(events, level)
  local lines = {}
  for _, event in ipairs(events.log or {}) do
    local text = event.line:match("^headway %S+ " .. level .. " (.*)$")
    if text then lines[#lines + 1] = text end
  end
  return lines
end

return M
