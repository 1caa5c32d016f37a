--- A collection that is followed, and streams, against a server that plays a script.
local cjson = require "cjson"
local probe = require "spec.support.kube_probe"
local shell = require "spec.support.cluster_shell"
if probe.skip(pending) then return end
if not pcall(require, "socket") then return pending "no lua-socket" end

local start = probe.server_of_tests(after_each)
local function serve(answers) return start { answers = answers } end
teardown(probe.clean)

local function open(server, parallel)
  local path = probe.dir() .. "/config"
  shell.write(path, ([[
current-context: x
contexts: [ { name: x, context: { cluster: c, user: u } } ]
clusters: [ { name: c, cluster: { server: "%s" } } ]
users: [ { name: u, user: { token: abc } } ]
]]):format(server.url))
  return { ["do"] = "open", kubeconfig = path, parallel = parallel }
end
local function wait(kind, count, ms) return { ["do"] = "wait", ["for"] = kind, count = count, ms = ms } end
local function sleep(ms) return { ["do"] = "wait", ms = ms } end
local function when(kind, act) return { ["do"] = "in_callback", when = kind, act = act } end
local COUNTS = { ["do"] = "counts" }

local function watch(more)
  local c = { ["do"] = "watch", version = "v1", resource = "pods", metadata_only = true }
  for k, v in pairs(more or {}) do c[k] = v end
  return c
end

