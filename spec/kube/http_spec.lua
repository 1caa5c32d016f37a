--- The client and the sinks against a server that plays a script: faults, headers, retries.
local cjson = require "cjson"
local probe = require "spec.support.kube_probe"
local shell = require "spec.support.cluster_shell"
if probe.skip(pending) then return end
if not pcall(require, "socket") then return pending "no lua-socket" end

local serve = probe.server_of_tests(after_each)
teardown(probe.clean)

local function kubeconfig(server, opts)
  opts = opts or {}
  local path = probe.dir() .. "/config"
  shell.write(path, ([[
current-context: x
contexts: [ { name: x, context: { cluster: c, user: u } } ]
clusters: [ { name: c, cluster: { server: "%s", %s } } ]
users: [ { name: u, user: { %s } } ]
]]):format(opts.server or server.url, opts.cluster or "", opts.user or "token: abc"))
  return path
end

local function open(server, opts)
  return { ["do"] = "open", kubeconfig = kubeconfig(server, opts), parallel = opts and opts.parallel }
end
local function get(id, more)
  local c = { ["do"] = "send", id = id or 0, verb = "get", version = "v1", resource = "pods", namespace = "ns", name = "x" }
  for k, v in pairs(more or {}) do c[k] = v end
  return c
end
local function wait(kind, count, ms) return { ["do"] = "wait", ["for"] = kind, count = count, ms = ms } end
local function sleep(ms) return { ["do"] = "wait", ms = ms } end
local IDLE = { ["do"] = "idle" }

local function one(answer, request, opts)
  local server = serve { answers = { answer } }
  local events = probe.run { open(server, opts), get(0, request), wait "reply", IDLE }
  assert.truthy(events.reply, "no reply")
  return events.reply[1], server, events
end

local function status(code, message)
  return cjson.encode { kind = "Status", status = "Failure", code = code, message = message }
end

