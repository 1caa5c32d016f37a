--- The HTTP server against raw sockets: what it answers, and what hostile clients may not do.
local http = require "spec.support.http"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local socket = require "socket"

local GET = "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
local NEVER = "GET /never HTTP/1.1\r\nHost: x\r\n\r\n"

local server, quick
setup(function()
  server = http.probe()
  quick = http.probe(8, 50) -- limits of 0.2 s for a request, 0.6 s for a handler, 0.1 s for what is busy
end)
-- Each ends by itself: everything is closed, nothing leaks.
teardown(function()
  for _, p in ipairs { server, quick } do
    p:kill "TERM"
    local status, out = p:wait(), p:out()
    p:close()
    assert.equal(0, status)
    assert.truthy(out:find "closed\n$")
  end
end)

local function connect() return http.connect(server.port) end
local function ask(bytes)
  local c = connect():send(bytes)
  local a = c:answer()
  c:close()
  return a
end
local function head(lines) return table.concat(lines, "\r\n") .. "\r\n\r\n" end
local function count(p, word)
  local _, n = p:out():gsub(word, "")
  return n
end
local function cpu_ticks(pid)
  local stat = shell.read("/proc/" .. pid .. "/stat"):match "%) (.*)$"
  local user, system = stat:match(("%S+ "):rep(11) .. "(%d+) (%d+)")
  return tonumber(user) + tonumber(system)
end

describe("an answer", function()
  it("has a length, a date, and forbids sniffing and storing", function()
    local a = ask(head { "GET /echo?b=1&a=%41+b HTTP/1.1", "hOST:  h:1 ", "Cookie: c=1", "Authorization: Bearer t" })
    assert.equal(200, a.status)
    assert.equal("1|/echo|A b|h:1|c=1|Bearer t|", a.body)
    assert.equal("nosniff", a.headers["x-content-type-options"])
    assert.equal("no-store", a.headers["cache-control"])
    assert.equal("x=y", a.headers["set-cookie"])
    assert.truthy(a.headers.date:find "^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$")
  end)
  it("to HEAD has no body", function()
    local c = connect():send((GET:gsub("GET", "HEAD")))
    local a = c:answer(true)
    assert.equal("19", a.headers["content-length"])
    assert.equal("1|/echo|(none)|x|||", c:send(GET):answer().body)
    c:close()
  end)
  it("with a body: what came", function()
    assert.equal("2|/echo|(none)|x|||hello", ask(head { "POST /echo HTTP/1.1", "Host: x", "Content-Length: 5" } .. "hello").body)
    assert.equal("2|/echo|(none)|x|||", ask(head { "POST /echo HTTP/1.1", "Host: x", "Content-Length: 0" }).body)
    assert.equal("4|/echo|(none)|x|||", ask(head { "DELETE /echo HTTP/1.1", "Host: x" }).body)
  end)
  it("a body is awaited with 100 Continue, where that was asked for", function()
    local c = connect():send(head { "POST /echo HTTP/1.1", "Host: x", "Content-Length: 5", "Expect: 100-continue" })
    assert.equal("HTTP/1.1 100 Continue\r\n\r\n", c:read_until "\r\n\r\n")
    assert.equal("2|/echo|(none)|x|||hello", c:send("hello"):answer().body)
    c:close()
  end)
  it("of megabytes arrives whole", function()
    local a = http.get(server.port, "/big?n=5000000")
    assert.equal(("x"):rep(5000000), a.body)
  end)
  it("that is too large for memory is a 503", function()
    assert.equal(503, http.get(server.port, "/big?n=70000000").status)
    assert.equal(200, ask(GET).status)
  end)
  it("may come later", function() assert.equal("later\n", http.get(server.port, "/later?ms=50").body) end)
  it("of the route that fits first", function()
    assert.equal("1|/below/a/b|(none)|x|||", http.get(server.port, "/below/a/b").body)
    assert.equal("1|/below/|(none)|x|||", http.get(server.port, "/below/").body)
    assert.equal(404, http.get(server.port, "/below").status)
    assert.equal(404, http.get(server.port, "/echo/").status)
    assert.equal(404, http.get(server.port, "/").status)
  end)
end)

