--- The fault proxy of spec/faults, between reporters and the API server of a test cluster.
---
---     if faults.skip(pending) then return end
---     local proxy = faults.start(cluster)       -- ends with the cluster
---     local r = proxy:open "name"               -- a listener of its own: r.port
---     r:break_by { status = 503 }               -- see `type fault` in spec/faults/route.go
---     r:heal()
---     for _, event in ipairs(r:events()) do ... end
local cjson = require "cjson"
local http = require "spec.support.cluster_http"
local shell = require "spec.support.cluster_shell"

local M = {}

---@return string? path
---@return string? why
local function find()
  local ok, output = shell.run "spec/faults/build.sh 2>&1"
  local path = output:match "([^\n]+)\n?$"
  if ok then return path end
  return nil, path
end

--- For the top of a spec file: reports it as skipped when the proxy can't be built.
---@param pending fun(name: string)  busted's
---@return boolean skip
function M.skip(pending)
  local path, why = find()
  if path and pcall(require, "socket") then return false end
  why = path and "no lua-socket" or "no fault proxy: " .. tostring(why)
  if os.getenv "HEADWAY_REQUIRE_CLUSTER" == "1" then error(why, 2) end
  pending(why)
  return true
end

---@class headway.spec.FaultProxy
---@field dir string
---@field conn table
local Proxy = {}
Proxy.__index = Proxy

---@class headway.spec.FaultRoute
---@field proxy headway.spec.FaultProxy
---@field name string
---@field port integer
---@field seen table[]  events read so far
local Route = {}
Route.__index = Route

---@param cluster headway.spec.Cluster
---@return headway.spec.FaultProxy
function M.start(cluster)
  local dir = ("%s/%s"):format(cluster.dir, cluster:unique "faults")
  shell.run("mkdir " .. shell.quote(dir))
  cluster:spawn("faults", { assert(find()), dir, cluster:server_url() })
  local port = shell.wait_until(function() return shell.read(dir .. "/control") end, 10)
  if not port then error("the fault proxy did not start: " .. cluster:log_tail "faults", 2) end
  local conn = require("socket").tcp()
  conn:settimeout(30)
  assert(conn:connect("127.0.0.1", math.tointeger(tonumber(port))))
  conn:setoption("tcp-nodelay", true)
  return setmetatable({ dir = dir, conn = conn, cluster = cluster }, Proxy)
end

---@param command table
---@return table answer
function Proxy:command(command)
  assert(self.conn:send(cjson.encode(command) .. "\n"))
  local answer = http.decode(assert(self.conn:receive "*l"))
  if answer.error then error(("%s %s: %s"):format(command.op, command.name, answer.error), 3) end
  return answer
end

--- The CA that reporters are to trust.
---@return string pem
function Proxy:ca()
  return assert(shell.read(self.dir .. "/ca.crt"))
end

--- A token of a service account with claims of one's own; `exp` decides when it is over.
---@param claims table
---@return string
function Proxy:token(claims)
  return self:command({ op = "token", key = self.cluster.dir .. "/sa.key", claims = claims }).token
end

---@param name string
---@return headway.spec.FaultRoute
function Proxy:open(name)
  local answer = self:command { op = "open", name = name }
  return setmetatable({ proxy = self, name = name, port = answer.port, seen = {}, offset = 0 }, Route)
end

--- A fault that breaks nothing: marks the time in the log when something else is broken.
M.NOTHING = { forward = true }

---@param fault table
---@return integer ms  when, by the proxy's clock
function Route:break_by(fault)
  return self.proxy:command({ op = "break", name = self.name, fault = fault }).t
end

---@return integer ms
function Route:heal()
  return self.proxy:command({ op = "heal", name = self.name }).t
end

--- Ends its connections, and nothing else.
---@return integer ms
function Route:cut()
  return self.proxy:command({ op = "cut", name = self.name }).t
end

--- The proxy's clock.
---@return integer ms
function Route:now()
  return self.proxy:command({ op = "now" }).t
end

function Route:close()
  self.proxy:command { op = "close", name = self.name }
end

--- Everything that has happened on this listener, oldest first.
---@return table[] events
function Route:events()
  local file = io.open(("%s/%s.log"):format(self.proxy.dir, self.name), "rb")
  if not file then return self.seen end
  file:seek("set", self.offset)
  for line in file:lines "L" do
    if line:sub(-1) ~= "\n" then break end -- half written
    self.offset = self.offset + #line
    self.seen[#self.seen + 1] = assert(http.decode(line), line)
  end
  file:close()
  return self.seen
end

return M
