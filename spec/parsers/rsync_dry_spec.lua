local case = require "spec.support.parser_case"

local NOTE = "dry run: nothing is copied"
local LAST = "     12,000,000 100%   11.18GB/s    0:00:00 (xfr#60, to-chk=0/65)"
local function entries(done, total, more)
  return case.with({ done = done, total = total, unit = "entries", message = NOTE }, more)
end

describe("rsync_dry:", function()
  case.rows(it, "rsync_dry", {
    { "entries alone",       LAST,                                                              entries(65, 65) },
    { "some of them",        "        164,981   1%    1.01MB/s    0:00:00 (xfr#1, to-chk=62/65)", entries(3, 65) },
    { "the list grows",      "          4,748   0%    0.00kB/s    0:00:00 (xfr#1, ir-chk=1079/1121)", entries(42, 1121, { scanning = true }) },
    { "inside a file",       "         32,768   0%    0.00kB/s    0:00:00  ",                   { message = NOTE } },
    { "the summary",         "total size is 9,442,945  speedup is 1.00",                        { ended = "partial", message = NOTE } },
    { "the summary says it", "total size is 9,442,945  speedup is 1.00 (DRY RUN)",              { ended = "partial", message = NOTE } },
    { "an error",            "rsync error: error in socket IO (code 10) at clientserver.c(139) [sender=3.2.7]",
                             { ended = "failed", message = "error in socket IO" } },
    { "senseless",           "        164,981   1%    1.01MB/s    0:00:00 (xfr#1, to-chk=66/65)", "more entries to check than there are" },
    { "a name",              "2023/img_000.raw" },
    { "nothing",             "" },
  })

  for _, row in ipairs { { 0, "partial" }, { 23, "partial" }, { 1, "failed" } } do
    it(("exit status %d is %s"):format(row[1], row[2]), function()
      local h = case.new "rsync_dry"
      h:feed(LAST)
      assert.same({ ended = row[2], message = NOTE }, h:finish(row[1]))
    end)
  end

  it("nothing is known of the end", function() assert.is_nil((case.new("rsync_dry"):finish())) end)

  case.quick(it, "rsync_dry", { (" "):rep(4095) .. "%", "1 1%" .. (" "):rep(4000), ("rsync error: (code "):rep(200) })
end)
