--- Walks the error paths of one scenario: runs it once to count its calls (or allocations), then again and again, each time
--- with another one failing, and judges every run. Several runs go on at the same time: a run is a coroutine.
---
--- What is walked is said by HEADWAY_INJECT: `all`, a digit (every tenth call, with that last digit), or `k=17` for one.
--- Without it the digit is the day's, and is printed. HEADWAY_INJECT_SLOW=1 names what takes over 2 s.
---
--- Of every run is asked: that it ends; that no signal ends it but abort(), and that only with a word (out of memory, or a
--- library that gave up); exit status 0 only with the right result; else a message with the cause; no descriptor, process or
--- file left; nothing for a sanitizer to say. A new scenario is a row in scenarios.lua.
local lfs = require "lfs"
local shell = require "spec.support.cluster_shell"
local socket = require "socket"

local BUILD = os.getenv "HEADWAY_BUILD" or "build/plain"
local BIN = os.getenv "HEADWAY_BIN" or BUILD .. "/headway"
local TOGETHER = 4     -- runs at the same time
local SECONDS = 30     -- a run may take, whatever fails
local NAP = 0.004
local SHOWN = 6        -- complaints that are told
local ABORT = 6

local M = {}

---@class headway.inject.Scenario
---@field name string
---@field args string[]|fun(run: headway.inject.Run): string[]
---@field env? table<string, string>|fun(run: headway.inject.Run): table<string, string>
---@field prepare? fun(run: headway.inject.Run)  makes files in `run.dir`
---@field drive? fun(run: headway.inject.Run)  what happens meanwhile; may await
---@field right? fun(run: headway.inject.Run): string?  what is wrong with the result of a run that says it went well
---@field told? string[]  other texts that name the cause of a failure, as patterns
---@field may_remain? string[]  files that may be left, as patterns; those that `prepare` made always may
---@field setup? fun()  before the walk
---@field teardown? fun()
---@field step? fun()  called all the while
---@field only? string  whose allocations are counted; default those of our own code and what it calls in C
---@field each? integer  of its allocations a tenth is a tenth of every n-th: where another scenario has most of them, too
---@field worker? boolean  the calls of its worker process are walked, too
---@field pod? boolean  in a pod: it must stay until it is told to end

---@class headway.inject.Mode
---@field class "call"|"memory"
---@field who? "worker"
---@field for_good? boolean

---@class headway.inject.Run
---@field dir string
---@field name string  unique
---@field report table<string, string[]>  the lines of inject's report
---@field status? integer
---@field reference headway.inject.Run?  the one in which nothing failed; nil in that one itself
local Run = {}
Run.__index = Run

-- A run ---------------------------------------------------------------------------------------------------

function Run:path(name) return self.dir .. "/" .. name end
function Run:read(name) return shell.read(self:path(name)) end
function Run:out() return self:read "out" or "" end
function Run:err() return self:read "err" or "" end
function Run:write(name, text) shell.write(self:path(name), text) end

--- In one piece.
function Run:replace(name, text)
  self:write(".walk", text)
  assert(os.rename(self:path ".walk", self:path(name)))
end

function Run:ended() return lfs.attributes(self:path "report", "mode") ~= nil end

--- Asks until the answer is yes, the program has ended, or the time is over.
---@generic T
---@param ask fun(): T?
---@param seconds number
---@return T? answer
function Run:await(ask, seconds)
  local till = socket.gettime() + seconds
  while true do
    local over = self:ended() or socket.gettime() > till
    local answer = ask()
    if answer or over then return answer end
    coroutine.yield()
  end
end

function Run:signal(name)
  if not self:ended() then shell.run(("kill -%s %d 2>/dev/null"):format(name, self.pid)) end
end

local function value_of(field, run)
  if type(field) == "function" then return field(run) end
  return field or {}
end