describe("a connection", function()
  it("serves one request after the other, in their order, also when they come in one piece", function()
    local c = connect():send(GET:gsub("/echo", "/later?ms=30", 1) .. GET .. "\r\n" .. GET:gsub("/echo", "/echo?a=2", 1))
    assert.equal("later\n", c:answer().body)
    assert.equal("1|/echo|(none)|x|||", c:answer().body)
    assert.equal("1|/echo|2|x|||", c:answer().body)
    c:close()
  end)
  it("byte by byte", function()
    local c = connect()
    for byte in (head { "POST /echo HTTP/1.1", "Host: x", "Content-Length: 2" } .. "hi"):gmatch "." do c:send(byte) end
    assert.equal("2|/echo|(none)|x|||hi", c:answer().body)
    c:close()
  end)
  it("ends when the client says so, or speaks HTTP/1.0", function()
    for _, bytes in ipairs { head { "GET /echo HTTP/1.1", "Host: x", "Connection: x, Close" }, "GET /echo HTTP/1.0\r\n\r\n",
      "GET /echo HTTP/1.0\n\n" } do
      local c = connect():send(bytes)
      assert.equal("close", c:answer().headers.connection)
      assert.equal("", c:drain())
      c:close()
    end
    local c = connect():send(head { "GET /echo HTTP/1.0", "Connection: keep-alive" })
    assert.equal(200, c:answer().status)
    assert.equal(200, c:send(GET):answer().status)
    c:close()
  end)
  it("whose client has said all gets its answers", function()
    local c = connect():send(GET .. GET):half_close()
    assert.equal(200, c:answer().status)
    assert.equal(200, c:answer().status)
    assert.equal("", c:drain())
    c:close()
  end)
  it("takes nothing more while an answer is awaited, and costs nothing", function()
    local c = connect():send(NEVER .. GET:rep(10000)) -- more than is kept
    local before = cpu_ticks(server.pid)
    assert.equal(200, ask(GET).status)
    socket.sleep(0.3)
    assert.is_true(cpu_ticks(server.pid) - before < 10)
    c:close()
  end)
end)

describe("a client that leaves", function()
  local rows = {
    { "while it waits", NEVER },
    { "in a stream", "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n" },
  }
  for _, row in ipairs(rows) do
    for how, leave in pairs { closed = function(c) c:close() end, ["half closed"] = function(c) c:half_close() end } do
      it(row[1] .. " is told to whom it concerns, " .. how, function()
        local told = count(server, "gone")
        local c = connect():send(row[2])
        if row[1] == "in a stream" then c:read_until "first\n\n" end
        leave(c)
        assert.truthy(shell.wait_until(function() return count(server, "gone") > told end, 5))
        if how ~= "closed" then assert.equal("", c:drain()) end
        c:close()
      end)
    end
  end
  it("before its head is whole is none", function()
    connect():send("GET /ec"):close()
    assert.equal("", connect():send("GET /ec"):half_close():drain())
  end)
end)

