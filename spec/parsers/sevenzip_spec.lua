local case = require "spec.support.parser_case"

local function of(percent, done, total, more)
  return case.with({ fraction = percent / 100, also = done and { { done = done, total = total, unit = "files" } } }, more)
end

local ADD = "Add new data to archive: 4 folders, 36 files, 44000000 bytes (42 MiB)"

describe("sevenzip:", function()
  case.rows(it, "sevenzip", {
    { "a percent",             "  0%",                                                 of(0) },
    { "a file",                " 42% 15 + library/a.bin",                              of(42, 15) },
    { "of how many",           { ADD, " 42% 15 + library/a.bin" },                     of(42, 15, 36) },
    { "extracting",            " 16% 8 - library/a.bin",                               of(16, 8) },
    { "it does not go back",   { " 42% 15 + a", " 41% 14 + b" },                       of(42, 15) },
    { "all is well",           { ADD, " 97% 35 + a", "Everything is Ok" },             of(100, 36, 36, { ended = "complete" }) },
    { "what was read",         { ADD, " 97% 33 + a", "Files read from disk: 34" },     of(97, 34, 36) },
    { "another archive",       { "Extracting archive: a.7z", " 90% 9 - a", "Extracting archive: b.7z", " 10% 1 - a" }, of(10, 1, nil, { restart = true }) },
    { "files left out",        "WARNING: Cannot open 2 files",                         { ended = "partial", message = "WARNING: Cannot open 2 files" } },
    { "a broken one",          "Sub items Errors: 1",                                  { ended = "failed", message = "Sub items Errors: 1" } },
    { "stopped",               "Break signaled",                                       { ended = "failed", message = "Break signaled" } },
    { "more than all",         "120% 1 + a",                                           "more than 100%" },
    { "a name",                "50%off.txt" },
    { "nothing",               "" },
  })
  case.ends(it, "sevenzip", {
    { {}, 0, "complete" }, { {}, 1, "partial" }, { {}, 2, "failed" }, { {}, 255, "failed" }, { {}, nil, nil }, { { "Everything is Ok" }, nil, "complete" },
    { { "ERROR: a", "WARNING: Cannot open 1 file" }, nil, "failed" },
  })
  case.quick(it, "sevenzip", {
    (" "):rep(4000) .. "%", ("1"):rep(4000) .. "%", " 1%" .. (" "):rep(4000), " 1% " .. ("1"):rep(4000) .. " + a", ("ERROR"):rep(800),
    "Add new data to archive: " .. ("1 file, "):rep(500) .. " bytes (", "Add new data to archive: " .. ("1"):rep(4000) .. " bytes (",
    ("a"):rep(4000) .. "ing archive: ", "Files: " .. ("9"):rep(30),
  })
end)
