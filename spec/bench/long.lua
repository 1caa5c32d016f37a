--- Long logs and lines, through a pipe into `headway replay`: `./dev bench long [GIGABYTES]` (1). Prints the private memory of all its
--- processes together at most, which must not depend on the length. Needs no API server.
local memory = require "spec.support.memory"

local GB = tonumber(arg[1] or "1")
local lines = os.getenv "HEADWAY_BUILD" .. "/bench_parsers"

local function log(kind, bytes) return ("%s %s 0 | head -c %d"):format(lines, kind, bytes) end

local rows = {
  { "rsync, newest",       log("rsync", 1e8),                       "rsync", "newest" },
  { "rsync, newest",       log("rsync", GB * 1e9 | 0),              "rsync", "newest" },
  { "rsync, every record", log("rsync", 1e8),                       "rsync", "all" },
  { "rsync, every record", log("rsync", GB * 1e9 | 0),              "rsync", "all" },
  { "N/M, newest",         log("nm", GB * 1e9 | 0),                 "nm",    "newest" },
  { "JSON, every record",  log("json", 1e8),                        "rclone", "all" },
  { "no hint",             log("log", GB * 1e9 | 0),                "rsync", "newest" },
  { "one line",            "head -c 100000000 /dev/zero | tr '\\0' x", "auto", "newest" },
  { "one line",            ("head -c %d /dev/zero | tr '\\0' x"):format(GB * 1e9 | 0), "auto", "newest" },
}

for _, row in ipairs(rows) do
  local most, out, took = memory.follow(row[2], { "replay", "--parser", row[3], "--samples", row[4], "--plot", os.getenv "HEADWAY_BUILD" .. "/long.svg", "@" }, 7200)
  print(("%-20s %12s bytes %6.1f s %6d KiB  %s"):format(row[1], row[2]:match "%d%d%d+", took, most, out:match "^%s*([^\n]*)"))
end