describe("a stream", function()
  it("has no length and ends with the connection", function()
    local c = connect():send "GET /stream?n=100 HTTP/1.1\r\nHost: x\r\n\r\n"
    local a = c:answer()
    assert.is_nil(a.headers["content-length"])
    assert.equal("text/event-stream", a.headers["content-type"])
    assert.equal(100000, #c:drain())
    c:close()
  end)
  it("to HEAD is its head", function()
    local c = connect():send "HEAD /stream?n=3 HTTP/1.1\r\nHost: x\r\n\r\n"
    assert.equal(200, c:answer().status)
    assert.equal("", c:drain())
    c:close()
  end)
  it("to a client that reads too slowly is given up by its owner", function()
    local c = connect():send "GET /stream?n=1000000&size=20000 HTTP/1.1\r\nHost: x\r\n\r\n"
    assert.truthy(server:expect("out", "slow: the client reads too slowly, %d+ queued"))
    c:close()
  end)
end)

describe("refused:", function()
  local function with(...) return head { "GET /echo HTTP/1.1", "Host: x", ... } end
  local function target(t) return head { "GET " .. t .. " HTTP/1.1", "Host: x" } end
  local rows = {
    -- name                          bytes                                                       status
    { "no method of ours", "BREW /echo HTTP/1.1\r\nHost: x\r\n\r\n", 405 },
    { "a method in small letters", "get /echo HTTP/1.1\r\nHost: x\r\n\r\n", 405 },
    { "a method for another page", "POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405 },
    { "a method that is none", "G(T /echo HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "a tunnel", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 400 },
    { "HTTP/2 at once", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
    { "a version that is none", "GET /echo HTTQ/1.1\r\nHost: x\r\n\r\n", 400 },
    { "no version", "GET /echo\r\n\r\n", 400 },
    { "two blanks", "GET  /echo HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "no words", "\1\2\3\r\n\r\n", 400 },
    { "TLS", "\22\3\1\0\200\1\0\n\n", 400 },
    { "a path above", target "/below/../../etc/passwd", 400 },
    { "a path above, encoded", target "/below/%2e%2E/x", 400 },
    { "a path above, its slash encoded", target "/below/..%2fx", 400 },
    { "a path with a dot", target "/./echo", 400 },
    { "a NUL in the path", target "/echo%00", 400 },
    { "a NUL in the query", target "/echo?a=%00", 400 },
    { "a line end in the path", target "/echo%0d%0aX:%20y", 400 },
    { "half an escape", target "/echo%4", 400 },
    { "no escape", target "/echo?a=%zz", 400 },
    { "a fragment", target "/echo#a", 400 },
    { "bytes in the path", target "/ech\xc3\xb6", 400 },
    { "no path", target "echo", 400 },
    { "no Host", "GET /echo HTTP/1.1\r\n\r\n", 400 },
    { "two Hosts", with "Host: y", 400 },
    { "two cookies", with("Cookie: a=1", "Cookie: b=2"), 400 },
    { "a blank before a colon", with "X : y", 400 },
    { "a field over two lines", with("X: y", " z"), 400 },
    { "a field without a colon", with "X", 400 },
    { "a bare CR", with "X: y\rZ: z", 400 },
    { "a NUL in a field", with "X: \0", 400 },
    { "lengths that differ", with("Content-Length: 1", "Content-Length: 2"), 400 },
    { "a list of lengths", with "Content-Length: 1, 1", 400 },
    { "a negative length", with "Content-Length: -1", 400 },
    { "a length of 2^64", with "Content-Length: 18446744073709551616", 400 },
    { "a length and chunks", with("Content-Length: 1", "Transfer-Encoding: chunked"), 400 },
    { "chunks", with "Transfer-Encoding: chunked", 411 },
    { "no length", "POST /echo HTTP/1.1\r\nHost: x\r\n\r\n", 411 },
    { "a body that is too long", with "Content-Length: 1001", 413 },
    { "an expectation", with "Expect: the-unexpected", 417 },
    { "too many fields", with(table.concat({ ("X: y"):rep(101, "\r\n") })), 431 },
    { "a head of 9 KiB", with("X: " .. ("y"):rep(9000)), 431 },
    { "a line without an end", ("y"):rep(9000), 431 },
    { "a head without an end", "GET /echo HTTP/1.1\r\n" .. ("X: y\r\n"):rep(2000), 431 },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local c = connect():send(row[2])
      local a = assert(c:answer())
      assert.equal(row[3], a.status)
      assert.equal("close", a.headers.connection)
      assert.equal("", c:drain()) -- nothing of the rest is taken for a request
      c:close()
    end)
  end
  it("a method, with those that are allowed", function()
    assert.equal("GET, HEAD, POST, DELETE", ask("PUT /echo HTTP/1.1\r\nHost: x\r\n\r\n").headers.allow)
    assert.equal("GET, HEAD", ask("PUT /big HTTP/1.1\r\nHost: x\r\n\r\n").headers.allow)
  end)
  it("and the answer arrives, however much the client still sends", function()
    local c = connect():send(head { "POST /echo HTTP/1.1", "Host: x", "Content-Length: 200000" } .. ("b"):rep(200000))
    assert.equal(413, c:answer().status)
    assert.equal("", c:drain())
    c:close()
  end)
  it("a head of 8 KiB is none of these", function()
    local bytes = with("X: " .. ("y"):rep(8192 - #with "X: "))
    assert.equal(8192, #bytes)
    assert.equal(200, ask(bytes).status)
  end)
end)

describe("taken:", function()
  local rows = {
    { "a proxy's form of the path", "GET http://h/echo?a=1 HTTP/1.1\r\nHost: x\r\n\r\n", "1|/echo|1|x|||" },
    { "an upgrade, which is not done", head { "GET /echo HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: upgrade" },
      "1|/echo|(none)|x|||" },
    { "dots in names", "GET /below/..a/.b HTTP/1.1\r\nHost: x\r\n\r\n", "1|/below/..a/.b|(none)|x|||" },
    { "the same argument twice: the first", "GET /echo?aa=0&a=1&&a=2 HTTP/1.1\r\nHost: x\r\n\r\n", "1|/echo|1|x|||" },
    { "an argument in an argument", "GET /echo?b=a=1%26a=2 HTTP/1.1\r\nHost: x\r\n\r\n", "1|/echo|(none)|x|||" },
    { "lines that end with LF", "GET /echo HTTP/1.1\nHost: x\n\n", "1|/echo|(none)|x|||" },
  }
  for _, row in ipairs(rows) do
    it(row[1], function() assert.equal(row[3], ask(row[2]).body) end)
  end
end)

describe("time:", function()
  local function slow(first, drip)
    local c = http.connect(quick.port):send(first)
    local start = socket.gettime()
    c.patience = 0.05
    local a
    repeat
      if drip then c:send(drip) end
      a = c:answer()
    until a or socket.gettime() - start > 5
    return a, c
  end
  it("a head that comes byte by byte for ever is a 408", function()
    local a, c = slow("GET /echo HTTP/1.1\r\n", "X")
    assert.equal(408, a.status)
    c:close()
  end)
  it("a body alike", function()
    local a, c = slow(head { "POST /echo HTTP/1.1", "Host: x", "Content-Length: 1000" }, "X")
    assert.equal(408, a.status)
    c:close()
  end)
  it("a connection without a byte is closed", function() assert.equal("", http.connect(quick.port):drain()) end)
  it("an answer that does not come is a 503, and its owner is told", function()
    local told = count(quick, "gone")
    local a, c = slow(NEVER)
    assert.equal(503, a.status)
    assert.equal(told + 1, count(quick, "gone"))
    c:close()
  end)
  it("an answer that is not taken breaks off", function()
    local c = http.connect(quick.port):send "GET /big?n=60000000 HTTP/1.1\r\nHost: x\r\n\r\n"
    socket.sleep(1.5) -- of its 1.2 s; there is no sign of it but the bytes that are missing
    local got = c:drain()
    assert.is_true(#got < 60000000)
    c:close()
  end)
end)

describe("many connections:", function()
  it("who keeps us waiting longest makes room", function()
    local idle = {}
    for i = 1, 8 do idle[i] = http.connect(quick.port):send "GET /ec" end
    for _ = 1, 3 do assert.equal(200, http.get(quick.port, "/echo").status) end
    assert.equal("", idle[1]:drain())
    for _, c in ipairs(idle) do c:close() end
  end)
  it("where all are busy, another one waits for one that is over its time", function()
    local busy = {}
    for i = 1, 8 do
      busy[i] = http.connect(quick.port):send "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
      busy[i]:read_until "first\n\n"
    end
    assert.truthy(shell.wait_until(function()
      local c = http.connect(quick.port):send(GET)
      local a = c:answer()
      c:close()
      return a and a.status == 200
    end, 5))
    assert.equal("", busy[1]:drain())
    for _, c in ipairs(busy) do c:close() end
  end)
  it("hundreds, most of them broken: the next one is served", function()
    local list = {}
    for i = 1, 400 do
      local c = http.connect(server.port):send(i % 10 == 0 and NEVER or i % 3 == 1 and "GET /x" or "")
      list[i] = c
      if i % 2 == 0 then c.s:setoption("linger", { on = true, timeout = 0 }) end
    end
    assert.equal(200, ask(GET).status)
    for _, c in ipairs(list) do c:close() end
    assert.equal(200, ask(GET).status)
  end)
end)

describe("an address", function()
  local function start(address) return process.start { (os.getenv "HEADWAY_BUILD" or "build/plain") .. "/http_probe", 0, 0, address } end
  local rows = { { "127.0.0.1:0", true }, { "[::1]:0", true }, { ":0", true }, { "localhost:0", true }, { "8080" }, { "" },
    { "example.invalid:80" }, { "127.0.0.1:65536" }, { "127.0.0.1:" }, { "::1:80" }, { "127.0.0.1:80x" },
    { "[127.0.0.1]:80" }, { ("1"):rep(100) .. ":1" } }
  for _, row in ipairs(rows) do
    it(("'%s'"):format(row[1]:sub(1, 30)), function()
      local p = start(row[1])
      if row[2] then
        assert.truthy(p:expect("out", "port %d+"))
      else
        assert.equal(1, p:wait())
        assert.truthy(p:err():find "^'[^']*' is no address and port")
      end
      p:close()
    end)
  end
  it("that is taken is an error that names it", function()
    local address = "127.0.0.1:" .. server.port
    local p = start(address)
    assert.equal(1, p:wait())
    assert.equal(("listen on '%s': address already in use\n"):format(address), p:err())
    p:close()
  end)
end)
