local case = require "spec.support.parser_case"

local function bytes(done, total, more)
  return case.with({ done = done, total = total, unit = "bytes" }, more)
end
local function files(done, total) return { { done = done, total = total, unit = "files" } } end

local BYTES = "Transferred:   \t    1.040 MiB / 11.444 MiB, 9%, 1.040 MiB/s, ETA 9s"
local FILES = "Transferred:            6 / 60, 10%"
local CHECKS = "Checks:              1200 / 4000, 30%"
local NONE = "Transferred:   \t          0 B / 0 B, -, 0 B/s, ETA -"
local MIB = 11999903 -- 11.444 MiB

local function json(stats) return ('{"level":"info","msg":"x","stats":{%s},"time":"t"}'):format(stats) end

describe("rclone, one record:", function()
  case.rows(it, "rclone", {
    { "bytes",                     BYTES,                                                                         bytes(1090519, MIB) },
    { "below a MiB",               "Transferred:   \t  548.260 KiB / 11.444 MiB, 5%, 0 B/s, ETA -",               bytes(561418, MIB) },
    { "before 1.56",               "Transferred:   \t  548.260k / 11.444 MBytes, 5%, 1.004 MBytes/s, ETA 10s",    bytes(561418, MIB) },
    { "all",                       "Transferred:   \t   11.444 MiB / 11.444 MiB, 100%, 1.004 MiB/s, ETA 0s",      bytes(MIB, MIB) },
    { "one line",                  "2026/11/23 19:11:06 INFO  :     1.056 MiB / 11.444 MiB, 9%, 0 B/s, ETA - (xfr#5/60)",
                                   bytes(1107296, MIB, { also = files(5, 60) }) },
    { "one line with its date",    "2026/11/23 19:11:11 NOTICE: 2026/11/23 19:11:11 -     2.039 MiB / 11.444 MiB, 18%, 1.056 MiB/s, ETA 8s (xfr#9/60)",
                                   bytes(2138046, MIB, { also = files(9, 60) }) },
    { "one line with checks",      "2026/11/23 19:11:06 INFO  :     1.056 MiB / 11.444 MiB, 9%, 0 B/s, ETA - (chk#7/9, xfr#5/60)",
                                   bytes(1107296, MIB, { also = files(5, 60) }) },
    { "glued to the line before",  " *                              2023/img_012.raw: 49% /192.083Ki, 0/s, -" .. BYTES, bytes(1090519, MIB) },
    { "files alone",               FILES,                                            { done = 6, total = 60, unit = "files", scanning = true } },
    { "checks alone",              CHECKS,                                           { done = 1200, total = 4000, unit = "checks", scanning = true } },
    { "nothing to move yet",       NONE,                                             { done = 0, unit = "bytes", scanning = true } },
    { "it gives up",               "2026/11/23 19:11:17 Failed to copy: directory not found",
                                   { ended = "failed", message = "Failed to copy: directory not found" } },
    { "it gives up, no date",      "Failed to sync with 2 errors: last error was: x", { ended = "failed", message = "Failed to sync with 2 errors: last error was: x" } },
    { "a file of one transfer",    " *                              2023/img_009.raw: 65% /194.890Ki, 0/s, -" },
    { "a name with a slash",       "2026/11/23 19:11:06 INFO  : a / b, 5%, x: Copied (new)" },
    { "a name like a count",       "2026/11/23 19:11:06 INFO  : Transferred: 1 / 2 of them: Copied (new)" },
    { "an attempt",                "2026/11/23 19:11:17 ERROR : Attempt 1/2 failed with 1 errors and: directory not found" },
    { "more done than there is",   "Transferred:            7 / 6, 110%",           "more files are done than there are" },
    { "json, more than there is",  json '"bytes":13,"totalBytes":12,"transfers":1,"totalTransfers":60', "more bytes are done than there are" },
    { "a time",                    "Elapsed time:         0.5s" },
    { "json",                      json '"bytes":11577523,"totalBytes":12000000,"transfers":58,"totalTransfers":60,"checks":0,"totalChecks":0',
                                   bytes(11577523, 12000000, { also = files(58, 60) }) },
    { "json over 2^53",            json '"bytes":9007199254740993,"totalBytes":9007199254740995', bytes(9007199254740993, 9007199254740995) },
    { "json over 63 bits",         json '"bytes":1,"totalBytes":99999999999999999999',   { done = 0, unit = "bytes", scanning = true } },
    { "json of no stats",          '{"level":"info","msg":"\\"stats\\" / x"}' },
    { "json, stats a number",      '{"stats":5}' },
    { "json that is cut",          '{"level":"info","stats":{"bytes":1', "not JSON: expected ',' or '}' at byte 34" },
    { "nothing",                   "" },
  })
end)

