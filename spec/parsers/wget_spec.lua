local case = require "spec.support.parser_case"

local function bytes(done, total, more)
  return case.with({ done = done, total = total, unit = "bytes" }, more)
end

local LENGTH = "Length: 3145728 (3.0M) [application/octet-stream]"
local BAR = "model.bin             54%[==================>                 ]   1.65M  1.01MB/s    eta 2s     "
local SAVED = "2026-11-25 04:49:53 (1.01 MB/s) - ‘model.bin’ saved [3145728/3145728]"
local MISSING = "2026-11-25 04:50:16 ERROR 404: File not found."
local NV = '2026-11-25 04:50:01 URL:http://127.0.0.1:18080/part-a.bin [1800000/1800000] -> "part-a.bin" [1]'
local STATUS = "[Files: %d  Bytes: 0  [0 B/s] Redirects: 0  Todo: %d  ]"

describe("wget, one record:", function()
  case.rows(it, "wget", {
    { "a bar alone",            BAR,                                                                            bytes(1730150, nil, { fraction = 0.54 }) },
    { "the same in French",     "part-a.bin                12%[===>             ] 216,00K  1,04MB/s",            bytes(221184, nil, { fraction = 0.12 }) },
    { "a bar, no length",       "part-a.bin                   [  <=>            ] 424.00K  1.02MB/s",            bytes(434176) },
    { "a bar, nothing yet",     "model.bin             0%[                   ]       0  --.-KB/s",               bytes(0, nil, { fraction = 0.0 }) },
    { "a bar that goes on",     "model.bin            40%[+++++++=>          ]   1.25M  1.00MB/s",               bytes(1310720, nil, { fraction = 0.4 }) },
    { "its last",               "model.bin           100%[==================>]  10.00M  1.04MB/s    in 9.8s",    bytes(10485760, nil, { fraction = 1.0 }) },
    { "bits",                   "model.bin           100%[==================>]  10.00M  8.04Mb/s    in 9.8s",    bytes(10485760, nil, { fraction = 1.0 }) },
    { "dots, no length",        "   150K .......... .......... .......... .......... ..........  276M",          bytes(153600) },
    { "dots, a percent",        "   150K .......... .......... .......... .......... .......... 12%  276M 3s",   bytes(153600, nil, { fraction = 0.12 }) },
    { "dots that were there",   "  1000K ,,,,,,,,,, ,,,,,,,,,, ,,,,...... .......... .......... 34% 3.12M 1s",   bytes(1024000, nil, { fraction = 0.34 }) },
    { "no dots at all",         "     0K                                                         0% 0.00 =0s",   bytes(0, nil, { fraction = 0.0 }) },
    { "saved",                  SAVED,                                                                           bytes(3145728, 3145728, { ended = "complete" }) },
    { "saved, no length",       "2026-11-25 04:49:53 (1.01 MB/s) - ‘m’ saved [1800000]",                         bytes(1800000, nil, { ended = "complete" }) },
    { "saved, in German",       "2026-11-25 04:50:04 (1,01 MB/s) - »part-a.bin« gespeichert [1800000/1800000]",  bytes(1800000, 1800000, { ended = "complete" }) },
    { "saved, more than all",   "2026-11-25 04:49:53 (1.01 MB/s) - ‘m’ saved [5/4]",                             "counts that can't be" },
    { "-nv",                    NV,
        bytes(1800000, nil, { also = { { done = 1, unit = "files" } }, ended = "complete" }) },
    { "an error",               MISSING,
        { ended = "failed", message = "ERROR 404: File not found." } },
    { "an error, in German",    "2026-11-25 04:50:16 FEHLER 404: Nicht da.",
        { ended = "failed", message = "FEHLER 404: Nicht da." } },
    { "it gives up",            "2026-11-25 04:50:15 (1.01 MB/s) - Connection closed at byte 1512000. Giving up.",
                                { ended = "failed", message = "(1.01 MB/s) - Connection closed at byte 1512000. Giving up." } },
    { "it tries again",         "2026-11-25 04:50:14 (1.01 MB/s) - Connection closed at byte 1080000. Retrying." },
    { "the sum",                "Downloaded: 2 files, 2.6M in 2.6s (1.01 MB/s)",
        { done = 2, total = 2, unit = "files", ended = "complete" } },
    { "the sum, in French",     "Téléchargés : 2\u{A0}fichiers, 2,6M en 2,6s (1,00 MB/s)",
        { done = 2, total = 2, unit = "files", ended = "complete" } },
    { "busybox",                "m.bin                 75% |*****************             | 1328k  0:00:00 ETA", bytes(1359872, nil, { fraction = 0.75 }) },
    { "busybox, no length",     "m3.bin                384k --:--:-- ETA",                                       bytes(393216) },
    { "busybox, saved",         "'m.bin' saved",                                                                 { ended = "complete" } },
    { "busybox, not found",     "wget: server returned error: HTTP/1.1 404 File not found",
                                { ended = "failed", message = "server returned error: HTTP/1.1 404 File not found" } },
    { "wget2",                  "part-b.bin            43% [=====================>      ]  384.00K    2.00MB/s",  bytes(393216) },
    { "the length",             LENGTH },
    { "it begins",              "--2026-11-25 04:49:51--  http://127.0.0.1:18080/model.bin" },
    { "it connects",            "Connecting to 127.0.0.1:18080... connected." },
    { "an answer",              "HTTP request sent, awaiting response... 200 OK" },
    { "a new place",            "Location: /part-b.bin [following]" },
    { "what was there",         "        [ skipping 1000K ]" },
    { "it finished",            "FINISHED --2026-11-25 04:50:02--" },
    { "a time",                 "Total wall clock time: 2.6s" },
    { "brackets",               "[3/10] built in [ == ] 5 minutes" },
    { "over 63 bits",           "2026-11-25 04:49:53 (1 MB/s) - ‘m’ saved [99999999999999999999]",               "counts that can't be" },
  })
end)

