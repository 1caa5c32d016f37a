--- Benchmarks of the reporter against a real API server: `./dev bench reporter [latency|idle] [ROUNDS or MINUTES]`.
--- latency: file write -> annotation taken by the server, with file events and by the tick alone, beside bare patches.
--- idle: memory, wakeups and system calls of headway's processes after the first publish.
local cluster = require "spec.support.cluster"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"

local WHICH = arg[1] or "all"
local ROUNDS = WHICH == "latency" and math.tointeger(tonumber(arg[2])) or 110
local IDLE_MINUTES = WHICH == "idle" and tonumber(arg[2]) or 10
local GAP_MS = 1600 -- twice in a round, so that writes of headway are more than 3 s apart

local missing = cluster.missing()
if missing then
  io.stderr:write("reporter.lua: ", missing, "\n")
  os.exit(77)
end
local c = assert(cluster.start())
local namespace = c:create_namespace "bench"
c:service_account(namespace, "reporter")
c:role_patch_pods(namespace, "reporter")

--- A pod of its own, what a reporter in it sees, and a progress file.
local function pod_environment(name)
  local pod = c:create_pod { namespace = namespace, name = name, service_account = "reporter" }
  local account = c:fake_serviceaccount_dir(namespace, "reporter", pod)
  local env = { FLUID_PROGRESS_FILE = process.temp_dir() .. "/progress", HEADWAY_POD_NAME = name,
    HEADWAY_POD_NAMESPACE = namespace, HEADWAY_SERVICEACCOUNT_DIR = account.dir,
    TOKEN = account.token, CA = c:ca_file() }
  for key, value in pairs(account.env) do env[key] = value end
  return env, c:server_url() .. c:path(pod)
end

local function latency(events, rounds)
  local env, url = pod_environment("latency-" .. events)
  local bench = os.getenv "HEADWAY_BUILD" .. "/bench_latency"
  local p = process.start({ bench, process.headway, events, rounds, GAP_MS, url }, env)
  p:wait(rounds * 20)
  io.stdout:write(p:out(), p:err())
  p:close()
end

--- All processes of a reporter: itself and its worker.
local function family(pid)
  local pids = { pid }
  local children = shell.read(("/proc/%d/task/%d/children"):format(pid, pid)) or ""
  for child in children:gmatch "%d+" do pids[#pids + 1] = math.tointeger(tonumber(child)) end
  return pids
end

--- Sum over processes (and their threads) of a number in a file of /proc.
local function sum(pids, file, pattern)
  local total = 0
  for _, pid in ipairs(pids) do
    local _, paths = shell.run(("ls -d /proc/%d/%s"):format(pid, file))
    for path in paths:gmatch "[^\n]+" do
      total = total + tonumber(((shell.read(path) or ""):match(pattern)) or 0)
    end
  end
  return total
end

local function idle()
  local env = pod_environment "idle"
  shell.run "sync" -- pages of a new binary count as dirty until they are written back
  process.replace(env.FLUID_PROGRESS_FILE, "1/100\n")
  local p = process.start({ process.headway, "run", "--log", "warn,annotation=debug" }, env)
  assert(p:expect("err", "written"), p:err())
  shell.run("sleep " .. math.min(60, IDLE_MINUTES * 60))
  local pids = family(p.pid)
  local before = sum(pids, "task/*/status", "\nvoluntary_ctxt_switches:%s*(%d+)")
  shell.run("sleep " .. IDLE_MINUTES * 60)
  local wakeups = sum(pids, "task/*/status", "\nvoluntary_ctxt_switches:%s*(%d+)") - before
  local calls = "-1"
  if shell.has "strace" then
    local trace = "timeout -s INT 60 strace -f -c -U calls,name -p " .. table.concat(pids, " -p ")
    local _, table_of = shell.run(trace .. " 2>&1")
    calls = table_of:match "(%d+) +total" or "-1"
  end
  print(("{\"processes\":%d,\"private_dirty_kib\":%d,\"pss_kib\":%d,\"rss_kib\":%d,\"rss_main_kib\":%d," ..
    "\"wakeups_per_min\":%.1f," ..
    "\"system_calls_per_min\":%s,\"binary_bytes\":%s}"):format(#pids,
    sum(pids, "smaps_rollup", "Private_Dirty:%s*(%d+)"), sum(pids, "smaps_rollup", "Pss:%s*(%d+)"),
    sum(pids, "smaps_rollup", "Rss:%s*(%d+)"),
    sum({ p.pid }, "smaps_rollup", "Rss:%s*(%d+)"), wakeups / IDLE_MINUTES, calls,
    (select(2, shell.run("stat -c %s " .. shell.quote(process.headway))):gsub("\n", ""))))
  p:close()
end

if WHICH ~= "idle" then
  latency("auto", ROUNDS)
  latency("off", math.max(ROUNDS // 8, 1)) -- the tick decides alone, a few rounds show it
end
if WHICH ~= "latency" then idle() end
c:stop()
