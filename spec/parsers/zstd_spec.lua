local case = require "spec.support.parser_case"

local MIB = 1 << 20
local function bytes(done, total, more)
  return case.with({ done = done, total = total, unit = "bytes" }, more)
end
local LAST = "words.txt            : 39.45%   (  3.81 MiB =>   1.51 MiB, words.txt.zst) "
local MISSING = "zstd: can't stat none.txt : No such file or directory -- ignored "
local function which(i, n, size) return ("Compress: %d/%d files. Current: words.txt Read: %s /  3.81 MiB ==> 44%%"):format(i, n, size) end
local COMPLETE = { ended = "complete" }

describe("zstd, one record:", function()
  case.rows(it, "zstd", {
    { "what is read",         "Read:  1.50 MiB /  3.81 MiB ==> 34%",                                        bytes(1572864, 3995074) },
    { "three decimals",       "Read: 1.000 MiB /  3.81 MiB ==> 35%",                                        bytes(MIB, 3995074) },
    { "nothing yet",          "Read:     0   B /  3.81 MiB ==>  0%",                                        bytes(0, 3995074) },
    { "1.4",                  "Read :  1 /  3 MB ==> 42%",                                                  bytes(MIB, 3 * MIB) },
    { "from a pipe",          "Read:   512 KiB  ==> 35%",                                                   bytes(524288) },
    { "of several",           which(1, 2, "  512 KiB"),
        bytes(524288, 3995074, { phase = { index = 1, count = 2 } }) },
    { "-v",                   "(L19) Buffered: 2.31 MiB - Consumed: 1.50 MiB - Compressed:  624 KiB => 40.63% ", bytes(1572864) },
    { "-vv",                  "(L19) Buffered:951424 B - Consumed:1048576 B - Compressed:435498 B => 41.53% ",   bytes(MIB) },
    { "-v of 1.4",            "(L15) Buffered :   2 MB - Consumed :   1 MB - Compressed :   0 MB => 42.39% ",    bytes(MIB) },
    { "-d",                   "all.zst              : 9.25 MiB...     ",                                    bytes(9699328) },
    { "a file's last line",   LAST,                                                                         bytes(3995074, 3995074, COMPLETE) },
    { "the same, exact",      "more.txt             : 40.22%   (2000000 B => 804320 B, more.txt.zst) ",     bytes(2000000, 2000000, COMPLETE) },
    { "the same of 1.4",      "words.txt            : 40.92%   (4000000 => 1636912 bytes, words.txt.zst) ", bytes(4000000, 4000000, COMPLETE) },
    { "the same of -d",       "words.txt.zst        : 4000000 bytes ",                                      bytes(4000000, 4000000, COMPLETE) },
    { "the sum",              "  2 files compressed : 39.71% (  5.72 MiB =>   2.27 MiB)",
        { done = 2, total = 2, unit = "files", ended = "complete" } },
    { "the sum of -d",        "2 files decompressed : 6000000 bytes total ",
        { done = 2, total = 2, unit = "files", ended = "complete" } },
    { "an error",             MISSING,
        { ended = "failed", message = "can't stat none.txt : No such file or directory -- ignored" } },
    { "an error glued on",    "Read:   512 KiB /  1.91 MiB ==> 44%zstd: error 70 : Write error : cannot write block : No space left on device ",
                              { ended = "failed", message = "error 70 : Write error : cannot write block : No space left on device" } },
    { "who it is",            "*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***" },
    { "a plan",               "--format=.zst --no-sparse --block-size=0 --memory=134217728 --threads=1 --content-size" },
    { "a note",               "Decompression will require 2000000 B of memory" },
    { "how long it took",     "more.txt             : Completed in 1.95 sec  (cpu load : 49%)" },
    { "a size over 63 bits",  "Read:  " .. ("9"):rep(30) .. " MiB /  3.81 MiB ==> 34%" },
  })
end)

describe("zstd, from line to line:", function()
  case.rows(it, "zstd", {
    { "the ratio is none",   { "Read:  1.50 MiB /  3.81 MiB ==> 34%", "Read:  2.00 MiB /  3.81 MiB ==> 33%" },    bytes(2097152, 3995074) },
    { "the second file",     { which(1, 2, "3.81 MiB"), which(2, 2, "   0   B") },
        bytes(0, 3995074, { phase = { index = 2, count = 2 } }) },
    { "a line each",         { LAST, LAST },
        bytes(3995074, 3995074, { ended = "complete", phase = { index = 2 } }) },
    { "one is missing",      { MISSING, LAST, "  1 files compressed : 44.01% (  1.91 MiB =>    860 KiB)" },
        { done = 1, total = 2, unit = "files", ended = "partial" } },
  })

  case.ends(it, "zstd", {
    { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil }, { { LAST }, nil, "complete" }, { { MISSING, LAST }, nil, "partial" },
    { { MISSING, LAST }, 1, "partial" }, { { MISSING }, 1, "failed" },
    { { LAST }, 137, "failed" }, { { "Read:  3.81 MiB /  3.81 MiB ==> 34%" }, nil, nil },
  })
  case.quick(it, "zstd", {
    ("Read: "):rep(600), ("Read: 1 / "):rep(400) .. "=>", (": "):rep(2000) .. "...", ("1"):rep(4000) .. " bytes", "a : " .. (" "):rep(4000) .. "=>",
    ("% ("):rep(1300) .. "=>", ("zstd: "):rep(600),
    "zstd: " .. ("a "):rep(2000) .. "x", "zstd: a" .. (" "):rep(4000) .. "x", "(L" .. ("1"):rep(4000) .. ") =>", "(L1) Buffered:" .. (" "):rep(4000) .. "=>",
    ("9"):rep(18) .. " files compressed : =>",
    "9223372036854775807 files compressed : =>", ("a"):rep(4000) .. ": 1/1 files. Read:  1 B /  1 B ==>",
  })
end)
