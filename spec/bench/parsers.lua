--- Logs through `headway replay` (reading, framing, parser, progress), beside the usual tools on the same files in the same run:
--- `./dev bench parsers [LINES]` (3,000,000). Needs no API server.
--- Each round runs every command once, so that what else the machine does falls on all of them. What is printed is the median of the
--- rounds: seconds, seconds of processor (user and system, of all its processes), and the processor's as a multiple of the first
--- command of the table in the same round. Then: that the end is the same whether every record was fed or the newest.
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"

local LINES, ROUNDS = math.tointeger(tonumber(arg[1] or "")) or 3000000, 3
local build, headway = os.getenv "HEADWAY_BUILD", process.headway
local dir = process.temp_dir()

local function file(name, text)
  shell.write(dir .. "/" .. name, text)
  return dir .. "/" .. name
end

-- What a person would write: the numbers taken out of each line.
local lua = {
  rsync = file("rsync.lua", [[
local n, also = 0, {}
for record in io.lines(arg[1]) do
  local number, letter, percent, tail = record:match "^%s*(%d[%d.,]*)([KMGTPE]?)%s+(%d+)%%%s+[%d.,]+[%a]+/s%s+[%d:?]+()"
  if number then
    local xfr, kind, left, total = record:match("^ %(xfe?r#(%d+), (%a%a)%-che?c?k=(%d+)/(%d+)%)", tail)
    local s = { done = tonumber(total) - tonumber(left), total = tonumber(total), unit = kind, also = also }
    also.bytes, also.files = tonumber((number:gsub("[.,]", ""))), tonumber(xfr)
    n = n + (s.done and percent and letter and 1 or 0)
  end
end
print(n)]]),
  nm = file("nm.lua", [[
local n, last = 0, nil
for record in io.lines(arg[1]) do
  local done, total = record:match "^%s*(%d+)%s*/%s*(%d+)%s*$"
  if done then
    last = { done = math.tointeger(tonumber(done)), total = math.tointeger(tonumber(total)) }
    n = n + 1
  end
end
print(n, last.done)]]),
}
local python = {
  rsync = file("loop_rsync.py", [[
import re, sys
line = re.compile(rb"^\s*(\d[\d.,]*)([KMGTPE]?)\s+(\d+)%\s+[\d.,]+[A-Za-z]+/s\s+[\d:?]+ \(xfe?r#(\d+), (..)-che?c?k=(\d+)/(\d+)\)")
n = 0
for record in open(sys.argv[1], "rb"):
    m = line.match(record)
    if m:
        s = {"done": int(m[7]) - int(m[6]), "total": int(m[7]), "files": int(m[4]), "bytes": int(m[1].replace(b",", b""))}
        n += 1
print(n, s)]]),
  nm = file("loop_nm.py", [[
import re, sys
line = re.compile(rb"^\s*(\d+)\s*/\s*(\d+)\s*$")
n = 0
for record in open(sys.argv[1], "rb"):
    m = line.match(record)
    if m:
        s = {"done": int(m[1]), "total": int(m[2])}
        n += 1
print(n, s)]]),
  json = file("loop_json.py", [[
import json, sys
n = 0
for record in open(sys.argv[1], "rb"):
    stats = json.loads(record).get("stats")
    if stats:
        s = {"done": stats["bytes"], "total": stats["totalBytes"], "files": stats["transfers"]}
        n += 1
print(n, s)]]),
}
local AWK = {
  rsync = [[gawk '{ if (match($0, /xfr#([0-9]+), to-chk=([0-9]+)\/([0-9]+)/, m)) { n++; done = m[3] - m[2] } } END { print n, done }']],
  nm = [[gawk '{ if (match($0, /^([0-9]+)\/([0-9]+)$/, m)) { n++; done = m[1] } } END { print n, done }']],
}

--- Through a pipe, and from the file. plot: no line but the last is printed.
local function fed(parser, which, path)
  return ("cat %s | %s replay --parser %s --samples %s --plot %s/plot.svg -"):format(path, headway, parser, which, dir)
end