local function command(run)
  local s, m = run.scenario, run.mode
  local words = { "env", "-i", "PATH=" .. os.getenv "PATH", "HOME=" .. run.dir, "TMPDIR=" .. run:path "tmp" }
  for _, name in ipairs { "ASAN_OPTIONS", "UBSAN_OPTIONS" } do
    words[#words + 1] = os.getenv(name) and name .. "=" .. os.getenv(name)
  end
  for name, value in pairs(value_of(s.env, run)) do words[#words + 1] = name .. "=" .. value end
  for _, word in ipairs { BUILD .. "/inject", "-c", m.class, "-w", m.who or "main", "-k", run.k, "-v", run.variant,
    "-o", s.only or "headway,libc.,libjansson,libyaml,libuv,libcurl", "-s", BUILD .. "/inject_shim.so",
    "-t", SECONDS, "-r", run:path "report" } do words[#words + 1] = word end
  if m.for_good then words[#words + 1] = "-g" end
  words[#words + 1] = BIN
  for _, word in ipairs(value_of(s.args, run)) do words[#words + 1] = word end
  return shell.command(words)
end

local function start(run)
  local pipe = assert(io.popen(("exec %s </dev/null >%s 2>%s & echo $!"):format(command(run),
    shell.quote(run:path "out"), shell.quote(run:path "err"))))
  run.pid = assert(math.tointeger(tonumber(pipe:read "l")))
  pipe:close()
end

local function read_report(run)
  run.report = {}
  for line in (run:read "report" or "late\n"):gmatch "[^\n]+" do
    local word, rest = line:match "^(%S+)%s*(.*)$"
    run.report[word] = run.report[word] or {}
    table.insert(run.report[word], rest)
  end
  run.count = math.tointeger(tonumber((run.report.count or {})[1])) or 0
  run.status = math.tointeger(tonumber((run.report.status or {})[1]))
  run.variants = math.tointeger(tonumber((run.report.variants or {})[1])) or 1
  run.failed = (run.report.failed or {})[1]
  run.call, run.cause = (run.failed or ""):match "^%d+ (%S+) %d+ ([^:]+):"
end

local function files_in(dir, prefix, into)
  for name in lfs.dir(dir) do
    if name ~= "." and name ~= ".." then
      into[prefix .. name] = true
      if lfs.symlinkattributes(dir .. "/" .. name, "mode") == "directory" then
        files_in(dir .. "/" .. name, prefix .. name .. "/", into)
      end
    end
  end
  return into
end

local function body(run)
  local s = run.scenario
  lfs.mkdir(run.dir)
  lfs.mkdir(run:path "tmp")
  if s.prepare then s.prepare(run) end
  run.before = files_in(run.dir, "", {})
  local began = socket.gettime()
  start(run)
  if s.drive then s.drive(run) end
  run:await(function() return nil end, SECONDS + 5)
  run.seconds = socket.gettime() - began
  if os.getenv "HEADWAY_INJECT_SLOW" and run.seconds > 2 then
    print(("      %.1f s: %s"):format(run.seconds, (run:read "report" or "no report"):match "failed ([^\n]*)" or "nothing failed"))
  end
  read_report(run)
end

-- Judgement -----------------------------------------------------------------------------------------------

local OWN_FILES = { out = true, err = true, report = true, [".walk"] = true }

local function leftovers(run)
  local found = {}
  for name in pairs(files_in(run.dir, "", {})) do
    local known = run.before[name] or OWN_FILES[name]
    for _, pattern in ipairs(run.scenario.may_remain or {}) do known = known or name:find(pattern) end
    if not known then found[#found + 1] = name end
  end
  table.sort(found)
  return found
end

--- libuv's and curl's own words for an errno, where they are others than the C library's; all in lower case.
local OTHER_WORDS = {
  ["cannot allocate memory"] = { "memory", "resource temporarily unavailable" }, -- the latter for a thread's stack
  ["input/output error"] = { "i/o error" },
  ["too many open files in system"] = { "file table overflow" },
  ["connection reset by peer"] = { "connection broke", "connection reset" },
}

--- Whether what was said names the cause.
local function names_cause(run, text)
  local cause, lower = run.cause and run.cause:lower(), text:lower()
  if not cause or lower:find(cause, 1, true) then return true end
  for _, words in ipairs(OTHER_WORDS[cause] or {}) do
    if lower:find(words, 1, true) then return true end
  end
  for _, pattern in ipairs(run.scenario.told or {}) do
    if text:find(pattern) then return true end
  end
  return false
end
Run.names_cause = names_cause

--- What is wrong with a run; none of it may ever be, whatever failed.
local function judge(run)
  local wrong = {}
  local function complain(...) wrong[#wrong + 1] = string.format(...) end
  local said = run:err() .. run:out()
  local killed = (run.report.signal or {})[1]
  local aborted = killed == tostring(ABORT) and names_cause(run, said) and (said:find("a library gave up", 1, true)
    or run.mode.class == "memory" and said:find("out of memory", 1, true))
  -- It was its own allocation, or its own limits, that failed.
  for _, words in ipairs { "AddressSanitizer: CHECK failed", "allocator is out of memory",
    "AddressSanitizer failed to allocate", "AddressSanitizer cannot proceed", "rlimit() failed" } do
    if said:find(words, 1, true) then return {} end
  end
  if run.report.late then complain("does not end") end
  if said:find "Sanitizer" or said:find "runtime error" then complain("the sanitizer: %s", run:err()) end
  if killed and not aborted and not run.report.late then complain("signal %s", killed) end
  for _, fd in ipairs(run.report.left or {}) do
    -- libuv 1.44 forgets its own when it can't make a loop.
    local forgotten = fd:find("anon_inode:[eventpoll]", 1, true) and said:find "make the event loop"
    local hurried = said:find("in time", 1, true) -- it ends as it is: what does not answer must not hold it up
    if not killed and not forgotten and not hurried then complain("left open: %s", fd) end
  end
  for _, process in ipairs(run.report.process or {}) do complain("outlived by process %s", process) end
  local rest = leftovers(run)
  local unremovable = (run.call == "unlink" or run.call == "rmdir") and names_cause(run, said)
  if #rest > 0 and not unremovable then complain("left behind: %s", table.concat(rest, " ")) end
  if run.status == 0 or (run.status and run.scenario.pod) then
    local why = run.scenario.right and run.scenario.right(run)
    if why then complain("exit status %d, and %s", run.status, why) end
    if run.status ~= 0 then complain("exit status %d in a pod", run.status) end
  elseif run.status and not names_cause(run, said) then
    complain("exit status %d, and the cause is not named", run.status)
  end
  return wrong
end

-- The walk ------------------------------------------------------------------------------------------------

local function digit_of_the_day()
  return math.tointeger(tonumber(os.date "!%j")) % 10
end

--- What is to be walked: "all", a digit, or { k }.
function M.choice()
  local text = os.getenv "HEADWAY_INJECT" or ""
  if text == "all" then return "all" end
  local one = math.tointeger(tonumber(text:match "^k=(%d+)$"))
  if one then return { one } end
  return math.tointeger(tonumber(text:match "^%d$")) or digit_of_the_day()
end

--- The runs of a walk: { k, variant }. Of all calls the further errors are added when it is known how many there are.
local function plan(count, mode, scenario)
  local choice, list = M.choice(), {}
  local each = mode.class == "memory" and choice ~= "all" and scenario.each or 1
  if type(choice) == "table" then return { { choice[1], 0 } } end
  for k = each, count, each do
    local turn = k // each
    if choice == "all" then list[#list + 1] = { k, 0 } end
    if turn % 10 == choice then list[#list + 1] = { k, turn // 10 } end
  end
  return list
end

local serial = 0
local function new_run(scenario, mode, base, k, variant, reference)
  serial = serial + 1
  return setmetatable({ scenario = scenario, mode = mode, k = k, variant = variant, reference = reference,
    name = "run-" .. serial, dir = base .. "/" .. serial }, Run)
end

local function finish(run, keep)
  if not keep then shell.run("rm -rf " .. shell.quote(run.dir)) end
end

--- Runs them all, some at the same time; calls `done` for each.
local function run_all(scenario, list, next_run, done)
  local active, i = {}, 0
  repeat
    while #active < TOGETHER and i < #list do
      i = i + 1
      local run = next_run(list[i])
      active[#active + 1] = { run = run, routine = coroutine.create(body) }
    end
    if scenario.step then scenario.step() end
    for n = #active, 1, -1 do
      local a = active[n]
      local ok, err = coroutine.resume(a.routine, a.run)
      if not ok then error(debug.traceback(a.routine, err), 0) end
      if coroutine.status(a.routine) == "dead" then
        table.remove(active, n)
        done(a.run)
      end
    end
    socket.sleep(NAP)
  until #active == 0 and i == #list
end

local function describe_run(run, wrong)
  local lines = { ("k=%d variant %d, failed: %s"):format(run.k, run.variant, run.failed or "nothing") }
  for _, text in ipairs(wrong) do lines[#lines + 1] = "  " .. text end
  for _, name in ipairs { "caller", "status", "late", "signal", "left", "process" } do
    for _, line in ipairs(run.report[name] or {}) do lines[#lines + 1] = ("  | %s %s"):format(name, line) end
  end
  lines[#lines + 1] = ("  | %.1f s; stderr: "):format(run.seconds) .. run:err():sub(1, 1500):gsub("\n", "\n  |         ")
  lines[#lines + 1] = "  | stdout ends: " .. run:out():sub(-300):gsub("\n", "\n  |         ")
  return table.concat(lines, "\n")
end

--- Walks a scenario in a mode.
---@param scenario headway.inject.Scenario
---@param mode headway.inject.Mode
---@return string[] complaints
---@return integer count  how many calls or allocations there are
---@return integer walked
function M.walk(scenario, mode)
  local base = shell.run and select(2, shell.run "mktemp -d"):gsub("\n$", "")
  local complaints, walked, reference = {}, 0, nil
  if scenario.setup then scenario.setup() end
  local function done(run)
    local wrong = judge(run)
    if run.failed then walked = walked + 1 end
    if #wrong > 0 then complaints[#complaints + 1] = describe_run(run, wrong) end
    finish(run)
  end
  run_all(scenario, { 0 }, function() return new_run(scenario, mode, base, 0, 0) end, function(run)
    reference = { count = run.count, stdout = run:out(), stderr = run:err() }
    done(run)
  end)
  if #complaints == 0 then
    local list = plan(reference.count, mode, scenario)
    run_all(scenario, list, function(job)
      return new_run(scenario, mode, base, job[1], job[2], reference)
    end, function(run)
      done(run)
      if run.variant > 0 or type(M.choice()) == "number" then return end
      for v = 1, run.variants - 1 do list[#list + 1] = { run.k, v } end
    end)
  end
  if scenario.teardown then scenario.teardown() end
  shell.run("rm -rf " .. shell.quote(base))
  if #complaints > SHOWN then complaints[SHOWN + 1] = ("and %d more"):format(#complaints - SHOWN) end
  for i = #complaints, SHOWN + 2, -1 do complaints[i] = nil end
  return complaints, reference.count, walked
end

--- Why nothing can be injected here; nil when it can.
---@return string?
function M.missing()
  local path = os.tmpname()
  local ok, output = shell.run(("%s/inject -r %s true 2>&1"):format(shell.quote(BUILD), path))
  os.remove(path)
  return not ok and output or nil
end

return M
