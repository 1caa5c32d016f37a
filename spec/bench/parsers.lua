--- Records through the worker and the rsync parser, beside a plain loop of lua5.4 with the same pattern, and grep -c:
--- `./dev bench parsers [RECORDS]`. Needs no API server.
local RECORDS = math.tointeger(tonumber(arg[1] or "")) or 1000000
local build, headway = os.getenv "HEADWAY_BUILD", os.getenv "HEADWAY_BIN"
local dir = assert(io.popen "mktemp -d"):read "l"

local LOOP = [[
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
print(n)
]]

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

--- Best of three, in seconds of processor (user and system).
local function measure(what, command)
  local best
  for _ = 1, 3 do
    local pipe = assert(io.popen(("bash -c 'TIMEFORMAT=\"%%U %%S\"; time %s >/dev/null' 2>&1"):format(command)))
    local user, system = pipe:read("a"):match "([%d.]+) ([%d.]+)%s*$"
    pipe:close()
    local s = tonumber(user) + tonumber(system)
    best = math.min(best or s, s)
  end
  print(("%s: %.2f s of processor, %.0f ns each"):format(what, best, best * 1e9 / RECORDS))
end

for _, kind in ipairs { "rsync", "log" } do
  os.execute(("%s/bench_parsers print %s %d > %s/%s"):format(build, kind, RECORDS, dir, kind))
end
write(dir .. "/loop.lua", LOOP)
os.execute(("%s/bench_parsers %s rsync %d"):format(build, headway, RECORDS))
measure("lua5.4 loop, rsync lines", ("lua5.4 %s/loop.lua %s/rsync"):format(dir, dir))
measure("lua5.4 loop, log lines", ("lua5.4 %s/loop.lua %s/log"):format(dir, dir))
measure("grep -c of one hint, log lines", ("grep -c %% %s/log"):format(dir))
measure("grep -c of four hints, log lines", ("grep -cF -e %% -e \"file list\" -e rsync -e \"speedup is\" %s/log"):format(dir))
os.execute("rm -r " .. dir)
