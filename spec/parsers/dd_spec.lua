local case = require "spec.support.parser_case"

local LINE = "1114112 bytes (1.1 MB, 1.1 MiB) copied, 1 s, 1.1 MB/s"
local function bytes(done, records, more)
  return case.with({ done = done, unit = "bytes", also = records and { { done = records, unit = "records" } } }, more)
end

describe("dd, one record:", function()
  case.rows(it, "dd", {
    { "progress",            LINE,                                                                          bytes(1114112) },
    { "in German",           "1114112 Bytes (1,1 MB, 1,1 MiB) kopiert, 1 s, 1,1 MB/s",                      bytes(1114112) },
    { "in French",           "1114112\u{A0}octets (1,1\u{A0}MB, 1,1 MiB) copiés, 1\u{A0}s, 1,1\u{A0}MB/s", bytes(1114112) },
    { "little",              "335 bytes copied, 0.000218709 s, 1.5 MB/s",                                   bytes(335) },
    { "nothing",             "0 bytes copied, 0.000218709 s, 0.0 kB/s",                                     bytes(0) },
    { "busybox, long form",  "3145728 bytes (3.0MB) copied, 2.938380 seconds, 1.0MB/s",                     bytes(3145728) },
    { "an error",            "dd: error writing '/dev/full': No space left on device",
        { ended = "failed", message = "error writing '/dev/full': No space left on device" } },
    { "a warning",           "dd: warning: partial read (4096 bytes); suggest iflag=fullblock" },
    { "what was read",       "160+0 records in" },
    { "other bytes",         "335 bytes were lost, alas" },
    { "a time",              "took 3 s, fine" },
    { "over 63 bits",        ("9"):rep(30) .. " bytes copied, 1 s, 1 MB/s",                                 "bytes over 63 bits" },
  })
end)

describe("dd, from line to line:", function()
  case.rows(it, "dd", {
    { "records, then bytes",   { "3+1 records in", "3+1 records out", LINE },                               bytes(1114112, 4) },
    { "records, in French",    { "3+1\u{A0}enregistrements lus", "3+1\u{A0}enregistrements écrits", LINE }, bytes(1114112, 4) },
    { "they are of that line", { "3+1 records in", "3+1 records out", LINE, LINE },                         bytes(1114112) },
    { "busybox: records only", { "3+0 records in", "3+1 records out" },                                     { done = 4, unit = "records" } },
    { "busybox, another",      { "3+0 records in", "3+1 records out", "1+0 records in", "1+0 records out" }, { done = 1, unit = "records", restart = true } },
    { "another dd",            { LINE, "335 bytes copied, 0.000218709 s, 1.5 MB/s" },                       bytes(335, nil, { restart = true }) },
    { "too many records",      { "1+0 in", ("9"):rep(30) .. "+0 out" },                                     "records over 63 bits" },
  })

  case.ends(it, "dd", { { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil }, { { LINE }, nil, nil }, { { "dd: error writing 'x'" }, nil, "failed" } })
  case.quick(it, "dd", {
    ("1"):rep(4095), ("1"):rep(4000) .. " bytes ", "1 " .. ("b"):rep(4000), "1 bytes " .. (" s"):rep(2000), ("1+"):rep(2000), ("1"):rep(2000) .. "+" .. ("1"):rep(2000),
    "dd: " .. ("x"):rep(4000),
    "1 bytes " .. ("1 second"):rep(500),
  })
end)
