--- What the cluster helpers need of the operating system, by way of the shell: plain Lua has little.
local system = require "system"

local M = {}

--- One argument for a shell command line.
---@param word string|number
---@return string
function M.quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

--- A list of arguments as a shell command line.
---@param words (string|number)[]
---@return string
function M.command(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = M.quote(word) end
  return table.concat(quoted, " ")
end

--- Runs a shell command line.
---@param line string
---@return boolean ok  exit status was 0
---@return string output  stdout; add `2>&1` for both
---@return integer code  exit status, or 128 + the signal's number
function M.run(line)
  local pipe = assert(io.popen(line, "r"))
  local output = pipe:read "a"
  local ok, how, code = pipe:close()
  return ok == true, output, how == "signal" and 128 + code or code
end

---@param path string
---@return string? content
---@return string? err
function M.read(path)
  local file, err = io.open(path, "rb")
  if not file then return nil, err end
  local content = file:read "a"
  file:close()
  return content
end

---@param path string
---@param content string
function M.write(path, content)
  local file = assert(io.open(path, "wb"))
  assert(file:write(content))
  assert(file:close())
end

---@param path string
---@return boolean
function M.exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

---@param program string  name or path
---@return boolean
function M.has(program)
  return (M.run("command -v " .. M.quote(program) .. " >/dev/null 2>&1"))
end

--- Seconds since some moment in the past; never goes back, resolution 10 ms.
---@return number
function M.now()
  return tonumber(M.read "/proc/uptime":match "^%S+")
end

--- Asks until the answer is yes.
---@generic T
---@param ask fun(): T?, any?
---@param timeout number  seconds
---@param nap? number  seconds between two questions, 0.02; more where to ask is work for a server
---@return T? answer  the first one that is neither nil nor false; nil when the time is over
---@return any why  what the last refusal gave as its second value
function M.wait_until(ask, timeout, nap)
  local deadline = M.now() + timeout
  while true do
    local answer, why = ask()
    if answer then return answer end
    if M.now() > deadline then return nil, why end
    system.sleep(nap or 0.02)
  end
end

--- Is this process alive? A zombie is not.
---@param pid integer
---@return boolean
function M.alive(pid)
  local stat = M.read(("/proc/%d/stat"):format(pid))
  local state = stat and stat:match "^.*%)%s+(%a)"
  return state ~= nil and state ~= "Z" and state ~= "X"
end

--- A port that nobody listens on, below the range that the kernel hands to clients: so it also stays free
--- while a server is restarted.
---@return integer
function M.free_port()
  local taken = {}
  for _, name in ipairs { "/proc/net/tcp", "/proc/net/tcp6" } do
    for port in (M.read(name) or ""):gmatch "\n%s*%d+: %x+:(%x+)" do taken[tonumber(port, 16)] = true end
  end
  local port
  repeat port = math.random(20000, 32000) until not taken[port]
  return port
end

return M
