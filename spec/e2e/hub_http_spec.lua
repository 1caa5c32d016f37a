--- What a hub shows over HTTP: health, readiness and metrics, against a real API server.
local cjson = require "cjson"
local cluster = require "spec.support.cluster"
local exposition = require "spec.support.exposition"
local http = require "spec.support.http"
local hubs = require "spec.support.hub"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
if cluster.skip(pending) then return end

describe("hub, HTTP:", function()
  local c, hub
  setup(function()
    c = cluster.shared()
    hub = hubs.new(c)
  end)
  teardown(function() hub:close() end)

  local function port_of(p)
    return math.tointeger(tonumber(p:expect("err", "HTTPS? on '127%.0%.0%.1:0', port (%d+)"))) or error(p:err())
  end
  local function start(name, ...)
    local p = hub:start(name, "--http", "127.0.0.1:0", "--status-gap", "1s", "--status-budget", "0", ...)
    p.port = port_of(p)
    return p
  end
  local function metrics(p)
    local a = http.get(p.port, "/metrics")
    assert.equal(200, a.status)
    assert.equal("text/plain; version=0.0.4; charset=utf-8", a.headers["content-type"])
    return exposition.parse(a.body), a.body
  end
  local function await(p, fn)
    local families
    assert(shell.wait_until(function()
      families = metrics(p)
      return fn(families)
    end, 20))
    return families
  end

  it("leader and standby live, are ready, and know the same", function()
    local list = {}
    for i, kind in ipairs { "DataProcess", "DataLoad", "Job" } do list[i] = hub:operation(kind, "op" .. i) end
    local leader = start "leader"
    hubs.leads(leader)
    hubs.ready(leader)
    local standby = start "standby"
    hubs.ready(standby)
    local detail = cjson.encode { v = 1, by = "sidecar", done = 40, total = 200, unit = "files", state = "running", rate = 4,
      eta = 40, updated = "2026-01-01T00:00:00Z" }
    hub:report(list, function(i) return "40/200", i == 1 and detail or cjson.null end)
    hub:await(list, function() return "40/200" end)
    for _, p in ipairs { leader, standby } do
      assert.same({ 200, "ok\n" }, { http.get(p.port, "/healthz").status, http.get(p.port, "/healthz").body })
      assert.same({ 200, "ready\n" }, { http.get(p.port, "/readyz").status, http.get(p.port, "/readyz").body })
      local f = await(p, function(f) return exposition.value(f, "headway_hub_queue_operations") == 0
        and exposition.value(f, "headway_operation_units_done", { kind = "Job" }) == 40 end)
      local value = function(name, labels) return exposition.value(f, name, labels) end
      assert.equal(p == leader and 1 or 0, value "headway_hub_leader")
      assert.equal(1, value "headway_hub_ready")
      local one = { namespace = hub.namespace, kind = "DataProcess", name = "op1" }
      assert.same({ 40, 200, 0.2, 4, 40, 1767225600 }, { value("headway_operation_units_done", one),
        value("headway_operation_units_expected", one), value("headway_operation_progress_ratio", one),
        value("headway_operation_units_per_second", one), value("headway_operation_remaining_seconds", one),
        value("headway_operation_last_change_timestamp_seconds", one) })
      assert.equal("running", f.headway_operation_state.samples[1].labels.state)
      assert.equal(3, #f.headway_operation_state.samples)
      assert.equal(1, value("headway_operations", { kind = "DataLoad", state = "running" }))
      assert.equal(0, value("headway_operations", { kind = "DataLoad", state = "failed" }))
      assert.equal(0, value "headway_metrics_operations_left_out")
      assert.equal(0, value "headway_hub_status_lag_seconds")
      assert.equal(3, value "headway_hub_tasks")
      assert.equal(p == leader and 3 or 0, value("headway_hub_writes_total", { code = "200" }))
      assert.equal(p == leader and 3 or 0, value("headway_hub_write_duration_seconds_count"))
      assert.equal(p == leader and 3 or 0, value("headway_hub_write_duration_seconds_bucket", { le = "+Inf" }))
      assert.equal(1, value("headway_hub_watch_lists_total", { resource = "dataprocesses", selector = "" }))
      assert.equal(1, value("headway_hub_watch_lists_total", { resource = "pods", selector = "job-name" }))
      assert.is_true(value "process_resident_memory_bytes" > 1e6)
      assert.is_true(value "process_open_fds" > 5)
      assert.is_true(math.abs(value "process_start_time_seconds" - os.time()) < 60)
    end
    c:set_status(list[1].op, { phase = "Failed" })
    await(leader, function(f) return exposition.value(f, "headway_operations", { kind = "DataProcess", state = "failed" }) == 1 end)
  end)

  it("what may not be written lags, and is counted by the status of the answers", function()
    local poor <close> = hubs.new(c)
    poor:account("poor", { { apiGroups = { "" }, resources = { "pods" }, verbs = { "list", "watch" } },
      { apiGroups = { "batch" }, resources = { "jobs" }, verbs = { "list", "watch" } } })
    local list = { poor:operation("Job", "op") }
    poor:report(list, function() return "1/2" end)
    local p = poor:start("poor", "--http", "127.0.0.1:0")
    p.port = port_of(p)
    hubs.leads(p)
    local f = await(p, function(f) return exposition.value(f, "headway_hub_writes_total", { code = "403" }) end)
    assert.equal(1, exposition.value(f, "headway_hub_writes_total", { code = "403" }))
    assert.is_true(exposition.value(f, "headway_hub_status_lag_seconds") > 0)
    assert.is_true(exposition.value(f, "headway_hub_watch_failures_total", { resource = "dataloads" }) > 0)
    assert.equal(200, http.get(p.port, "/readyz").status) -- kinds that it may not see are nothing to wait for
  end)

  it("operations over the ceiling are counted, not shown", function()
    local own <close> = hubs.new(c)
    local list = { own:operation("DataLoad", "failed", { phase = "Failed" }), own:operation("DataLoad", "a"), own:operation("DataLoad", "b") }
    own:report(list, function() return "1/2" end)
    local p = own:start("small", "--http", "127.0.0.1:0", "--metrics-operations", "1")
    p.port = port_of(p)
    hubs.ready(p)
    local f = metrics(p)
    assert.equal(2, exposition.value(f, "headway_metrics_operations_left_out"))
    assert.equal(1, #f.headway_operation_state.samples)
    assert.not_equal("failed", f.headway_operation_state.samples[1].labels.state) -- those that go on come first
    local total = 0
    for _, sample in ipairs(f.headway_operations.samples) do
      if sample.labels.state ~= "unknown" then total = total + sample.value end
    end
    assert.equal(3, total)
  end)

  it("an address that is taken is one line, and not the end of it", function()
    local first = start "first"
    local p = hub:start("second", "--http", "127.0.0.1:" .. first.port)
    hubs.ready(p)
    local _, lines = p:err():gsub("error hub: [^\n]*\n", "")
    assert.equal(1, lines)
    assert.truthy(p:err():find(("hub.http: listen on '127.0.0.1:%d': address already in use; no health, no metrics; tried again every 2 s\n")
      :format(first.port), 1, true))
    first:kill "TERM"
    assert.equal(0, first:wait(6))
    assert.truthy(p:expect("err", "HTTP on '127.0.0.1:" .. first.port, 15))
    assert.equal(200, http.get(first.port, "/healthz").status)
  end)

  it("HTTPS with a certificate of files; one without the other, or a wrong one, is the end of it", function()
    local dir = process.temp_dir()
    local cert, key = dir .. "/cert", dir .. "/key"
    local function issue(to)
      assert(shell.run(([[openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout %s/key -out %s/cert \
        -subj /CN=x 2>/dev/null]]):format(to, to)))
    end
    issue(dir)
    local p = hub:start("https", "--http", "127.0.0.1:0", "--http-cert", cert, "--http-key", key)
    local port = port_of(p)
    shell.write(dir .. "/ca", shell.read(cert))
    local client = http.connect(port, cert)
    assert.equal("ok\n", client:send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"):answer().body)
    client:close()
    shell.write(cert, "x") -- half of a change: the old one stays
    assert.truthy(p:expect("err", "hub.http%-cert: the certificate: [^\n]*; the old one stays", 10))
    http.connect(port, dir .. "/ca"):close()
    issue(dir)
    assert.truthy(p:expect("err", "hub.http%-cert: read again", 10))
    http.connect(port, cert):close()
    shell.write(key, "x")
    for flags, why in pairs { [{ "--http-cert", cert }] = "hub.http%-cert, hub.http%-key: one is of no use without the other",
      [{ "--http-cert", cert, "--http-key", key }] = "hub.http: the key: ",
      [{ "--http-cert", cert, "--http-key", dir .. "/none" }] = "hub.http%-cert: read key '.*/none': No such file" } do
      local wrong = hub:start("wrong-tls", "--http", "127.0.0.1:0", table.unpack(flags))
      assert.equal(flags[4] == dir .. "/none" and 3 or 2, wrong:wait())
      assert.truthy(wrong:err():find(why), wrong:err())
    end
    process.remove(dir)
  end)

  it("no address is the end of it; off is none at all", function()
    local p = hub:start("wrong", "--http", "8080")
    assert.equal(2, p:wait())
    assert.truthy(p:err():find "hub.http: '8080' is no address and port: write 127.0.0.1:8080, %[::1%]:8080 or :8080")
    p = hub:start("off", "--http", "off")
    hubs.ready(p)
    assert.is_nil(p:err():find "HTTP on")
  end)
end)
