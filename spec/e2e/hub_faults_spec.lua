--- `headway hub` behind the fault proxy and beside a server that dies: whatever broke, afterwards every status is what its
--- pod says, nothing is stuck, and there never were two writers.
local cluster = require "spec.support.cluster"
local faults = require "spec.support.faults"
local hubs = require "spec.support.hub"
local shell = require "spec.support.cluster_shell"
if cluster.skip(pending) or faults.skip(pending) then return end

local KINDS = { "DataProcess", "DataLoad", "DataMigrate", "DataBackup", "Job" }

describe("hub behind faults:", function()
  local c, proxy, hub, route, list, p

  setup(function()
    c = cluster.shared()
    proxy = faults.start(c)
  end)

  --- 15 operations that are followed by a hub behind the proxy.
  local function begin()
    hub = hubs.new(c)
    route = proxy:open(hub.namespace)
    list = {}
    for i = 1, 15 do list[i] = hub:operation(KINDS[(i - 1) % #KINDS + 1], "op" .. i) end
    p = hub:start_behind("hub", route, "--status-gap", "1s", "--status-budget", "0")
    hub:report(list, function(i) return i .. "/100" end)
    hub:await(list, function(i) return i .. "/100" end)
  end
  before_each(begin)
  after_each(function()
    hub:close()
    route:close()
  end)

  --- New values each half second, for so long; returns what was said last.
  local function go_on(seconds, from)
    local round, till = from, shell.now() + seconds
    while shell.now() < till do
      round = round + 1
      hub:report(list, function(i) return ("%d/100"):format(i + round) end)
      os.execute "sleep 0.5"
    end
    return round
  end

  local function await_round(round, timeout) hub:await(list, function(i) return ("%d/100"):format(i + round) end, timeout) end

  local rows = {
    { "every fifth answer is a 503", { every = 5, status = 503, message = "x" }, 10 },
    { "every fifth request is carried out, and its answer is lost", { every = 5, forward = true, cut = "status", ["then"] = "reset" }, 10 },
    { "every third write meets a 500", { match = "PATCH", every = 3, status = 500, message = "x" }, 10 },
    { "answers come slowly", { match = "PATCH", forward = true, delay = 1.5 }, 10 },
    { "every new watch is told 410", { match = "watch=1", status = 410, message = "too old resource version" }, 8, cut = true },
    { "every list fails", { match = "limit=", status = 503, message = "x" }, 6, cut = true },
    { "no connection is taken", { connect = "refuse" }, 6 },
    { "connections are taken and silent", { connect = "silent" }, 6 },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      route:break_by(row[2])
      if row.cut then route:cut() end
      local round = go_on(row[3], 1)
      route:heal()
      await_round(round, 40)
      assert.truthy(shell.alive(p.pid))
    end)
  end

  it("watches that are cut all the time", function()
    local round = 1
    for _ = 1, 8 do
      round = go_on(0.6, round)
      route:cut()
    end
    await_round(round, 40)
  end)

  it("429 with Retry-After: all writes wait for it", function()
    local broken = route:break_by { match = "/status", times = 1, status = 429, message = "x", headers = { ["Retry-After"] = "3" } }
    hub:report(list, function(i) return (i + 1) .. "/100" end)
    await_round(1, 20)
    local refused, next_write
    for _, event in ipairs(route:events()) do
      local write = event.e == "request" and event.method == "PATCH" and not event.path:find("/leases/", 1, true)
      if event.t >= broken and event.e == "answer" and event.status == 429 then refused = event.t
      elseif write and refused and event.t > refused + 500 and not next_write then next_write = event.t end -- some were under way
    end
    assert.is_true(next_write - refused >= 3000, ("%d ms"):format(next_write - refused))
  end)

  it("cut off for longer than its lease: it stops writing before another begins", function()
    local b = hub:start("b", "--status-gap", "1s", "--status-budget", "0")
    hubs.ready(b)
    local from = c:audit_position()
    route:break_by { connect = "silent" }
    local round = go_on(16, 1)
    hubs.leads(b)
    route:heal()
    await_round(round, 40)
    local by_a, by_b = hub:writes(from, "hub"), hub:writes(from, "b")
    assert.is_true(#by_b > 0)
    local last_a = by_a[#by_a] and by_a[#by_a].requestReceivedTimestamp or ""
    assert.is_true(last_a < by_b[1].requestReceivedTimestamp)
    assert.truthy(p:expect("err", "leads no more"))
  end)

  it("lease requests alone fail: no write goes out once it is 7 s old", function()
    local broken = route:break_by { match = "/leases", status = 503, message = "x" }
    local round = go_on(14, 1)
    local last = 0
    for _, event in ipairs(route:events()) do
      if event.e == "request" and event.method == "PATCH" and not event.path:find("/leases/", 1, true) then last = event.t end
    end
    assert.is_true(last > broken, "it did not write at all")
    assert.is_true(last - broken < 7500, ("%d ms after the last renewal"):format(last - broken))
    route:heal()
    await_round(round, 40)
  end)

  it("API server killed, etcd killed", function()
    c:kill("etcd", "KILL")
    c:kill("apiserver", "KILL")
    os.execute "sleep 3"
    for _, socket in ipairs { "etcd:1", "peer:1" } do os.remove(c.dir .. "/" .. socket) end -- which it could not do
    c:spawn_etcd()
    c:start_apiserver()
    local round = go_on(3, 1)
    await_round(round, 60)
  end)
end)
