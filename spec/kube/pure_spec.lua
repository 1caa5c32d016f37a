--- The parts of the kube room that are pure functions, row by row.
local cjson = require "cjson"
local probe = require "spec.support.kube_probe"
if probe.skip(pending) then return end

--- One run of the probe for all rows: the answers in the order of the commands.
local function ask(commands)
  local events = probe.run(commands)
  assert.equal(#commands, #events.is)
  return events.is
end

teardown(probe.clean)

local function status(code, message, extra)
  local body = { kind = "Status", apiVersion = "v1", status = "Failure", code = code, message = message }
  for k, v in pairs(extra or {}) do body[k] = v end
  return cjson.encode(body)
end

local POLICY = [[pods "x" is forbidden: ValidatingAdmissionPolicy 'own-pod' with binding 'own-pod' denied request: not yours]]
local UID_CAUSE = { reason = "Invalid", details = { kind = "Pod", causes = { { reason = "FieldValueInvalid",
  field = "metadata.uid", message = "field is immutable" } } } }

describe("classification:", function()
  local rows = {
    -- status, body, outcome, part of the message
    { 200, "{}", "ok" },
    { 201, '{"kind":"Pod"}', "ok" },
    { 200, "", "odd", "200" },
    { 200, "<html>", "odd", "proxy" },
    { 200, "[]", "odd" },
    { 204, "", "odd" },
    { 100, "", "odd" },
    { 302, "", "odd", "302 Found" },
    { 307, status(307, "go away"), "odd" },
    { 400, status(400, "bad"), "invalid", "400 Bad Request: bad" },
    { 401, status(401, "Unauthorized"), "unauthorized", "expired" },
    { 401, "", "unauthorized" },
    { 403, status(403, "no"), "forbidden", "needs verb 'patch' on 'pods' in namespace 'ns'" },
    { 403, "<html>", "forbidden", "needs verb" },
    { 403, status(403, POLICY), "forbidden", "an admission policy refuses it: pods" },
    { 404, status(404, 'pods "x" not found'), "not found", 'pods "x" not found' },
    { 404, "404 page not found\n", "odd", "does not know this resource" },
    { 405, status(405, "x"), "invalid" },
    { 406, status(406, "x"), "invalid" },
    { 408, "", "server" },
    { 409, status(409, "the object has been modified"), "conflict" },
    { 409, status(409, "Precondition failed: UID in precondition: a, UID in object meta: b"), "gone", "made anew" },
    { 410, status(410, "gone"), "gone" },
    { 410, "", "odd" },
    { 413, "", "invalid" },
    { 415, status(415, "x"), "invalid" },
    { 422, status(422, "metadata.annotations: too long"), "invalid", "too long" },
    { 422, status(422, POLICY), "forbidden", "an admission policy refuses it" },
    { 422, status(422, 'admission webhook "a.b" denied the request: no'), "forbidden" },
    { 422, status(422, "Pod is invalid", UID_CAUSE), "gone", "made anew" },
    { 429, status(429, "slow down"), "throttled" },
    { 429, "", "throttled" },
    { 499, "", "invalid" },
    { 500, status(500, "etcd"), "server", "500 Internal Server Error: etcd" },
    { 502, "<html>", "server" },
    { 503, "", "server", "503 Service Unavailable" },
    { 504, "", "server" },
    { 599, "", "server" },
    { 600, "", "odd" },
    { 0, "", "odd" },
  }
  local function command(row)
    return { ["do"] = "classify", status = row[1], body = row[2], verb = "patch", version = "v1", resource = "pods",
      namespace = "ns", name = "x" }
  end
  local commands = {}
  for i, row in ipairs(rows) do commands[i] = command(row) end
  local answers
  setup(function() answers = ask(commands) end)
  for i, row in ipairs(rows) do
    it(("%d %s is %s"):format(row[1], row[2]:sub(1, 60):gsub("\n", " "), row[3]), function()
      assert.equal(row[3], answers[i].outcome)
      if row[4] then assert.truthy(answers[i].error:find(row[4], 1, true), answers[i].error) end
      if row[3] ~= "ok" then assert.truthy(answers[i].error:find("patch pods 'ns/x': ", 1, true) == 1, answers[i].error) end
    end)
  end

  it("a right is named as a rule spells it: group, subresource, whole cluster", function()
    local object = { ["do"] = "classify", status = 403, body = "", verb = "patch", group = "data.fluid.io",
      version = "v1alpha1", resource = "dataprocesses", subresource = "status", namespace = "ns", name = "op" }
    local cluster = { ["do"] = "classify", status = 403, body = "", verb = "list", version = "v1", resource = "nodes" }
    local answer = ask { object, cluster }
    assert.truthy(answer[1].error:find("needs verb 'patch' on 'dataprocesses/status' of 'data.fluid.io' in namespace 'ns'", 1, true))
    assert.truthy(answer[2].error:find("needs verb 'list' on 'nodes' in the whole cluster", 1, true))
  end)

  it("text of the server is cleaned: no escapes, no credentials, cut", function()
    local body = status(422, "x\27[31m \226\128\174 https://me:secret@host/?token=abc " .. ("y"):rep(1000))
    local answer = ask { command { 422, body } }[1].error
    assert.is_nil(answer:find "[\27]")
    assert.is_nil(answer:find "secret")
    assert.is_nil(answer:find "abc")
    assert.is_true(#answer < 300)
  end)

  it("an annotation with a NUL does not make the object unreadable", function()
    assert.equal("ok", ask { command { 200, '{"metadata":{"annotations":{"a":"\\u0000"}}}' } }[1].outcome)
  end)
end)

describe("Retry-After:", function()
  local now = 1445412400000 -- Wed, 21 Oct 2015 07:26:40 GMT
  local rows = {
    { "0", 0 }, { "1", 1000 }, { " 120 ", 120000 }, { "600", 600000 }, { "601", 600000 },
    { "99999999999999999999999", 600000 }, { "007", 7000 },
    { "-1", -1 }, { "+5", -1 }, { "1.5", -1 }, { "5s", -1 }, { "", -1 }, { "soon", -1 }, { "1, 2", -1 }, { "0x10", -1 },
    { "Wed, 21 Oct 2015 07:28:00 GMT", 80000 },
    { "Wednesday, 21-Oct-15 07:28:00 GMT", 80000 },
    { "Wed Oct 21 07:28:00 2015", 80000 },
    { "Wed, 21 Oct 2015 07:20:00 GMT", 0 },
    { "Wed, 21 Oct 2099 07:28:00 GMT", 600000 },
    { "Sun Nov  6 08:49:37 1994333333", 600000 }, -- its milliseconds are over 63 bits
    { "Wed, 41 Oct 2015 07:28:00 GMT", -1 }, { "Wednesday", -1 }, { "12:00", -1 }, { ("9:"):rep(40), -1 },
  }
  local commands = {}
  for i, row in ipairs(rows) do commands[i] = { ["do"] = "retry_after", value = row[1], now = now } end
  local answers
  setup(function() answers = ask(commands) end)
  for i, row in ipairs(rows) do
    it(("%q -> %d"):format(row[1], row[2]), function() assert.equal(row[2], answers[i].ms) end)
  end
  it("absent -> -1", function() assert.equal(-1, ask { { ["do"] = "retry_after", now = now } }[1].ms) end)
end)

describe("backoff:", function()
  it("is uniform in 0 .. min(60 s, 0.5 s * 2^n), never shorter than 20 ms", function()
    local commands, ceilings = {}, {}
    for tries = 0, 70 do
      local ceiling = math.floor(math.min(60000, 500 * 2 ^ math.min(tries, 20)))
      for _, random in ipairs { 0, 1, ceiling, ceiling + 1, 2 ^ 31 | 0 } do
        commands[#commands + 1] = { ["do"] = "backoff", tries = tries, random = random }
        ceilings[#commands] = ceiling
      end
    end
    for i, answer in ipairs(ask(commands)) do
      assert.is_true(answer.ms >= 20 and answer.ms <= ceilings[i])
      if commands[i].random == ceilings[i] then assert.equal(ceilings[i], answer.ms) end
      assert.is_true(answer.tries > commands[i].tries or answer.tries >= 64)
    end
  end)

  it("spreads: the mean of many dice is half the ceiling", function()
    local commands, sum = {}, 0
    math.randomseed(4711)
    for i = 1, 2000 do commands[i] = { ["do"] = "backoff", tries = 4, random = math.random(0, 2 ^ 31 | 0) } end
    for _, answer in ipairs(ask(commands)) do sum = sum + answer.ms end
    assert.near(4000, sum / 2000, 200)
  end)
end)

describe("paths:", function()
  local function path(o)
    o["do"] = "path"
    return ask { o }[1]
  end
  it("of pods, collections, custom resources, subresources", function()
    assert.equal("/api/v1/namespaces/ns/pods/x", path { version = "v1", resource = "pods", namespace = "ns", name = "x" }.path)
    assert.equal("/api/v1/namespaces/ns/pods", path { version = "v1", resource = "pods", namespace = "ns" }.path)
    assert.equal("/apis/data.fluid.io/v1alpha1/namespaces/ns/dataprocesses/a.b-c/status", path { group = "data.fluid.io",
      version = "v1alpha1", resource = "dataprocesses", namespace = "ns", name = "a.b-c", subresource = "status" }.path)
  end)
  it("escape what is no plain character", function()
    assert.equal("/api/v1/nodes/system:a%25b%20%C3%A9%3F%23", path { version = "v1", resource = "nodes", name = "system:a%b é?#" }.path)
  end)
  for _, name in ipairs { "", ".", "..", "a/b", "../secrets/x", ("a"):rep(254) } do
    it(("refuse the name %q"):format(name:sub(1, 20)), function()
      assert.truthy(path { version = "v1", resource = "pods", namespace = "ns", name = name }.error)
      assert.truthy(path { version = "v1", resource = "pods", namespace = name, name = "x" }.error)
    end)
  end

  local rows = {
    label = { good = { "a", "a-b", "0", ("a"):rep(63) },
      bad = { "", "-a", "a-", "A", "a.b", "a_b", "é", ("a"):rep(64), "a\n" } },
    name = { good = { "a", "a.b", "a-b.0", ("a"):rep(253) },
      bad = { "", ".", "a.", ".a", "a..b", "a-.b", "A", ("a"):rep(254), "a/b" } },
    uid = { good = { "f97478f9-d754-465b-8ae2-bc501a9bd467" }, bad = { "", "x", "a b", ("a"):rep(65), 'a"' } },
    server = { good = { "https://10.0.0.1:6443", "https://a.b", "https://[fd00::1]:443", "http://localhost:8080",
        "http://127.0.0.9:1", "http://[::1]:1", "https://host/prefix/x/", "HTTPS://Host" },
      bad = { "", "10.0.0.1:6443", "http://10.0.0.1", "http://localhost.evil.org", "ftp://localhost", "https://",
        "https://u:p@h", "https://h/?a=b", "https://h/#x", "unix:///x", "https://h:99999", "https://a b" } },
  }
  for rule, row in pairs(rows) do
    it("names: " .. rule, function()
      for _, name in ipairs(row.good) do
        assert.is_true(ask { { ["do"] = "check", rule = rule, name = name } }[1].ok, name)
      end
      for _, name in ipairs(row.bad) do
        assert.truthy(ask { { ["do"] = "check", rule = rule, name = name } }[1].error, name)
      end
    end)
  end
  it("a server's password is not shown", function()
    local answer = ask { { ["do"] = "check", rule = "server", name = "http://me:secret@h?token=abc" } }[1].error
    assert.is_nil(answer:find "secret" or answer:find "abc")
  end)
end)

describe("operation by name:", function()
  local rows = {
    { "dataprocess/a", "DataProcess", "ns", "a" },
    { "DataLoad/a.b", "DataLoad", "ns", "a.b" },
    { "datamigrates/a", "DataMigrate", "ns", "a" },
    { "dataprocesses.data.fluid.io/a", "DataProcess", "ns", "a" },
    { "other/databackup/a", "DataBackup", "other", "a" },
    { "a" }, { "" }, { "/" }, { "job/a" }, { "pod/a" }, { "dataset/a" }, { "dataprocess/A" }, { "dataprocess/" },
    { "dataprocess.batch/a" }, { "a/b/c/d" }, { "UP/dataload/a" },
  }
  local commands = {}
  for i, row in ipairs(rows) do commands[i] = { ["do"] = "target", text = row[1], namespace = "ns" } end
  local answers
  setup(function() answers = ask(commands) end)
  for i, row in ipairs(rows) do
    it(("%q"):format(row[1]), function()
      if not row[2] then return assert.truthy(answers[i].error) end
      assert.same({ kind = row[2], version = "v1alpha1", namespace = row[3], name = row[4], event = "is" }, answers[i])
    end)
  end
end)

describe("operation by owners:", function()
  local U = "00000000-0000-0000-0000-00000000000"
  local function object(name, n, owner, controller)
    local meta = { name = name, namespace = "ns", uid = U .. n }
    if owner then
      owner.uid, owner.controller = owner.uid or U .. (n + 1), controller ~= false
      meta.ownerReferences = { { apiVersion = "v1", kind = "Other", name = "z", uid = U .. 9 }, owner }
    end
    return { metadata = meta }
  end
  local function job(name) return { apiVersion = "batch/v1", kind = "Job", name = name } end
  local function cron(name) return { apiVersion = "batch/v1", kind = "CronJob", name = name } end
  local function process(name) return { apiVersion = "data.fluid.io/v1alpha1", kind = "DataProcess", name = name } end
  local function walk(pod, ...) return ask { { ["do"] = "owner", pod = pod, answers = { ... } } }[1] end
  local JOB, CRON = "/apis/batch/v1/namespaces/ns/jobs/j", "/apis/batch/v1/namespaces/ns/cronjobs/c"

  it("pod -> job -> operation: one GET", function()
    local answer = walk(object("p", 1, job "j"), object("j", 2, process "op"))
    assert.same({ JOB }, answer.asked)
    assert.same({ kind = "DataProcess", version = "v1alpha1", namespace = "ns", name = "op", uid = U .. 3 }, answer.found)
  end)
  it("pod -> job -> cron job -> operation: two", function()
    local answer = walk(object("p", 1, job "j"), object("j", 2, cron "c"), object("c", 3, process "op"))
    assert.same({ JOB, CRON }, answer.asked)
    assert.equal(U .. 4, answer.found.uid)
  end)
  it("pod -> operation: none", function()
    local answer = walk(object("p", 1, process "op"))
    assert.equal("op", answer.found.name)
  end)
  local bad = {
    { "no owner", { object("p", 1) }, "'p' has no controller" },
    { "an owner that is no controller", { object("p", 1, job "j", false) }, "'p' has no controller" },
    { "a stateful set", { object("p", 1, { apiVersion = "apps/v1", kind = "StatefulSet", name = "s" }) },
      "'p' belongs to StatefulSet 's'" },
    { "a kind of another group", { object("p", 1, { apiVersion = "evil/v1", kind = "DataProcess", name = "s" }) },
      "belongs to DataProcess" },
    { "a job made anew", { object("p", 1, job "j"), object("j", 7, process "op") }, "Job 'j' was made anew" },
    { "a name that is a path", { object("p", 1, job "../../secrets") }, "can't be followed" },
    { "a namespace that is a path", { { metadata = { name = "p", namespace = "..", uid = U .. 1, ownerReferences = {
      { apiVersion = "batch/v1", kind = "Job", name = "j", uid = U .. 2, controller = true } } } } }, "can't be followed" },
    { "owners in a circle", { object("p", 1, job "j"), object("j", 2, job "j"), object("j", 3, job "j"),
      object("j", 4, job "j"), object("j", 5, job "j") }, "more than 4 owners" },
    { "an empty pod", { cjson.decode "{}" }, "has no controller" },
    { "references of the wrong type", { { metadata = { ownerReferences = "x" } } }, "has no controller" },
  }
  for _, row in ipairs(bad) do
    it(row[1], function()
      local answer = walk(table.unpack(row[2]))
      assert.truthy(answer.error and answer.error:find(row[3], 1, true), answer.error)
    end)
  end
end)

describe("plugin output:", function()
  local V1 = "client.authentication.k8s.io/v1"
  local function parse(value)
    local output = type(value) == "string" and value or cjson.encode(value)
    return ask { { ["do"] = "credential", output = output, api_version = V1 } }[1]
  end
  local function cred(s) return { apiVersion = V1, kind = "ExecCredential", status = s } end
  it("a token, with its end", function()
    local answer = parse(cred { token = "abc", expirationTimestamp = "2026-01-31T12:00:00Z" })
    assert.equal("abc", answer.token)
    assert.equal(1769860800000, answer.expires)
  end)
  it("a client certificate", function()
    local answer = parse(cred { clientCertificateData = "C", clientKeyData = "K" })
    assert.equal("C", answer.cert)
    assert.equal("K", answer.key)
  end)
  local bad = {
    { "", "not a JSON object" }, { "hello secret", "not a JSON object" }, { "[]", "not a JSON object" },
    { { kind = "X", apiVersion = V1 }, "no ExecCredential" },
    { { kind = "ExecCredential", apiVersion = V1 .. "beta1", status = { token = "a" } }, "apiVersion" },
    { cred(nil), "no token" }, { cred {}, "no token" }, { cred { token = "" }, "no token" },
    { cred { clientCertificateData = "C" }, "belong together" },
    { cred { token = "a\r\nX: y" }, "visible ASCII" }, { cred { token = "a", expirationTimestamp = "soon" }, "time 'soon'" },
    { cred { token = "a", expirationTimestamp = "2026-02-30T00:00:00Z" }, "time '2026-02-30" },
  }
  for i, row in ipairs(bad) do
    it(("refused %d: %s"):format(i, row[2]), function()
      local answer = parse(row[1])
      assert.truthy(answer.error and answer.error:find(row[2], 1, true), answer.error)
      assert.is_nil(answer.error:find "secret")
    end)
  end
end)

describe("base64:", function()
  it("there and back", function()
    for text, len in pairs { ["QQ=="] = 1, ["QUI="] = 2, ["QUJD"] = 3, ["+/8="] = 2, ["AAAA"] = 3 } do
      local answer = ask { { ["do"] = "base64", text = text } }[1]
      assert.equal(text, answer.again)
      assert.equal(len, answer.len)
    end
    assert.equal("QUJD", ask { { ["do"] = "base64", text = " QU\nJD " } }[1].again)
  end)
  for _, text in ipairs { "", "A", "AA", "AAA", "A===", "AA=A", "QUJ*", "====", "QQ==QQ==", "-_8=" } do
    it(("%q is refused"):format(text), function()
      assert.truthy(ask { { ["do"] = "base64", text = text } }[1].error)
    end)
  end
end)
