--- Who may do what in the test cluster: accounts, roles, tokens, certificates, kubeconfig files. Methods of
--- the cluster; they raise when the server refuses.
local shell = require "spec.support.cluster_shell"

---@class headway.spec.Cluster
local M = {}

--- Makes sure that the service account exists.
---@param namespace string
---@param name string
function M:service_account(namespace, name)
  local status, body = self:request("POST", ("/api/v1/namespaces/%s/serviceaccounts"):format(namespace),
    { metadata = { name = name } })
  if status ~= 201 and status ~= 409 then
    error(("service account %s/%s: %s %s"):format(namespace, name, status, body and body.message or body), 2)
  end
end

--- A token by the TokenRequest API.
---@param namespace string
---@param account string
---@param opts? { pod?: table|string, uid?: string, expiration?: integer, audiences?: string[] }  pod: the
---  object, or its name together with `uid`: the token is bound to it; expiration in seconds, at least 600
---@return string token
---@return table status  token, expirationTimestamp
function M:token(namespace, account, opts)
  opts = opts or {}
  local pod, bound = opts.pod, nil
  if type(pod) == "table" then pod, opts = pod.metadata.name, { uid = pod.metadata.uid,
    expiration = opts.expiration, audiences = opts.audiences } end
  if pod then bound = { apiVersion = "v1", kind = "Pod", name = pod, uid = opts.uid } end
  local status, body = self:request("POST",
    ("/api/v1/namespaces/%s/serviceaccounts/%s/token"):format(namespace, account),
    { apiVersion = "authentication.k8s.io/v1", kind = "TokenRequest", spec = {
      audiences = opts.audiences, expirationSeconds = opts.expiration or 3600, boundObjectRef = bound } })
  if status ~= 201 then
    error(("token of %s/%s: %s %s"):format(namespace, account, status, body and body.message or body), 2)
  end
  return body.status.token, body.status
end

---@class headway.spec.Rule
---@field apiGroups string[]
---@field resources string[]
---@field verbs string[]
---@field resourceNames? string[]

local function subject(namespace, account)
  return { kind = "ServiceAccount", namespace = namespace, name = account }
end

--- Waits until the authorizer knows the rule: it reads roles through a cache.
local function wait_for_rule(self, user, rule, namespace)
  local verb, resource = rule.verbs[1], rule.resources[1]
  local name, sub = resource:match "^([^/]+)/?(.*)$"
  local ok = shell.wait_until(function()
    local status, review = self:request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
      spec = { user = user, resourceAttributes = { namespace = namespace, verb = verb,
        group = rule.apiGroups[1], resource = name, subresource = sub ~= "" and sub or nil,
        name = rule.resourceNames and rule.resourceNames[1] } } })
    return status == 201 and review.status.allowed
  end, 10)
  if not ok then error("the rule never came into force", 3) end
end

