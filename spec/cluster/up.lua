--- Starts a Kubernetes API server (etcd, kube-apiserver, Fluid's operations as custom resources) for a person
--- or a benchmark:
---
---     lua5.4 spec/cluster/up.lua [--kubeconfig FILE] [--controllers]
---
--- One line of JSON says where it is: url, token, ca, kubeconfig, kubectl, audit, dir. It runs until stdin
--- ends (Ctrl-D) or the process does, by any signal, and leaves nothing behind. Exit status 1: it could not
--- be started, 2: wrong use, 77: a program is missing.
local root = arg[0]:match "^(.*)spec/cluster/up%.lua$" or "./"
package.path = root .. "?.lua;" .. package.path

local cluster = require "spec.support.cluster"
local http = require "spec.support.cluster_http"

local EXIT_USAGE, EXIT_FAILED, EXIT_MISSING = 2, 1, 77

local function fail(code, ...)
  io.stderr:write("up.lua: ", string.format(...), "\n")
  os.exit(code, true)
end

local kubeconfig, controllers
local i = 1
while arg[i] do
  if arg[i] == "--kubeconfig" and arg[i + 1] then
    kubeconfig, i = arg[i + 1], i + 1
  elseif arg[i] == "--controllers" then
    controllers = true
  else
    fail(EXIT_USAGE, "unknown argument '%s'", arg[i])
  end
  i = i + 1
end

local missing = cluster.missing()
if missing then fail(EXIT_MISSING, "%s", missing) end

local c, reason = cluster.start()
if not c then fail(EXIT_FAILED, "%s", reason) end
if controllers then
  c:start_controller_manager()
  c:start_scheduler()
end
io.stdout:write(http.encode {
  url = c:server_url(), token = c.admin_token, ca = c:ca_file(), dir = c.dir, audit = c:audit_log(),
  kubeconfig = c:kubeconfig(kubeconfig or c.dir .. "/admin.kubeconfig"), kubectl = c:kubectl_path(),
}, "\n")
io.stdout:flush()

repeat until not io.stdin:read(4096)
c:stop()
