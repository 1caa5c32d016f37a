--- Private memory of a program and its children, from smaps_rollup, while it works.
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"

local M = {}

--- Of one process, in KiB; 0 = it is gone, or it can't be read any more.
local function private(pid)
  local text = shell.read(("/proc/%d/smaps_rollup"):format(pid)) or ""
  local clean, dirty = text:match "Private_Clean:%s*(%d+)", text:match "Private_Dirty:%s*(%d+)"
  return clean and tonumber(clean) + tonumber(dirty) or 0
end

local function children(pid)
  local list = {}
  for child in (shell.read(("/proc/%d/task/%d/children"):format(pid, pid)) or ""):gmatch "%d+" do
    list[#list + 1] = math.tointeger(tonumber(child))
  end
  return list
end

local function of_all(pid)
  local sum = private(pid)
  for _, child in ipairs(children(pid)) do sum = sum + of_all(child) end
  return sum
end

--- `producer | headway ARGS`, ARGS with @ where the input's name goes; looked at some times a second.
---@return integer most  KiB of all processes together
---@return string out    what it printed
---@return number took    seconds
function M.follow(producer, args, timeout)
  local dir = process.temp_dir()
  local fifo, argv = dir .. "/input", { process.headway }
  assert(shell.run("mkfifo " .. fifo))
  for _, arg in ipairs(args) do argv[#argv + 1] = arg == "@" and fifo or arg end
  local source = process.start { "sh", "-c", producer .. " >" .. fifo }
  local p, most, begin = process.start(argv), 0, shell.now()
  local status = shell.wait_until(function()
    most = math.max(most, of_all(p.pid))
    return p:wait(0.05)
  end, timeout)
  local took, out, err = shell.now() - begin, p:out(), p:err()
  p:close()
  source:close()
  process.remove(dir)
  assert(status == 0, err)
  return most, out, took
end

return M
