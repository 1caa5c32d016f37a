local case = require "spec.support.parser_case"

local function point(n) return "tar: Write checkpoint " .. n end
local function bytes(done, entries, more)
  return case.with({ done = done, unit = "bytes", also = entries and { { done = entries, unit = "entries" } } }, more)
end
local RECOVER = "tar: Error is not recoverable: exiting now"
local PREVIOUS = "tar: Exiting with failure status due to previous errors"

describe("tar, one record:", function()
  case.rows(it, "tar", {
    { "a checkpoint",        point(100),                                                    bytes(1024000) },
    { "of an archive read",  "tar: Read checkpoint 50",                                     bytes(512000) },
    { "in German",           "tar: Schreib-Kontrollpunkt 50",                               bytes(512000) },
    { "in French",           "tar: Point de contrôle d'écriture 50",                        bytes(512000) },
    { "%T",                  "W: 645120 (630KiB, 1.4MiB/s)            ",                    bytes(645120) },
    { "%T among others",     "05:03:48 50, R: 501760 (490KiB, 1.1MiB/s)",                   bytes(501760) },
    { "%T of echo",          "tar: 50 records, W: 501760 (490KiB, 1.8MiB/s)",               bytes(501760) },
    { "totals",              "Total bytes written: 12052480 (12MiB, 1.1MiB/s)",             bytes(12052480) },
    { "totals, in German",   "Gesamtzahl geschriebener Bytes: 2979840 (2,9MiB, 1,1MiB/s)",  bytes(2979840) },
    { "totals, at once",     "Total bytes written: 10240 (10KiB, ?/s)",                     bytes(10240) },
    { "a dot",               ".",                                                           { done = 1, unit = "checkpoints" } },
    { "dots",                ".......",                                                     { done = 7, unit = "checkpoints" } },
    { "-v",                  "photos/2023/img_039.raw",                                     { done = 1, unit = "entries" } },
    { "it can't go on",      RECOVER,                                                       { ended = "failed", message = "Error is not recoverable: exiting now" } },
    { "it leaves some out",  PREVIOUS,
        { ended = "partial", message = "Exiting with failure status due to previous errors" } },
    { "an error",            "tar: none: Cannot stat: No such file or directory" },
    { "a status",            "tar: Child returned status 1" },
    { "a note",              "tar: Removing leading `/' from member names" },
    { "over 63 bits",        point(math.maxinteger),                                        "records over 63 bits" },
  })
end)

describe("tar, from line to line:", function()
  case.rows(it, "tar", {
    { "the sum is exact",      { point(1100), "Total bytes written: 12052480 (12MiB, 1.1MiB/s)" }, bytes(12052480) },
    { "names and checkpoints", { "a", "b", point(50), "c" },                                       bytes(512000, 3) },
    { "dots add up",           { ".", "..", "." },                                                 { done = 4, unit = "checkpoints" } },
    { "another tar",           { "a", point(100), point(50) },                                     bytes(512000, nil, { restart = true }) },
  })

  it("a record is as long as the option says", function()
    assert.same(bytes(100 * 512), case.new("tar", { blocking = "1" }):feed(point(100)))
  end)

  case.ends(it, "tar", {
    { {}, 0, "complete" }, { {}, 1, "partial" }, { {}, 2, "failed" }, { {}, nil, nil }, { { PREVIOUS }, 2, "partial" }, { { RECOVER }, 2, "failed" },
    { { PREVIOUS }, nil, "partial" },
    { { PREVIOUS }, 137, "failed" }, { { point(3) }, nil, nil },
  })
  case.quick(it, "tar", {
    ("/s)"):rep(1300), ("1 (1, 1/s)"):rep(400), "tar: " .. (" "):rep(4000), "tar: " .. ("a "):rep(2000) .. "1", "tar: a " .. ("1"):rep(4000), ("."):rep(4095),
    ("."):rep(4000) .. "x",
    ("9"):rep(90) .. " (1, 1/s)", ("("):rep(4000) .. "/s)", "tar: " .. ("9"):rep(30),
  })
end)
