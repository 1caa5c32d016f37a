--- A real Kubernetes API server for specs: etcd and kube-apiserver on this machine, started in a few seconds.
---
---     local cluster = require "spec.support.cluster"
---     if cluster.skip(pending) then return end     -- reported as skipped where the programs are missing
---
---     describe("...", function()
---       local c
---       setup(function() c = cluster.shared() end) -- one for all specs of the run
---
--- Requests, objects and rights are methods of the cluster: see also cluster_objects.lua, cluster_access.lua.
--- Settings from the environment: HEADWAY_KUBE (path of the kube binary), HEADWAY_REQUIRE_CLUSTER=1 (a
--- missing program is a failure), HEADWAY_KEEP_CLUSTER=1 (logs and data stay after the end), TMPDIR.
local cjson = require "cjson"
local http = require "spec.support.cluster_http"
local shell = require "spec.support.cluster_shell"

local START_TIMEOUT = 90 -- seconds; 5 are usual, a busy machine takes longer
local STOP_TIMEOUT = 15
local SERVICE_RANGE, SERVICE_IP = "10.96.0.0/16", "10.96.0.1"

local M = {}

---@class headway.spec.Cluster
---@field dir string  everything of this cluster is in here; removed at the end
---@field host string
---@field port integer
---@field admin_token string  group system:masters
---@field kube string  path of the binary with all programs of Kubernetes
---@field pids table<string, integer>
local Cluster = {}
Cluster.__index = Cluster
for _, name in ipairs { "cluster_objects", "cluster_access" } do
  for key, value in pairs(require("spec.support." .. name)) do Cluster[key] = value end
end

local here = debug.getinfo(1, "S").source:match "^@(.*/)" or "./"
here = select(2, shell.run("cd " .. shell.quote(here) .. " && pwd")):gsub("\n$", "") .. "/"

---@return string? path
local function find_kube()
  local given = os.getenv "HEADWAY_KUBE"
  if given and given ~= "" then return shell.exists(given) and given or nil end
  local ok, output = shell.run(shell.command { here .. "../cluster/build.sh", "--print" })
  return ok and output:match "([^\n]+)\n?$" or nil
end

--- Why no cluster can be started here; nil when it can.
---@return string?
function M.missing()
  for _, program in ipairs { "etcd", "openssl", "curl", "setpriv", "setsid" } do
    if not shell.has(program) then return "no program " .. program end
  end
  if not find_kube() then return "no kube binary: run spec/cluster/build.sh, or set HEADWAY_KUBE" end
end

--- For the top of a spec file: reports it as skipped when there can be no cluster.
---@param pending fun(name: string)  busted's
---@return boolean skip  the file shall return
function M.skip(pending)
  local reason = M.missing()
  if not reason then return false end
  if os.getenv "HEADWAY_REQUIRE_CLUSTER" == "1" then error("a cluster is required: " .. reason, 2) end
  pending("cluster: " .. reason)
  return true
end

-- Processes -----------------------------------------------------------------------------------------------

--- One command to the supervisor.
---@return string? answer  nil when it is gone
function Cluster:command(...)
  if not self.supervisor then return nil end
  self.supervisor:write(table.concat({ ... }, " "), "\n")
  self.supervisor:flush()
  local reply = shell.quote(self.dir .. "/reply")
  local _, answer = shell.run(("timeout %d head -n 1 %s"):format(STOP_TIMEOUT * 4, reply))
  return answer:match "^[^\n]+"
end

--- Starts a program that ends with the cluster.
---@param name string  letters only; its log is `dir/name.log`
---@param argv (string|number)[]
---@return integer pid
function Cluster:spawn(name, argv)
  -- Dies when the supervisor does, which dies when we do.
  local line = "exec setpriv --pdeathsig KILL " .. shell.command(argv) .. "\n"
  shell.write(("%s/%s.sh"):format(self.dir, name), line)
  local pid = (self:command("start", name) or ""):match "^ok (%d+)$"
  self.pids[name] = math.tointeger(tonumber(pid)) or error("the cluster's supervisor is gone", 2)
  return self.pids[name]
end

--- Stops a program and waits for its end.
---@param name string
---@param signal? string  default TERM; KILL follows after 15 s
function Cluster:kill(name, signal)
  self:command("stop", name, signal or "TERM", STOP_TIMEOUT)
  self.pids[name] = nil
end

--- Sends a signal: STOP makes a server hang, CONT wakes it.
---@param name string
---@param signal string
function Cluster:signal(name, signal)
  local answer = self:command("signal", name, signal)
  if answer ~= "ok" then error(("no process %s: %s"):format(name, answer), 2) end
end

--- The end of a program's log, for messages.
---@param name string
---@param lines? integer
---@return string
function Cluster:log_tail(name, lines)
  return (select(2, shell.run(("tail -n %d %s/%s.log 2>&1 | cut -c1-300"):format(lines or 8,
    shell.quote(self.dir), name))))
end

-- API server ----------------------------------------------------------------------------------------------

local AUDIT_POLICY = [[
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: None
  users: ["system:apiserver"]
- level: None
  nonResourceURLs: ["/readyz*", "/livez*", "/healthz*", "/openapi/*"]
- level: RequestResponse
  resources:
  - { group: "", resources: [pods, pods/status] }
  - { group: data.fluid.io }
- level: Metadata
]]

local OPENSSL_CONFIG = "[req]\ndistinguished_name = dn\nprompt = no\n[dn]\nCN = headway\n"

--- CA, server certificate, key of the service accounts. Elliptic curves: no time is lost on RSA keys.
local MAKE_KEYS = [[
set -e; cd "$1"; ec="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
openssl req -x509 -new -config openssl.cnf $ec -days 30 -subj /CN=headway-spec-ca \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
  -addext subjectKeyIdentifier=hash -keyout ca.key -out ca.crt
openssl req -x509 -new -config openssl.cnf $ec -days 30 -CA ca.crt -CAkey ca.key -subj /CN=kube-apiserver \
  -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth \
  -addext "subjectAltName=$2" -keyout server.key -out server.crt
openssl ecparam -name prime256v1 -genkey -noout -out sa.key
]]

---@param self headway.spec.Cluster
---@return string? reason
local function write_files(self, opts)
  local names = { "IP:127.0.0.1", "IP:::1", "IP:" .. SERVICE_IP, "DNS:localhost", "DNS:kubernetes",
    "DNS:kubernetes.default", "DNS:kubernetes.default.svc" }
  for _, name in ipairs(opts.names or {}) do names[#names + 1] = name end
  shell.write(self.dir .. "/openssl.cnf", OPENSSL_CONFIG)
  shell.write(self.dir .. "/keys.sh", MAKE_KEYS)
  shell.write(self.dir .. "/audit.yaml", AUDIT_POLICY)
  shell.write(self.dir .. "/tokens.csv", self.admin_token .. ',admin,admin,"system:masters"\n')
  local argv = { "sh", self.dir .. "/keys.sh", self.dir, table.concat(names, ",") }
  local ok, output = shell.run(shell.command(argv) .. " 2>&1")
  if not ok then return "keys: " .. output end
end

---@param self headway.spec.Cluster
local function spawn_etcd(self)
  -- Sockets in the directory, no ports: nobody else can take them. etcd wants names of the form host:port.
  self:spawn("etcd", { "etcd", "--name=spec", "--data-dir=" .. self.dir .. "/etcd", "--unsafe-no-fsync",
    "--listen-client-urls=unix://etcd:1", "--advertise-client-urls=unix://etcd:1",
    "--listen-peer-urls=unix://peer:1", "--initial-advertise-peer-urls=unix://peer:1",
    "--initial-cluster=spec=unix://peer:1" })
end

---@param self headway.spec.Cluster
local function spawn_apiserver(self)
  local argv = { self.kube, "kube-apiserver",
    "--etcd-servers=unix://etcd:1",
    "--secure-port=" .. self.port, "--bind-address=" .. self.bind,
    "--tls-cert-file=" .. self.dir .. "/server.crt", "--tls-private-key-file=" .. self.dir .. "/server.key",
    "--cert-dir=" .. self.dir,
    "--client-ca-file=" .. self.dir .. "/ca.crt",
    "--token-auth-file=" .. self.dir .. "/tokens.csv",
    "--service-account-key-file=" .. self.dir .. "/sa.key",
    "--service-account-signing-key-file=" .. self.dir .. "/sa.key",
    "--service-account-issuer=https://kubernetes.default.svc",
    "--authorization-mode=Node,RBAC",
    "--service-cluster-ip-range=" .. SERVICE_RANGE,
    "--endpoint-reconciler-type=none", -- a loopback address can't be an endpoint
    "--allow-privileged", "--profiling=false",
    "--audit-policy-file=" .. self.dir .. "/audit.yaml", "--audit-log-path=" .. self:audit_log() }
  for _, flag in ipairs(self.flags) do argv[#argv + 1] = flag end
  self:spawn("apiserver", argv)
end

---@param self headway.spec.Cluster
---@return boolean? ready
---@return string? reason
local function wait_ready(self)
  local dead = {}
  local ok, why = shell.wait_until(function()
    for name, pid in pairs(self.pids) do
      if not shell.alive(pid) then return dead, name end
    end
    local status, body = self:request("GET", "/readyz", nil, { timeout = 5 })
    return status == 200, body
  end, START_TIMEOUT, 0.1)
  if ok == true then return true end
  for name, pid in pairs(self.pids) do
    if not shell.alive(pid) then return nil, ("%s ended: %s"):format(name, self:log_tail(name)) end
  end
  return nil, ("not ready after %d s: %s"):format(START_TIMEOUT, tostring(why))
end

-- Again, on the same port or socket, without waiting for them.
Cluster.spawn_apiserver, Cluster.spawn_etcd = spawn_apiserver, spawn_etcd

--- Starts the API server again, on the same port, and waits until it is ready.
function Cluster:start_apiserver()
  spawn_apiserver(self)
  local ok, reason = wait_ready(self)
  if not ok then error(reason, 2) end
end

--- Stops the API server; etcd keeps everything.
---@param signal? string  default TERM, which takes about 3 s; KILL is a crash
function Cluster:stop_apiserver(signal)
  self:kill("apiserver", signal)
end

---@return string
function Cluster:server_url()
  return ("https://%s:%d"):format(self.host, self.port)
end

---@return string path
function Cluster:ca_file()
  return self.dir .. "/ca.crt"
end

---@class headway.spec.RequestOptions
---@field content_type? string  default: merge patch for PATCH, else JSON
---@field token? string|false  default the administrator's; false: none
---@field cert? string  client certificate instead of a token
---@field key? string
---@field headers? table<string, string>
---@field timeout? number  seconds
---@field ca? string  path; default the cluster's

---@param self headway.spec.Cluster
---@param request table
---@return headway.spec.Request
local function complete(self, request)
  request.url = self:server_url() .. request.path
  request.ca = request.ca or self:ca_file()
  if request.token == nil and not request.cert then request.token = self.admin_token end
  return request
end

--- One request to the API server. Doesn't raise.
---@param method string
---@param path string  with query
---@param body? table|string
---@param opts? headway.spec.RequestOptions
---@return integer? status  nil: no answer
---@return any body  decoded JSON, or text; the reason when there was no answer
---@return table<string, string> headers  names in lower case
function Cluster:request(method, path, body, opts)
  local request = { method = method, path = path, body = body }
  for key, value in pairs(opts or {}) do request[key] = value end
  local answer = http.send(self.dir, { complete(self, request) })[1]
  if not answer.status then return nil, answer.error, answer.headers end
  return answer.status, answer.body, answer.headers
end

--- Many requests, one after another over one connection.
---@param requests table[]  each with method, path, body and the fields of headway.spec.RequestOptions
---@return headway.spec.Response[]
function Cluster:requests(requests)
  for _, request in ipairs(requests) do complete(self, request) end
  return http.send(self.dir, requests)
end

--- A program `kubectl`: what plugins find in PATH.
---@return string path
function Cluster:kubectl_path()
  local bin = self.dir .. "/bin"
  if not shell.exists(bin .. "/kubectl") then
    assert(os.execute(("mkdir -p %s && ln -s %s %s/kubectl"):format(shell.quote(bin), shell.quote(self.kube),
      shell.quote(bin))))
  end
  return bin .. "/kubectl"
end

--- Runs kubectl as the administrator.
---@param ... string  its arguments
---@return boolean ok
---@return string stdout
---@return string stderr
function Cluster:kubectl(...)
  if not self.admin_config then self.admin_config = self:kubeconfig(self.dir .. "/admin.kubeconfig") end
  local errors = self.dir .. "/" .. self:unique "kubectl"
  local ok, output = shell.run(shell.command { "env", "HOME=" .. self.dir, self:kubectl_path(),
    "--kubeconfig=" .. self.admin_config, ... } .. " </dev/null 2>" .. shell.quote(errors))
  local message = shell.read(errors) or ""
  os.remove(errors)
  return ok, output, message
end

-- Audit ---------------------------------------------------------------------------------------------------

--- The file with one JSON event for each answered request: with bodies for pods and Fluid's resources.
---@return string path
function Cluster:audit_log()
  return self.dir .. "/audit.log"
end

--- Where the audit log ends now: for `audit { from = ... }`.
---@return integer offset
function Cluster:audit_position()
  -- An event is written just after its answer. So the log is complete when it shows a request made later.
  self.marks = (self.marks or 0) + 1
  local mark, size = ("/version?mark=%d-%d"):format(self.port, self.marks), nil
  self:request("GET", mark)
  local ok = shell.wait_until(function()
    local file = assert(io.open(self:audit_log(), "rb"))
    size = file:seek "end"
    file:seek("set", math.max(0, size - 65536))
    local tail = file:read "a"
    file:close()
    return tail:find(mark, 1, true)
  end, 10)
  if not ok then error("the audit log doesn't grow", 2) end
  return size
end

---@class headway.spec.AuditFilter
---@field from? integer  offset from `audit_position`
---@field verb? string
---@field resource? string
---@field subresource? string
---@field namespace? string
---@field name? string
---@field user? string  name of the user
---@field agent? string  part of the user agent
---@field code? integer

--- The requests that the server has answered, oldest first.
---@param filter headway.spec.AuditFilter
---@return table[] events
function Cluster:audit(filter)
  self:audit_position()
  local file, events = assert(io.open(self:audit_log(), "rb")), {}
  file:seek("set", filter.from or 0)
  for line in file:lines() do
    local event = http.decode(line)
    local object = event and event.objectRef or {}
    local has = event and { verb = event.verb, resource = object.resource, subresource = object.subresource,
      namespace = object.namespace, name = object.name, user = event.user.username,
      code = event.responseStatus and event.responseStatus.code }
    local matches = has ~= nil
    for key, value in pairs(filter) do
      if key == "agent" then matches = matches and (event.userAgent or ""):find(value, 1, true) ~= nil
      elseif key ~= "from" then matches = matches and has[key] == value end
    end
    if matches then events[#events + 1] = event end
  end
  file:close()
  return events
end

-- Start and stop ------------------------------------------------------------------------------------------

--- Applies the custom resources of spec/cluster/crds and waits until they are served.
function Cluster:apply_crds()
  local root = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
  local requests, lists = {}, {}
  local _, listing = shell.run(shell.command { "ls", here .. "../cluster/crds" })
  for file in listing:gmatch "[^\n]+%.yaml" do
    local group, plural = file:match "^(.*)_(.*)%.yaml$"
    requests[#requests + 1] = { method = "PATCH", content_type = "application/apply-patch+yaml",
      path = ("%s%s.%s?fieldManager=spec"):format(root, plural, group),
      body = assert(shell.read(here .. "../cluster/crds/" .. file)) }
    lists[#lists + 1] = ("/apis/%s/v1alpha1/%s?limit=1"):format(group, plural)
  end
  for i, answer in ipairs(self:requests(requests)) do
    if not answer.status or answer.status > 201 then
      error(("%s: %s"):format(requests[i].path, answer.error or cjson.encode(answer.body)), 2)
    end
  end
  local ok = shell.wait_until(function()
    local asks = {}
    for i, path in ipairs(lists) do asks[i] = { method = "GET", path = path } end
    for _, answer in ipairs(self:requests(asks)) do
      if answer.status ~= 200 then return false end
    end
    return true
  end, 30, 0.1)
  if not ok then error("the custom resources are not served", 2) end
end

---@param self headway.spec.Cluster
local function bring_up(self, opts)
  local reason = write_files(self, opts)
  if reason then return nil, reason end
  spawn_etcd(self)
  spawn_apiserver(self)
  local ok
  ok, reason = wait_ready(self)
  if not ok then return nil, reason end
  -- Made by the server itself, shortly after it is ready.
  ok = shell.wait_until(function() return self:request("GET", "/api/v1/namespaces/default") == 200 end, 30)
  if not ok then return nil, "no namespace default" end
  self:service_account("default", "default")
  if opts.crds ~= false then self:apply_crds() end
  return true
end

---@class headway.spec.StartOptions
---@field crds? boolean  default true
---@field bind? string  address the server listens on, default 127.0.0.1
---@field names? string[]  further names of the server's certificate, as "IP:..." or "DNS:..."
---@field flags? string[]  further flags of the API server

---@return headway.spec.Cluster
local function new_cluster(kube, opts)
  local made, dir = shell.run("mktemp -d -t headway-cluster.XXXXXXXX")
  assert(made, "can't make a temporary directory")
  dir = dir:gsub("\n$", "")
  assert(os.execute("mkfifo -m 600 " .. shell.quote(dir .. "/reply")))
  if os.getenv "HEADWAY_KEEP_CLUSTER" == "1" then shell.write(dir .. "/keep", "") end
  local self = setmetatable({ dir = dir, kube = kube, host = "127.0.0.1", bind = opts.bind or "127.0.0.1",
    port = shell.free_port(), admin_token = ("admin-%016x"):format(math.random(0)), flags = opts.flags or {},
    pids = {} }, Cluster)
  -- Its own session, so that Ctrl-C ends us first; it ends when its stdin does, or when we die.
  local argv = { "setsid", "setpriv", "--pdeathsig", "TERM", "sh", here .. "cluster_supervise.sh", dir }
  local log = shell.quote(dir .. "/supervisor.log")
  self.supervisor = assert(io.popen(("exec %s >/dev/null 2>%s"):format(shell.command(argv), log), "w"))
  return self
end

--- Starts a cluster of one's own.
---@param opts? headway.spec.StartOptions
---@return headway.spec.Cluster? cluster
---@return string? reason
function M.start(opts)
  local reason = M.missing()
  if reason then return nil, reason end
  local ok
  for _ = 1, 3 do -- the port may have been taken in between
    local self = new_cluster(find_kube(), opts or {})
    local raised
    raised, ok, reason = xpcall(bring_up, debug.traceback, self, opts or {})
    if raised and ok then return self end
    if not raised then reason = ok end
    self:stop()
    if not tostring(reason):find("address already in use", 1, true) then break end
  end
  return nil, reason
end

--- The cluster that all specs of this process share; started at the first call, gone when the process ends.
--- Raises when it can't be started. Namespaces keep specs apart: `create_namespace`.
---@return headway.spec.Cluster
function M.shared()
  -- Not in a local: busted loads modules anew for each spec file.
  local registry = debug.getregistry()
  local key = "headway.spec.cluster"
  if not registry[key] then registry[key] = assert(M.start()) end
  return registry[key]
end

--- Ends everything and waits for it. The end of the process does the same.
function Cluster:stop()
  if not self.supervisor then return end
  self.supervisor:close() -- its stdin ends; close waits until it has cleaned up
  self.supervisor, self.pids = nil, {}
end

--- Starts kube-controller-manager: owners, jobs, garbage collection, default accounts.
function Cluster:start_controller_manager()
  local cert, key = self:client_cert("system:kube-controller-manager")
  self:spawn("controllers", { self.kube, "kube-controller-manager", "--leader-elect=false", "--secure-port=0",
    "--kubeconfig=" .. self:kubeconfig(self.dir .. "/controllers.kubeconfig", { cert = cert, key = key }),
    "--service-account-private-key-file=" .. self.dir .. "/sa.key", "--root-ca-file=" .. self:ca_file(),
    "--use-service-account-credentials" })
end

--- Starts kube-scheduler.
function Cluster:start_scheduler()
  local cert, key = self:client_cert("system:kube-scheduler")
  self:spawn("scheduler", { self.kube, "kube-scheduler", "--leader-elect=false", "--secure-port=0",
    "--kubeconfig=" .. self:kubeconfig(self.dir .. "/scheduler.kubeconfig", { cert = cert, key = key }) })
end

return M
