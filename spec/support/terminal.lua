--- A person at a terminal, for specs: keys, a shell, what is shown. The work is done by spec/unit/terminal.c.
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"

local M = {}

local driver = (os.getenv "HEADWAY_BUILD" or "build/plain") .. "/terminal"

local own = assert(shell.read "/proc/self/stat"):match "^%d+"

--- Numbers of the form 987dd, arguments of `sleep` by which a process is found again, become this run's own.
function M.unique(text)
  return (text:gsub("987%d%d", "%0." .. own))
end

---@class headway.spec.Shown
---@field seen string  every byte that the terminal showed
---@field said string  what the steps printed: exit statuses, outputs of commands
---@field ok boolean

--- A step: { "expect", "text" }, or in one string, as terminal.c has them.
---@param steps string[]
---@param argv string[]
---@param options { size: string?, env: table<string, string>?, before: string? }?
---@return headway.spec.Shown
function M.try(steps, argv, options)
  options = options or {}
  local dir = process.temp_dir()
  shell.write(dir .. "/steps", M.unique(table.concat(steps, "\n")) .. "\n")
  local words = { "env", "-i" }
  for _, name in ipairs { "PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS" } do
    words[#words + 1] = os.getenv(name) and name .. "=" .. os.getenv(name)
  end
  local env = { TERM = "xterm", HEADWAY_LOG = "error", HEADWAY = process.headway, PS1 = "$ ", HISTFILE = "", LC_ALL = "C.UTF-8" }
  for name, value in pairs(options.env or {}) do env[name] = value end
  for name, value in pairs(env) do words[#words + 1] = name .. "=" .. value end
  for _, word in ipairs { driver, dir .. "/steps", dir .. "/seen", options.size or "24x80" } do words[#words + 1] = word end
  for _, word in ipairs(argv) do words[#words + 1] = M.unique(word) end
  local said = select(2, shell.run(shell.command(words) .. " 2>&1"))
  local shown = { seen = shell.read(dir .. "/seen") or "", said = said, ok = not said:find "FAILED" }
  process.remove(dir)
  assert(not (shown.seen .. said):find "Sanitizer", shown.seen .. said)
  return shown
end

--- The same, and all steps must have succeeded.
function M.run(steps, argv, options)
  local shown = M.try(steps, argv, options)
  assert(shown.ok, shown.said)
  return shown
end

return M
