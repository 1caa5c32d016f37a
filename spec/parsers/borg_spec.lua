local case = require "spec.support.parser_case"

local function of(bytes, files, total, more)
  return case.with({ done = bytes, total = total, unit = "bytes", also = { { done = files, total = total and files, unit = "files" } } }, more)
end

local CREATE = "36.23 MB O 36.23 MB C 36.23 MB D 29 N library/a.bin"
local STATS = "This archive:               44.00 MB             44.00 MB             44.00 MB"
local DENIED = "a.bin: open: [Errno 13] Permission denied: 'a.bin'"
local EXTRACT = '{"message": "x", "current": 5, "total": 10, "operation": 1, "msgid": "extract", "type": "progress_percent", "finished": false}'

describe("borg:", function()
  case.rows(it, "borg", {
    { "create",               CREATE,                                               of(36230000, 29) },
    { "create, none yet",     "0 B O 0 B C 0 B D 0 N library      ",                of(0, 0) },
    { "create of borg 2",     "1.50 kB O 1.00 kB U 3 N a",                          of(1500, 3) },
    { "it does not go back",  { CREATE, "1.00 MB O 1 B C 1 B D 30 N a" },           of(36230000, 30) },
    { "the statistics",       { CREATE, STATS },                                    of(44000000, 29, 44000000, { ended = "complete" }) },
    { "files left out",       { CREATE, DENIED, STATS },                            of(44000000, 29, 44000000, { ended = "partial" }) },
    { "number of files",      { "Number of files: 36", STATS },                     of(44000000, 36, 44000000, { ended = "complete" }) },
    { "of borg 2",            { "Number of files: 36", "Original size: 44.00 MB" }, of(44000000, 36, 44000000, { ended = "complete" }) },
    { "extract",              " 97.2% Extracting: library/a.bin",                   { fraction = 0.972, phase = { name = "extract", index = 1 } } },
    { "check",                "Checking segments 66.7%",                            { fraction = 0.667, phase = { name = "Checking segments", index = 1 } } },
    { "the next part",        { "Checking segments 66.7%", "Checking archives 0.0%" }, { fraction = 0.0, phase = { name = "Checking archives", index = 2 } } },
    { "JSON: create",         '{"original_size": 9, "compressed_size": 8, "nfiles": 2, "path": "a", "type": "archive_progress", "finished": false}', of(9, 2) },
    { "JSON: its end",        '{"type": "archive_progress", "finished": true}' },
    { "JSON: extract",        EXTRACT,                                              { done = 5, total = 10, unit = "bytes", phase = { name = "extract", index = 1 } } },
    { "JSON: no total",       '{"current": 0, "total": 0, "msgid": "extract", "type": "progress_percent"}' },
    { "JSON: too much",       '{"current": 3, "total": 2, "msgid": "extract", "type": "progress_percent"}', "more done than there is" },
    { "JSON: an error",       '{"type": "log_message", "levelname": "ERROR", "message": "no"}', { ended = "failed", message = "no" } },
    { "JSON of many lines",   "{" },
    { "over 100",             "Checking segments 166.7%" },
    { "over 63 bits",         "99999999 EB O 1 B C 1 B D 1 N a",                    "counts over 63 bits" },
    { "other text",           "Saving files cache" },
    { "nothing",              "" },
  })
  case.ends(it, "borg", {
    { {}, 0, "complete" }, { {}, 1, "partial" }, { {}, 105, "partial" }, { {}, 2, "failed" }, { {}, 130, "failed" }, { {}, nil, nil },
    { { STATS }, nil, "complete" }, { { DENIED, STATS }, nil, "partial" },
  })
  case.quick(it, "borg", {
    ("1"):rep(16000) .. "%", ("1."):rep(8000) .. "%", (" "):rep(16000) .. "%", ("a "):rep(8000) .. "%", "1 B O " .. ("1 "):rep(8000) .. " N ",
    "1 B O " .. (" N "):rep(5000), '{"type"' .. ("["):rep(16000), "This archive:" .. (" "):rep(16000), "Number of files: " .. ("1"):rep(16000),
  })
end)
