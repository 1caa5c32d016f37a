--- The text tools of core/base/str.c, row by row; spec/fuzz/fuzz_text.c looks for what the rows lack.
local core = require "headway_core"

describe("credentials in a text are hidden:", function()
  local rows = {
    -- name                            text                                            shown
    { "no URL",                        "me@example.org wrote 3/10",                    "me@example.org wrote 3/10" },
    { "user and password",             "get https://u:p@h:6443/x failed",              "get https://h:6443/x failed" },
    { "a user alone",                  "s3://key@bucket",                              "s3://bucket" },
    { "several @",                     "ftp://a@b:c@h/",                               "ftp://h/" },
    { "an @ in the path",              "https://h/image@sha256",                       "https://h/image@sha256" },
    { "a query",                       "https://h/a?token=x b",                        "https://h/a b" },
    { "a query in a sentence",         "(see 'https://h/a?token=x'): no",              "(see 'https://h/a'): no" },
    { "a query with ' and )",          "https://h/a?sig=x'y)z b",                      "https://h/a b" },
    { "a query behind ' in a path",    "https://h/it's?token=x",                       "https://h/it's" },
    { "a password with ) and '",       "https://u:p)w'd@h/a",                          "https://h/a" },
    { "a URL in the path of another",  "https://proxy/https://u:p@h/a?b",              "https://proxy/https://h/a" },
    { "a URL as the user of another",  "a://b@c://u:p@h",                              "a://c://h" },
    { "one behind the other",          '"a://u:p@h","b://v:q@i"',                      '"a://h","b://i"' },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      assert.equal(row[3], core.hide_credentials(row[2]))
      assert.equal(row[3], core.hide_credentials(row[3]))
    end)
  end
end)

describe("a time:", function()
  local good = {
    { "2026-01-31T12:00:00Z",             1769860800000 },
    { "2026-01-31t12:00:00z",             1769860800000 },
    { "2026-01-31T12:00:00.25Z",          1769860800250 },
    { "2026-01-31T12:00:00.123456789Z",   1769860800123 },
    { "2026-01-31T17:30:00+05:30",        1769860800000 },
    { "2026-01-31T04:00:00-08:00",        1769860800000 },
    { "2024-02-29T00:00:00Z",             1709164800000 },
    { "1970-01-01T00:00:00Z",             0 },
    { "2016-12-31T23:59:60Z",             1483228800000 },
  }
  for _, row in ipairs(good) do
    it(row[1], function() assert.equal(row[2], core.parse_time(row[1])) end)
  end
  local bad = {
    "", "now", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z", " 2026-01-31T12:00:00Z",
    "2026-01-31T12:00:00Z ", "2026-1-31T12:00:00Z", "2026- 1-31T12:00:00Z", "+026-01-31T12:00:00Z",
    "2026-02-29T12:00:00Z", "2026-00-10T12:00:00Z", "2026-01-00T12:00:00Z", "2026-13-01T12:00:00Z",
    "2026-04-31T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z",
    "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+-1:30", "2026-01-31T12:00:00+ 5:30", "2026-01-31T12:00:00+0530",
    "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+05:60",
  }
  for _, text in ipairs(bad) do
    it(("%q is none"):format(text), function()
      local ms, why = core.parse_time(text)
      assert.is_nil(ms)
      assert.truthy(why:find("time '", 1, true) == 1 and why:find("expected e.g. 2026", 1, true), why)
    end)
  end
end)

describe("a message is clean whatever it quotes:", function()
  it("controls, and characters that turn the direction", function()
    local _, why = core.parse_duration "3\27[31m\226\128\174\194\155x\n"
    assert.equal("duration '3 [31m x ': expected e.g. 3s, 250ms, 5m, 1h30m", why)
  end)
  it("a character that the cut of the quote tore", function()
    local _, why = core.parse_duration(("x"):rep(39) .. "é")
    assert.equal("duration '" .. ("x"):rep(39) .. "\239\191\189': expected e.g. 3s, 250ms, 5m, 1h30m", why)
  end)
end)
