local case = require "spec.support.parser_case"

local function workers(done, total, bytes, files, more)
  local s = { done = done, total = total, unit = "workers",
              also = { { done = bytes or 0, unit = "bytes" }, { done = files or 0, unit = "files" } } }
  for k, v in pairs(more or {}) do s[k] = v end
  return s
end

local NAMES = "+ podNames=jfs-worker-0:jfs-worker-1:jfs-worker-2"
local function exec(n)
  return ("+ /usr/local/bin/kubectl -n default exec -it jfs-worker-%d -- timeout 30m /usr/local/bin/juicefs warmup /mnt/a"):format(n)
end
local CHECK = "+ /usr/local/bin/kubectl -n default exec -it jfs-worker-0 -- timeout 30m ls /mnt/a"
local DONE = "2026/11/23 18:59:47.593482 juicefs[3417] <INFO>: warmup cache: 240 files (80 MiB bytes) [warmup@warmup.go:309]"
local NEXT = "+ (( i++ ))"
local SIZE = 80 << 20

describe("juicefs_dataload:", function()
  case.rows(it, "juicefs_dataload", {
    { "how many workers",        NAMES,                                            workers(0, 3) },
    { "quoted",                  "+ podNames='jfs-worker-0'",                      workers(0, 1) },
    { "not the list of words",   "+ podNames=(${podNames//:/ })" },
    { "from the loop",           "+ (( i<3 ))",                                    workers(0, 3) },
    { "a deeper trace",          "++ (( i<3 ))",                                   workers(0, 3) },
    { "another loop",            "+ (( j<3 ))" },
    { "the first begins",        { NAMES, exec(0) },                               workers(0, 3) },
    { "a look at the path is no work", { NAMES, CHECK } },
    { "the first is done",       { NAMES, exec(0), DONE },                         workers(1, 3, SIZE, 240) },
    { "it counts once",          { NAMES, exec(0), DONE, NEXT } },
    { "the loop alone tells",    { NAMES, exec(0), NEXT },                         workers(1, 3) },
    { "the next begins",         { NAMES, exec(0), DONE, NEXT, "+ (( i<3 ))", exec(1) }, workers(1, 3, SIZE, 240) },
    { "one that never said so",  { NAMES, exec(0), exec(1) },                      workers(1, 3) },
    { "all",                     { NAMES, exec(0), DONE, NEXT, exec(1), DONE, NEXT, exec(2), DONE }, workers(3, 3, 3 * SIZE, 720) },
    { "starts, ends",            { NAMES, "juicefs warmup on jfs-worker-0 /mnt/a starts", "juicefs warmup on jfs-worker-0 /mnt/a ends" }, workers(1, 3) },
    { "starts beside the trace", { NAMES, exec(0), "juicefs warmup on jfs-worker-0 starts" } },
    { "on a terminal",           { NAMES, exec(0), "warmup cache file: 7   19.4/s" }, workers(0, 3, 0, 7) },
    { "no list was seen",        { exec(0), DONE },                                workers(1, nil, SIZE, 240) },
    { "more than the list has",  { "+ podNames=a", exec(0), DONE, exec(1), DONE }, workers(2, nil, 2 * SIZE, 480) },
    { "the script once more",    { NAMES, exec(0), DONE, exec(1), NAMES },         workers(0, 3, 0, 0, { restart = true }) },
    { "a warmup outside",        { NAMES, DONE } },
    { "kubectl fails",           { NAMES, exec(0), "command terminated with exit code 1" }, { ended = "failed", message = "command terminated with exit code 1" } },
    { "juicefs fails",           { NAMES, exec(0), "x juicefs[1] <FATAL>: no mount [main@main.go:31]" }, { ended = "failed", message = "no mount" } },
    { "nothing",                 "" },
  })

  case.ends(it, "juicefs_dataload", { { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil }, { { NAMES, exec(0), DONE }, nil, nil } })
  case.quick(it, "juicefs_dataload", {
    ("+"):rep(4000) .. " podNames=a", "+ podNames=" .. ("a:"):rep(2000), "+ podNames=" .. (":"):rep(4000), "+ (( i<" .. (" "):rep(4000) .. "1 ))",
    "+ (( i <" .. ("9"):rep(40) .. " ))", ("+ kubectl exec "):rep(270), "juicefs warmup on " .. (" "):rep(4000), "juicefs warmup on " .. ("a "):rep(2000) .. "ends",
    ("<FATAL>: "):rep(450),
  })
end)
