--- The long version of the fault specs: house_lua spec/faults/soak.lua [RUNS]
--- Ends at random moments RUNS times (200), each fault RUNS / 40 times (5, with a longer one each time); prints the fault table
--- of docs/reliability.md as Markdown, and what was found wrong on stderr. Exit status 1 when something was.
local cluster = require "spec.support.cluster"
local endings = require "spec.faults.endings"
local faults = require "spec.support.faults"
local rows = require "spec.faults.rows"
local runner = require "spec.faults.runner"
local server = require "spec.faults.server"
local shell = require "spec.support.cluster_shell"
local tasks = require "spec.support.tasks"
local world = require "spec.faults.world"

local RUNS = math.tointeger(tonumber(arg[1] or 200))
local ROUNDS = math.max(1, RUNS // 40)
local SECONDS = { 4, 6, 8, 12, 20 } -- how long a fault stands, round by round
local AT_ONCE = 20
local HAS_SHIM = shell.exists((os.getenv "HEADWAY_BUILD" or "build/plain") .. "/clock_shim.so")

local failed = false
local totals, order = {}, {} -- by name of the fault

local function complain(r)
  for _, why in ipairs(r.problems) do
    failed = true
    io.stderr:write(r.name, ": ", why, "\n")
  end
end

local function add(r)
  local t = totals[r.name]
  if not t then
    t = { name = r.name, runs = 0, requests = 0, allowed = 0, recoveries = {}, growth = nil, wrong = 0, problems = 0 }
    totals[r.name], order[#order + 1] = t, r.name
  end
  t.runs = t.runs + 1
  t.requests, t.allowed = math.max(t.requests, r.requests or 0), math.max(t.allowed, r.allowed or 0)
  if r.recovery then table.insert(t.recoveries, r.recovery) end
  if r.growth then t.growth = math.max(t.growth or r.growth, r.growth) end
  t.wrong, t.problems = t.wrong + (r.wrong or 0), t.problems + #r.problems
  complain(r)
end

local function fault_round(seconds)
  local c, own = assert(cluster.start()), assert(cluster.start())
  local w, chosen = world.new(c, faults.start(c)), {}
  for _, row in ipairs(rows) do
    if HAS_SHIM or not row.plain_only then chosen[#chosen + 1] = row end
  end
  local flow, of_server, finish = server.flow(own, server.rows, { seconds = seconds })
  local results, errors = runner.run(w, chosen, { more = { flow }, seconds = seconds })
  finish(errors[#chosen + 1])
  own:stop()
  w:close()
  c:stop()
  for _, list in ipairs { results, of_server } do
    for _, r in ipairs(list) do add(r) end
  end
end

local function ends(make, ...)
  local c = assert(cluster.start())
  local w = world.new(c)
  local flows, results, judge = make(w, ...)
  endings.run(flows, results, AT_ONCE)
  judge()
  w:close()
  c:stop()
  local longest, wrong, kills = 0, 0, 0
  for _, r in ipairs(results) do
    complain(r)
    wrong = wrong + #r.problems
    longest, kills = math.max(longest, r.exit or 0), kills + (r.kills or 0)
  end
  return { runs = #results, wrong = wrong, longest = longest, kills = kills }
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

local term, kill

--- The tables as they stand now; in a file too, so that a run that is broken off leaves what it has.
local function tables()
  local out = { "| fault | runs | requests while broken, most (allowed) | seconds to recover, median / most | wrong values | memory, most, KiB |",
    "| --- | --- | --- | --- | --- | --- |" }
  for _, name in ipairs(order) do
    local t = totals[name]
    local recovery = #t.recoveries > 0 and ("%.1f / %.1f"):format(median(t.recoveries), t.recoveries[#t.recoveries]) or "-"
    out[#out + 1] = ("| %s | %d | %d (%d) | %s | %d | %s |"):format(name, t.runs, t.requests, t.allowed, recovery, t.wrong,
      t.growth and ("%+d"):format(t.growth) or "-")
  end
  out[#out + 1] = "\n| end | runs | longest, s | wrong |\n| --- | --- | --- | --- |"
  out[#out + 1] = ("| SIGTERM at a random moment | %d | %.1f | %d |"):format(term.runs, term.longest, term.wrong)
  out[#out + 1] = ("| SIGKILL at a random moment, and a new reporter | %d | - | %d |\n"):format(kill.kills, kill.wrong)
  local text = table.concat(out, "\n")
  shell.write((os.getenv "HEADWAY_BUILD" or "build/plain") .. "/soak.md", text)
  return text
end

local began = tasks.now()
math.randomseed(os.time())
io.stderr:write(("soak: %d ends of each kind\n"):format(RUNS))
term = ends(endings.terms, RUNS)
kill = ends(endings.kills, math.max(1, RUNS // 5), 5)
for round = 1, ROUNDS do
  local seconds = SECONDS[(round - 1) % #SECONDS + 1]
  io.stderr:write(("soak: round %d of %d, each fault stands for %g s\n"):format(round, ROUNDS, seconds))
  fault_round(seconds)
  tables()
end
io.write(tables())
io.stderr:write(("soak: %d minutes, %s\n"):format((tasks.now() - began) // 60, failed and "something was wrong" or "nothing was wrong"))
os.exit(not failed, true)
