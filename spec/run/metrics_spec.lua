--- `headway run` over a metrics port, from outside. What is taken of a reply is in spec/source/reply_spec.lua.
local cjson = require "cjson"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local sidecar = require "spec.support.sidecar"

local fake_api = (select(2, shell.run "pwd")):gsub("\n", "") .. "/spec/support/fake_api.lua"
local PORTS = 11 -- core/source/metrics.h

--- A port with ten above it on which nobody listens.
local function free_ports()
  local taken, port = {}, nil
  for at in (shell.read "/proc/net/tcp" .. (shell.read "/proc/net/tcp6" or "")):gmatch "\n%s*%d+: %x+:(%x+)" do
    taken[tonumber(at, 16)] = true
  end
  local function is_free()
    for i = 0, PORTS - 1 do
      if taken[port + i] then return false end
    end
    return true
  end
  repeat port = math.random(20000, 32000) until is_free()
  return port
end

--- A page as juicefs sync gives it.
local function page(handled, scanned)
  return { body = ([[
# HELP juicefs_sync_handled Handled objects
# TYPE juicefs_sync_handled counter
juicefs_sync_handled{cmd="sync",pid="1"} %d
# HELP juicefs_sync_scanned Scanned objects
# TYPE juicefs_sync_scanned counter
juicefs_sync_scanned{cmd="sync",pid="1"} %d
process_cpu_seconds_total 0.5
]]):format(handled, scanned), headers = { ["Content-Type"] = "text/plain" }, close = true }
end

local PARSER = [[
  local key, value = record:match "^juicefs_sync_(%l+)%S* (%d+)$"
  if key then self[key] = math.tointeger(tonumber(value)) return nil end
  if record ~= "# EOF" then return nil end
  local s = self.scanned and { done = self.handled, total = self.scanned }
  self.scanned = nil
  return s or nil]]

