local case = require "spec.support.parser_case"

local HEADER = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current"
local function bytes(done, total, more)
  return case.with({ done = done, total = total, unit = "bytes" }, more)
end
local function meter(percent, total, got) return ("%3d %5s %3d %5s    0     0  1026k      0  0:00:09  0:00:01  0:00:08 1026k"):format(percent, total, percent, got) end
local ZERO = "  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
local FAILED = "curl: (22) The requested URL returned error: 404"

describe("curl, one record:", function()
  case.rows(it, "curl", {
    { "the meter",               " 18 10.0M   18 1872k    0     0  1026k      0  0:00:09  0:00:01  0:00:08 1026k",  bytes(1916928, 10485760) },
    { "exact when small",        "  1 49152    1   512    0     0  1077k      0  0:00:02 --:--:--  0:00:02 1066k",  bytes(512, 49152) },
    { "at its end",              "100 10.0M  100 10.0M    0     0  1025k      0  0:00:09  0:00:09 --:--:-- 1024k",  bytes(10485760, 10485760) },
    { "no length: no 100%",      "100 1920k    0 1920k    0     0  1022k      0 --:--:--  0:00:01 --:--:-- 1022k",  bytes(1966080) },
    { "a length, nothing yet",   "  0   335    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0",  bytes(0, 335) },
    { "it connects",             ZERO },
    { "what is sent",            "100 1757k    0     0  100 1757k      0  1462k  0:00:01  0:00:01 --:--:-- 1462k",  bytes(1799168, 1799168) },
    { "both ways",               " 50 2000k   30  300k   70  700k  1000k  1000k  0:00:01  0:00:01 --:--:-- 1462k",  bytes(1024000, 2048000) },
    { "rounded over its total",  " 99  9.7M   99 9999k    0     0  1022k      0 --:--:--  0:00:01 --:--:-- 1022k",  bytes(10171187, 10171187) },
    { "days",                    "  1 99.9G    1 1920k    0     0     22      0  99d 23h  0:00:01  99d 22h    22",  bytes(1966080, 107266808217) },
    { "a speed below zero",      "  8 10.0M    8  848k    0     0 -9223      0  0:00:09 --:--:--  0:00:09 1030k",   bytes(868352, 10485760) },
    { "-#",                      "####                        26.4%",                                                { fraction = 0.264 } },
    { "-#, the end",             "######################## 100.0%",                                                  { fraction = 1.0 } },
    { "-# without a length",     " #  #=O=#    #    " },
    { "-Z",                      " 80 --  2125k     0     2     1   0:00:02  0:00:02 --:--:-- 1025k      ",
                                 bytes(2176000, nil, { fraction = 0.8, also = { { done = 1, unit = "files" } } }) },
    { "-Z, not all are known",   "--  --   528k     0     2     2  --:--:-- --:--:-- --:--:-- 1047k      ",
                                 bytes(540672, nil, { also = { { done = 0, unit = "files" } } }) },
    { "-Z of 7.74",              " 79 --  2093k     0     2     1     0  0:00:02  0:00:02 --:--:-- 1029k      ",
                                 bytes(2143232, nil, { fraction = 0.79, also = { { done = 1, unit = "files" } } }) },
    { "-Z, more alive than begun", "--  --   528k     0     2     3  --:--:-- --:--:-- --:--:-- 1047k",              "counts that can't be" },
    { "it failed",               FAILED,
        { ended = "failed", message = "The requested URL returned error: 404" } },
    { "a header",                HEADER },
    { "of a header",             "                                 Dload  Upload   Total   Spent    Left  Speed" },
    { "a warning",               "Warning: Problem : HTTP error. Will retry in 1 seconds. 1 retries left." },
    { "what a page holds",       "total: 100 of 100" },
    { "a percent of text",       "# saved 12.5%" },
    { "over 63 bits",            "  1 " .. ("9"):rep(30) .. "    1 1920k    0     0     22      0  0:00:01  0:00:01  0:00:01    22", "counts over 63 bits" },
  })
end)

