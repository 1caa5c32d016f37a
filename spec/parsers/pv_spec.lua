local case = require "spec.support.parser_case"

local MIB = 1 << 20
local function line(mib, percent) return ("%d.00MiB 0:00:01 [1.00MiB/s] [=====>         ] %d%% ETA 0:00:05"):format(mib, percent) end
local function bytes(done, fraction, more)
  return case.with({ done = done, unit = "bytes", fraction = fraction }, more)
end

describe("pv, one record:", function()
  case.rows(it, "pv", {
    { "the bar",             "1.00MiB 0:00:01 [ 942KiB/s] [==>                               ] 10% ETA 0:00:09",   bytes(MIB, 0.1) },
    { "1.9",                 "2.90MiB 0:00:03 [ 964KiB/s] [==================>  ]  96% ETA 0:00:00",               bytes(3040870, 0.96) },
    { "in German",           "1,00MiB 0:00:01 [ 945KiB/s] [=====>              ] 33% ETA 0:00:02",                 bytes(MIB, 0.33) },
    { "the end",             "10.0MiB 0:00:09 [1.00MiB/s] [==================>] 100%            ",                 bytes(10 * MIB, 1.0) },
    { "no size",             "1.00MiB 0:00:01 [ 941KiB/s] [ <=>                         ]",                        bytes(MIB) },
    { "few bytes",           "1005 B 0:00:03 [ 331 B/s] [  <=>        ]",                                          bytes(1005) },
    { "few bits",            " 335 b 0:00:01 [ 335 b/s] [ <=>       ]",                                            { done = 335, unit = "bits" } },
    { "a name",              "    model: 2.00MiB 0:00:02 [1.01MiB/s] [====>   ] 66% ETA 0:00:01",                   bytes(2 * MIB, 0.66) },
    { "a name with digits",  " part 10: 2.00MiB 0:00:02 [1.01MiB/s] [====>   ] 66% ETA 0:00:01",                   bytes(2 * MIB, 0.66) },
    { "lines",               " 100k 0:00:01 [91.8k/s] [ <=>                        ]",                             { done = 100000, unit = "lines" } },
    { "lines of a file",     " 200k 0:00:02 [99.7k/s] [=======>     ] 66% ETA 0:00:01",                            { done = 200000, unit = "lines", fraction = 0.66 } },
    { "few lines",           "  42  0:00:01 [42.0 /s] [ <=>          ]",                                           { done = 42, unit = "lines" } },
    { "bits",                "8.00Mib",                                                                            { done = 8388608, unit = "bits" } },
    { "the percent alone",   "[=======================>                   ] 33%",                                  { fraction = 0.33 } },
    { "bytes alone",         "1.00MiB",                                                                            bytes(MIB) },
    { "another order",       "0:00:01 1.00MiB [==================>           ] 33%",                               bytes(MIB, 0.33) },
    { "over 100%",           "11.0MiB 0:00:09 [1.00MiB/s] [==================>] 110%",                             bytes(11 * MIB, 1.0) },
    { "-n",                  "10",                                                                                 { fraction = 0.1 } },
    { "-n -b",               "1048576",                                                                            bytes(MIB) },
    { "-n -t -b",            "1.0830 1048576",                                                                     bytes(MIB) },
    { "an error",            "pv: write failed: No space left on device",
        { ended = "failed", message = "write failed: No space left on device" } },
    { "a time alone",        "ETA 0:00:02" },
    { "text",                "copying the model" },
    { "text with a number",  "3 files to go" },
    { "text that is long",   ("9 "):rep(40) .. "[" .. ("x "):rep(40) .. "50%", { done = 9, unit = "lines" } },
    { "over 63 bits",        ("9"):rep(30),                                                                        "number over 63 bits" },
  })
end)

describe("pv, from line to line:", function()
  case.rows(it, "pv", {
    { "it grows",                     { line(1, 10), line(2, 20) },                    bytes(2 * MIB, 0.2) },
    { "another pv",                   { line(9, 90), line(1, 10) },                    bytes(MIB, 0.1, { restart = true }) },
    { "-n: another pv",               { "66", "100", "66" },                           { fraction = 0.66, restart = true } },
    { "-n: 0 bytes first",            { "0", "1048576" },                              bytes(MIB) },
    { "-n: bytes stay bytes",         { "1048576", "50" },                             bytes(50, nil, { restart = true }) },
    { "-n: percents stay percents",   { "10", "50", "99", "120" },                     { fraction = 1.0 } },
    { "of two the first counts",      { "  in: " .. line(1, 10), " out: " .. line(2, 20) } },
    { "the next when that is over",   { "  in: " .. line(9, 100), " out: " .. line(2, 20) }, bytes(2 * MIB, 0.2, { restart = true }) },
  })

  it("the option says what -n counts", function()
    assert.same(bytes(50), case.new("pv", { numeric = "bytes" }):feed "50")
    assert.same({ done = 50, unit = "lines" }, case.new("pv", { numeric = "lines" }):feed "50")
    assert.same({ fraction = 1.0 }, case.new("pv", { numeric = "percent" }):feed "120")
  end)

  case.ends(it, "pv", { { {}, 0, "complete" }, { {}, 2, "failed" }, { {}, nil, nil }, { { line(9, 100) }, nil, nil }, { { "pv: a: No such file" }, nil, "failed" } })
  case.quick(it, "pv", {
    ("1"):rep(4095), ("1 "):rep(2047), ("1% "):rep(1300), (" "):rep(4000) .. "1", ("a"):rep(4000) .. ": 1%", ("a "):rep(2000) .. ": 1%", (": "):rep(2000),
    ("1."):rep(2000) .. "MiB 1%",
    "1." .. ("1"):rep(4000) .. " 1", ("9"):rep(18) .. "EiB 1%", ("9"):rep(4000) .. "% 1", "pv: " .. (" "):rep(4000),
  })
end)
