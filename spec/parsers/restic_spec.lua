local case = require "spec.support.parser_case"

local function of(bytes, total, files, of_files, more)
  return case.with({ done = bytes, total = total, unit = "bytes", also = { { done = files, total = of_files, unit = "files" } } }, more)
end

local scanning, complete = { scanning = true }, { ended = "complete" }
local FIRST = '{"message_type":"status","percent_done":0,"total_files":1,"total_bytes":396980}'
local STATUS = '{"message_type":"status","seconds_elapsed":1,%s"percent_done":0.5,"total_files":36,"files_done":14,'
  .. '"total_bytes":44000000,"bytes_done":22000000}'
local SUMMARY = '{"message_type":"summary","files_new":36,"total_files_processed":36,"total_bytes_processed":44000000}'
local ERROR = '{"message_type":"error","error":{"Op":"open"},"during":"archival","item":"/a"}'

describe("restic, one record:", function()
  case.rows(it, "restic", {
    { "JSON: one file so far",    FIRST,                              of(0, 396980, 0, 1, scanning) },
    { "JSON: it still looks",     STATUS:format "",                   of(22000000, 44000000, 14, 36, scanning) },
    { "JSON: the total is known", STATUS:format '"seconds_remaining":1,', of(22000000, 44000000, 14, 36) },
    { "JSON: restore",            '{"message_type":"status","total_files":4,"files_restored":2,"total_bytes":10,"bytes_restored":5}',
                                  of(5, 10, 2, 4) },
    { "JSON: the summary",        SUMMARY,                            of(44000000, 44000000, 36, 36, complete) },
    { "JSON: a fatal error",      '{"message_type":"exit_error","code":1,"message":"Fatal: no"}', { ended = "failed", message = "Fatal: no" } },
    { "JSON: files left out",     '{"message_type":"exit_error","code":3,"message":"Warning: at least one source file could not be read"}',
                                  { ended = "partial", message = "some files could not be read" } },
    { "JSON: all was found",      { '{"message_type":"verbose_status","action":"scan_finished","data_size":44,"total_files":36}', STATUS:format "" },
                                  of(22000000, 44000000, 14, 36) },
    { "JSON: cut",                '{"message_type":"status","perc',   "not JSON: unfinished string at byte 30" },
    { "JSON: below zero",         '{"message_type":"status","bytes_done":-1}', "a count that is none" },
    { "text: it still looks",     "[0:00] 0 files 0 B, total 1 files 387.676 KiB, 0 errors", of(0, 396980, 0, 1, scanning) },
    { "text: a percent",          "[0:02] 40.90%  12 files 17.164 MiB, total 36 files 41.962 MiB, 0 errors ETA 0:02",
                                  of(17997758, 44000346, 12, 36) },
    { "text: the summary",        "processed 36 files, 41.962 MiB in 0:09", of(44000346, 44000346, 36, 36, complete) },
    { "text: a counter",          "[0:05] 66.67%  4 / 6 packs",       { done = 4, total = 6, unit = "packs", phase = { name = "packs", index = 1 } } },
    { "text: restore",            "[0:01] 50.00%  23 files/dirs 1.000 MiB, total 40 files/dirs 2.000 MiB", of(1048576, 2097152, 23, 40) },
    { "text: restored",           "Summary: Restored 40 files/dirs (2.000 MiB) in 0:01", of(2097152, 2097152, 40, 40, complete) },
    { "text: fatal",              "Fatal: wrong password or no key found", { ended = "failed", message = "wrong password or no key found" } },
    { "more than there is",       "[0:05] 66.67%  7 / 6 packs",       "more done than there is" },
    { "over 63 bits",             "[0:00] 1 files 9999999 EiB, total 1 files 9 B, 0 errors", "bytes over 63 bits" },
    { "a name",                   "/srv/library/3 / 4 packs" },
    { "nothing",                  "" },
  })
end)

describe("restic, from line to line:", function()
  local s, text = STATUS:format "", "[0:0%d] %d files 1 MiB, total 9 files 2 MiB, 0 errors"
  case.rows(it, "restic", {
    { "a total that comes three times is whole", { s, s, s },          of(22000000, 44000000, 14, 36) },
    { "twice is not enough",      { s, s },                            of(22000000, 44000000, 14, 36, scanning) },
    { "counts don't go back",     { text:format(1, 5), text:format(2, 4) }, of(1048576, 2097152, 5, 9, scanning) },
    { "what could not be read",   { STATUS:format '"seconds_remaining":1,', ERROR,
                                    '{"message_type":"summary","total_files_processed":34,"total_bytes_processed":41555556}' },
                                  of(41555556, 44000000, 34, nil, { ended = "partial" }) },
    { "the last words",           { SUMMARY, "Warning: at least one source file could not be read" },
                                  { ended = "partial", message = "some files could not be read" } },
    { "another counter is another phase", { "[0:00] 100.00%  1 / 1 snapshots", "[0:05] 66.67%  4 / 6 packs" },
                                  { done = 4, total = 6, unit = "packs", phase = { name = "packs", index = 2 } } },
  })
  case.ends(it, "restic", {
    { {}, 0, "complete" }, { {}, 3, "partial" }, { {}, 1, "failed" }, { {}, 130, "failed" }, { {}, nil, nil }, { { SUMMARY }, nil, "complete" },
    { { SUMMARY }, 1, "failed" }, { { ERROR, SUMMARY }, nil, "partial" }, { { s }, nil, nil },
  })
  case.quick(it, "restic", {
    "[" .. ("1"):rep(16000) .. "] /  / ", "[1] " .. (" "):rep(16000) .. " / ", "[1] " .. ("1"):rep(16000) .. " / ", "[1] " .. ("1."):rep(8000) .. "% / ",
    ("[0:0] "):rep(2600) .. " / ", "[1] 1% 1 / 1 a" .. (", 1 B / 1"):rep(1600), '{"message_type"' .. ("["):rep(16000), "processed " .. ("1 "):rep(8000),
    "[1] 1 files " .. ("1."):rep(8000) .. ", total ", (" "):rep(16000) .. '{"message_type"', "[1] 1% " .. ("9"):rep(30) .. " / " .. ("9"):rep(30) .. " x",
  })
end)
