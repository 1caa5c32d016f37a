local case = require "spec.support.parser_case"

local function of(done, total, unit, name, index, bytes)
  return { done = done, total = total, unit = unit, phase = { name = name, index = index }, also = bytes and { { done = bytes, unit = "bytes" } } }
end

local RECEIVE = "Receiving objects:  50% (5/10), 1.00 MiB | 17.12 MiB/s"

describe("git:", function()
  case.rows(it, "git", {
    { "objects and bytes",     RECEIVE,                                              of(5, 10, "objects", "Receiving objects", 1, 1048576) },
    { "the last line",         "Receiving objects: 100% (10/10), 1.00 MiB | 17.12 MiB/s, done.", of(10, 10, "objects", "Receiving objects", 1, 1048576) },
    { "the server's",          "remote: Counting objects:  42% (351/837)        ",   of(351, 837, "objects", "Counting objects", 1) },
    { "files",                 "Updating files:  96% (5760/6000)",                   of(5760, 6000, "files", "Updating files", 1) },
    { "German",                "Löse Unterschiede auf: 100% (554/554), fertig.",     of(554, 554, "items", "Löse Unterschiede auf", 1) },
    { "another title",         { RECEIVE, "Resolving deltas:  10% (1/10)" },         of(1, 10, "deltas", "Resolving deltas", 2) },
    { "the same title anew",   { RECEIVE, "Receiving objects:  25% (1/4)" },         of(1, 4, "objects", "Receiving objects", 2) },
    { "the server between",    { RECEIVE, "remote: Compressing objects:  10% (1/10)" } },
    { "the server behind",     { "Writing objects: 100% (1/1)", "remote: Resolving deltas:  10% (1/10)" }, of(1, 10, "deltas", "Resolving deltas", 2) },
    { "no total",              "remote: Enumerating objects: 837, done." },
    { "fatal",                 "fatal: early EOF",                                   { ended = "failed", message = "early EOF" } },
    { "a push that failed",    "error: failed to push some refs to 'x'",             { ended = "failed", message = "failed to push some refs to 'x'" } },
    { "more than there is",    "Receiving objects:  50% (15/10)",                    "more done than there is" },
    { "over 63 bits",          "Receiving objects:  50% (1/" .. ("9"):rep(30) .. ")", "counts over 63 bits" },
    { "other text",            "remote: progress 50% (5/10)" },
    { "nothing",               "" },
  })
  case.ends(it, "git", { { {}, 0, "complete" }, { {}, 128, "failed" }, { {}, nil, nil }, { { "fatal: x" }, nil, "failed" }, { { RECEIVE }, nil, nil } })
  case.quick(it, "git", {
    ("a"):rep(4000) .. "% (", ("a: "):rep(1300) .. "% (", "a:" .. (" "):rep(4000) .. "% (", "a: " .. ("1"):rep(4000) .. "% (", "a: 1% (" .. ("1"):rep(4000),
    "a: 1% (1/1), " .. ("1"):rep(4000), ("remote: "):rep(500) .. "% (", "a" .. (" b"):rep(2000) .. ": 1% (1/1)",
  })
end)