describe("headway run over a metrics port", function()
  local dir, s, servers, port

  before_each(function()
    math.randomseed(os.time(), os.clock() * 1000000 // 1)
    dir, servers, port = process.temp_dir(), {}, free_ports()
  end)
  after_each(function()
    if s then s:close() end
    s = nil
    for _, server in ipairs(servers) do server:close() end
    process.remove(dir)
  end)

  --- A server that gives these answers, one a request.
  local function serve(at, ...)
    local home = ("%s/server%d"):format(dir, #servers + 1)
    shell.run("mkdir " .. home)
    shell.write(home .. "/plan", cjson.encode { port = at, answers = { ... } })
    local server = process.start { "lua5.4", fake_api, home }
    servers[#servers + 1] = server
    server.home = home
    assert(shell.wait_until(function() return shell.read(home .. "/port") end, 20), server:err())
    return server
  end

  local function requests(server)
    local list = {}
    for line in (shell.read(server.home .. "/log") or ""):gmatch "[^\n]+" do
      local event = cjson.decode(line)
      if event.path or event.method then list[#list + 1] = event end
    end
    return list
  end

  local function start(env, ...)
    env = env or {}
    env.HEADWAY_POLL = env.HEADWAY_POLL or "100ms"
    env.HEADWAY_METRICS_PORT = tostring(port)
    env.HEADWAY_PARSER = sidecar.parser(dir, "sync", PARSER)
    s = sidecar.start(env, ...)
    return s
  end

  it("publishes first what the page says, then page by page", function()
    serve(port, page(3, 10), page(3, 10), page(4, 10), page(7, 12))
    start()
    assert.equal("sync", s:await("7/12").parser)
    assert.equal("3/10", s:lines()[1].progress)
    assert.is_nil(s:stop().refused)
  end)

  it("asks 127.0.0.1 alone, for that path, with nothing of ours", function()
    local proxy = serve(port + 20, page(9, 9))
    local server = serve(port, page(3, 10))
    start({ http_proxy = "http://127.0.0.1:" .. port + 20, HTTP_PROXY = "http://127.0.0.1:" .. port + 20,
      all_proxy = "http://127.0.0.1:" .. port + 20 }, "--metrics-path", "/some/where?x=1")
    s:await "3/10"
    local first = requests(server)[1]
    assert.equal("/some/where?x=1", first.path)
    local names = {}
    for name in pairs(first.headers) do names[#names + 1] = name:lower() end
    table.sort(names)
    assert.same({ "accept", "host" }, names)
    assert.equal(0, #requests(proxy))
  end)

  it("says that nobody listens, and takes the port that is opened later", function()
    start()
    s:await_reason(("^metrics port %d: connection refused$"):format(port))
    serve(port, page(3, 10))
    s:await "3/10"
  end)

  for _, up in ipairs { 1, 5, 10 } do
    it(("finds it %d ports above"):format(up), function()
      serve(port + up, page(3, 10), page(4, 10))
      start()
      s:await "4/10"
    end)
  end

  it("does not find it 11 ports above", function()
    local server = serve(port + PORTS, page(3, 10))
    start()
    s:await_reason "connection refused"
    shell.run "sleep 1"
    assert.equal(0, #requests(server))
  end)

  it("passes those who answer something else, and stays with the one that is understood", function()
    local other = serve(port, { body = "<html>1/2</html>" })
    local strange = serve(port + 2, { raw = "SSH-2.0-OpenSSH_9.2p1\r\n" })
    local silent = serve(port + 3, { hang = true })
    serve(port + 4, page(3, 10), page(3, 10), page(3, 10), page(4, 10), page(5, 10))
    start()
    s:await "5/10"
    local before = #requests(other)
    shell.run "sleep 1" -- ten rounds
    assert.equal(before, #requests(other))
    assert.is_true(#requests(strange) <= 3 and #requests(silent) <= 3)
  end)

  it("looks anew when nobody listens any more", function()
    local server = serve(port + 1, page(3, 10))
    start()
    s:await "3/10"
    shell.run "sleep 0.5"
    server:close()
    serve(port + 4, page(6, 10))
    s:await "6/10"
  end)

  it("stays with the one that is slow or broken for a while", function()
    local server = serve(port, page(3, 10), page(3, 10), { status = 503 }, { status = 503 }, { raw = "x\n" }, page(8, 10))
    start()
    s:await "8/10"
    assert.is_true(#requests(server) >= 6)
  end)

  local hostile = {
    { "endless",               { raw = ("x"):rep(1000), drip = 10 },                                 "the reply broke off|no answer within 2 s|no HTTP" },
    { "over 1 MiB",            { body = ("x"):rep(3000000) },                                        "the body is longer than 1 MiB" },
    { "over 1 MiB, unsaid",    { raw = "HTTP/1.1 200 OK\r\n\r\n" .. ("x"):rep(3000000) },            "the body is longer than 1 MiB" },
    { "a redirect",            { status = 302, headers = { Location = "http://169.254.169.254/" } }, "status 302" },
    { "slow",                  { body = ("x"):rep(10000), drip = 1 },                                "no answer within 2 s" },
    { "silent",                { hang = true },                                                      "no answer within 2 s" },
    { "chunked",               { raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n1/2\r\n0\r\n\r\n" }, "in chunks" },
    { "garbage",               { raw = "\0\1\2\255\n\n\n" },                                         "no HTTP" },
    { "huge headers",          { headers = { X = ("y"):rep(20000) } },                               "longer than 16 KiB" },
    { "reset",                 { reset = true },                                                     "no reply|broke off" },
    { "cut",                   { body = "juicefs_sync_handled 1\njuicefs_sync_scanned 2\n# EOF\n", cut = true, close = true }, "broke off" },
  }
  for _, row in ipairs(hostile) do
    it("a reply that is " .. row[1] .. " says nothing, and the next one is taken", function()
      serve(port, row[2], row[2], page(3, 10))
      start()
      local line = s:await(function(l) return (l.reason or ""):find("^metrics port " .. port .. ": ") end)
      local fits = false
      for why in row[3]:gmatch "[^|]+" do fits = fits or line.reason:find(why, 1, true) end
      assert.is_truthy(fits, line.reason)
      s:await "3/10"
      for _, l in ipairs(s:lines()) do assert.is_true(l.progress == "0/100" or l.progress == "3/10", l.progress) end
    end)
  end

  it("takes a page of 1 MiB whole, however slow the parser", function()
    local body = page(3, 10).body
    local filler = ("# a comment that says nothing at all\n"):rep((1024 * 1024 - #body) // 37)
    serve(port, { body = filler .. body, headers = { ["Content-Type"] = "text/plain" }, close = true })
    start()
    s:await "3/10"
  end)

  it("keeps a page's own end", function()
    local one = page(3, 10)
    one.body = one.body .. "# EOF\n"
    serve(port, one)
    start()
    s:await "3/10"
  end)

  it("on SIGTERM asks once more", function()
    serve(port, page(3, 10), page(9, 10))
    start { HEADWAY_POLL = "10m" }
    s:await "3/10"
    assert.equal("9/10", s:stop().progress)
  end)

  it("on SIGTERM does not wait for who does not answer", function()
    serve(port, page(3, 10), { hang = true })
    start { HEADWAY_POLL = "10m" }
    s:await "3/10"
    assert.equal("3/10", s:stop().progress)
  end)

  it("the progress file wins once it held a valid N/M", function()
    local server = serve(port, page(3, 10))
    start { FLUID_PROGRESS_FILE = dir .. "/progress" }
    s:await "3/10"
    process.replace(dir .. "/progress", "5/7\n")
    s:await "5/7"
    shell.run "sleep 0.5"
    local count = #requests(server)
    shell.run "sleep 0.5"
    assert.equal(count, #requests(server)) -- nobody is asked any more
    assert.equal("5/7", s:stop().progress)
  end)

  local wrong = {
    { { "--metrics-port", "0" }, "1 to 65535" },
    { { "--metrics-port", "65536" }, "1 to 65535" },
    { { "--metrics-port", "http://127.0.0.1/" }, "metrics-port" },
    { { "--metrics-port", "9567", "--metrics-path", "metrics" }, "must begin with /" },
    { { "--metrics-port", "9567", "--metrics-path", "/a b" }, "hold no space" },
    { { "--metrics-port", "9567", "--metrics-path", "/a\r\nX: y" }, "metrics-path" },
  }
  for _, row in ipairs(wrong) do
    it("wrong use: " .. table.concat(row[1], " "):gsub("%c", "."), function()
      local p = process.start { process.headway, "run", table.unpack(row[1]) }
      servers[#servers + 1] = p
      assert.equal(2, p:wait())
      assert.matches(row[2], p:err(), 1, true)
    end)
  end
end)
