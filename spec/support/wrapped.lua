--- Commands run under `headway exec`, and the processes that headway makes for them.
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"

local M = {}

---@param pid integer
---@return integer[]
local function children(pid)
  local list = {}
  for word in (shell.read(("/proc/%d/task/%d/children"):format(pid, pid)) or ""):gmatch "%d+" do
    list[#list + 1] = math.tointeger(tonumber(word))
  end
  return list
end

local function name_of(pid)
  return (shell.read(("/proc/%d/comm"):format(pid)) or ""):gsub("\n$", "")
end

--- What headway runs for a wrapper just now; a process that is not there is nil.
---@param wrapper integer
---@return { wrapper: integer, reporter: integer?, worker: integer?, command: integer? }
function M.processes(wrapper)
  local found = { wrapper = wrapper }
  for _, pid in ipairs(children(wrapper)) do
    if name_of(pid) == "headway-report" then found.reporter = pid else found.command = pid end
  end
  for _, pid in ipairs(found.reporter and children(found.reporter) or {}) do
    if name_of(pid) ~= "headway-copy" then found.worker = pid end
  end
  return found
end

--- Waits until that process is there.
---@param wrapper integer
---@param which "reporter"|"worker"|"command"
---@return integer pid
function M.await(wrapper, which)
  local pid = shell.wait_until(function() return M.processes(wrapper)[which] end, 20)
  return assert(pid, "no " .. which)
end

--- Starts `headway exec` with the directory sink; its manifest is read by `progress`.
---@param command string  a shell command line
---@param env? table<string, string>
---@param ... string  flags of exec
---@return headway.spec.Process
function M.start(command, env, ...)
  return M.start_line({ process.headway, "exec", "--dir", "DIR", ... }, { "--", "sh", "-c", command }, env)
end

--- The same from two halves of a command line, in which DIR is the manifests' directory.
---@param argv string[]
---@param more string[]
---@param env? table<string, string>
---@return headway.spec.Process
function M.start_line(argv, more, env)
  local dir = process.temp_dir()
  for _, word in ipairs(more) do argv[#argv + 1] = word end
  for i, word in ipairs(argv) do
    if word == "DIR" then argv[i] = dir end
  end
  local p = process.start(argv, env)
  p.manifests = dir
  return p
end

--- The value and the detail that the pod of the directory carries now.
---@return string? nm
---@return table? detail
function M.progress(p)
  local text = shell.read(p.manifests .. "/Pod-default-local.yaml") or ""
  local nm = text:match "fluid.io/data%-progress: (%d+/%d+)"
  local detail = text:match "data%-progress%-detail: '(.-)'\n" or text:match "data%-progress%-detail: '(.-)'$"
  if not nm then return nil end
  return nm, detail and require "cjson".decode((detail:gsub("\n *", " "):gsub("''", "'")))
end

--- Waits for a value.
---@return table detail
function M.await_progress(p, value, timeout)
  local last
  local detail = shell.wait_until(function()
    local nm, found = M.progress(p)
    last = nm
    return nm == value and found
  end, timeout or 20)
  return assert(detail, ("wanted %s, got %s\n%s"):format(value, tostring(last), p:err()))
end

function M.close(p)
  local all = M.processes(p.pid)
  for _, which in ipairs { "command", "worker", "reporter" } do
    if all[which] then shell.run("kill -9 " .. all[which] .. " 2>/dev/null") end
  end
  p:close()
  process.remove(p.manifests)
end

return M
