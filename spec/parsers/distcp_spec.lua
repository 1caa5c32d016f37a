local case = require "spec.support.parser_case"

local function map(percent) return ("26/11/25 05:00:09 INFO mapreduce.Job:  map %d%% reduce 0%%"):format(percent) end
local OK = "26/11/25 05:00:19 INFO mapreduce.Job: Job job_1700000000000_0001 completed successfully"
local BAD = "26/11/25 05:00:19 INFO mapreduce.Job: Job job_1700000000000_0001 failed with state FAILED due to: Task failed"

local ID = "26/11/25 05:00:01 INFO tools.DistCp: DistCp job-id: job_1700000000000_0001"

describe("distcp:", function()
  case.rows(it, "distcp", {
    { "a percent",           map(42),                                { fraction = 0.42 } },
    { "it does not go back", { map(42), map(40) },                   { fraction = 0.42 } },
    { "bytes",               { map(100), "\t\tBytes Copied=12000" }, { fraction = 1.0, also = { { done = 12000, unit = "bytes" } } } },
    { "the end",             OK,                                     { ended = "complete" } },
    { "it failed",           BAD,                                    { ended = "failed" } },
    { "files left out",      "\t\tFiles Failed=2",                   { ended = "partial", message = "some files could not be copied" } },
    { "none left out",       "\t\tFiles Failed=0" },
    { "more than all",       map(120),                               "more than 100%" },
    { "over 63 bits",        "\t\tBytes Copied=" .. ("9"):rep(30) },
    { "the job runs",        "INFO mapreduce.Job: Job job_1_0001 running in uber mode : false" },
    { "nothing",             "" },
  })
  case.ends(it, "distcp", {
    { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil }, { { OK }, nil, "complete" }, { { OK, "Files Failed=1" }, 0, "partial" }, { { BAD }, nil, "failed" },
    { { ID }, 0, "partial" }, { { ID, map(0) }, 0, "complete" }, { { ID }, 255, "failed" },
  })
  case.quick(it, "distcp", { (" map "):rep(800), " map " .. ("1"):rep(4000), (" "):rep(4000) .. "Bytes Copied=", ("Job job_"):rep(500), "Job job_" .. ("a"):rep(4000) })
end)
