--- What is taken of an HTTP reply, and what is refused (core/source/reply.h).
local source = require("headway_core").source

local OK = "HTTP/1.1 200 OK\r\n"
local MIB = 1024 * 1024
local RESET = true

describe("a reply", function()
  local rows = {
    -- name                      bytes                                                    body / nil, why
    { "with a length",           OK .. "Content-Length: 3\r\n\r\nabc",                    "abc" },
    { "up to the end",           OK .. "\r\nabc",                                         "abc" },
    { "with no reason, no space", "HTTP/1.0 200\n\nabc",                                  "abc" },
    { "with LF alone",           "HTTP/1.0 200 x\nA: b\n\nabc",                           "abc" },
    { "with no reason",          "HTTP/1.1 200 \r\n\r\nabc",                              "abc" },
    { "with an empty body",      OK .. "Content-Length: 0\r\n\r\n",                       "" },
    { "with more than its length", OK .. "content-length:\t3 \r\n\r\nabcdef",             "abc" },
    { "with NULs",               OK .. "\r\na\0b",                                        "a\0b" },
    { "identity",                OK .. "Content-Encoding: identity\r\n\r\nabc",           "abc" },
    { "of 1 MiB",                OK .. "\r\n" .. ("x"):rep(MIB),                          ("x"):rep(MIB) },
    { "that says 1 MiB",         OK .. "Content-Length: " .. MIB .. "\r\n\r\n" .. ("x"):rep(MIB), ("x"):rep(MIB) },
    { "over 1 MiB",              OK .. "\r\n" .. ("x"):rep(MIB + 1),                      nil, "the body is longer than 1 MiB" },
    { "far over 1 MiB",          OK .. "\r\n" .. ("x"):rep(3 * MIB),                      nil, "the body is longer than 1 MiB" },
    { "that says more",          OK .. "Content-Length: " .. MIB + 1 .. "\r\n\r\n",       nil, "the body is longer than 1 MiB" },
    { "that says far more",      OK .. "Content-Length: 99999999999999999999999\r\n\r\n", nil, "the body is longer than 1 MiB" },
    { "cut short",               OK .. "Content-Length: 5\r\n\r\nabc",                    nil, "the reply broke off" },
    { "cut in its head",         OK .. "Content-Le",                                      nil, "the reply broke off" },
    { "cut in its first line",   "HTTP/1.1 20",                                           nil, "the reply broke off" },
    { "that does not come",      "",                                                      nil, "no reply" },
    { "that is reset",           OK .. "\r\nabc",                                         nil, "the reply broke off", RESET },
    { "that is reset when whole", OK .. "Content-Length: 3\r\n\r\nabc",                   "abc", nil, RESET },
    { "404",                     "HTTP/1.1 404 Not Found\r\n\r\nabc",                     nil, "status 404" },
    { "a redirect",              "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n", nil, "status 302" },
    { "204",                     "HTTP/1.1 204 No Content\r\n\r\n",                       nil, "status 204" },
    { "100",                     "HTTP/1.1 100 Continue\r\n\r\n",                         nil, "status 100" },
    { "status 2000",             "HTTP/1.1 2000 OK\r\n\r\n",                              nil, "the reply is no HTTP" },
    { "no status",               "HTTP/1.1 abc OK\r\n\r\n",                               nil, "the reply is no HTTP" },
    { "HTTP/2",                  "HTTP/2.0 200 OK\r\n\r\n",                               nil, "the reply is no HTTP" },
    { "SSH",                     "SSH-2.0-OpenSSH_9.2p1\r\n",                             nil, "the reply is no HTTP" },
    { "TLS",                     "\21\3\1\0\2\2\22\n",                                    nil, "the reply is no HTTP" },
    { "chunked",                 OK .. "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", nil, "the reply comes in chunks, unasked" },
    { "compressed",              OK .. "Content-Encoding: gzip\r\n\r\nabc",               nil, "the reply is compressed, unasked" },
    { "with a negative length",  OK .. "Content-Length: -1\r\n\r\n",                      nil, "Content-Length makes no sense" },
    { "with no length in it",    OK .. "Content-Length:\r\n\r\n",                         nil, "Content-Length makes no sense" },
    { "with two lengths",        OK .. "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", nil, "Content-Length makes no sense" },
    { "with no colon",           OK .. "abc\r\n\r\n",                                     nil, "the reply's head makes no sense" },
    { "with a huge field",       OK .. "A: " .. ("x"):rep(20000) .. "\r\n\r\nabc",        nil, "the reply's head is longer than 16 KiB" },
    { "with very many fields",   OK .. ("A: b\r\n"):rep(3000) .. "\r\nabc",               nil, "the reply's head is longer than 16 KiB" },
    { "with no end of its head", ("x"):rep(20000),                                        nil, "the reply's head is longer than 16 KiB" },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      assert.same({ row[3], row[4] }, { source.reply({ row[2] }, row[5]) })
    end)
  end

  it("is the same in whatever pieces it comes", function()
    for seed, row in ipairs(rows) do
      math.randomseed(seed)
      local pieces, at, most = {}, 1, #row[2] > 30000 and 60000 or 7
      while at <= #row[2] do
        local n = math.random(most)
        pieces[#pieces + 1] = row[2]:sub(at, at + n - 1)
        at = at + n
      end
      assert.same({ row[3], row[4] }, { source.reply(pieces, row[5]) }, row[1])
    end
  end)

  it("is bytes, whatever they are", function()
    for seed = 1, 3000 do
      math.randomseed(seed)
      local text = rows[seed % #rows + 1][2]:sub(1, 300):gsub(".", function(c)
        return math.random(30) == 1 and string.char(math.random(0, 255)) or c
      end)
      local body, why = source.reply { text }
      assert.is_true(body ~= nil or #why > 0)
    end
  end)
end)
