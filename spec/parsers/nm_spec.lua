local core = require "headway_core"

local source = core.parsers.find("nm").text
local function parser(strict, opts) return assert(core.host.new(source, "nm", opts, strict)) end
local strict, stream = parser(true), parser(false)

local MOST = "9223372036854775807"

-- What a record says in a progress file; err: the start of the refusal.
local file_cases = {
  -- name                       record                              done  total  message   err
  { "plain",                    "3/10",                             3,    10 },
  { "all",                      "10/10",                            10,   10 },
  { "nothing known yet",        "0/0",                              0,    0 },
  { "leading zeros",            "0007/010",                         7,    10 },
  { "many leading zeros",       ("0"):rep(100) .. "1/2",            1,    2 },
  { "spaces around the slash",  "3 / 10",                           3,    10 },
  { "tabs around the slash",    "3\t/\t10",                         3,    10 },
  { "spaces about it",          "  \t3/10 \t ",                     3,    10 },
  { "a BOM",                    "\xEF\xBB\xBF3/10",                 3,    10 },
  { "a BOM and a space",        "\xEF\xBB\xBF 3/10",                3,    10 },
  { "a carriage return",        "3/10\r",                           3,    10 },
  { "63 bits",                  MOST .. "/" .. MOST,                math.maxinteger, math.maxinteger },
  { "a message",                "3/10 copying a.bin",               3,    10,    "copying a.bin" },
  { "a message behind a tab",   "3/10\tcopying  a.bin ",            3,    10,    "copying a.bin" },
  { "a message with a slash",   "3/10 1/2",                         3,    10,    "1/2" },
  { "a message with controls",  "3/10 a\27[31mb",                   3,    10,    "a [31mb" },
  { "a message with a secret",  "3/10 s3://key:pass@host/b?sig=x",  3,    10,    "s3://host/b" },
  { "a message in UTF-8",       "3/10 größe",                       3,    10,    "größe" },
  { "a message of 200 bytes",   "3/10 " .. ("x"):rep(200),          3,    10,    ("x"):rep(200) },
  { "a longer message",         "3/10 " .. ("x"):rep(500),          3,    10,    ("x"):rep(197) .. "..." },
  { "an empty line",            "" },
  { "white space",              " \t \r" },
  { "a BOM alone",              "\xEF\xBB\xBF" },
  { "over 63 bits, N",          "9223372036854775808/1",            nil,  nil,   nil,      "count over 2^63-1" },
  { "over 63 bits, M",          "1/9223372036854775808",            nil,  nil,   nil,      "count over 2^63-1" },
  { "over 64 bits",             "1/99999999999999999999",           nil,  nil,   nil,      "count over 2^63-1" },
  { "2^64 + 1",                 "18446744073709551617/2",           nil,  nil,   nil,      "count over 2^63-1" },
  { "N over M",                 "11/10",                            nil,  nil,   nil,      "N is over M" },
  { "three numbers",            "1/2/3",                            nil,  nil,   nil,      "not N/M" },
  { "a percent",                "50%",                              nil,  nil,   nil,      "not N/M" },
  { "a percent behind it",      "1/2%",                             nil,  nil,   nil,      "not N/M" },
  { "minus",                    "-1/10",                            nil,  nil,   nil,      "not N/M" },
  { "minus in M",               "1/-10",                            nil,  nil,   nil,      "not N/M" },
  { "plus",                     "+1/10",                            nil,  nil,   nil,      "not N/M" },
  { "decimals",                 "1.5/10",                           nil,  nil,   nil,      "not N/M" },
  { "decimals in M",            "1/10.0",                           nil,  nil,   nil,      "not N/M" },
  { "hexadecimal",              "0x1/0x2",                          nil,  nil,   nil,      "not N/M" },
  { "an exponent",              "1e1/1e2",                          nil,  nil,   nil,      "not N/M" },
  { "grouped digits",           "1,000/2,000",                      nil,  nil,   nil,      "not N/M" },
  { "Arabic digits",            "٣/١٠",                             nil,  nil,   nil,      "not N/M" },
  { "full-width digits",        "３/１０",                          nil,  nil,   nil,      "not N/M" },
  { "NUL in front",             "\0001/2",                          nil,  nil,   nil,      "not N/M" },
  { "NUL behind",               "1/2\0",                            nil,  nil,   nil,      "not N/M" },
  { "NUL in the message",       "1/2 a\0b",                         nil,  nil,   nil,      "NUL byte" },
  { "a backslash",              "1\\2",                             nil,  nil,   nil,      "not N/M" },
  { "N alone",                  "5",                                nil,  nil,   nil,      "not N/M" },
  { "N and a slash",            "5/",                               nil,  nil,   nil,      "not N/M" },
  { "M alone",                  "/5",                               nil,  nil,   nil,      "not N/M" },
  { "a newline between",        "1\n/2",                            nil,  nil,   nil,      "not N/M" },
  { "vertical tab around",      "1\v/2",                            nil,  nil,   nil,      "not N/M" },
  { "a no-break space",         "1\u{A0}/2",                        nil,  nil,   nil,      "not N/M" },
  { "text in front",            "done 1/2",                         nil,  nil,   nil,      "not N/M" },
  { "letters behind",           "1/2files",                         nil,  nil,   nil,      "not N/M" },
  { "other text",               "copied 3 of 10",                   nil,  nil,   nil,      "not N/M" },
}

