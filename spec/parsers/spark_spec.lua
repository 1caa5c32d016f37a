local case = require "spec.support.parser_case"

local function bar(id, done, total) return ("[Stage %d:=====>       (%d + 2) / %d]"):format(id, done, total) end
local function info(id, done, total)
  return ("26/11/25 04:59:52 INFO TaskSetManager: Finished task 0.0 in stage %d.0 (TID 0) in 28 ms on host (executor 1) (%d/%d)"):format(id, done, total)
end
local function of(id, index, done, total)
  return { done = done, total = total, unit = "tasks", phase = { name = "stage " .. id, index = index } }
end

describe("spark:", function()
  case.rows(it, "spark", {
    { "a bar",                  bar(0, 5, 16),                                          of(0, 1, 5, 16) },
    { "at the start",           "[Stage 0:>             (0 + 0) / 16]",                 of(0, 1, 0, 16) },
    { "two at once",            bar(1, 3, 14) .. bar(2, 0, 10),                         of(1, 1, 3, 14) },
    { "the first is over",      { bar(1, 3, 14) .. bar(2, 0, 10), bar(2, 4, 10) },      of(2, 2, 4, 10) },
    { "an older one is back",   { bar(2, 4, 10), bar(1, 3, 14) } },
    { "the next stage",         { bar(0, 15, 16), bar(1, 1, 8) },                       of(1, 2, 1, 8) },
    { "it does not go back",    { bar(0, 5, 16), bar(0, 4, 16) },                       of(0, 1, 5, 16) },
    { "the log",                info(0, 5, 16),                                         of(0, 1, 5, 16) },
    { "the log: two at once",   { info(0, 5, 16), info(1, 1, 8) } },
    { "the log: the next",      { info(0, 16, 16), info(1, 1, 8) },                     of(1, 2, 1, 8) },
    { "an executor's own line", "INFO Executor: Finished task 0.0 in stage 0.0 (TID 0). 1541 bytes result sent to driver" },
    { "it failed",              "Job aborted due to stage failure: Task 9", { ended = "failed", message = "job aborted due to stage failure" } },
    { "more than there are",    bar(0, 17, 16),                                         "more tasks done than there are" },
    { "over 63 bits",           "[Stage 0:>    (0 + 0) / " .. ("9"):rep(30) .. "]",     "counts over 63 bits" },
    { "nothing",                "" },
  })
  case.ends(it, "spark", { { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil }, { { bar(0, 16, 16) }, nil, nil } })
  case.quick(it, "spark", {
    ("[Stage "):rep(580), "[Stage " .. ("1"):rep(4000), "[Stage 1:" .. ("="):rep(4000), "[Stage 1:(" .. ("1"):rep(4000), bar(1, 1, 2):rep(100),
    "TaskSetManager: Finished task " .. ("1."):rep(2000), ("TaskSetManager: Finished task "):rep(130), info(1, 1, 2):sub(1, -6) .. ("("):rep(3900),
  })
end)