describe("wget, from line to line:", function()
  case.rows(it, "wget", {
    { "a bar of a length",      { LENGTH, BAR },                                                                 bytes(1730150, 3145728) },
    { "the percent knows more", { "Länge: 3145728 (3,0M)", "  1000K .......... 60% 1M" },                        bytes(1887436, 3145728) },
    { "the offset knows more",  { "Taille : 3145728 (3,0M)", "  2000K .......... 60% 1M" },                      bytes(2048000, 3145728) },
    { "what remains is less",   { "Length: 3145728 (3.0M), 2097152 (2.0M) remaining [x]", "  2000K .... 60% 1M" }, bytes(2048000, 3145728) },
    { "100% is all of it",      { "Length: 335 [text/html]", "     0K                       100% 1.2M=0s" },      bytes(335, 335) },
    { "a length of nothing",    { "Length: 335", "     0K                       100% 1.2M=0s" },                  bytes(335, 335) },
    { "a header is no length",  { "  Content-Length: 335", "  5K ..... 50% 1M" },                                 bytes(5120, nil, { fraction = 0.5 }) },
    { "the next file",          { LENGTH, SAVED, "Length: 900000 (879K)", "     0K .... 10% 1M" },                bytes(90000, 900000, { phase = { index = 2 } }) },
    { "another try",            { LENGTH, "  2000K .......... 60% 1M", "     0K .......... 1% 1M" },              bytes(31457, 3145728, { restart = true }) },
    { "-nv sums up",            { NV, NV },
        bytes(3600000, nil, { also = { { done = 2, unit = "files" } }, ended = "complete" }) },
    { "one of two",             { SAVED, MISSING, "Downloaded: 1 files, 879K in 0.8s (1.02 MB/s)" },
        { done = 1, total = 2, unit = "files", ended = "partial" } },
    { "wget2, one file",        { STATUS:format(0, 1), "a   43% [===>   ]  384.00K    2.00MB/s" },                bytes(393216, nil, { fraction = 0.43 }) },
    { "wget2, two files",       { STATUS:format(0, 2), "a   43% [===>   ]  384.00K    2.00MB/s", "b   29% [==>  ]  256.00K   2.00MB/s" }, bytes(655360) },
  })

  case.ends(it, "wget", {
    { {}, 0, "complete" }, { {}, 8, "failed" }, { {}, 130, "failed" }, { {}, nil, nil }, { { SAVED }, nil, "complete" }, { { SAVED, BAR }, nil, nil },
    { { SAVED, MISSING }, 8, "partial" }, { { MISSING }, 8, "failed" }, { { MISSING, SAVED }, nil, "partial" }, { { SAVED }, 143, "failed" },
    { { SAVED, MISSING, "Downloaded: 1 files, 879K in 0.8s" }, nil, "partial" },
  })

  case.quick(it, "wget", {
    ("["):rep(4095), ("[ "):rep(2047), ("[=> "):rep(1000), (" "):rep(4090) .. "ETA", (" 1"):rep(2040) .. " ETA", ("1:"):rep(2040) .. " ETA",
    (" 0:00 ETA"):rep(400) .. "x",
    ("1"):rep(4000) .. "% |" .. (" 1k 0 ETA"), ("1% |* "):rep(600) .. "1k 0:00 ETA", ("9"):rep(4000) .. "K " .. ("."):rep(90), "1K " .. (". "):rep(2000),
    "1K " .. (" "):rep(4000),
    "2026-11-25 04:49:53 " .. ("[1"):rep(2000), "2026-11-25 04:49:53 [" .. ("1"):rep(4000), "2026-11-25 04:49:53 " .. ("x "):rep(2000), ("x"):rep(4000) .. ": ",
    "x: " .. ("1"):rep(4000),
    "[Files: " .. (" Todo: "):rep(500), "'" .. ("' save"):rep(600), ("m"):rep(4000) .. " 1k 0:00:00 ETA", "x 100%[==>] " .. ("9"):rep(40) .. "M  1.00MB/s",
    "x 100%[==>] " .. ("9"):rep(18) .. "P  1.00MB/s", "Downloaded: " .. ("9"):rep(18) .. " files, 1M", "Downloaded: 9223372036854775807 files, 1M",
  })
end)
