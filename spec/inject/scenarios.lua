--- What is walked: one row for each scenario, see headway.inject.Scenario in walk.lua. A new command gets a row here.
local api = require "spec.inject.api"
local cjson = require "cjson"

local PARSER = [[
local M = { api = 1, name = "own", unit = "items", options = { a = { type = "string", help = "any" } } }
M.__index = M
function M.new() return setmetatable({}, M) end
function M:feed(record)
  local done, total = record:match "^(%d+)/(%d+)"
  done, total = math.tointeger(tonumber(done)), math.tointeger(tonumber(total))
  if done and total and done <= total then return { done = done, total = total } end
end
return M
]]

local MANIFEST = [[
apiVersion: data.fluid.io/v1alpha1
kind: DataProcess
metadata:
  name: demo
spec:
  dataset: {name: d, namespace: default, mountPath: /data}
  processor:
    script:
      command: [sh]
      source: |
        echo 1/3 first > $FLUID_PROGRESS_FILE
        exec >&2
        echo working
        echo 3/3 > $FLUID_PROGRESS_FILE
]]

--- stdout is what it is when nothing fails.
local function same_output(run)
  if not run.reference or run:out() == run.reference.stdout then return nil end
  local expected = run.reference.stdout:gmatch "[^\n]*\n?"
  for line in run:out():gmatch "[^\n]*\n?" do
    local wanted = expected()
    if line ~= wanted then return ("stdout: %q instead of %q"):format(line:sub(1, 80), (wanted or ""):sub(1, 80)) end
  end
end

-- set -----------------------------------------------------------------------------------------------------

--- The last line counts.
local function holds(expected)
  return function(run)
    local text = run:read "progress" or ""
    if not ("\n" .. text):find("\n" .. expected .. "$") then return ("the file holds %q"):format(text) end
  end
end

-- local ---------------------------------------------------------------------------------------------------

local function last_json(text)
  local last
  for line in text:gmatch "[^\n]+" do
    local ok, value = pcall(cjson.decode, line)
    if not ok then return nil, "no JSON: " .. line end
    last = value
  end
  return last, "nothing was printed"
end

local function local_json(run)
  local last, why = last_json(run:out())
  if not last then return why end
  if last.state ~= "complete" or last.progress ~= "3/3" then return "the last line is: " .. cjson.encode(last) end
end

local function complete_manifest(text, where)
  if not text:find "\n  phase: Complete\n" or not text:find "\n    progress: 3/3\n" then
    return where .. " does not end complete:\n" .. text
  end
end

local function local_yaml(run)
  return complete_manifest(run:out(), "the view")
end

local function local_dir(run)
  return complete_manifest(run:read "objects/DataProcess-default-demo.yaml" or "", "the manifest") or local_json(run)
end

-- run -----------------------------------------------------------------------------------------------------

local RUN_ENV = { HEADWAY_POLL = "200ms", HEADWAY_PERCENT_GAP = "100ms" }

local function with(more)
  return function(run)
    local env = { FLUID_PROGRESS_FILE = run:path "progress" }
    for name, value in pairs(RUN_ENV) do env[name] = value end
    for name, value in pairs(more or {}) do env[name] = value end
    return env
  end
end

--- A task's life: nothing yet, 40/100, 41/100 and the end. `seen` asks whether a value was published.
local function task(seen)
  return function(run)
    local function idles() return run:err():find("idle: nothing", 1, true) end
    run:await(function() return seen(run, "0/100") or idles() end, 6)
    run:replace("progress", "40/100 half way\n")
    run:await(function() return seen(run, "40/100") or idles() end, 8)
    run.saw = seen(run, "40/100")
    run:replace("progress", "41/100\n")
    run:signal "TERM"
    run:await(function() return nil end, 8)
  end
end

--- A value that could not be published is tried again, and not only with the next one.
local function also_seen(right)
  return function(run)
    return right(run) or not run.saw and "40/100 was not published meanwhile" or nil
  end
