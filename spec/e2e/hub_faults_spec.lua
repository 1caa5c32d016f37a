--- `headway hub` behind the fault proxy and beside a server that dies: whatever broke, afterwards every status is what its
--- pod says, nothing is stuck, and there never were two writers.
local cluster = require "spec.support.cluster"
local faults = require "spec.support.faults"
local hubs = require "spec.support.hub"
local shell = require "spec.support.cluster_shell"
if cluster.skip(pending) or faults.skip(pending) then return end

local KINDS = { "DataProcess", "DataLoad", "DataMigrate", "DataBackup", "Job" }
local COUNT = 10
-- What takes long is for the plain build, as in faults_spec.lua.
local ALL = os.getenv "HEADWAY_PRESET" ~= "dev" or os.getenv "HEADWAY_FAULTS" == "all"
local FLAGS = { "--status-gap", "1s", "--status-budget", "0" }

local c, proxy
setup(function()
  c = cluster.shared()
  proxy = faults.start(c)
end)

---@class headway.spec.HubSubject  a hub behind a listener of the proxy, and operations that it follows
local Subject = {}
Subject.__index = Subject

--- Every pod says so.
function Subject:report(round) self.hub:report(self.list, function(i) return ("%d/100"):format(i + round) end) end
--- Every operation does.
function Subject:await(round, timeout) self.hub:await(self.list, function(i) return ("%d/100"):format(i + round) end, timeout) end

local function new_subject()
  local s = setmetatable({ hub = hubs.new(c), list = {} }, Subject)
  s.route = proxy:open(s.hub.namespace)
  for i = 1, COUNT do s.list[i] = s.hub:operation(KINDS[(i - 1) % #KINDS + 1], "op" .. i) end
  s.process = s.hub:start_behind("hub", s.route, table.unpack(FLAGS))
  s:report(1)
  return s
end

--- New values again and again, for so long; the last round.
local function go_on(subjects, seconds, each)
  local round, till = 1, shell.now() + seconds
  repeat
    round = round + 1
    for _, s in ipairs(subjects) do s:report(round) end
    if each then each() end
    os.execute "sleep 0.3"
  until shell.now() > till
  return round
end

function Subject:close()
  self.hub:close()
  self.route:close()
end

describe("hub behind a fault:", function()
  --- break_by: for the proxy. cut: connections that stand are cut as it begins; "always": all the time.
  local rows = {
    { "every fifth answer is a 503", { every = 5, status = 503, message = "x" } },
    { "every fifth request is carried out, and its answer is lost", { every = 5, forward = true, cut = "status", ["then"] = "reset" } },
    { "every third write meets a 500", { match = "PATCH", every = 3, status = 500, message = "x" } },
    { "answers come slowly", { match = "PATCH", forward = true, delay = 1.5 } },
    { "every new watch is told 410", { match = "watch=1", status = 410, message = "too old resource version" }, cut = "once" },
    { "every list fails", { match = "limit=", status = 503, message = "x" }, cut = "once" },
    { "no connection is taken", { connect = "refuse" } },
    { "connections are taken and silent", { connect = "silent" } },
    { "watches are cut all the time", faults.NOTHING, cut = "always" },
  }
  local wrong = {}

  setup(function()
    local subjects = {}
    for i in ipairs(rows) do subjects[i] = new_subject() end
    for _, s in ipairs(subjects) do s:await(1) end
    for i, row in ipairs(rows) do
      subjects[i].route:break_by(row[2])
      if row.cut then subjects[i].route:cut() end
    end
    local round = go_on(subjects, 8, function()
      for i, row in ipairs(rows) do
        if row.cut == "always" then subjects[i].route:cut() end
      end
    end)
    for _, s in ipairs(subjects) do s.route:heal() end
    for i, s in ipairs(subjects) do
      local ok, why = pcall(s.await, s, round, 40)
      if not ok then wrong[i] = why
      elseif not shell.alive(s.process.pid) then wrong[i] = "it ended: " .. s.process:err() end
      s:close()
    end
  end)

  for i, row in ipairs(rows) do
    it(row[1], function() assert.is_nil(wrong[i]) end)
  end
end)

describe("hub:", function()
  local s, hub, route, p
  before_each(function()
    s = new_subject()
    hub, route, p = s.hub, s.route, s.process
    s:await(1)
  end)
  after_each(function() s:close() end)

  it("429 with Retry-After: all writes wait for it", function()
    local broken = route:break_by { match = "/status", times = 1, status = 429, message = "x", headers = { ["Retry-After"] = "3" } }
    s:report(2)
    s:await(2)
    local refused, next_write
    for _, event in ipairs(route:events()) do
      local write = event.e == "request" and event.method == "PATCH" and not event.path:find("/leases/", 1, true)
      if event.t >= broken and event.e == "answer" and event.status == 429 then refused = event.t
      elseif write and refused and event.t > refused + 500 and not next_write then next_write = event.t end -- some were under way
    end
    assert.is_true(next_write - refused >= 3000, ("%d ms"):format(next_write - refused))
  end)

  it("API server killed, etcd killed", function()
    c:kill("etcd", "KILL")
    c:kill("apiserver", "KILL")
    os.execute "sleep 3"
    for _, socket in ipairs { "etcd:1", "peer:1" } do os.remove(c.dir .. "/" .. socket) end -- which it could not do
    c:spawn_etcd()
    c:start_apiserver()
    s:await(go_on({ s }, 3), 60)
  end)

  if not ALL then return end

  it("cut off for longer than its lease: it stops writing before another begins", function()
    local b = hub:start("b", table.unpack(FLAGS))
    hubs.ready(b)
    local from = c:audit_position()
    route:break_by { connect = "silent" }
    local round = go_on({ s }, 14)
    hubs.leads(b)
    route:heal()
    s:await(round, 40)
    local by_a, by_b = hub:writes(from, "hub"), hub:writes(from, "b")
    assert.is_true(#by_b > 0)
    local last_a = by_a[#by_a] and by_a[#by_a].requestReceivedTimestamp or ""
    assert.is_true(last_a < by_b[1].requestReceivedTimestamp)
    assert.truthy(p:expect("err", "leads no more"))
  end)

  it("lease requests alone fail: no write goes out once it is 7 s old", function()
    local broken = route:break_by { match = "/leases", status = 503, message = "x" }
    local round = go_on({ s }, 13)
    local last = 0
    for _, event in ipairs(route:events()) do
      if event.e == "request" and event.method == "PATCH" and not event.path:find("/leases/", 1, true) then last = event.t end
    end
    assert.is_true(last > broken, "it did not write at all")
    assert.is_true(last - broken < 7500, ("%d ms after the last renewal"):format(last - broken))
    route:heal()
    s:await(round, 40)
  end)
end)