local function meta(name, version) return { metadata = { name = name, resourceVersion = tostring(version) } } end
local function page(version, names, continue)
  local items = {}
  for i, name in ipairs(names) do items[i] = meta(name, version) end
  local body = cjson.encode { kind = "PodList", items = items,
    metadata = { resourceVersion = tostring(version), continue = continue } }
  return { body = #names == 0 and body:gsub('"items":{}', '"items":[]') or body }
end
local function event(kind, name, version) return cjson.encode { type = kind, object = meta(name, version) } .. "\n" end
local function status(code, message)
  return { kind = "Status", status = "Failure", code = code, message = message or "x" }
end
local EXPIRED = { status = 410, body = cjson.encode(status(410, "too old resource version: 1 (9)")) }
--- A stream that stays open until the spec is over.
local function stream(...) return { stream = { ... }, hold = 60 } end

--- What came, as words: "listing a b listed +c -b".
local function story(events)
  local words = {}
  for _, e in ipairs(events.all) do
    if e.event == "object" then words[#words + 1] = e.name
    elseif e.event == "gone" then words[#words + 1] = "-" .. e.name
    elseif e.event == "listing" or e.event == "listed" or e.event == "trouble" then words[#words + 1] = e.event end
  end
  return table.concat(words, " ")
end

local function paths(server)
  local list = {}
  for i, request in ipairs(server.log "request") do list[i] = request.path end
  return list
end

--- The parameters of a query, unescaped.
local function query(path)
  local out = {}
  for key, value in path:match "%?(.*)$":gmatch "([^&=]+)=([^&]*)" do
    out[key] = value:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  end
  return out
end

describe("watch:", function()
  it("lists page by page, then watches from the list's version, with the selector in each request", function()
    local server = serve { page(7, { "a", "b" }, "next/+="), page(7, { "c" }), stream(event("ADDED", "d", 8)) }
    local events = probe.run { open(server), watch { page = 2, labels = "a=b,!c", namespace = "ns" }, wait("object", 4) }
    assert.equal("listing a b c listed d", story(events))
    local log = server.log "request"
    assert.same({ limit = "2", labelSelector = "a=b,!c" }, query(log[1].path))
    assert.same({ limit = "2", labelSelector = "a=b,!c", continue = "next/+=" }, query(log[2].path))
    local q = query(log[3].path)
    local lasts = tonumber(q.timeoutSeconds)
    assert.is_true(lasts >= 300 and lasts < 600)
    q.timeoutSeconds = nil
    assert.same({ watch = "1", allowWatchBookmarks = "true", resourceVersion = "7", labelSelector = "a=b,!c" }, q)
    assert.truthy(log[1].path:find("/api/v1/namespaces/ns/pods?", 1, true))
    assert.equal("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json", log[1].headers.accept)
    assert.equal("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json", log[3].headers.accept)
  end)

  it("whole objects where they are asked for", function()
    local server = serve { page(7, {}), stream(event("ADDED", "d", 8)) }
    local events = probe.run { open(server), watch { metadata_only = false }, wait "object" }
    assert.equal("listing listed d", story(events))
    assert.equal("application/json", server.log("request")[1].headers.accept)
  end)

  it("events in pieces, several in one, with and without what they lack", function()
    local a, b = event("ADDED", "a", 8), event("MODIFIED", "b", 9)
    local server = serve { page(7, {}), stream(a:sub(1, 9), a:sub(10) .. b:sub(1, 1), b:sub(2) .. event("DELETED", "a", 10)
      .. "\n" .. event("NOVEL", "x", 11) .. event("ADDED", "c", 12)) }
    local events = probe.run { open(server), watch(), wait("object", 3) }
    assert.equal("listing listed a b -a c", story(events))
  end)

  it("a stream takes no place among the parallel requests", function()
    local server = serve { page(7, {}), stream(event("ADDED", "a", 8)), { body = "{}" } }
    local events = probe.run { open(server, 1), watch(), wait "object",
      { ["do"] = "send", id = 1, verb = "get", version = "v1", resource = "pods", namespace = "ns", name = "x" }, wait "reply" }
    assert.equal("ok", events.reply[1].outcome)
  end)

  it("a bookmark moves on without an object; the next watch begins there, at once", function()
    local server = serve { page(7, {}), { stream = { event("BOOKMARK", "", 99) } }, stream(event("ADDED", "a", 100)) }
    local events = probe.run { open(server), watch(), wait "object", COUNTS }
    assert.equal("listing listed a", story(events))
    assert.equal("99", query(server.log("request")[3].path).resourceVersion)
    assert.same({ 1, 2, 0, 0, 2 }, { events.is[1].lists, events.is[1].watches, events.is[1].expired,
      events.is[1].failures, events.is[1].events })
  end)

  it("cut in the middle of an event: resumed behind the last whole one", function()
    local half = event("ADDED", "b", 9):sub(1, 30)
    local server = serve { page(7, {}), { stream = { event("ADDED", "a", 8), half }, cut = true },
      stream(event("ADDED", "b", 9)) }
    local events = probe.run { open(server), watch(), wait("object", 2) }
    assert.equal("listing listed a trouble b", story(events))
    assert.equal("8", query(server.log("request")[3].path).resourceVersion)
    assert.truthy(events.trouble[1].error:find("^watch pods ''?: "), events.trouble[1].error)
    assert.is_true(events.trouble[1].wait <= 500)
  end)

  it("410, as an event or as the answer: a new list, which forgets nothing by itself", function()
    local gone = cjson.encode { type = "ERROR", object = status(410) } .. "\n"
    for _, first in ipairs { stream(gone), EXPIRED } do
      local server = serve { page(7, { "a" }), first, page(20, { "a", "b" }), stream(event("ADDED", "c", 21)) }
      local events = probe.run { open(server), watch(), wait("object", 4), COUNTS }
      assert.equal("listing a listed trouble listing a b listed c", story(events))
      assert.equal("20", query(server.log("request")[4].path).resourceVersion)
      assert.same({ 1, 0 }, { events.is[1].expired, events.is[1].failures })
      assert.truthy(events.trouble[1].error:find "listing anew")
    end
  end)

  it("a page's token that has expired begins the list anew", function()
    local server = serve { page(7, { "a" }, "t"), EXPIRED, page(9, { "a" }, "u"), page(9, { "b" }),
      stream(event("ADDED", "c", 10)) }
    local events = probe.run { open(server), watch(), wait("object", 4) }
    assert.equal("listing a trouble listing a b listed c", story(events))
  end)

  it("a page that fails is asked again with its token", function()
    local server = serve { page(7, { "a" }, "t"), { status = 503 }, page(7, { "b" }), stream(event("ADDED", "c", 8)) }
    local events = probe.run { open(server), watch(), wait("object", 3) }
    assert.equal("listing a trouble b listed c", story(events))
    assert.equal("t", query(server.log("request")[3].path).continue)
  end)

  it("a page that is too large is asked for in smaller ones", function()
    local big = page(7, { "a", "b" })
    big.pad = 3000
    local server = serve { big, big, page(7, { "a" }), stream(event("ADDED", "c", 8)) }
    local events = probe.run { open(server), watch { page = 100, event_max = 2000 }, wait("object", 2) }
    assert.equal("listing a listed c", story(events))
    local limits = {}
    for i, path in ipairs(paths(server)) do limits[i] = query(path).limit end
    assert.same({ "100", "50", "25" }, limits)
  end)

  it("an event that is too large is left out and told, in one piece or in many", function()
    local long = cjson.encode { type = "ADDED", object = { metadata = { name = "x", resourceVersion = "9",
      annotations = { a = ("y"):rep(5000) } } } } .. "\n"
    for _, pieces in ipairs { { long }, { long:sub(1, 1500), long:sub(1501, 3000), long:sub(3001) } } do
      pieces[#pieces + 1] = event("ADDED", "b", 10)
      local server = serve { page(7, {}), stream(event("ADDED", "a", 8), table.unpack(pieces)) }
      local events = probe.run { open(server), watch { event_max = 2000 }, wait("object", 2), COUNTS }
      assert.equal("listing listed a trouble b", story(events))
      assert.truthy(events.trouble[1].error:find "more than 2000 bytes")
      assert.equal(1, events.is[1].skipped)
    end
  end)

  it("garbage: resumed with backoff; again and again at the same place: a new list", function()
    local bad = { stream = { "<html>\n" }, hold = 60 }
    local server = serve { page(7, {}), bad, bad, bad, page(8, { "a" }), stream(event("ADDED", "b", 9)) }
    local events = probe.run { open(server), watch(), wait("object", 2) }
    assert.equal("listing listed trouble trouble trouble listing a listed b", story(events))
    local last = {}
    for _, text in ipairs { "[]", "{}", '{"type":"ADDED"}', '{"type":5,"object":{}}', '{"type":"ADDED","object":[]}' } do
      server = serve { page(7, {}), stream(text .. "\n"), stream(event("ADDED", "a", 8)) }
      events = probe.run { open(server), watch(), wait "object" }
      last[#last + 1] = story(events)
    end
    for _, text in ipairs(last) do assert.equal("listing listed trouble a", text) end
  end)

  it("an answer that is no list is refused, and asked for again", function()
    local server = serve { { body = '{"kind":"Pod"}' }, { body = '{"items":5,"metadata":{"resourceVersion":"1"}}' },
      page(7, { "a" }), stream(event("ADDED", "b", 8)) }
    local events = probe.run { open(server), watch(), wait("object", 2) }
    assert.equal("trouble trouble listing a listed b", story(events))
  end)

  it("an error in the stream: from the same place, later", function()
    local server = serve { page(7, {}), stream(cjson.encode { type = "ERROR", object = status(500, "etcd: leader changed") }
      .. "\n"), stream(event("ADDED", "a", 8)) }
    local events = probe.run { open(server), watch(), wait "object" }
    assert.equal("listing listed trouble a", story(events))
    assert.truthy(events.trouble[1].error:find "500 etcd: leader changed")
    assert.equal("7", query(server.log("request")[3].path).resourceVersion)
  end)

  it("a watch that is not granted in time is tried again", function()
    local server = serve { page(7, {}), { hang = true }, stream(event("ADDED", "a", 8)) }
    local events = probe.run { open(server), watch { grant = 300 }, wait "object" }
    assert.equal("listing listed trouble a", story(events))
    assert.truthy(events.trouble[1].error:find "no answer in 0.3 s")
  end)

  it("one that was granted and says nothing is begun anew, without a word", function()
    local server = serve { page(7, {}), { stream = {}, hold = 60 }, { stream = {}, hold = 60 }, stream(event("ADDED", "a", 8)) }
    local events = probe.run { open(server), watch { silence = 300, grant = 5000 }, wait "object", COUNTS }
    assert.equal("listing listed a", story(events))
    assert.same({ 3, 0 }, { events.is[1].watches, events.is[1].failures })
    assert.equal("7", query(server.log("request")[4].path).resourceVersion)
  end)

  it("refusals say what to do, and Retry-After is obeyed", function()
    local server = serve { { status = 403, body = cjson.encode(status(403, "no")) },
      { status = 429, headers = { ["Retry-After"] = "1" } }, page(7, { "a" }), stream(event("ADDED", "b", 8)) }
    local events = probe.run { open(server), watch(), wait("object", 2) }
    assert.truthy(events.trouble[1].error:find "needs verb 'list' on 'pods'")
    assert.is_true(events.trouble[2].wait >= 1000)
    local log = server.log "request"
    assert.is_true(log[3].at - log[2].at >= 1)
  end)

  it("a server that ends each watch at once is asked less and less often", function()
    local server = serve { page(7, {}), { stream = {} } }
    probe.run { open(server), watch(), sleep(3000) }
    assert.is_true(#server.log "request" < 20, #server.log "request" .. " requests in 3 s")
  end)

  for _, kind in ipairs { "listing", "object", "listed", "gone", "trouble" } do
    for _, act in ipairs { "free watch", "free" } do
      it(("%s in %s: nothing more comes, nothing is left"):format(act, kind), function()
        local server = serve { page(7, { "a", "b" }), stream(event("DELETED", "a", 8) .. "<\n" .. event("ADDED", "c", 9)) }
        local events = probe.run { when(kind, act), open(server), watch(), wait(kind, 1), sleep(100) }
        assert.is_true(events["end"][1].clean)
        local told = story(events)
        assert.truthy(told:find(kind == "object" and "a$" or kind == "gone" and "%-a$" or kind .. "$"), told)
      end)
    end
  end
end)

describe("stream:", function()
  local function send(more)
    local c = { ["do"] = "send", id = 0, verb = "watch", version = "v1", resource = "pods", namespace = "ns", stream = true }
    for k, v in pairs(more or {}) do c[k] = v end
    return c
  end

  local function bytes(events)
    local n = 0
    for _, e in ipairs(events.data or {}) do n = n + e.len end
    return n
  end

  it("more than any buffer holds comes whole, in pieces", function()
    local piece = ("x"):rep(100000)
    local pieces = {}
    for i = 1, 50 do pieces[i] = piece end
    local server = serve { { stream = pieces } }
    local events = probe.run { open(server), send(), wait "reply" }
    assert.equal(5000000, bytes(events))
    assert.equal(0, events.data[1].len) -- it was granted
    assert.same({ "ok", 200 }, { events.reply[1].outcome, events.reply[1].status })
    for _, e in ipairs(events.data) do assert.is_true(e.len <= 128 * 1024) end
  end)

  it("a refusal is an answer and no stream", function()
    local server = serve { { status = 410, body = cjson.encode(status(410)) } }
    local events = probe.run { open(server), send(), wait "reply" }
    assert.same({ "gone", 410 }, { events.reply[1].outcome, events.reply[1].status })
    assert.equal(0, bytes(events))
  end)

  it("what came before a cut is handed out", function()
    local server = serve { { stream = { "abc", "def" }, cut = true } }
    local events = probe.run { open(server), send(), wait "reply" }
    assert.equal("network", events.reply[1].outcome)
    assert.equal(6, bytes(events))
  end)

  it("its deadline is that of the whole stream", function()
    local server = serve { { stream = { "a", "b", "c", "d", "e" }, gap = 0.2 } }
    local events = probe.run { open(server), send { deadline = 500 }, wait "reply" }
    assert.equal("network", events.reply[1].outcome)
    assert.truthy(events.reply[1].error:find "no whole answer in 0.5 s")
  end)

  for _, act in ipairs { "cancel", "free" } do
    it(act .. " while a piece is handed out", function()
      local server = serve { stream("abc", "def") }
      local events = probe.run { open(server), send(), when("data", act), wait "data", sleep(100) }
      assert.is_nil(events.reply)
      assert.is_true(events["end"][1].clean)
    end)
  end
end)
