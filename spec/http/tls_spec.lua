--- The same server under TLS.
local http = require "spec.support.http"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local socket = require "socket"

local GET = "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
local dir, server, ca

local function issue(name)
  local ok, out = shell.run(([[cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout %s.key \
    -out %s.cert -subj /CN=%s -addext subjectAltName=IP:127.0.0.1 2>&1]]):format(dir, name, name, name))
  assert(ok, out)
end
local function use(cert, key)
  process.replace(dir .. "/cert", cert)
  process.replace(dir .. "/key", key)
end
local function of(name) return shell.read(dir .. "/" .. name) end

setup(function()
  dir = process.temp_dir()
  issue "one"
  issue "two"
  use(of "one.cert", of "one.key")
  server = http.probe(0, 20, dir)
  ca = dir .. "/one.cert"
end)
teardown(function()
  server:kill "TERM"
  local status = server:wait()
  server:close()
  process.remove(dir)
  assert.equal(0, status)
end)

describe("TLS:", function()
  it("requests one after the other and in one piece, a body, an answer that comes later, one of megabytes, a stream", function()
    local c = http.connect(server.port, ca)
    assert.equal("1|/echo|(none)|x|||", c:send(GET):answer().body)
    c:send(GET .. "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n" .. ("b"):rep(900) .. GET)
    assert.equal("1|/echo|(none)|x|||", c:answer().body)
    assert.equal("2|/echo|(none)|x|||" .. ("b"):rep(900), c:answer().body)
    assert.equal("1|/echo|(none)|x|||", c:answer().body)
    assert.equal("later\n", c:send("GET /later?ms=20 HTTP/1.1\r\nHost: x\r\n\r\n"):answer().body)
    assert.equal(("x"):rep(5000000), c:send("GET /big?n=5000000 HTTP/1.1\r\nHost: x\r\n\r\n"):answer().body)
    assert.equal("HTTP/1.1 100 Continue\r\n\r\n", c:send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
      :read_until "\r\n\r\n")
    assert.equal(200, c:send("b"):answer().status)
    assert.is_nil(c:send("GET /stream?n=30 HTTP/1.1\r\nHost: x\r\n\r\n"):answer().headers["content-length"])
    assert.equal(30000, #c:drain())
    c:close()
  end)
  it("a refusal arrives", function()
    local c = http.connect(server.port, ca):send("GET / HTTP/1.1\r\nX: " .. ("y"):rep(40000))
    assert.equal(431, c:answer().status)
    assert.equal("", c:drain())
    c:close()
  end)
  it("a client that leaves a stream is told", function()
    local c = http.connect(server.port, ca):send "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
    c:read_until "first\n\n"
    c:close()
    assert.truthy(server:expect("out", "gone", 5))
  end)
  it("none of it: closed, and the next one is served", function()
    for _, bytes in ipairs { GET, ("\0"):rep(1000), "\22\3\1\255\255\1", "\22\3\1\0\5\1\0\0\1\0" } do
      local c = http.connect(server.port):send(bytes)
      c:half_close()
      assert.is_nil((c:drain() or "timeout"):find "HTTP") -- an alert, or nothing
      c:close()
    end
    local c = http.connect(server.port, ca)
    assert.equal(200, c:send(GET):answer().status)
    c:close()
  end)
  it("a handshake that does not come breaks off", function()
    local c = http.connect(server.port):send "\22\3\1"
    local start = socket.gettime()
    assert.equal("", c:drain())
    assert.is_true(socket.gettime() - start < 5)
    c:close()
  end)
  it("another certificate is for those who come; a wrong one is refused, and all is as before", function()
    local before = http.connect(server.port, ca)
    use(of "two.cert", of "one.key")
    server:kill "HUP"
    assert.truthy(server:expect("out", "the key: [^\n]*key values mismatch"))
    http.connect(server.port, ca):close()
    use(of "two.cert", of "two.key")
    server:kill "HUP"
    assert.truthy(server:expect("out", "certified"))
    assert.equal(200, before:send(GET):answer().status)
    before:close()
    http.connect(server.port, dir .. "/two.cert"):close()
    assert.is_false((pcall(http.connect, server.port, ca)))
  end)
  it("no certificate, no key: the server does not start", function()
    for _, pair in ipairs { { "x", of "one.key", "the certificate: " }, { of "one.cert", "x", "the key: " },
      { of "one.cert", of "two.key", "the key: .*mismatch" } } do
      use(pair[1], pair[2])
      local p = process.start { (os.getenv "HEADWAY_BUILD" or "build/plain") .. "/http_probe", 0, 0, "127.0.0.1:0", dir .. "/cert",
        dir .. "/key" }
      assert.equal(1, p:wait())
      assert.truthy(p:err():find("^" .. pair[3]), p:err())
      p:close()
    end
  end)
end)
