local case = require "spec.support.parser_case"

local function info(text, level) return ("2026/11/23 19:03:43.241375 juicefs[11021] <%s>: %s [Sync@sync.go:2241]"):format(level or "INFO", text) end
local function objects(done, total, bytes, more)
  return case.with({ done = done, total = total, unit = "objects", also = bytes and { { done = bytes, unit = "bytes" } } or nil }, more)
end

--- The same from the last line: what was copied, of what was to be.
local function over(done, total, bytes, copied, of, more)
  local s = objects(done, total, bytes, more)
  s.also[2] = { done = copied, total = of, unit = "copied" }
  return s
end

local SCANNED = " Scanned objects: 1/60 [>-----------------------------------------------------------]  8.2/s ETA: 7s"
local BYTES = "    Copied bytes: 161.1 KiB (164981 Bytes)   1.3 MiB/s                       ⠋"
local LAST = "  Failed objects: 0                          0.0/s                           ⠋"
local FOUND = info "Found: 60, excluded: 0 (0 B), skipped: 0 (0 B), copied: 60 (11.44 MiB), extra: 0 (0 B), failed: 0"
local ONE = "Copied data of 2023/img_000.raw (164981 bytes) in 296.019296ms"

local PAGE = [[
# HELP juicefs_sync_handled Handled objects
# TYPE juicefs_sync_handled counter
juicefs_sync_copied{cmd="sync",pid="11021"} 10
juicefs_sync_copied_bytes{cmd="sync",pid="11021"} 1.2e+07
juicefs_sync_handled{cmd="sync",pid="11021"} 12
juicefs_sync_pending{cmd="sync",pid="11021"} 3
juicefs_sync_scanned{cmd="sync",pid="11021"} 60
]]
local LINES = {}
for line in PAGE:gmatch "[^\n]+" do LINES[#LINES + 1] = line end

describe("juicefs_sync:", function()
  case.rows(it, "juicefs_sync", {
    { "the first bar",          SCANNED,                                                    objects(1, 60) },
    { "bytes, at the last bar", { SCANNED, BYTES, LAST },                                   objects(1, 60, 164981) },
    { "bytes stay",             { SCANNED, BYTES, LAST, " Scanned objects: 2/60 [>-]  8.2/s ETA: 7s" }, objects(2, 60, 164981) },
    { "done",                   " Scanned objects: 60/60 [====]  6.3/s used: 9.555008559s", objects(60, 60) },
    { "none found yet",         " Scanned objects: 0/0 [----]  0.0/s ETA: 0s",              objects(0, 0) },
    { "1.0",                    "Scanned objects count: 5 / 60 [====>---]  8.2/s",          objects(5, 60) },
    { "1.0, bytes",             { "Scanned objects count: 5 / 60 [==]", "Copied objects size: 161.1 KiB (164981 Bytes)  1 MiB/s", LAST }, objects(5, 60, 164981) },
    { "another bar",            " Skipped objects: 60                         10450.5/s" },
    { "the last line",          FOUND,                                                      over(60, 60, 11995709, 60, 60, { ended = "complete" }) },
    { "the last line of 1.0",   info "Found: 60, skipped: 0, copied: 60 (11.44 MiB), failed: 0", over(60, 60, 11995709, 60, 60, { ended = "complete" }) },
    { "some failed",            info "Found: 60, excluded: 0 (0 B), skipped: 0 (0 B), copied: 59 (11.22 MiB), extra: 0 (0 B), failed: 1",
                                over(60, 60, 11765022, 59, 60, { ended = "partial", message = "1 objects failed" }) },
    { "nothing there",          info "Found: 0, excluded: 0 (0 B), skipped: 0 (0 B), copied: 0 (0 B), extra: 0 (0 B), failed: 0",
                                over(0, 0, 0, 0, 0, { ended = "complete" }) },
    { "nothing to do",          info "Found: 60, excluded: 0 (0 B), skipped: 60 (11 MiB), copied: 0 (0 B), extra: 0 (0 B), failed: 0",
                                over(60, 60, 0, 0, 0, { ended = "complete" }) },
    { "senseless",              " Scanned objects: 61/60 [====]  8.2/s ETA: 7s",            "more objects are handled than were found" },
    { "less is held",           { " Scanned objects: 30/60 [=]", " Scanned objects: 29/70 [=]" }, objects(30, 70) },
    { "another run, after the last line", { SCANNED, FOUND, " Scanned objects: 5/60 [=]" }, objects(5, 60, nil, { restart = true }) },
    { "another run, of fewer",  { " Scanned objects: 60/60 [=]", " Scanned objects: 5/10 [=]" }, objects(5, 10, nil, { restart = true }) },
    { "another run, at its begin", { " Scanned objects: 60/60 [=]", " Scanned objects: 1/60 [=]" }, objects(1, 60, nil, { restart = true }) },
    { "it fails",               info("failed to handle 1 objects", "FATAL"),                { ended = "failed", message = "failed to handle 1 objects" } },
    { "-v, one object",         info(ONE, "DEBUG"),                                         objects(1, nil, 164981) },
    { "-v, two",                { info(ONE, "DEBUG"), info(ONE, "DEBUG") },                 objects(2, nil, 329962) },
    { "-v, microseconds",       info("Copied data of  (0 bytes) in 162.782µs", "DEBUG"),    objects(1, nil, 0) },
    { "-v beside bars",         { SCANNED, info(ONE, "DEBUG") } },
    { "metrics, a page",        PAGE,                                                       objects(12, 60, 12000000) },
    { "metrics, line by line",  LINES,                                                      objects(12, 60, 12000000) },
    { "metrics, not all yet",   LINES[5] },
    { "metrics, handled ahead of scanned", 'juicefs_sync_handled 61\njuicefs_sync_scanned 60\n', objects(61, nil) },
    { "metrics, less than before", { PAGE, 'juicefs_sync_handled 2\njuicefs_sync_scanned 70\n' }, objects(12, 70, 12000000) },
    { "metrics of something else", 'juicefs_uptime{pid="1"} 5' },
    { "a name with objects",    info "Copied objects.txt" },
    { "nothing",                "" },
  })

  case.ends(it, "juicefs_sync", {
    { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil }, { { FOUND }, nil, "complete" }, { { FOUND }, 1, "failed" },
    { { info("failed to handle 1 objects", "FATAL") }, nil, "failed" },
  })
  case.quick(it, "juicefs_sync", {
    " Scanned objects" .. (" a"):rep(30000), " Scanned objects: 1" .. (" "):rep(60000) .. "/", (" "):rep(60000) .. "objects", "Copied bytes: " .. ("("):rep(60000),
    ("Found: 1, "):rep(6000), ("Copied data of (1 bytes) in "):rep(2200), ("juicefs_sync_handled{"):rep(3000), 'juicefs_sync_handled{a="' .. ('\\"'):rep(30000),
    ("juicefs_sync_scanned 1\n"):rep(2800), "juicefs_sync_scanned " .. ("9"):rep(60000), ("<FATAL>: "):rep(7000),
    " Scanned objects: " .. ("9"):rep(40) .. "/" .. ("9"):rep(40),
    "juicefs_sync_handled -5\njuicefs_sync_scanned 3\n", "juicefs_sync_handled 0.5\njuicefs_sync_scanned 3\n", "juicefs_sync_handled NaN\njuicefs_sync_scanned +Inf\n",
  })
end)
