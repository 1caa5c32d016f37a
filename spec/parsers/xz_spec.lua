local case = require "spec.support.parser_case"

local function bytes(done, fraction, more)
  return case.with({ done = done, unit = "bytes", fraction = fraction }, more)
end
local function line(percent, mib) return (" %s %%           0.6 MiB / %s MiB = 0.316                   0:01             "):format(percent, mib) end
local LAST = "words.txt: 1669.8 KiB / 3906.2 KiB = 0.427, 0:02"
local MISSING = "xz: none.txt: No such file or directory"
local WHOLE = { total = 3999948, ended = "complete" }

describe("xz, one record:", function()
  case.rows(it, "xz", {
    { "a line",                " 48.5 %           0.6 MiB / 1.9 MiB = 0.316                   0:01             ", bytes(1992294, 0.485) },
    { "with a rate",           " 67.5 %           0.9 MiB / 2.6 MiB = 0.341   868 KiB/s       0:03  ",            bytes(2726297, 0.675) },
    { "the end",               "  100 %     1334.5 KiB / 3906.2 KiB = 0.342   753 KiB/s       0:05",              bytes(3999948, 1.0) },
    { "in German",             "  100 %      783,8 KiB / 1.953,1 KiB = 0,401                   0:01",             bytes(1999974, 1.0) },
    { "no size is known",      "  --- %           0.4 MiB / 0.9 MiB = 0.441                   0:01",              bytes(943718) },
    { "a file's only line",    LAST,                                                                               bytes(3999948, nil, WHOLE) },
    { "the same, quick",       "more.txt: 844.2 KiB / 1953.1 KiB = 0.432",
        bytes(1999974, nil, { total = 1999974, ended = "complete" }) },
    { "a name like a line",    "a: b / c: 1669.8 KiB / 3906.2 KiB = 0.427, 790 KiB/s, 0:02",                       bytes(3999948, nil, WHOLE) },
    { "it failed",             "more.txt: 6.1 %, 8192 B / 120.0 KiB = 0.067",                                      bytes(122880, 0.061) },
    { "an error",              MISSING,
        { ended = "failed", message = "none.txt: No such file or directory" } },
    { "which file",            "words.txt (1/2)" },
    { "text",                  "step 1 / 2 done" },
    { "a size over 63 bits",   " 48.5 %   0.6 MiB / " .. ("9"):rep(18) .. " GiB = 0.316" },
  })
end)

describe("xz, from line to line:", function()
  local one, two = { name = "a", index = 1, count = 2 }, { name = "b", index = 2, count = 2 }
  case.rows(it, "xz", {
    { "the first of two",    { "a (1/2)", line("48.5", "1.9") },                                        bytes(1992294, 0.485, { phase = one }) },
    { "the second",          { "a (1/2)", line("100", "1.9"), "b (2/2)", line("1.0", "0.5") },          bytes(524288, 0.01, { phase = two }) },
    { "of one no phase",     { "a (1/1)", line("48.5", "1.9") },                                        bytes(1992294, 0.485) },
    { "without a name",      { line("100", "1.9"), line("1.0", "0.5") },                                bytes(524288, 0.01, { phase = { index = 2 } }) },
    { "a line each",         { LAST, LAST },
        bytes(3999948, nil, { total = 3999948, ended = "complete", phase = { index = 2 } }) },
    { "one is missing",      { MISSING, LAST },                                                         bytes(3999948, nil, { total = 3999948, ended = "partial" }) },
  })

  case.ends(it, "xz", {
    { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, 2, "complete" }, { {}, nil, nil }, { { LAST }, nil, "complete" }, { { MISSING }, nil, "failed" },
    { { MISSING, LAST }, 1, "partial" },
    { { LAST, MISSING }, 1, "partial" }, { { "a (1/2)", line("100", "1.9"), "b (2/2)" }, 1, "partial" }, { { LAST }, 130, "failed" },
    { { line("100", "1.9") }, nil, nil },
  })
  case.quick(it, "xz", {
    (" / "):rep(1300), (" ("):rep(2000), (" (1"):rep(1300) .. "/1)", " (" .. ("1"):rep(4000), (" "):rep(4000) .. " / ", ("1"):rep(4000) .. " % 1 B / 1 B = ",
    "1 % " .. ("1"):rep(4000) .. " / ",
    ("-"):rep(4000) .. " / ", "1 %" .. (" "):rep(4000) .. " / ", ("1 B / 1 B = "):rep(340), "a (1/" .. ("9"):rep(40) .. ")", "a: 1 B / " .. ("9"):rep(40) .. " B = 1",
    ("1."):rep(2000) .. " % / ",
  })
end)