describe("curl, from line to line:", function()
  case.rows(it, "curl", {
    { "the next file",           { HEADER, meter(100, "5859k", "5859k"), HEADER, ZERO, meter(1, "2441k", "49152") }, bytes(49152, 2499584, { phase = { index = 2 } }) },
    { "another try",             { HEADER, meter(50, "1000k", "500k"), meter(1, "1000k", "10k") },                   bytes(10240, 1024000, { restart = true }) },
    { "another try, from 0",     { HEADER, meter(50, "1000k", "500k"), FAILED, ZERO, meter(40, "1000k", "400k") },   bytes(409600, 1024000, { restart = true }) },
    { "9999k, then 9.7M",        { HEADER, meter(50, "20.0M", "9999k"), meter(50, "20.0M", "9.7M") },                bytes(10238976, 20971520) },
    { "-#: the next file",       { "#### 100.0%", "#   7.3%" },                                                      { fraction = 0.073, phase = { index = 2 } } },
    { "-Z: the percent is held",
        { " 80 --  2125k     0     2     1   0:00:02  0:00:02 --:--:-- 1025k", " 40 --  2130k     0     4     3   0:00:02  0:00:02 --:--:-- 1025k" },
                                 bytes(2181120, nil, { fraction = 0.8, also = { { done = 1, unit = "files" } } }) },
  })

  it("the thousandth file still begins anew", function()
    local h, sample = case.new "curl", nil
    for _ = 1, 1001 do
      h:feed(HEADER)
      sample = h:feed(meter(50, "1000k", "500k"))
    end
    assert.same(bytes(512000, 1024000, { restart = true, phase = { index = 999 } }), sample)
  end)

  it("counts the files when it has ended", function()
    local h = case.new "curl"
    for _ = 1, 3 do
      h:feed(HEADER)
      h:feed(meter(100, "1000k", "1000k"))
    end
    assert.same({ done = 3, total = 3, unit = "files", ended = "complete" }, h:finish(0))
  end)

  local ONE = { HEADER, meter(100, "1000k", "1000k") }
  case.ends(it, "curl", {
    { {}, 0, "complete" }, { {}, 22, "failed" }, { {}, nil, nil }, { ONE, 0, "complete" }, { ONE, nil, nil }, { ONE, 130, "failed" },
    { { FAILED }, nil, "failed" }, { { FAILED }, 22, "failed" },
    { { HEADER, ZERO, FAILED, ZERO, ONE[2] }, 0, "complete" }, -- it was tried again
    { { HEADER, ZERO, FAILED, ZERO, FAILED }, 22, "failed" },
  })

  it("tells how many failed of several, whichever the status is of", function()
    for _, row in ipairs { { { HEADER, ONE[2], HEADER, ZERO, FAILED }, 22 }, { { HEADER, ZERO, FAILED, HEADER, ONE[2] }, 0 } } do
      local h = case.new "curl"
      for _, record in ipairs(row[1]) do h:feed(record) end
      assert.same({ done = 1, total = 2, unit = "files", ended = "partial" }, h:finish(row[2]))
    end
  end)

  case.quick(it, "curl", {
    (" "):rep(4095) .. "%", ("1"):rep(4095) .. ":", ("1 "):rep(2047) .. ":", ("1"):rep(2000) .. (" "):rep(2000) .. ":", ("#"):rep(4095) .. "%", ("# "):rep(2047) .. "%",
    "# " .. ("1"):rep(4000) .. ".1%", ("- "):rep(2040) .. ":", "1 1 1 1 1 1 " .. ("1"):rep(4000) .. ":", "1 1 1 1 1 1 " .. ("-"):rep(4000) .. ":",
    "1 1 1 1 1 1 " .. ("1 "):rep(2000) .. ":",
    "curl: (" .. ("1"):rep(4000) .. ")", meter(1, ("9"):rep(40), ("9"):rep(40)), meter(1, ("9"):rep(18) .. "P", "1"), "1 1..1 1 1.1.1 1 1 1 1 0:",
  })
end)
