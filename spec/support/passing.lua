--- Bash scripts that are run with a command as it is, and with something in front of it: what they print, and how they end, is
--- compared. In a script "${RUN[@]}" stands for what is in front, $PROBE is spec/unit/exec_probe.c, and the working directory
--- is a new one. There is no terminal, stdin is /dev/null, and what hangs is ended after a minute.
local assert = require "luassert"
local shell = require "spec.support.cluster_shell"
local process = require "spec.support.process"

local M = {}

local function absolute(path)
  return path:find "^/" and path or assert(io.popen "pwd"):read "l" .. "/" .. path
end

M.headway = absolute(process.headway)
M.probe = absolute(process.headway:gsub("[^/]*$", "") .. "exec_probe")
if not shell.exists(M.probe) then M.probe = absolute "build/plain/exec_probe" end -- a release has none

M.is_root = select(2, shell.run "id -u") == "0\n"

M.has_tini = shell.has "tini"

-- reporter PID: the process that headway started for this wrapper, once it is there; of another command: nothing.
-- gone PID...: until none of these runs any more.
local PRELUDE = [[
reporter() {
  local p
  [ "${RUN[1]}" = exec ] || return 0
  while :; do
    for p in $(cat /proc/$1/task/$1/children 2>/dev/null); do
      [ "$(cat /proc/$p/comm 2>/dev/null)" != headway-report ] || { echo $p; return; }
    done
    sleep 0.02
  done
}
signal_reporter() { local p; p=$(reporter $2); [ -z "$p" ] || kill -$1 $p; }
gone() { local p; for p; do while grep -qs '^State:.[^Z]' /proc/$p/status; do sleep 0.02; done; done; }
size() { stat -L -c %s "$1"; }
]]

-- Ends whatever a script left behind.
local END_SESSION = [[for p in /proc/[0-9]*; do
  read -r pid _ _ _ _ sid _ <$p/stat && [ "$sid" = "$(cat %s/session)" ] && kill -9 $pid; done 2>/dev/null]]

--- What can stand in front of a command. A reporter that is starved, on a busy machine, would warn of it: not looked at here.
M.fronts = {
  none = function() return {} end,
  headway = function(dir, flags)
    local words = { M.headway, "exec", "--log", "error", "--dir", dir .. "/manifests" }
    for _, flag in ipairs(flags or {}) do words[#words + 1] = flag end
    words[#words + 1] = "--"
    return words
  end,
  tini = function() return { "tini", "-s", "--" } end,
}

---@class headway.spec.Passed
---@field out string
---@field err string
---@field status integer

---@param front "none"|"headway"|"tini"
---@param script string
---@param flags? string[]  of headway exec
---@return headway.spec.Passed
function M.run(front, script, flags)
  local dir = process.temp_dir()
  os.execute(("mkdir %s/work %s/manifests; chmod 755 %s; chmod 777 %s/work %s/manifests"):format(dir, dir, dir, dir, dir))
  shell.write(dir .. "/script", ("RUN=(%s)\nPROBE=%s\nread -r _ _ _ _ _ SID _ </proc/$$/stat; echo $SID >../session\n%s\n%s\n"):format(
    shell.command(M.fronts[front](dir, flags)), shell.quote(M.probe), PRELUDE, script))
  local words = { "env", "-i", "HOME=/", "PATH=" .. os.getenv "PATH", "TINI_VERBOSITY=0" }
  for _, name in ipairs { "ASAN_OPTIONS", "UBSAN_OPTIONS" } do
    words[#words + 1] = os.getenv(name) and name .. "=" .. os.getenv(name)
  end
  local _, _, status = shell.run(("cd %s/work && setsid -w %s timeout -k 5 60 bash %s/script >%s/out 2>%s/err </dev/null")
    :format(dir, shell.command(words), dir, dir, dir))
  if status >= 124 then shell.run(END_SESSION:format(shell.quote(dir))) end -- it hung
  local result = { out = shell.read(dir .. "/out"), err = shell.read(dir .. "/err"), status = status }
  os.execute("chmod -R u+rwx " .. dir)
  process.remove(dir)
  assert(not result.err:find "Sanitizer", result.err)
  return result
end

---@class headway.spec.PassingCase
---@field [1] string  its name
---@field [2] string  the script
---@field out? string  what it prints; "" if nothing is said
---@field err? string  a pattern for its stderr, which is empty else
---@field status? integer  0 if nothing is said
---@field flags? string[]
---@field front? string  a pattern of what headway alone says on stderr; with it, stderr is not compared
---@field only? boolean  without the wrapper it is not so, and the row says why

--- Checks one row both ways: what is expected must come of the command alone, and then of the wrapper too.
---@param case headway.spec.PassingCase
function M.check(case)
  for _, front in ipairs(case.only and { "headway" } or { "none", "headway" }) do
    local run = M.run(front, case[2], case.flags)
    local shown = ("%s: status %d\n--- stdout\n%s\n--- stderr\n%s"):format(front, run.status, run.out:sub(1, 4000),
      run.err:sub(1, 4000))
    assert.equal(case.out or "", run.out, shown)
    assert.equal(case.status or 0, run.status, shown)
    local err = front == "headway" and case.front or case.err or "^$"
    assert.is_truthy(run.err:find(err), shown)
  end
end

---@param it function  of busted
---@param cases headway.spec.PassingCase[]
function M.rows(it, cases)
  for _, case in ipairs(cases) do
    it(case[1], function() M.check(case) end)
  end
end

return M
