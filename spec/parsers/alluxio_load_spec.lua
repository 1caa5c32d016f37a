local case = require "spec.support.parser_case"

local function files(done, failed) return { done = done, unit = "files", message = failed and failed .. " failed" or nil } end
local A = "Successfully loaded path /data/a.bin after 1 attempts"
local C = "Failed to complete loading /data/c.bin after 3 retries."

describe("alluxio_load:", function()
  case.rows(it, "alluxio_load", {
    { "one",                     A,                                                          files(1) },
    { "two",                     { A, A },                                                   files(2) },
    { "loaded already",          "/data/b.bin is already fully loaded in Alluxio",           files(1) },
    { "older words",             "/data/b.bin loaded",                                       files(1) },
    { "a batch",                 "Successfully loaded path [/data/a,/data/b,/data/c] after 2 attempts", files(3) },
    { "a batch that is cut",     "Successfully loaded path [/data/a,/data/b,/dat...] after 1 attempts", files(3) },
    { "glued to the one before", "files: [/data/a,/data/b] loadingSuccessfully loaded path [/data/a,/data/b] after 1 attempts", files(2) },
    { "one failed",              { A, C },                                                   files(1, 1) },
    { "it begins",               "/data/a.bin loading" },
    { "an attempt",              "Attempt 1 to load /data/a failed because: x" },
    { "half a line",             "Successfully loaded path /data/a.b" },
    { "a report",                { "Files Processed: 120 out of 400", "Bytes Loaded: 125.00MB out of 500.00MB" },
      { done = 125 << 20, total = 500 << 20, unit = "bytes", also = { { done = 120, total = 400, unit = "files" } } } },
    { "a report, no totals",     { "    Files Processed: 120", "    Bytes Loaded: 125.00MB" },
      { done = 125 << 20, unit = "bytes", also = { { done = 120, unit = "files" } } } },
    { "a report, files alone",   "Files Processed: 120 out of 400",                          { done = 120, total = 400, unit = "files" } },
    { "a report, senseless",     "Files Processed: 500 out of 400",                          "more is loaded than there is" },
    { "bytes, senseless",        "Bytes Loaded: 2.00MB out of 1.00MB",                       "more is loaded than there is" },
    { "nothing",                 "" },
  })

  case.ends(it, "alluxio_load", {
    { {}, 0, "complete" }, { { A }, 0, "complete" }, { { A, C }, 0, "partial" }, { { A }, 1, "failed" }, { { A }, nil, nil },
  })
  case.quick(it, "alluxio_load", {
    ("Successfully loaded path "):rep(160), "Successfully loaded path [" .. (",/"):rep(2000) .. "] after 1 attempts", "/" .. (" loaded"):rep(580),
    "/" .. (" is already fully loaded in Alluxio"):rep(110), ("Failed to complete loading "):rep(150), "Files Processed: " .. ("9"):rep(4000),
    "Bytes Loaded: " .. ("9"):rep(4000), "Bytes Loaded: 1 out of " .. ("out of "):rep(500), "Bytes Loaded: 1MBout", (" "):rep(4000) .. "Files Processed: 1",
    "Successfully loaded path " .. (" after 1 attempts"):rep(240) .. "x",
  })
end)
