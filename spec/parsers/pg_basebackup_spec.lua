local case = require "spec.support.parser_case"

local function of(kib, total, spaces, spaces_total)
  return { done = kib * 1024, total = total * 1024, unit = "bytes", also = { { done = spaces, total = spaces_total, unit = "tablespaces" } } }
end

describe("pg_basebackup:", function()
  case.rows(it, "pg_basebackup", {
    { "a line",               "20533/63432 kB (32%), 0/1 tablespace",                              of(20533, 63432, 0, 1) },
    { "with a name, German",  "    9/63442 kB (0%), 0/2 Tablespace (/srv/backup/global/pg_control   )", of(9, 63442, 0, 2) },
    { "all",                  "63442/63442 kB (100%), 1/1 tablespace           ",                  of(63442, 63442, 1, 1) },
    { "the total grows",      { "9/10 kB (90%), 0/1 tablespace", "12/12 kB (100%), 0/1 tablespace" }, of(12, 12, 0, 1) },
    { "it does not go back",  { "9/10 kB (90%), 0/1 tablespace", "8/10 kB (80%), 0/1 tablespace" }, of(9, 10, 0, 1) },
    { "it waits",             "waiting for checkpoint",                                            { message = "waiting for checkpoint" } },
    { "an error",             "pg_basebackup: error: no",                                          { ended = "failed", message = "no" } },
    { "the end",              "pg_basebackup: base backup completed",                              { ended = "complete" } },
    { "more than there is",   "12/10 kB (100%), 0/1 tablespace",                                   "more done than there is" },
    { "over 63 bits",         "1/9223372036854775807 kB (0%), 0/1 tablespace",                     "counts over 63 bits" },
    { "other text",           "pg_basebackup: syncing data to disk ..." },
    { "nothing",              "" },
  })
  case.ends(it, "pg_basebackup", {
    { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil }, { { "pg_basebackup: base backup completed" }, nil, "complete" },
    { { "1/1 kB (100%), 1/1 tablespace" }, nil, nil },
  })
  case.quick(it, "pg_basebackup", {
    (" "):rep(4000) .. " kB (", ("1"):rep(4000) .. " kB (", ("1/"):rep(2000) .. " kB (", "1/1 kB (" .. ("1"):rep(4000), "1/1 kB (1%), " .. ("1"):rep(4000),
  })
end)