describe("nm, progress file:", function()
  for _, case in ipairs(file_cases) do
    local name, record, done, total, message, err = table.unpack(case, 1, 6)
    it(name, function()
      local sample, why, code = strict:feed(record)
      if done then
        assert.same({ done = done, total = total, unit = "items", message = message }, sample)
      else
        assert.is_nil(sample)
        assert.equal(err, why and why:match "^[^:]+")
        assert.equal(err and "input", code)
      end
    end)
  end

  it("a refusal shows 32 printable bytes of the record, no more", function()
    local _, why = strict:feed("\1secret " .. ("x"):rep(100))
    assert.equal("not N/M: '?secret xxxxxxxxxxxxxxxxxxxxxxxx...'", why)
  end)
end)

local stream_cases = {
  -- name                      record                    done  total
  { "a line that is N/M",      "3/10",                   3,    10 },
  { "with space about it",     " 3 / 10 ",               3,    10 },
  { "tests passed",            "10/11 tests passed" },
  { "any message",             "3/10 x" },
  { "a date",                  "2026/01/31" },
  { "a ratio",                 "compression 1/2" },
  { "N over M",                "11/10" },
  { "over 63 bits",            "1/99999999999999999999" },
  { "nothing at all",          "" },
}

describe("nm, log:", function()
  for _, case in ipairs(stream_cases) do
    local name, record, done, total = table.unpack(case, 1, 4)
    it(name, function()
      local sample, why = stream:feed(record)
      assert.is_nil(why)
      assert.same(done and { done = done, total = total, unit = "items" }, sample or nil)
    end)
  end
end)

describe("nm:", function()
  it("takes the option unit", function()
    assert.equal("files", parser(true, { unit = "files" }):feed("1/2").unit)
  end)

  it("says what it is", function()
    assert.same({
      name = "nm", unit = "items", word = true, api = 1, record_max = 4096, hints = { "/" }, newest = "^%+/%=$",
      options = { { name = "unit", type = "string", default = "items", help = "what is counted" } },
    }, strict:meta())
  end)

  it("ends without a word: the exit status is the host's business", function()
    assert.is_nil(strict:finish(0))
    assert.is_nil(strict:finish(1))
  end)

  it("stays quick on a record that is made to be slow", function()
    for _, record in ipairs { ("1"):rep(4096), (" "):rep(4095) .. "x", ("1/"):rep(2048), ("1 "):rep(2048) } do
      local began = os.clock()
      for _ = 1, 100 do strict:feed(record) end
      assert.is_true(os.clock() - began < 1)
    end
  end)
end)
