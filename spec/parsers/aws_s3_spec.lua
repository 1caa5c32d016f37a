local case = require "spec.support.parser_case"

local function bytes(done, total, files, more)
  return case.with({ done = done, total = total, unit = "bytes", also = { files } }, more)
end
local function files(done, total, more)
  return case.with({ done = done, total = total, unit = "files" }, more)
end

local LINE = "Completed 512.0 KiB/3.0 MiB (3.4 MiB/s) with 5 file(s) remaining"
local UP = "upload: photos/img_001.raw to s3://demo/r1/img_001.raw           "
local NO_BUCKET = "An error occurred (NoSuchBucket) when calling the PutObject operation: The specified bucket does not exist"
local FAILED = "upload failed: photos/img_002.raw to s3://nowhere/img_002.raw " .. NO_BUCKET
local MIB = 1 << 20

describe("aws s3, one record:", function()
  case.rows(it, "aws_s3", {
    { "bytes and files",      LINE,                                                                              bytes(MIB // 2, 3 * MIB, files(0, 5)) },
    { "one byte",             "Completed 1 Byte/15.0 MiB (8 Bytes/s) with 1 file(s) remaining",                  bytes(1, 15 * MIB, files(0, 1)) },
    { "it still looks",       "Completed 105.9 KiB/~9.8 MiB (613.7 KiB/s) with ~52 file(s) remaining (calculating...) ",
                              bytes(108441, 10276044, files(0, 52), { scanning = true }) },
    { "files of no bytes",    "Completed 1 file(s) with 2 file(s) remaining",                                    files(0, 2) },
    { "a file",               UP,                                                                                files(1) },
    { "a file, removed",      "delete: s3://other/r1/img_001.raw",                                               files(1) },
    { "a file that failed",   FAILED,                                                                            files(0, nil, { message = NO_BUCKET }) },
    { "for its own reason",   "download failed: s3://a to b [Errno 21] Is a directory: 'b'",
        files(0, nil, { message = "download failed: s3://a to b [Errno 21] Is a directory: 'b'" }) },
    { "a dry run",            "(dryrun) upload: photos/img_001.raw to s3://demo/r3/img_001.raw",                 { message = "dry run: nothing is copied" } },
    { "it can't be done",     "fatal error: Unable to locate credentials",
        { ended = "failed", message = "Unable to locate credentials" } },
    { "stopped by hand",      "cancelled: ctrl-c received                 ",
        { ended = "failed", message = "cancelled: ctrl-c received" } },
    { "over its total",       "Completed 3.1 MiB/3.0 MiB (3.4 MiB/s) with 1 file(s) remaining",                  bytes(3 * MIB, 3 * MIB, files(0, 1)) },
    { "over 63 bits",         "Completed 99999999 EiB/99999999 EiB (1 B/s) with 1 file(s) remaining",            "counts over 63 bits" },
    { "a warning",            "warning: Skipping file /a. File does not exist." },
    { "no line of the tool's", "Completed 3 of 10" },
    { "a path",               "The user-provided path none.bin does not exist." },
  })
end)

describe("aws s3, from line to line:", function()
  case.rows(it, "aws_s3", {
    { "a file is done",            { LINE, UP },                                                                        bytes(MIB // 2, 3 * MIB, files(1, 5)) },
    { "the next line counts it",   { LINE, UP, "Completed 1.0 MiB/3.0 MiB (3.4 MiB/s) with 4 file(s) remaining" },      bytes(MIB, 3 * MIB, files(1, 5)) },
    { "one that failed, too",      { LINE, FAILED, "Completed 1.0 MiB/3.0 MiB (3.4 MiB/s) with 4 file(s) remaining" },  bytes(MIB, 3 * MIB, files(0, 5)) },
    { "the total is known",        { "Completed 1.0 MiB/~2.0 MiB (1 B/s) with ~2 file(s) remaining (calculating...)", LINE:gsub("512.0 KiB", "1.0 MiB") .. "" },
        bytes(MIB, 3 * MIB, files(0, 5)) },
    { "a part is sent again",      { "Completed 1.0 MiB/3.0 MiB (1 B/s) with 5 file(s) remaining", LINE },              bytes(MIB, 3 * MIB, files(0, 5)) },
    { "another command",           { "Completed 3.0 MiB/3.0 MiB (1 B/s) with 1 file(s) remaining", UP, "Completed 1.0 KiB/2.0 MiB (1 B/s) with 2 file(s) remaining" },
                                   bytes(1024, 2 * MIB, files(0, 2), { restart = true }) },
  })

  case.ends(it, "aws_s3", {
    { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, 255, "failed" }, { {}, nil, nil }, { { UP }, nil, nil }, { { UP, FAILED }, 1, "partial" },
    { { UP, FAILED }, nil, "partial" },
    { { UP }, 2, "partial" }, { { UP }, 130, "failed" }, { { FAILED }, 1, "failed" }, { { FAILED }, nil, "failed" }, { { "fatal error: x" }, nil, "failed" },
  })

  case.quick(it, "aws_s3", {
    "Completed " .. ("1"):rep(4000), "Completed 1" .. ("."):rep(4000), "Completed 1 " .. ("B"):rep(4000), "Completed 1 B/1 B " .. ("("):rep(4000),
    "Completed 1 B/1 B (" .. (")"):rep(4000),
    "Completed 1 B/1 B (1) with " .. ("1"):rep(4000), "Completed " .. ("9"):rep(30) .. " file(s) with " .. ("9"):rep(30) .. " file(s) remaining",
    ("u"):rep(4000) .. " failed: ",
    "upload failed: " .. ("An error occurred "):rep(200), "Completed 1 file(s) with 9223372036854775807 file(s) remaining", (": "):rep(2000),
  })
end)