describe("client:", function()
  it("one connection for all requests, HTTP/1.1, its headers and no others", function()
    local server = serve { answers = { { body = '{"kind":"Pod"}' } } }
    local events = probe.run { open(server), get(0), wait "reply", get(1), get(2, { verb = "patch", body = '{"a":1}',
      metadata_only = true, query = "fieldManager=x" }), wait("reply", 2), IDLE }
    assert.equal("ok", events.reply[3].outcome)
    assert.equal(1, #server.log "connection")
    local log = server.log "request"
    assert.equal("GET", log[1].method)
    assert.equal("/api/v1/namespaces/ns/pods/x", log[1].path)
    local version = log[1].headers["user-agent"]:match "^headway/%d+%.%d+%.%d+$"
    assert.truthy(version)
    assert.same({ host = "127.0.0.1:" .. server.port, accept = "application/json", authorization = "Bearer abc",
      ["user-agent"] = log[1].headers["user-agent"] }, log[1].headers)
    assert.equal("PATCH", log[3].method)
    assert.equal("/api/v1/namespaces/ns/pods/x?fieldManager=x", log[3].path)
    assert.equal('{"a":1}', log[3].body)
    assert.equal("application/merge-patch+json", log[3].headers["content-type"])
    assert.truthy(log[3].headers.accept:find "^application/json;as=PartialObjectMetadata")
    assert.is_nil(log[3].headers.expect)
  end)

  it("nothing runs when idle: no active handle, no wakeup", function()
    local server = serve { answers = { {} } }
    local events = probe.run { open(server), get(0), wait "reply", sleep(50), IDLE, sleep(1500), IDLE }
    assert.equal(0, events.is[1].active)
    assert.equal(0, events.is[2].active)
    assert.is_true(events.is[2].switches - events.is[1].switches <= 2, "woke up while idle") -- the probe's own timer
  end)

  it("parallel requests each on their own connection, one is kept", function()
    local server = serve { answers = { { delay = 0.3 } } }
    local events = probe.run { open(server, { parallel = 3 }), get(0), get(1), get(2), get(3), wait("reply", 4) }
    assert.equal(4, #events.reply)
    assert.equal(3, #server.log "connection")
  end)
  it("in order, one after another, by default", function()
    local server = serve { answers = { { delay = 0.1 } } }
    local events = probe.run { open(server), get(3), get(1), get(2), wait("reply", 3) }
    assert.same({ 3, 1, 2 }, { events.reply[1].id, events.reply[2].id, events.reply[3].id })
    assert.equal(1, #server.log "connection")
  end)

  it("no redirect is followed, the token stays here", function()
    local other = serve { answers = { {} } }
    local reply = one { status = 307, headers = { Location = other.url .. "/x" } }
    assert.equal("odd", reply.outcome)
    assert.equal(0, #other.log "connection")
  end)

  it("a server name is resolved without holding up the loop", function()
    local server = serve { answers = { {} } }
    local events = probe.run { open(server, { server = "http://localhost:" .. server.port }), get(0), wait "reply" }
    assert.equal("ok", events.reply[1].outcome)
  end)
  it("a path prefix of the server stays in front", function()
    local server = serve { answers = { {} } }
    probe.run { open(server, { server = server.url .. "/k8s/c-1/" }), get(0), wait "reply" }
    assert.equal("/k8s/c-1/api/v1/namespaces/ns/pods/x", server.log("request")[1].path)
  end)

  it("proxy variables are not used for loopback", function()
    local server, proxy = serve { answers = { {} } }, serve { answers = { { status = 502 } } }
    local events = probe.run({ open(server), get(0), wait "reply" }, { env = { http_proxy = proxy.url,
      HTTP_PROXY = proxy.url, HTTPS_PROXY = proxy.url, ALL_PROXY = proxy.url } })
    assert.equal("ok", events.reply[1].outcome)
    assert.equal(0, #proxy.log "connection")
  end)
  it("proxy variables are not used in a cluster; for a kubeconfig they are", function()
    local proxy = serve { answers = { { status = 502, close = true } } }
    local sa = probe.dir()
    shell.write(sa .. "/token", "t")
    shell.write(sa .. "/ca.crt", "x")
    local env = { HTTPS_PROXY = proxy.url, KUBERNETES_SERVICE_HOST = "192.0.2.1", KUBERNETES_SERVICE_PORT = "1" }
    local events = probe.run({ { ["do"] = "open", service_account_dir = sa }, get(0, { deadline = 300 }), wait "reply" },
      { env = env })
    assert.equal("network", events.reply[1].outcome)
    assert.equal(0, #proxy.log "connection")
    local path = kubeconfig(proxy, { server = "https://192.0.2.1:1" })
    events = probe.run({ { ["do"] = "open", kubeconfig = path }, get(0), wait "reply" }, { env = env })
    assert.equal("network", events.reply[1].outcome)
    assert.equal("CONNECT", proxy.log("request")[1].method)
    assert.is_nil(proxy.log("request")[1].headers.authorization)
  end)
  it("the kubeconfig's own proxy", function()
    local proxy = serve { answers = { { status = 403, close = true } } }
    local path = kubeconfig(proxy, { server = "https://192.0.2.1:1", cluster = ('proxy-url: "%s"'):format(proxy.url) })
    local events = probe.run({ { ["do"] = "open", kubeconfig = path }, get(0), wait "reply" }, { env = { NO_PROXY = "*" } })
    assert.equal("network", events.reply[1].outcome)
    assert.equal("CONNECT", proxy.log("request")[1].method)
  end)
end)

describe("faults:", function()
  local cases = {
    { "reset in place of an answer", { reset = true }, "network", "the connection broke" },
    { "closed without an answer", { raw = "" }, "network", "broke" },
    { "cut in the headers", { raw = "HTTP/1.1 200 OK\r\nContent-Le" }, "odd" },
    { "cut in the body", { cut = true, body = '{"kind":"Pod"' }, "network", "cut off" },
    { "cut without a length", { raw = 'HTTP/1.1 200 OK\r\n\r\n{"kind":"Pod"' }, "odd", "not an answer of a Kubernetes" },
    { "garbage for HTTP", { raw = "SSH-2.0-OpenSSH\r\n" }, "odd" },
    { "garbage for JSON", { body = '{"kind": nope}' }, "odd", "proxy" },
    { "HTML with 200", { body = "<html>log in</html>" }, "odd" },
    { "an empty 200", { body = "" }, "odd" },
    { "deep nesting", { body = ("["):rep(100000) }, "odd" },
    { "a hang", { hang = true }, "network", "no whole answer in 0.5 s", { deadline = 500 } },
    { "a drip", { drip = 5, pad = 200 }, "network", "no whole answer in 0.5 s", { deadline = 500 } },
    { "too large an answer", { pad = 5000 }, "odd", "larger than 1000 bytes", { answer_max = 1000 } },
    { "too large by default", { pad = 4 * 1024 * 1024 }, "odd", "larger than 4194304 bytes" },
    { "just not too large", { pad = 4 * 1024 * 1024 - 2 }, "ok" },
    { "endless headers", { raw = "HTTP/1.1 200 OK\r\n" .. ("X: " .. ("y"):rep(1000) .. "\r\n"):rep(100) .. "\r\n{}" }, "odd" },
    { "a huge header line", { raw = "HTTP/1.1 200 OK\r\nX: " .. ("y"):rep(300000) .. "\r\n\r\n{}" }, "odd" },
    { "100 before 200", { raw = "HTTP/1.1 100 Continue\r\nRetry-After: 7\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" }, "ok" },
    { "chunks", { raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n" }, "ok" },
    { "broken chunks", { raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}" }, "network" },
    { "an unknown encoding", { headers = { ["Content-Encoding"] = "gzip" }, body = "\31\139" }, "odd" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local reply = one(case[2], case[5])
      assert.equal(case[3], reply.outcome, reply.error)
      if case[4] then assert.truthy(reply.error:find(case[4], 1, true), reply.error) end
      assert.is_true(reply.ms < 2500)
    end)
  end
  it("nobody listens", function()
    local server = serve { answers = { {} } }
    local events = probe.run { open(server, { server = "http://127.0.0.1:1" }), get(0), wait "reply" }
    assert.equal("network", events.reply[1].outcome)
    assert.truthy(events.reply[1].error:find("can't connect", 1, true))
  end)
  it("a name that does not exist", function()
    local server = serve { answers = { {} } }
    local events = probe.run { open(server, { server = "https://nowhere.invalid" }), get(0), wait "reply" }
    assert.equal("network", events.reply[1].outcome)
    assert.truthy(events.reply[1].error:find("name can't be resolved", 1, true), events.reply[1].error)
  end)
  it("a kept connection that was closed meanwhile is replaced without a word", function()
    local server = serve { answers = { { close = false }, { close = true }, {}, {} } }
    local events = probe.run { open(server), get(0), wait "reply", get(1), wait "reply", sleep(50), get(2), wait "reply" }
    assert.equal("ok", events.reply[3].outcome)
    assert.equal(2, #server.log "connection")
  end)
  it("a kept connection that breaks under a request is tried again on a new one", function()
    local server = serve { answers = { {}, { reset = true }, {} } }
    local events = probe.run { open(server), get(0), wait "reply", get(1, { verb = "patch", body = "{}" }), wait "reply" }
    assert.equal("ok", events.reply[2].outcome)
    assert.equal("{}", server.log("request")[3].body)
  end)
  it("Retry-After reaches the caller", function()
    local reply = one { status = 429, headers = { ["Retry-After"] = "7" } }
    assert.equal("throttled", reply.outcome)
    assert.equal(7000, reply.retry_after)
    assert.equal(5000, (one { status = 503, headers = { Date = "Thu, 01 Jan 2026 00:00:00 GMT", -- whatever our clock says
      ["Retry-After"] = "Thu, 01 Jan 2026 00:00:05 GMT" } }).retry_after)
    assert.equal(-1, (one { status = 503, headers = { ["Retry-After"] = "-7" } }).retry_after)
    assert.equal(3000, (one { status = 503, headers = { ["retry-AFTER"] = " 3 " } }).retry_after)
  end)
end)

describe("credentials:", function()
  local dir
  before_each(function() dir = probe.dir() end)
  local function token_file(text)
    shell.write(dir .. "/token", text)
    return { user = ('tokenFile: "%s/token"'):format(dir) }
  end

  it("a token file is read anew for each request", function()
    local server = serve { answers = { {} } }
    local opts = token_file " one\n"
    probe.run { open(server, opts), get(0), wait "reply",
      { ["do"] = "sh", run = ("echo two > %s/new && mv %s/new %s/token"):format(dir, dir, dir) }, get(1), wait "reply" }
    local log = server.log "request"
    assert.equal("Bearer one", log[1].headers.authorization)
    assert.equal("Bearer two", log[2].headers.authorization)
  end)
  it("401: read anew and sent once more at once", function()
    local server = serve { answers = { { status = 401, body = status(401, "Unauthorized") }, { body = "{}" } } }
    local events = probe.run { open(server, token_file "one"), get(0), wait "reply" }
    assert.equal("ok", events.reply[1].outcome)
    assert.equal(2, #server.log "request")
  end)
  it("401 twice: given out; not tried a third time", function()
    local server = serve { answers = { { status = 401, body = status(401, "Unauthorized") } } }
    local events = probe.run { open(server, token_file "one"), get(0), wait "reply", sleep(200) }
    assert.equal("unauthorized", events.reply[1].outcome)
    assert.equal(2, #server.log "request")
  end)
  it("401 with a token that can't change: given out at once", function()
    local server = serve { answers = { { status = 401, body = "x" } } }
    local events = probe.run { open(server), get(0), wait "reply", sleep(200) }
    assert.equal("unauthorized", events.reply[1].outcome)
    assert.equal(1, #server.log "request")
  end)
  local bad = {
    { "missing", function() os.remove(dir .. "/token") end, "No such file" },
    { "empty", function() shell.write(dir .. "/token", "\n") end, "empty" },
    { "of two lines", function() shell.write(dir .. "/token", "secret\nX-Evil: y") end, "byte 7 is no visible ASCII" },
    { "a directory", function() os.remove(dir .. "/token") shell.run("mkdir " .. dir .. "/token") end, "not a file" },
    { "a FIFO", function() os.remove(dir .. "/token") shell.run("mkfifo " .. dir .. "/token") end, "not a file" },
    { "huge", function() shell.write(dir .. "/token", ("x"):rep(70000)) end, "more than 65536 bytes" },
  }
  for _, row in ipairs(bad) do
    it("token file " .. row[1], function()
      local server = serve { answers = { {} } }
      local opts = token_file "x"
      row[2]()
      local events = probe.run { open(server, opts), get(0), wait "reply" }
      assert.equal("local", events.reply[1].outcome)
      assert.truthy(events.reply[1].error:find(row[3], 1, true), events.reply[1].error)
      assert.is_nil(events.reply[1].error:find "secret")
      assert.equal(0, #server.log "connection")
    end)
  end
  it("no user: no Authorization", function()
    local server = serve { answers = { {} } }
    probe.run { open(server, { user = "" }), get(0), wait "reply" }
    assert.is_nil(server.log("request")[1].headers.authorization)
  end)
end)

describe("credential plugin:", function()
  local dir
  before_each(function() dir = probe.dir() end)
  --- body: of a shell script; it may call give TOKEN [SECONDS]
  local function plugin(body, more)
    shell.write(dir .. "/plugin", ([[#!/bin/sh
echo run >> %s/runs
give() {
  end=
  [ -n "$2" ] && end=", \"expirationTimestamp\": \"$(date -u -d "@$(($(date +%%s) + $2))" +%%Y-%%m-%%dT%%H:%%M:%%SZ)\""
  echo "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"$1\"$end}}"
}
]]):format(dir) .. body .. "\n")
    shell.run("chmod +x " .. dir .. "/plugin")
    return { user = ('exec: { apiVersion: client.authentication.k8s.io/v1, command: "%s/plugin", %s }'):format(dir, more or "") }
  end
  local function runs() return select(2, (shell.read(dir .. "/runs") or ""):gsub("run", "")) end

  it("gives a token, is run once, for all that wait", function()
    local server = serve { answers = { {} } }
    local opts = plugin "sleep 0.2; give abc"
    opts.parallel = 2
    local events = probe.run { open(server, opts), get(0), get(1), get(2), wait("reply", 3) }
    assert.equal(3, #events.reply)
    for _, request in ipairs(server.log "request") do assert.equal("Bearer abc", request.headers.authorization) end
    assert.equal(1, runs())
  end)
  it("is run again when the token has expired", function()
    local server = serve { answers = { {} } }
    probe.run { open(server, plugin "give abc 3"), get(0), wait "reply", get(1), wait "reply", sleep(3300), get(2), wait "reply" }
    assert.equal(2, runs())
  end)
  it("a token that is over when it comes is used all the same, not asked for again at once", function()
    local server = serve { answers = { {} } }
    local events = probe.run { open(server, plugin "give abc -3600"), get(0), wait "reply", get(1), wait "reply" }
    assert.equal("ok", events.reply[2].outcome)
    assert.equal(1, runs())
  end)
  it("is run again after a 401", function()
    local server = serve { answers = { {}, { status = 401, body = status(401, "x") }, {} } }
    local events = probe.run { open(server, plugin([[give "t$(wc -l < ]] .. dir .. [[/runs)"]])), get(0), wait "reply", get(1), wait "reply" }
    assert.equal("ok", events.reply[2].outcome)
    assert.equal(2, runs())
    assert.equal("Bearer t2", server.log("request")[3].headers.authorization)
  end)
  it("gets arguments, environment, KUBERNETES_EXEC_INFO; no input, no terminal", function()
    local server = serve { answers = { {} } }
    local opts = plugin([[{ echo "$1|$2|$WHO|$HOME"; cat; echo "$KUBERNETES_EXEC_INFO"; } > ]] .. dir .. [[/seen; give abc]],
      'args: [a, "b c"], env: [ { name: WHO, value: me }, { name: HOME, value: /nowhere } ], provideClusterInfo: true')
    probe.run({ open(server, opts), get(0), wait "reply" }, { env = { HOME = "/root" } })
    local first, info = shell.read(dir .. "/seen"):match "([^\n]*)\n([^\n]*)"
    assert.equal("a|b c|me|/nowhere", first)
    info = cjson.decode(info)
    assert.equal("client.authentication.k8s.io/v1", info.apiVersion)
    assert.is_false(info.spec.interactive)
    assert.equal(server.url, info.spec.cluster.server)
  end)
  it("inherits no socket of ours", function()
    local server = serve { answers = { {}, { status = 401, body = status(401, "x") }, {} } }
    local opts = plugin("ls -l /proc/$$/fd > " .. dir .. "/fds; give abc")
    probe.run { open(server, opts), get(0), wait "reply", get(1), wait "reply" }
    assert.equal(2, runs())
    local _, count = shell.read(dir .. "/fds"):gsub("socket:", "")
    assert.equal(2, count) -- stdout and stderr, as libuv makes them
  end)
  local bad = {
    { "that fails", "echo first >&2; echo 'please log in: secret?' >&2; exit 3", "ended with status 3: please log in: secret?" },
    { "killed by a signal", "kill -9 $$", "ended with status 137" },
    { "that says nothing", "true", "not a JSON object" },
    { "with the wrong version", "give abc | sed s,v1,v1beta1,", "not of apiVersion" },
    { "with too much output", "head -c 2000000 /dev/zero; sleep 100", "more than 1048576 bytes" },
    { "whose token is two lines", [[give 'a\\u0020b']], "visible ASCII" },
  }
  for _, row in ipairs(bad) do
    it("one " .. row[1], function()
      local server = serve { answers = { {} } }
      local events = probe.run { open(server, plugin(row[2])), get(0), get(1), wait("reply", 2) }
      for i = 1, 2 do
        assert.equal("local", events.reply[i].outcome)
        assert.truthy(events.reply[i].error:find(row[3], 1, true), events.reply[i].error)
        assert.truthy(events.reply[i].error:find(dir .. "/plugin", 1, true))
      end
      assert.equal(0, #server.log "connection")
    end)
  end
  it("that is not there: the hint is shown", function()
    local server = serve { answers = { {} } }
    local events = probe.run { open(server, { user = [[exec: { apiVersion: client.authentication.k8s.io/v1,
      command: no-such-plugin, installHint: "see example.org" }]] }), get(0), wait "reply" }
    assert.equal("local", events.reply[1].outcome)
    assert.truthy(events.reply[1].error:find("no such file or directory; see example.org", 1, true), events.reply[1].error)
  end)
  it("whose grandchild keeps the pipe: its answer counts all the same", function()
    local server = serve { answers = { {} } }
    local events = probe.run { open(server, plugin "give abc; sleep 3 & "), get(0), wait("reply", 1, 5000) }
    assert.equal("ok", events.reply[1].outcome)
  end)
  it("is killed with its children when nobody waits any more", function()
    local server = serve { answers = { {} } }
    local opts = plugin("sh -c 'echo $$ > " .. dir .. "/child; sleep 50' & sleep 50")
    local began = shell.now()
    probe.run { open(server, opts), get(0), sleep(300) }
    assert.is_true(shell.now() - began < 20) -- sleep 50 would be waited for otherwise
    local child = shell.read(dir .. "/child"):match "%d+"
    assert.is_true(shell.wait_until(function() return not shell.alive(math.tointeger(tonumber(child))) end, 5))
  end)
end)

describe("cancel and free:", function()
  for _, act in ipairs { "cancel", "free" } do
    it(act .. " in a callback", function()
      local server = serve { answers = { {} } }
      local events = probe.run { open(server, { parallel = 2 }), get(0), get(1), get(2),
        { ["do"] = "in_callback", act = act }, wait "reply", sleep(200) }
      assert.equal(1, #events.reply)
      assert.is_true(events["end"][1].clean)
    end)
  end
  it("cancel at each stage, no callback comes", function()
    local server = serve { answers = { { delay = 0.1 }, { delay = 0.1 }, {} } }
    local events = probe.run { open(server), get(0), { ["do"] = "cancel", id = 0 }, get(1), sleep(50),
      { ["do"] = "cancel", id = 1 }, get(2), wait "reply", sleep(300), IDLE }
    assert.equal(1, #events.reply)
    assert.equal(2, events.reply[1].id)
    assert.equal(0, events.is[1].active)
  end)
  it("free while a request hangs, while a name resolves, while a plugin runs", function()
    local server = serve { answers = { { hang = true } } }
    local began = shell.now()
    for _, opts in ipairs { {}, { server = "https://nowhere.invalid" },
      { user = "exec: { apiVersion: client.authentication.k8s.io/v1, command: sleep, args: ['60'] }" } } do
      assert.is_true(probe.run({ open(server, opts), get(0), get(1), sleep(100) })["end"][1].clean)
    end
    assert.is_true(shell.now() - began < 20) -- sleep 50 would be waited for otherwise
  end)
end)

describe("TLS:", function()
  local keys
  setup(function()
    keys = probe.dir()
    local ok, output = shell.run(([[cd %s && exec 2>&1; set -e
ec="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
for ca in ca other; do
  openssl req -x509 -new $ec -days 3 -subj /CN=$ca -addext basicConstraints=critical,CA:TRUE -keyout $ca.key -out $ca.crt
done
leaf() { openssl req -x509 -new $ec -days 3 -CA $1.crt -CAkey $1.key -subj /CN=$2 -addext basicConstraints=CA:FALSE \
  -addext "subjectAltName=$3" -keyout $2.key -out $2.crt; }
leaf ca server IP:127.0.0.1,DNS:kubernetes
leaf ca wrong DNS:elsewhere
leaf other foreign IP:127.0.0.1
leaf ca client DNS:me]]):format(keys))
    assert(ok, output)
  end)
  local function tls(name, more)
    local t = { cert = keys .. "/" .. name .. ".crt", key = keys .. "/" .. name .. ".key" }
    for k, v in pairs(more or {}) do t[k] = v end
    return serve { tls = t, answers = { {} } }
  end
  local function ask(server, ca, user, more)
    local opts = { cluster = ('certificate-authority: "%s/%s.crt"%s'):format(keys, ca, more or ""), user = user }
    return probe.run({ open(server, opts), get(0), wait "reply" }).reply[1]
  end

  it("a server that the CA signed", function() assert.equal("ok", ask(tls "server", "ca").outcome) end)
  it("another CA is not believed, and is named", function()
    local reply = ask(tls "foreign", "ca")
    assert.equal("network", reply.outcome)
    assert.truthy(reply.error:find("certificate is not believed", 1, true), reply.error)
    assert.truthy(reply.error:find(keys .. "/ca.crt", 1, true), reply.error)
  end)
  it("the system's CAs are not believed beside the given one", function()
    local server, dir = tls "foreign", probe.dir()
    shell.run(("cp %s/other.crt %s && openssl rehash %s"):format(keys, dir, dir))
    local opts = { cluster = ('certificate-authority: "%s/ca.crt"'):format(keys) }
    local events = probe.run({ open(server, opts), get(0), wait "reply" },
      { env = { SSL_CERT_DIR = dir, SSL_CERT_FILE = keys .. "/other.crt", CURL_CA_BUNDLE = keys .. "/other.crt" } })
    assert.equal("network", events.reply[1].outcome)
  end)
  it("another name is not believed", function()
    assert.truthy(ask(tls "wrong", "ca").error:find("certificate is not believed", 1, true))
  end)
  it("tls-server-name: that name is asked for and checked", function()
    local server = tls "wrong"
    assert.equal("ok", ask(server, "ca", nil, ', tls-server-name: elsewhere').outcome)
    assert.equal("127.0.0.1:" .. server.port, server.log("request")[1].headers.host)
    assert.equal("network", ask(tls "server", "ca", nil, ', tls-server-name: elsewhere').outcome)
  end)
  it("TLS 1.1 is refused", function()
    assert.equal("network", ask(tls("server", { protocol = "tlsv1_1" }), "ca").outcome)
  end)
  it("TLS 1.2 is taken", function()
    assert.equal("ok", ask(tls("server", { protocol = "tlsv1_2" }), "ca").outcome)
  end)
  it("a client certificate, by file and by data", function()
    local files = ('client-certificate: "%s/client.crt", client-key: "%s/client.key"'):format(keys, keys)
    assert.equal("ok", ask(tls("server", { ca = keys .. "/ca.crt" }), "ca", files).outcome)
    local function data(name) return (select(2, shell.run(("base64 -w0 %s/%s"):format(keys, name)))) end
    local inline = ("client-certificate-data: %s, client-key-data: %s"):format(data "client.crt", data "client.key")
    assert.equal("ok", ask(tls("server", { ca = keys .. "/ca.crt" }), "ca", inline).outcome)
    assert.equal("network", ask(tls("server", { ca = keys .. "/ca.crt" }), "ca").outcome)
  end)
  it("a client certificate from a plugin", function()
    local function text(name) return shell.read(keys .. "/" .. name) end
    shell.write(keys .. "/cred", cjson.encode { kind = "ExecCredential", apiVersion = "client.authentication.k8s.io/v1beta1",
      status = { clientCertificateData = text "client.crt", clientKeyData = text "client.key" } })
    local user = ('exec: { apiVersion: client.authentication.k8s.io/v1beta1, command: cat, args: ["%s/cred"] }'):format(keys)
    assert.equal("ok", ask(tls("server", { ca = keys .. "/ca.crt" }), "ca", user).outcome)
  end)
  it("files that can't be used are our fault, and said so", function()
    shell.write(keys .. "/broken.crt", "x")
    local reply = ask(tls "server", "broken")
    assert.equal("local", reply.outcome)
    assert.truthy(reply.error:find("the CA can't be read", 1, true), reply.error)
    local user = ('client-certificate: "%s/broken.crt", client-key: "%s/client.key"'):format(keys, keys)
    assert.equal("local", ask(tls "server", "ca", user).outcome)
  end)
  it("a CA file that is replaced counts for the next connection", function()
    local good, foreign = tls "server", tls "foreign"
    shell.run(("cp %s/ca.crt %s/moving.crt"):format(keys, keys))
    local function opts(server) return { cluster = ('certificate-authority: "%s/moving.crt"'):format(keys), server = server.url } end
    local events = probe.run { open(good, opts(good)), get(0), wait "reply",
      { ["do"] = "sh", run = ("cp %s/other.crt %s/new && mv %s/new %s/moving.crt"):format(keys, keys, keys, keys) },
      get(1), wait "reply" }
    assert.equal("ok", events.reply[2].outcome, "the kept connection goes on")
    assert.equal(1, #good.log "connection")
    local server = serve { tls = { cert = keys .. "/foreign.crt", key = keys .. "/foreign.key" }, answers = { { close = true } } }
    events = probe.run { open(server, opts(server)), get(0), wait "reply",
      { ["do"] = "sh", run = ("cp %s/ca.crt %s/new && mv %s/new %s/moving.crt"):format(keys, keys, keys, keys) },
      get(1), wait "reply" }
    assert.equal("ok", events.reply[1].outcome, events.reply[1].error)
    assert.equal("network", events.reply[2].outcome)
    assert.truthy(foreign)
  end)
  it("a server that speaks no TLS, and one that says nothing", function()
    local plain = serve { answers = { {} } }
    local opts = { cluster = ('certificate-authority: "%s/ca.crt"'):format(keys), server = "https://127.0.0.1:" .. plain.port }
    assert.equal("network", probe.run({ open(plain, opts), get(0, { deadline = 700 }), wait "reply" }).reply[1].outcome)
    local silent = serve { hang_handshake = true, tls = { cert = "x", key = "x" }, answers = { {} } }
    opts.server = nil
    local reply = probe.run({ open(silent, opts), get(0, { deadline = 700 }), wait "reply" }).reply[1]
    assert.equal("network", reply.outcome)
  end)
end)
