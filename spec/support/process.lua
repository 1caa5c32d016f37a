--- A program in the background, for specs: started, signalled, awaited; its output is kept in files.
local shell = require "spec.support.cluster_shell"

---@class headway.spec.Process
---@field pid integer
---@field dir string  out, err, status; removed by `close`
local Process = {}
Process.__index = Process

local M = {}

--- The binary under test.
M.headway = os.getenv "HEADWAY_BIN" or "build/plain/headway"

--- A new directory; remove it with `M.remove`.
---@return string path
function M.temp_dir()
  return (select(2, shell.run("mktemp -d")):gsub("\n$", ""))
end

---@param path string
function M.remove(path)
  shell.run("rm -rf " .. shell.quote(path))
end

--- Replaces a file in one piece.
---@param path string
---@param content string
function M.replace(path, content)
  shell.write(path .. ".tmp", content)
  assert(os.rename(path .. ".tmp", path))
end

--- Starts a program. Its environment is what `env` says and PATH, HOME, TMPDIR and the sanitizers' options, no more.
---@param argv (string|number)[]
---@param env? table<string, string>
---@param tty? boolean  with a terminal of its own for stdin, stdout and stderr; what it shows is in `out`
---@return headway.spec.Process
function M.start(argv, env, tty)
  local p = setmetatable({ dir = M.temp_dir() }, Process)
  local words = { "env", "-i" }
  for _, name in ipairs { "PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS" } do
    local value = os.getenv(name)
    if value then words[#words + 1] = name .. "=" .. value end
  end
  for name, value in pairs(env or {}) do words[#words + 1] = name .. "=" .. value end
  for _, word in ipairs(argv) do words[#words + 1] = word end
  local line = "exec " .. shell.command(words)
  if tty then line = "exec script -qefc " .. shell.quote(line) .. " /dev/null" end
  shell.write(p.dir .. "/start", line .. "\n")
  shell.run(([[cd %s && mkfifo ready && { { sh start >out 2>err </dev/null & echo $! >pid; echo >ready
    wait $!; echo $? >status.new; mv status.new status; } >/dev/null 2>&1 & cat ready >/dev/null; }]])
    :format(shell.quote(p.dir)))
  local pid = shell.read(p.dir .. "/pid") or ""
  p.pid = assert(math.tointeger(tonumber(pid)), "the program could not be started")
  return p
end

---@param signal string|integer
function Process:kill(signal)
  shell.run(("kill -%s %d 2>/dev/null"):format(signal, self.pid))
end

---@return string
function Process:out() return shell.read(self.dir .. "/out") or "" end
---@return string
function Process:err() return shell.read(self.dir .. "/err") or "" end

--- Waits until the program has ended.
---@param timeout? number  seconds, 20
---@return integer? status  128 + signal for a signal; nil when it goes on
function Process:wait(timeout)
  local status = shell.wait_until(function() return shell.read(self.dir .. "/status") end, timeout or 20)
  return status and math.tointeger(tonumber(status))
end

--- Waits until its output holds a pattern.
---@param stream "out"|"err"
---@param pattern string
---@param timeout? number  seconds, 20
---@return string? match
function Process:expect(stream, pattern, timeout)
  return shell.wait_until(function() return self[stream](self):match(pattern) end, timeout or 20)
end

--- Ends it, if it has not, and forgets its files.
function Process:close()
  if shell.alive(self.pid) then
    self:kill "KILL"
    self:wait(5)
  end
  M.remove(self.dir)
end

return M