end

local function in_lines(run, value) return run:out():find(('"progress":"%s"'):format(value), 1, true) end

local function in_dir(run, value)
  local text = run:read "objects/Pod-default-local.yaml"
  return text and text:find("data-progress: " .. value, 1, true)
end

local function run_lines(run)
  local last, why = last_json(run:out())
  if not last then return why end
  if last.progress ~= "41/100" then return "the last line is: " .. cjson.encode(last) end
end

local function run_dir(run)
  if not in_dir(run, "41/100") then return "the manifest is: " .. tostring(run:read "objects/Pod-default-local.yaml") end
end

-- run in a pod --------------------------------------------------------------------------------------------

local server
local function start_server(tls) return function() server = api.new(tls) end end
local function stop_server()
  server:close()
  server = nil
end
local function step_server() server:step() end

local function on_pod(run, value) return (server.pods[run.name] or {})["fluid.io/data-progress"] == value end
local function on_operation(run, value) return (server.infos[run.name] or {}).progress == value end
local function on_both(run, value) return on_pod(run, value) and on_operation(run, value) end

local function kubeconfig(user)
  return function(run)
    run:write("kubeconfig", ([[
current-context: x
contexts: [ { name: x, context: { cluster: c, user: u, namespace: ns } } ]
clusters: [ { name: c, cluster: { server: "%s" } } ]
users: [ { name: u, user: { %s } } ]
]]):format(server.url, user:gsub("DIR", run.dir)))
    run:write("token", "abc")
    run:write("plugin", [[
#!/bin/sh
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"abc"}}'
]])
    os.execute("chmod +x " .. run:path "plugin")
  end
end

local function pod_env(more)
  return function(run)
    local env = with { KUBERNETES_SERVICE_HOST = "127.0.0.1", HEADWAY_POD_NAME = run.name,
      HEADWAY_KUBECONFIG = run:path "kubeconfig", HEADWAY_STATUS_GAP = "1s" } (run)
    for name, value in pairs(more or {}) do env[name] = value end
    return env
  end
end

--- The last value came, or it was said why not.
local function published(seen)
  return function(run)
    if seen(run, "41/100") then return nil end
    local said = run:err()
    if run:names_cause(said) and (said:find "idle: nothing" or said:find "was not taken" or said:find "did not answer") then
      return nil
    end
    return "41/100 was not published, 40/100 was " .. (run.saw and "seen" or "not seen")
  end
end

local TOKEN, EXEC = "tokenFile: DIR/token",
  "exec: { apiVersion: client.authentication.k8s.io/v1, command: DIR/plugin, interactiveMode: Never }"

local function in_pod(name, user, env, seen, each)
  return { name = name, args = { "run" }, env = pod_env(env), prepare = kubeconfig(user), setup = start_server(),
    each = each, step = step_server, teardown = stop_server, drive = task(seen), right = published(seen), pod = true,
    may_remain = { "^progress$" } }
end

-- hub -----------------------------------------------------------------------------------------------------

--- Its life: it leads and writes what the pod says, then another value, then it is told to end.
local function hub_life(run)
  run:await(function() return on_operation(run, "40/100") end, 12)
  server:report(run.name, "41/100")
  run:await(function() return on_operation(run, "41/100") end, 12)
  run:signal "TERM"
  run:await(function() return nil end, 8)
end

local function hub_right(run)
  if not on_operation(run, "41/100") then return "41/100 was not written" end
  local spec = (server.leases[run.name] or {}).spec or {}
  if spec.holderIdentity ~= "" and not run:err():find "leads when the lease is over" then return "the lease was not given away" end
end