describe("rclone, from line to line:", function()
  case.rows(it, "rclone", {
    { "files stand beside bytes",        { BYTES, FILES },                 bytes(1090519, MIB, { also = files(6, 60) }) },
    { "checks too",                      { CHECKS, BYTES, FILES },
      bytes(1090519, MIB, { also = { { done = 6, total = 60, unit = "files" }, { done = 1200, total = 4000, unit = "checks" } } }) },
    { "the rest stays",                  { json '"bytes":13,"totalBytes":12,"transfers":1,"totalTransfers":60', BYTES },
      bytes(1090519, MIB, { also = files(1, 60) }) },
    { "both glued",                      BYTES .. FILES,                   bytes(1090519, MIB, { also = files(6, 60) }) },
    { "a little less is held",           { BYTES, "Transferred:   \t    1.030 MiB / 11.444 MiB, 9%, 1.040 MiB/s, ETA 9s" }, bytes(1090519, MIB) },
    { "nearly nothing is another run",   { BYTES, "Transferred:   \t          5 B / 11.444 MiB, 0%, 1.040 MiB/s, ETA 9s" },
      bytes(5, MIB, { restart = true }) },
    { "less than was done is another run", { BYTES, "Transferred:   \t    500 KiB / 1 MiB, 9%, 1.040 MiB/s, ETA 9s" },
      bytes(512000, 1 << 20, { restart = true }) },
    { "one line leaves xfr out at the end", {
      "2026/11/23 19:11:20 NOTICE:    11.010 MiB / 11.444 MiB, 96%, 1.005 MiB/s, ETA 0s (xfr#57/60)",
      "2026/11/23 19:11:21 NOTICE:    11.444 MiB / 11.444 MiB, 100%, 1.001 MiB/s, ETA 0s" },
      bytes(MIB, MIB, { also = files(60, 60) }) },
  })

  case.ends(it, "rclone", {
    { {}, 0, "complete" }, { {}, 9, "complete" }, { {}, 1, "failed" }, { {}, 3, "failed" }, { {}, nil, nil }, { { BYTES }, nil, nil },
    { { "Failed to copy: x" }, nil, "failed" },
  })
  case.quick(it, "rclone", {
    (" / "):rep(1365), ("1 / "):rep(1024), ("1 / 1, 1%"):rep(455), (" "):rep(4000) .. " / ", ("1"):rep(4000) .. " / 1",
    "1 / " .. ("1"):rep(4000), "1 B / 1 B, 1%, " .. ("1"):rep(4000), "1 B / 1 B, 1%, 1 B/s, ETA " .. ("(xfr#"):rep(800),
    '{"stats"' .. ("["):rep(4000), '{"stats":' .. ("{"):rep(4000), '{"stats":{"bytes":' .. ("9"):rep(60) .. ',"totalBytes":' .. ("9"):rep(60) .. "}}",
    '{"stats":{"bytes":-5,"totalBytes":9}}', '{"stats":{"bytes":0.5,"totalBytes":9}}', ("Failed to "):rep(400),
    "Transferred:" .. (" 1"):rep(2000) .. " / 1, 1%",
  })
end)
