local case = require "spec.support.parser_case"

local FILE = "  Downloading numpy-2.4.6-cp311.whl (16.9 MB)"
local function of(done, total, name, index)
  return { done = done, total = total, unit = "bytes", phase = { name = name or "numpy-2.4.6-cp311.whl", index = index or 1 } }
end

describe("pip:", function()
  case.rows(it, "pip", {
    { "a file begins",       FILE,                                                                  of(0, 16900000) },
    { "a bar",               { FILE, "     ━━━━━╸━━━━ 10.2/16.9 MB 3.1 MB/s eta 0:00:05" },         of(10200000, 16900000) },
    { "a bar before 22",     { FILE, "     |████▏     | 4.2 MB 3.1 MB/s eta 0:00:05" },             of(4200000, 16900000) },
    { "raw",                 { FILE, "Progress 262144 of 16918164" },                               of(262144, 16918164) },
    { "it does not go back", { FILE, "Progress 9 of 10", "Progress 8 of 10" },                      of(9, 10) },
    { "the next file",       { FILE, "  Downloading https://host/p/six-1.whl (11 kB)" },            of(0, 11000, "six-1.whl", 2) },
    { "no file before it",   "Progress 5 of 10",                                                    of(5, 10, "file") },
    { "the end",             "Successfully installed six-1",                                        { ended = "complete" } },
    { "downloaded",          "Successfully downloaded numpy",                                       { ended = "complete" } },
    { "an error",            "ERROR: No matching distribution found",                               { ended = "failed", message = "No matching distribution found" } },
    { "more than there is",  "Progress 11 of 10",                                                   "more done than there is" },
    { "over 63 bits",        "Progress 1 of " .. ("9"):rep(30),                                     "bytes over 63 bits" },
    { "other text",          "Collecting numpy" },
    { "nothing",             "" },
  })
  case.ends(it, "pip", { { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil }, { { "Successfully installed six" }, nil, "complete" } })
  case.quick(it, "pip", {
    (" "):rep(4000) .. "B/s", " " .. ("━"):rep(1300) .. "B/s", " |" .. ("█"):rep(1300) .. "B/s",
    " ━ " .. ("1."):rep(1990) .. "B/s", "Progress " .. ("1"):rep(4000),
    "Downloading " .. ("a"):rep(4000), "Downloading a (" .. ("1"):rep(4000), "Downloading " .. ("/"):rep(3900) .. " (1 B)",
  })
end)