---@type headway.inject.Scenario[]
return {
  { name = "set", args = function(run) return { "set", "--file", run:path "progress", "40/100", "half", "way" } end,
    right = holds "40/100 half way\n", may_remain = { "^progress$" } },
  { name = "set over a file", args = function(run) return { "set", "--file", run:path "progress", "40/100" } end,
    prepare = function(run) run:write("progress", "1/100\n") end, right = holds "40/100\n" },
  { name = "set to a descriptor", args = { "set", "--file", "/dev/stdout", "40/100" }, right = same_output },
  { name = "version", args = { "version" }, right = same_output },
  { name = "version --licenses", args = { "version", "--licenses" }, right = same_output },
  { name = "version as JSON", args = { "version", "-o", "json" }, right = same_output },
  { name = "help", args = { "help" }, right = same_output },
  { name = "help run", args = { "help", "run" }, right = same_output },
  { name = "check", args = function(run) return { "check", "--config", run:path "settings.yaml" } end,
    prepare = function(run)
      run:write("own.lua", PARSER)
      run:write("settings.yaml", ("parser: { name: own, dir: %s, options: { a: b } }\nlog: warn\nsinks: [jsonl]\n")
        :format(run.dir))
    end, right = function(run)
      if not run:out():find "\nparser own: [^\n]+ works\n$" then return "the parser is not said to work" end
    end },
  { name = "check as JSON", args = { "check", "-o", "json", "nm" }, right = function(run)
      if run:out():find('"warning":"its text could not be looked at: ', 1, true) then return nil end -- named, exit 0
      return same_output(run)
    end },
  { name = "local as JSON", args = function(run) return { "local", "-f", run:path "op.yaml", "-o", "json" } end,
    prepare = function(run) run:write("op.yaml", MANIFEST) end, right = local_json },
  { name = "local", args = function(run) return { "local", "-f", run:path "op.yaml" } end,
    prepare = function(run) run:write("op.yaml", MANIFEST) end, right = local_yaml },
  { name = "local with a directory",
    args = function(run) return { "local", "-f", run:path "op.yaml", "-o", "json", "--dir", run:path "objects" } end,
    prepare = function(run) run:write("op.yaml", MANIFEST) end, right = local_dir, may_remain = { "^objects/?[%w-]*%.?y?a?m?l?$" } },
  { name = "run, sink jsonl", worker = true, args = { "run", "-o", "json" }, env = with(), drive = task(in_lines), right = also_seen(run_lines),
    may_remain = { "^progress$" } },
  { name = "run, sink dir", args = function(run) return { "run", "--sinks", "dir", "--dir", run:path "objects" } end,
    env = with(), drive = task(in_dir), right = also_seen(run_dir), may_remain = { "^progress$", "^objects$", "^objects/[%w-]+%.yaml$" } },
  { name = "exec", args = function(run) return { "exec", "--log", "error", "--dir", run:path "objects", "--", "sh", "-c", "echo 1/3; echo 3/3" } end,
    right = function(run)
      if run:out() ~= "1/3\n3/3\n" then return "the command's output is " .. run:out() end
    end, -- where no process is to be had the wrapper becomes the command, which keeps its progress file
    may_remain = { "^objects/?[%w-]*%.?y?a?m?l?$", "^tmp/headway%-%w+$", "^tmp/headway%-%w+/progress$" } },
  in_pod("run in a pod", TOKEN, nil, on_pod),
  in_pod("run in a pod, status too", TOKEN, { HEADWAY_STATUS_DIRECT = "on" }, on_both, 4),
  in_pod("run in a pod, credential plugin", EXEC, nil, on_pod, 4),
  { name = "hub", args = { "hub", "--status-gap", "1s", "--http", "127.0.0.1:0" }, prepare = kubeconfig(TOKEN), setup = start_server(), step = step_server,
    teardown = stop_server, drive = hub_life, right = hub_right, each = 4, env = function(run)
      return { HEADWAY_KUBECONFIG = run:path "kubeconfig", HEADWAY_HUB_NAMESPACE = run.name, HEADWAY_HUB_LEASE = run.name }
    end },
}
