--- Benchmarks of `headway exec`: `./dev bench wrapper`. What the wrapper adds to a command, beside the same command alone, in
--- turns within one run: start, a byte there and back, bytes a second, and the memory of its processes.
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local wrapped = require "spec.support.wrapped"

local TURNS = 5
local bench = os.getenv "HEADWAY_BUILD" .. "/bench_wrapper"
local dir = process.temp_dir()

local ways = {
  { "alone",                    "" },
  { "exec",                     ("%s exec --dir %s -- "):format(process.headway, dir) },
  { "exec, the file watched",   ("%s exec --watch file --dir %s -- "):format(process.headway, dir) },
  { "exec, on a terminal",      ("%s exec --pty --dir %s -- "):format(process.headway, dir) },
}

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

--- The first figure of each way, the median over the turns.
local function compare(what, rounds, command, skip)
  local figures = {}
  for _ = 1, TURNS do
    for i, way in ipairs(ways) do
      if not (skip and way[1]:find(skip)) then
        figures[i] = figures[i] or {}
        local _, out = shell.run(("%s %s %d %s%s 2>/dev/null"):format(bench, what, rounds, way[2], command))
        table.insert(figures[i], tonumber(out:match "[%d.]+"))
      end
    end
  end
  for i, way in ipairs(ways) do
    if figures[i] then
      local value, alone = median(figures[i]), median(figures[1])
      print(("%-6s %-26s %10.3f  %6.2f times"):format(what, way[1], value, value / alone))
    end
  end
end

local function memory()
  local p = wrapped.start "echo 1/2; exec sleep 60"
  wrapped.await(p.pid, "worker")
  wrapped.await_progress(p, "1/2")
  shell.run "sync" -- a binary that was just written counts as private until then
  for _, which in ipairs { "wrapper", "reporter", "worker" } do
    local text = shell.read(("/proc/%d/smaps_rollup"):format(wrapped.processes(p.pid)[which])) or ""
    print(("memory %-26s %10d KiB private dirty, %d KiB resident"):format(which,
      tonumber(text:match "Private_Dirty:%s*(%d+)"), tonumber(text:match "Rss:%s*(%d+)")))
  end
  wrapped.close(p)
end

print "start: milliseconds from fork to reaped; echo: microseconds of a byte there and back; flow: seconds for 2 GiB"
compare("start", 40, "true")
compare("echo", 3000, "cat", "terminal") -- a terminal would echo by itself
compare("flow", 2048, "head -c 2147483648 /dev/zero", "terminal")
memory()
process.remove(dir)
