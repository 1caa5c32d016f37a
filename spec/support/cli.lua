--- Runs the headway binary once and waits for it. What is left running is spec.support.process.
local shell = require "spec.support.cluster_shell"

local M = {}

M.bin = os.getenv "HEADWAY_BIN" or "build/plain/headway"

---@class headway.spec.Run
---@field stdout string
---@field stderr string
---@field status integer  exit status, or 128 + the signal's number

---@class headway.spec.RunOptions
---@field env table<string, string>?  besides PATH and HOME; ours are not handed on
---@field stdin string?
---@field out string?  a shell word that stdout goes to, e.g. "/dev/full"
---@field err string?  the same for stderr
---@field cwd string?
---@field before string?  a shell command line before it: "umask 077"

--- Our own environment may hold anything; the sanitizers' options are needed.
local function environment(env)
  local words = { "env", "-i" }
  for _, name in ipairs { "PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS" } do
    words[#words + 1] = os.getenv(name) and name .. "=" .. os.getenv(name)
  end
  for name, value in pairs(env or {}) do words[#words + 1] = name .. "=" .. value end
  return shell.command(words)
end

---@param args string[]
---@param options headway.spec.RunOptions?
---@return headway.spec.Run
function M.run(args, options)
  options = options or {}
  local out, err, input = os.tmpname(), os.tmpname(), os.tmpname()
  shell.write(input, options.stdin or "")
  local bin = M.bin:find "^/" and M.bin or assert(io.popen "pwd"):read "l" .. "/" .. M.bin
  local line = ("%s%s%s %s %s <%s >%s 2>%s"):format(
    options.cwd and "cd " .. shell.quote(options.cwd) .. " && " or "",
    options.before and options.before .. " && " or "", environment(options.env), shell.quote(bin),
    shell.command(args), input, options.out or out, options.err or err)
  local _, _, status = shell.run(line)
  local result = { stdout = shell.read(out), stderr = shell.read(err), status = status }
  for _, path in ipairs { out, err, input } do os.remove(path) end
  assert(not result.stderr:find "Sanitizer", result.stderr)
  return result
end

--- A directory that `done` removes with all that is in it.
---@return string dir
---@return fun() done
function M.temp_dir()
  local dir = assert(io.popen "mktemp -d"):read "l"
  return dir, function() os.execute("chmod -R u+rwx " .. shell.quote(dir) .. "; rm -rf " .. shell.quote(dir)) end
end

return M