--- { seconds, seconds of processor }
local function measure(command)
  local text = assert(io.popen(("bash -c 'TIMEFORMAT=\"%%R %%U %%S\"; time { %s | cat >%s/out; }' 2>&1"):format(
    command:gsub("'", "'\\''"), dir))):read "a"
  local real, user, system = text:match "^([%d.]+) ([%d.]+) ([%d.]+)%s*$" -- nothing else: no command failed
  assert(real, command .. ": " .. text)
  return { tonumber(real), tonumber(user) + tonumber(system) }
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

local function lines_of(kind) return kind == "json" and LINES // 10 or LINES end

local function show(what, name, rounds, base, lines)
  local wall, cpu, ratio = {}, {}, {}
  for i, r in ipairs(rounds) do wall[i], cpu[i], ratio[i] = r[1], r[2], r[2] / base[i][2] end
  print(("%-22s %-42s %7.2f s %7.2f s %7.2f %8.0f ns each"):format(what, name, median(wall), median(cpu), median(ratio),
    median(cpu) * 1e9 / lines))
end

local function compare(what, kind, commands)
  local rounds = {}
  for _ = 1, ROUNDS do
    for i, c in ipairs(commands) do
      rounds[i] = rounds[i] or {}
      table.insert(rounds[i], measure(c[2]))
    end
  end
  for i, c in ipairs(commands) do show(what, c[1], rounds[i], rounds[1], lines_of(kind)) end
end

local function last_line(command)
  local _, out = shell.run(command)
  return out:match "^%s*(end .-)\n"
end

local function same_end(parser, path)
  local all, newest = last_line(fed(parser, "all", path)), last_line(fed(parser, "newest", path))
  print(("%-22s all:    %s\n%-22s newest: %s"):format(parser, all, "", newest))
  assert(all and all == newest, "the end is not the same")
end

local path = {}
for _, kind in ipairs { "rsync", "nm", "json", "log" } do
  path[kind] = dir .. "/" .. kind .. ".log"
  assert(shell.run(("%s/bench_parsers %s %d >%s"):format(build, kind, lines_of(kind), path[kind])))
end

print(("%d lines, of JSON a tenth; seconds, seconds of processor, of the first line's, a line"):format(LINES))
compare("rsync", "rsync", {
  { "grep -c to-chk",           "grep -c to-chk " .. path.rsync },
  { "wc -l",                    "wc -l " .. path.rsync },
  { "headway, newest, by pipe", fed("rsync", "newest", path.rsync) },
  { "headway, every, by pipe",  fed("rsync", "all", path.rsync) },
  { "lua5.4 loop",              ("lua5.4 %s %s"):format(lua.rsync, path.rsync) },
  { "python re loop",           ("python3 %s %s"):format(python.rsync, path.rsync) },
  { "gawk match",               ("%s %s"):format(AWK.rsync, path.rsync) },
})
compare("N/M", "nm", {
  { "grep -c /",                "grep -c / " .. path.nm },
  { "wc -l",                    "wc -l " .. path.nm },
  { "headway, newest, by pipe", fed("nm", "newest", path.nm) },
  { "headway, every, by pipe",  fed("nm", "all", path.nm) },
  { "lua5.4 loop",              ("lua5.4 %s %s"):format(lua.nm, path.nm) },
  { "python re loop",           ("python3 %s %s"):format(python.nm, path.nm) },
  { "gawk match",               ("%s %s"):format(AWK.nm, path.nm) },
})
compare("JSON (rclone)", "json", {
  { "grep -c stats",            "grep -c stats " .. path.json },
  { "headway, every, by pipe",  fed("rclone", "all", path.json) },
  { "python json loop",         ("python3 %s %s"):format(python.json, path.json) },
})
compare("no hint (rsync's four)", "log", {
  { "grep -cF of the four",     ("{ grep -cF -e %% -e \"file list\" -e rsync -e \"speedup is\" %s || true; }"):format(path.log) },
  { "grep -c of one",           ("{ grep -c speedup %s || true; }"):format(path.log) },
  { "wc -l",                    "wc -l " .. path.log },
  { "headway, by pipe",         fed("rsync", "all", path.log) },
  { "headway, from the file",   ("%s replay --parser rsync %s"):format(headway, path.log) },
})
same_end("rsync", path.rsync)
same_end("nm", path.nm)
process.remove(dir)