--- Gives a service account rights in its namespace (or in another one), and waits until they are in force.
---@param namespace string
---@param account string
---@param rules headway.spec.Rule[]
---@param opts? { name?: string, in_namespace?: string }
function M:role(namespace, account, rules, opts)
  opts = opts or {}
  local name, where = opts.name or self:unique(account), opts.in_namespace or namespace
  local group = "rbac.authorization.k8s.io"
  self:apply { apiVersion = group .. "/v1", kind = "Role", metadata = { name = name, namespace = where },
    rules = rules }
  self:apply { apiVersion = group .. "/v1", kind = "RoleBinding",
    metadata = { name = name, namespace = where }, subjects = { subject(namespace, account) },
    roleRef = { apiGroup = group, kind = "Role", name = name } }
  wait_for_rule(self, ("system:serviceaccount:%s:%s"):format(namespace, account), rules[#rules], where)
end

--- The same for the whole cluster.
---@param namespace string
---@param account string
---@param rules headway.spec.Rule[]
---@param opts? { name?: string }
function M:cluster_role(namespace, account, rules, opts)
  local name = opts and opts.name or self:unique(namespace .. "-" .. account)
  local group = "rbac.authorization.k8s.io"
  self:apply { apiVersion = group .. "/v1", kind = "ClusterRole", metadata = { name = name }, rules = rules }
  self:apply { apiVersion = group .. "/v1", kind = "ClusterRoleBinding", metadata = { name = name },
    roleRef = { apiGroup = group, kind = "ClusterRole", name = name },
    subjects = { subject(namespace, account) } }
  wait_for_rule(self, ("system:serviceaccount:%s:%s"):format(namespace, account), rules[#rules])
end

--- A reporter's only right: patch pods.
---@param namespace string
---@param account string
function M:role_patch_pods(namespace, account)
  self:role(namespace, account, { { apiGroups = { "" }, resources = { "pods" }, verbs = { "patch" } } })
end

--- Patch the status of operations: what a cluster without a hub grants to reporters.
---@param namespace string
---@param account string
function M:role_patch_status(namespace, account)
  self:role(namespace, account, { { apiGroups = { "data.fluid.io" }, verbs = { "patch" }, resources = {
    "dataprocesses/status", "dataloads/status", "datamigrates/status", "databackups/status" } } })
end

--- A client certificate, signed by the CA that the server trusts.
---@param cn string  the user
---@param groups? string[]
---@param opts? { days?: integer }
---@return string cert  path
---@return string key  path
function M:client_cert(cn, groups, opts)
  local stem = ("%s/%s"):format(self.dir, self:unique "client")
  local parts = {}
  for _, group in ipairs(groups or {}) do parts[#parts + 1] = "/O=" .. group:gsub("/", "\\/") end
  parts[#parts + 1] = "/CN=" .. cn:gsub("/", "\\/")
  local ok, output = shell.run(shell.command {
    "openssl", "req", "-x509", "-new", "-config", self.dir .. "/openssl.cnf", "-newkey", "ec",
    "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-CA", self.dir .. "/ca.crt", "-CAkey",
    self.dir .. "/ca.key", "-days", opts and opts.days or 2, "-subj", table.concat(parts),
    "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=clientAuth",
    "-keyout", stem .. ".key", "-out", stem .. ".crt",
  } .. " 2>&1")
  if not ok then error("client certificate: " .. output, 2) end
  return stem .. ".crt", stem .. ".key"
end

local function base64(path)
  return (select(2, shell.run("base64 -w0 " .. shell.quote(path))))
end

--- A YAML scalar: JSON strings are YAML.
local function scalar(text)
  return '"' .. tostring(text):gsub('[\\"]', "\\%0"):gsub("\n", "\\n") .. '"'
end

local function exec_lines(exec, line)
  line("    exec:")
  line("      apiVersion: %s", exec.api_version or "client.authentication.k8s.io/v1")
  line("      command: %s", scalar(exec.command))
  line("      interactiveMode: %s", exec.interactive or "Never")
  if exec.provide_cluster_info then line("      provideClusterInfo: true") end
  for i, arg in ipairs(exec.args or {}) do
    if i == 1 then line("      args:") end
    line("      - %s", scalar(arg))
  end
  local first = true
  for name, value in pairs(exec.env or {}) do
    if first then line("      env:") end
    first = false
    line("      - name: %s", scalar(name))
    line("        value: %s", scalar(value))
  end
end

---@class headway.spec.Kubeconfig
---@field token? string
---@field token_file? string
---@field cert? string  path of a client certificate
---@field key? string  path of its key
---@field inline? boolean  CA, certificate and key as base64 in the file, not as paths
---@field exec? { command: string, args?: string[], env?: table<string, string>, api_version?: string,
---  interactive?: string, provide_cluster_info?: boolean }  credential plugin
---@field ca? string|false  path; default the cluster's; false: none
---@field insecure? boolean  insecure-skip-tls-verify
---@field server? string  default the cluster's
---@field tls_server_name? string
---@field namespace? string
---@field context? string  default "spec"

--- Writes a kubeconfig file; without any credentials in `opts` that of the administrator.
---@param path string
---@param opts? headway.spec.Kubeconfig
---@return string path
function M:kubeconfig(path, opts)
  opts = opts or {}
  local out = {}
  local function line(format, ...) out[#out + 1] = format:format(...) end
  local function file(indent, key, from)
    if opts.inline then line("%s%s-data: %s", indent, key, base64(from))
    else line("%s%s: %s", indent, key, scalar(from)) end
  end
  local token = opts.token
  if not (token or opts.token_file or opts.cert or opts.exec) then token = self.admin_token end
  local context = opts.context or "spec"
  line("apiVersion: v1\nkind: Config\ncurrent-context: %s", scalar(context))
  line("clusters:\n- name: cluster\n  cluster:\n    server: %s", scalar(opts.server or self:server_url()))
  if opts.ca ~= false and not opts.insecure then
    file("    ", "certificate-authority", opts.ca or self:ca_file())
  end
  if opts.insecure then line("    insecure-skip-tls-verify: true") end
  if opts.tls_server_name then line("    tls-server-name: %s", scalar(opts.tls_server_name)) end
  line("contexts:\n- name: %s\n  context:\n    cluster: cluster\n    user: user", scalar(context))
  if opts.namespace then line("    namespace: %s", scalar(opts.namespace)) end
  line("users:\n- name: user\n  user:")
  if token then line("    token: %s", scalar(token)) end
  if opts.token_file then line("    tokenFile: %s", scalar(opts.token_file)) end
  if opts.cert then
    file("    ", "client-certificate", opts.cert)
    file("    ", "client-key", opts.key)
  end
  if opts.exec then exec_lines(opts.exec, line) end
  shell.write(path, table.concat(out, "\n") .. "\n")
  return path
end

---@class headway.spec.InCluster
---@field dir string  what a pod sees as /var/run/secrets/kubernetes.io/serviceaccount
---@field env table<string, string>  what its environment holds
---@field token string
local InCluster = {}
InCluster.__index = InCluster

--- Writes another token as the kubelet does: a new directory, then the link to it swapped by one rename.
---@param token string
function InCluster:rotate(token)
  self.token, self.version = token, self.version + 1
  local fresh = ("..version_%d"):format(self.version)
  local ok, output = shell.run(("cd %s && mkdir %s && cp -p %s %s/ 2>&1"):format(shell.quote(self.dir), fresh,
    self.version == 1 and "../source/*" or "..data/*", fresh))
  if not ok then error(output, 2) end
  shell.write(("%s/%s/token"):format(self.dir, fresh), token)
  ok, output = shell.run(("cd %s && { old=$(readlink ..data); ln -s %s ..next && mv -T ..next ..data && "
    .. "{ [ -z \"$old\" ] || rm -r \"$old\"; }; } 2>&1"):format(shell.quote(self.dir), fresh))
  if not ok then error(output, 2) end
end

--- What a pod of this account sees of the cluster: for a process that is to run as if it were in the pod.
---@param namespace string
---@param account string
---@param pod? table|string  the token is bound to it (a name alone: looked up)
---@param opts? { expiration?: integer }
---@return headway.spec.InCluster
function M:fake_serviceaccount_dir(namespace, account, pod, opts)
  if type(pod) == "string" then
    pod = self:get { apiVersion = "v1", kind = "Pod", metadata = { name = pod, namespace = namespace } }
      or error("no pod of that name", 2)
  end
  local root = ("%s/%s"):format(self.dir, self:unique "pod")
  local ok, output = shell.run(("mkdir -p %s/source %s/serviceaccount && cp %s %s/source/ca.crt 2>&1"):format(
    root, root, shell.quote(self:ca_file()), root))
  if not ok then error(output, 2) end
  shell.write(root .. "/source/namespace", namespace)
  local inside = setmetatable({ dir = root .. "/serviceaccount", version = 0, env = {
    KUBERNETES_SERVICE_HOST = self.host, KUBERNETES_SERVICE_PORT = tostring(self.port),
    KUBERNETES_SERVICE_PORT_HTTPS = tostring(self.port),
  } }, InCluster)
  local token = self:token(namespace, account, { pod = pod, expiration = opts and opts.expiration })
  inside:rotate(token)
  for _, name in ipairs { "token", "ca.crt", "namespace" } do
    assert(os.execute(("ln -s ..data/%s %s/%s"):format(name, inside.dir, name)))
  end
  return inside
end

return M
