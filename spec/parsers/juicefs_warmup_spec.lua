local case = require "spec.support.parser_case"

local LOG = "2026/11/23 18:59:47.593482 juicefs[3417] <%s>: %s [warmup@warmup.go:309]"
local function info(text) return LOG:format("INFO", text) end
local function both(bytes, files, more)
  return case.with({ done = bytes, unit = "bytes", also = { { done = files, unit = "files" } } }, more)
end

local FILES = "warmup cache file: 7                         19.4/s                          ⠋"
local SIZE = "warmup cache size: 4.1 MiB (4285301 Bytes)   11.3 MiB/s                      ⠋"
local OVER = info "warmup cache: 240 files (80 MiB bytes)"
local COMPLETE = { ended = "complete" }

describe("juicefs_warmup:", function()
  case.rows(it, "juicefs_warmup", {
    { "files",                 FILES,                                                            { done = 7, unit = "files" } },
    { "bytes",                 SIZE,                                                             { done = 4285301, unit = "bytes" } },
    { "both",                  { FILES, SIZE },                                                  both(4285301, 7) },
    { "evict",                 { "evict cache file: 7   1/s", "evict cache size: 1.0 KiB (1024 Bytes)  1 KiB/s" }, both(1024, 7) },
    { "check",                 { "check cache file: 7   1/s", "check cache size: 0.0 b (0 Bytes)   0.0 b/s" },     both(0, 7) },
    { "the last line alone",   OVER,                                                             both(80 << 20, 240, COMPLETE) },
    { "of evict",              info "evict cache: 240 files (80 MiB bytes)",                     both(80 << 20, 240, COMPLETE) },
    { "of check",              info "check cache: 240 files checked, 40 MiB of 80 MiB (50.0%) cached", both(80 << 20, 240, COMPLETE) },
    { "rounded bytes don't replace exact ones", { FILES, "warmup cache size: 80.1 MiB (84000000 Bytes)   6.4 MiB/s", OVER },
                               both(84000000, 240, COMPLETE) },
    { "1.0, files",            "Warming up count: 7                         19.4/s",             { done = 7, unit = "files" } },
    { "1.0, bytes",            "Warming up bytes: 4.1 MiB (4285301 Bytes)   11.3 MiB/s",         { done = 4285301, unit = "bytes" } },
    { "1.0, the last line",    info "Successfully warmed up 240 files (84000000 bytes)",         both(84000000, 240, COMPLETE) },
    { "enterprise, the last",  "successfully warmed up 1 files (1.0 GiB)",                       both(1 << 30, 1, COMPLETE) },
    { "0.x",                   "Warming up paths: 5 / 10 [====>    ]  1.0/s",                    { done = 5, total = 10, unit = "paths" } },
    { "0.x, senseless",        "Warming up paths: 11 / 10 [====>    ]  1.0/s",                   "more paths are done than there are" },
    { "enterprise", "scanned: 9, scanned data: 2 GiB, completed: 5, completed data: 500 MiB, speed: 1 MiB/s, failed blocks: 0, failed data: 0 B",
                               { done = 500 << 20, total = 2 << 30, unit = "bytes", also = { { done = 5, total = 9, unit = "items" } } } },
    { "enterprise, senseless", "scanned: 9, scanned data: 1 GiB, completed: 10, completed data: 500 MiB, speed: 1 MiB/s",
                               "more is completed than was scanned" },
    { "in the background",     info "warmup cache for 1 paths in background",
                               { ended = "partial", message = "only started: it goes on in the mount, which says nothing of it" } },
    { "it fails",              LOG:format("FATAL", "open control file for /x: no file"),         { ended = "failed", message = "open control file for /x: no file" } },
    { "a warning",             LOG:format("WARNING", "threads should be larger than 0") },
    { "a step back is none",   { FILES, "warmup cache file: 5   1/s" },                          { done = 7, unit = "files" } },
    { "another run",           { FILES, OVER, "warmup cache file: 0   0.0/s" },                  { done = 0, unit = "files", restart = true } },
    { "a table of check",      "| Location | Size | Percentage |" },
    { "nothing",               "" },
  })

  case.ends(it, "juicefs_warmup", {
    { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil }, { { OVER }, nil, "complete" }, { { OVER }, 1, "failed" },
    { { info "warmup cache for 1 paths in background" }, 0, "partial" },
    { { info "warmup cache for 1 paths in background" }, nil, "partial" }, { { info "warmup cache for 1 paths in background" }, 1, "failed" },
    { { LOG:format("FATAL", "x") }, nil, "failed" },
  })
  case.quick(it, "juicefs_warmup", {
    "warmup cache file: " .. (" "):rep(4000), "warmup cache size: " .. ("("):rep(4000), ("cache: 1 files ("):rep(250),
    ("a"):rep(4000) .. " cache file: 1", "cache: " .. ("9"):rep(4000) .. " files",
    ("uccessfully warmed up "):rep(180), ("scanned: 1, scanned data: "):rep(150),
    "scanned: 1, scanned data: " .. ("1"):rep(4000), ("cache for 1 paths in background"):rep(120), ("<FATAL>: "):rep(450),
    "Warming up paths: " .. (" "):rep(4000) .. "/",
    "warmup cache file: " .. ("9"):rep(40), "warmup cache size: x (" .. ("9"):rep(40) .. " Bytes)", "cache: 1 files (9999999999999 EiB bytes)",
  })
end)
