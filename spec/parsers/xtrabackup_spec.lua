local case = require "spec.support.parser_case"

local function at(thread, words) return ("[%s] 2026-11-25 04:56:17 %s"):format(thread, words) end
local COPY, DONE = at("01", "Copying ./a.ibd to /srv/a.ibd"), at("01", "        ...done")
local function files(done, more)
  return case.with({ done = done, unit = "files" }, more)
end

describe("xtrabackup:", function()
  case.rows(it, "xtrabackup", {
    { "a file begins",          COPY },
    { "a file is done",         { COPY, DONE },                                   files(1) },
    { "of two threads",         { COPY, at("02", "Streaming ./b to <STDOUT>"), DONE, at("02", "        ...done") }, files(2) },
    { "another thread's done",  { COPY, at("02", "        ...done") } },
    { "what is written only",   { at("00", "Writing xtrabackup_info"), at("00", "        ...done") } },
    { "XtraBackup 8",           "2026-11-25T04:56:17.1-00:00 2 [Note] [MY-011825] [Xtrabackup] Done: Copying ./a.ibd to /srv/a.ibd", files(1) },
    { "XtraBackup 8, the end",  "2026-11-25T04:56:17.1-00:00 0 [Note] [MY-011825] [Xtrabackup] completed OK!", files(0, { ended = "complete" }) },
    { "XtraBackup 8, an error", "2026-11-25T04:56:17.1-00:00 0 [ERROR] [MY-011825] [Xtrabackup] copy_file() failed.",
                                { ended = "failed", message = "copy_file() failed." } },
    { "XtraBackup 2.4",         { "180810 05:42:56 [01] Copying ./ibdata1 to /srv/ibdata1", "180810 05:42:56 >> log scanned up to (2974072)",
                                  "180810 05:42:56 [01]        ...done" },        files(1) },
    { "XtraBackup 2.4, the end", "180810 05:43:01 completed OK!",                 files(0, { ended = "complete" }) },
    { "the end",                { COPY, DONE, at("00", "completed OK!") },        files(1, { ended = "complete" }) },
    { "an error",               at("00", "Error: no target stream."), { ended = "failed", message = "no target stream." } },
    { "other text",             "2026-11-25  4:56:17 0 [Note] InnoDB: Starting shutdown..." },
    { "nothing",                "" },
  })
  case.rows(it, "xtrabackup", { { "of a total that is told", { COPY, DONE }, files(1, { total = 9 }) } }, { files = "9" })
  case.ends(it, "xtrabackup", { { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil }, { { at("00", "completed OK!") }, nil, "complete" } })
  case.quick(it, "xtrabackup", {
    at("01", (" "):rep(3900) .. "ing "), ("1"):rep(4000) .. "ing ", "[01] " .. ("1-"):rep(2000) .. "ing ", "1 1 [" .. ("a"):rep(4000) .. "ing ",
    "180810 " .. ("1"):rep(4000) .. "ing ", "180810 1" .. (" "):rep(4000) .. "ing ", "180810 1 [01]" .. (" "):rep(4000),
  })

  it("threads are held by no more than three digits", function()
    local h = case.new "xtrabackup"
    for i = 0, 2000 do h:feed(at(tostring(i), "Copying a to b")) end
    assert.is_nil((h:feed(at("1500", "...done"))))
  end)
end)
