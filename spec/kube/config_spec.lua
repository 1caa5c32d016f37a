--- Which server and credential: kubeconfig, in-cluster, environment; good ones and every refusal with file:line.
local null = require "cjson".null
local probe = require "spec.support.kube_probe"
local shell = require "spec.support.cluster_shell"
if probe.skip(pending) then return end

local dir
setup(function() dir = probe.dir() end)
teardown(probe.clean)

local function write(name, text)
  shell.run("mkdir -p " .. shell.quote((dir .. "/" .. name):match "^(.*)/"))
  shell.write(dir .. "/" .. name, text)
  return dir .. "/" .. name
end

local function load(opts, env)
  opts["do"] = "config"
  return probe.run({ opts }, { env = env or {} }).is[1]
end

--- A kubeconfig of two contexts; fields replace its cluster's and user's lines.
local function config(opts)
  opts = opts or {}
  return ([[
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: c1
  cluster:
    %s
contexts:
- name: one
  context: { cluster: c1, user: u1, namespace: from-file }
- name: two
  context: { cluster: c1, user: u1 }
users:
- name: u1
  user:
    %s
]]):format(opts.cluster or 'server: "https://10.0.0.1:6443"', opts.user or "token: abc")
end

describe("kubeconfig:", function()
  it("server, token, namespace, context", function()
    local path = write("plain", config())
    local c = load { kubeconfig = path }
    assert.equal("https://10.0.0.1:6443", c.server)
    assert.equal("abc", c.token)
    assert.equal("from-file", c.namespace)
    assert.equal("one", c.context)
    assert.equal(path .. ", context 'one'", c.from)
    assert.is_false(c.in_cluster)
  end)
  it("another context and namespace", function()
    local path = write("plain", config())
    assert.equal("default", load { kubeconfig = path, context = "two" }.namespace)
    assert.equal("mine", load { kubeconfig = path, context = "one", namespace = "mine" }.namespace)
  end)
  it("JSON is YAML", function()
    local path = write("json", [[{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"b"}}],
      "clusters":[{"name":"b","cluster":{"server":"https://h/x/"}}],"users":null}]])
    local c = load { kubeconfig = path }
    assert.equal("https://h/x", c.server)
    assert.equal("default", c.namespace)
  end)
  it("relative paths are relative to the file", function()
    local path = write("sub/rel", config {
      cluster = "server: https://h\n    certificate-authority: ca.crt",
      user = "client-certificate: ../c.crt\n    client-key: /abs/c.key\n    tokenFile: t" })
    local c = load { kubeconfig = path }
    assert.equal(dir .. "/sub/ca.crt", c.ca_file)
    assert.equal(dir .. "/sub/../c.crt", c.cert_file)
    assert.equal("/abs/c.key", c.key_file)
    assert.equal(dir .. "/sub/t", c.token_file)
  end)
  it("data, tls-server-name, proxy-url", function()
    local path = write("data", config {
      cluster = "server: https://h\n    certificate-authority-data: Q0E=\n    tls-server-name: other\n    proxy-url: http://p:1",
      user = "client-certificate-data: Q1JU\n    client-key-data: S0VZ" })
    local c = load { kubeconfig = path }
    assert.same({ "CA", "other", "http://p:1", "CRT", "KEY" },
      { c.ca_data, c.tls_server_name, c.proxy_url, c.cert_data, c.key_data })
  end)
  it("an empty value is none, as kubectl writes it", function()
    local path = write("empty", config { user = 'token: ""\n    username: ""\n    client-key: ""\n    exec: null' })
    local c = load { kubeconfig = path }
    assert.is_nil(c.error)
    assert.equal(null, c.token)
    assert.equal(null, c.key_file)
  end)
  it("exec, with everything", function()
    local path = write("sub/exec", config { user = [[
exec:
      apiVersion: client.authentication.k8s.io/v1
      command: ./plugin
      args: [a, "b c"]
      env: [{ name: X, value: "1" }, { name: Y }]
      installHint: "get it\nsomewhere"
      provideClusterInfo: true
      interactiveMode: IfAvailable]] })
    local c = load { kubeconfig = path }
    assert.equal(dir .. "/sub/./plugin", c.exec.command)
    assert.same({ "a", "b c" }, c.exec.args)
    assert.same({ "X=1", "Y=" }, c.exec.env)
    assert.equal("get it somewhere", c.exec.hint)
    local info = require "cjson".decode(c.exec.info)
    assert.equal("https://10.0.0.1:6443", info.spec.cluster.server)
    assert.is_false(info.spec.interactive)
  end)
  it("a token goes before exec", function()
    local path = write("both", config { user = "token: abc\n    exec: { command: x }" })
    assert.is_nil(load({ kubeconfig = path }).exec)
  end)
end)

describe("kubeconfig refused:", function()
  local rows = {
    { "skip-tls", config { cluster = "server: https://h\n    insecure-skip-tls-verify: true" },
      ":8: insecure-skip-tls-verify is refused" },
    { "http", config { cluster = "server: http://10.0.0.1" }, ":7: server 'http://10.0.0.1': plain http" },
    { "no scheme", config { cluster = "server: 10.0.0.1:6443" }, ":7: server '10.0.0.1:6443': expected https" },
    { "port 0", config { cluster = "server: https://h:0" }, ":7: server 'https://h:0': expected https://host:port" },
    { "a control in the host", config { cluster = "server: https://h%7f" }, ":7: server 'https://h%7f': expected https://host" },
    { "password in the server", config { cluster = "server: https://u:p@h" }, "user, query or fragment" },
    { "no server", config { cluster = "x: y" }, ":7: cluster has no server" },
    { "server is a list", config { cluster = "server: [a]" }, ":7" },
    { "bad proxy", config { cluster = "server: https://h\n    proxy-url: ftp://p" }, ":8: proxy-url: expected" },
    { "bad ca", config { cluster = "server: https://h\n    certificate-authority-data: '*'" },
      ":8: certificate-authority-data: not base64" },
    { "basic auth", config { user = "username: a\n    password: b" }, "user name and password are not supported" },
    { "auth provider", config { user = "auth-provider: { name: gcp }" }, "auth-provider was removed" },
    { "impersonation", config { user = "token: a\n    as: root" }, "impersonation is not supported" },
    { "cert without key", config { user = "client-certificate: a" }, "client-certificate and client-key belong together" },
    { "token with a line end", config { user = 'token: "a\\nb"' }, "no visible ASCII character" },
    { "exec without command", config { user = "exec: { apiVersion: client.authentication.k8s.io/v1 }" },
      "exec has no command" },
    { "exec of the past", config { user = "exec: { apiVersion: client.authentication.k8s.io/v1alpha1, command: x }" },
      "apiVersion is neither" },
    { "interactive exec", config { user =
      "exec: { apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always }" },
      "plugins run without a terminal" },
    { "exec args", config { user = "exec: { apiVersion: client.authentication.k8s.io/v1, command: x, args: a }" },
      "args is a list" },
    { "exec env", config { user = "exec: { apiVersion: client.authentication.k8s.io/v1, command: x, env: [{value: a}] }" },
      "env: expected a name" },
    { "no context", "kind: Config\nclusters: []\n", "no current-context" },
    { "unknown context", "current-context: x\n", ":1: no entry 'x' in contexts" },
    { "unknown cluster", "current-context: x\ncontexts:\n- name: x\n  context: { cluster: y }\n",
      ":4: no entry 'y' in clusters" },
    { "no cluster", "current-context: x\ncontexts:\n- name: x\n  context: { user: y }\n", "names no cluster" },
    { "unknown user", config():gsub("name: u1", "name: u2"), "no entry 'u1' in users" },
    { "twice", config():gsub("contexts:", "- { name: c1, cluster: {} }\ncontexts:"), ":8: clusters: 'c1' again, first in line 5" },
    { "contexts is a map", "current-context: x\ncontexts: { x: y }\n", ":2: contexts is a list" },
    { "context without a map", "current-context: x\ncontexts:\n- name: x\n", "has no map 'context'" },
    { "another kind", "kind: Pod\n", ":1: kind is not Config" },
    { "a list", "- a\n", ":1: a kubeconfig is a map" },
    { "no YAML", "a: [\n", "kubeconfig" },
    { "bad namespace", config():gsub("from%-file", "Bad_One"), ":10: namespace 'Bad_One'" },
    { "empty", "", "no current-context" },
  }
  for i, row in ipairs(rows) do
    it(row[1], function()
      local path = write("bad" .. i, row[2])
      local c = load { kubeconfig = path }
      assert.truthy(c.error, "it was taken")
      assert.truthy(c.error:find(row[3], 1, true), c.error)
      assert.truthy(c.error:find(path, 1, true), c.error)
    end)
  end
  it("a file that is not there", function()
    assert.truthy(load({ kubeconfig = dir .. "/none" }).error:find "no such file")
  end)
  it("a context that was asked for and is not there", function()
    assert.truthy(load({ kubeconfig = write("plain", config()), context = "zzz" }).error:find "no context 'zzz'")
  end)
  it("a namespace that can't be one", function()
    assert.truthy(load({ kubeconfig = write("plain", config()), namespace = "a/b" }).error:find "namespace 'a/b'")
  end)
end)

describe("several kubeconfigs:", function()
  it("the first that names an entry wins, whole; missing files don't matter", function()
    local a = write("m1", "current-context: one\nusers:\n- { name: u1, user: { token: first } }\n")
    local b = write("m2", config { user = "token: second\n    client-certificate: x\n    client-key: y" })
    local c = load({}, { KUBECONFIG = dir .. "/none:" .. a .. "::" .. b })
    assert.equal("first", c.token)
    assert.equal(null, c.cert_file)
    assert.equal("https://10.0.0.1:6443", c.server)
  end)
  it("all missing", function()
    assert.truthy(load({}, { KUBECONFIG = dir .. "/none" }).error:find "no such file")
  end)
  it("~/.kube/config is last, and only without KUBECONFIG", function()
    write("home/.kube/config", config())
    assert.equal("abc", load({}, { HOME = dir .. "/home" }).token)
    assert.truthy(load({}, { HOME = dir .. "/home", KUBECONFIG = dir .. "/none" }).error)
    assert.truthy(load({}, { HOME = dir .. "/nohome" }).error:find "no cluster")
  end)
end)

describe("in the cluster:", function()
  local function account(name, files)
    for file, text in pairs(files) do write(name .. "/" .. file, text) end
    return dir .. "/" .. name
  end
  local env = { KUBERNETES_SERVICE_HOST = "10.96.0.1", KUBERNETES_SERVICE_PORT = "443" }
  local files = { token = "t\n", ["ca.crt"] = "x", namespace = "here\n" }

  it("server, CA, token file, namespace", function()
    local sa = account("sa", files)
    local c = load({ service_account_dir = sa }, env)
    assert.same({ "https://10.96.0.1:443", sa .. "/ca.crt", sa .. "/token", "here", true },
      { c.server, c.ca_file, c.token_file, c.namespace, c.in_cluster })
    assert.equal("in-cluster (" .. sa .. ")", c.from)
  end)
  it("IPv6", function()
    local sa = account("sa", files)
    local c = load({ service_account_dir = sa }, { KUBERNETES_SERVICE_HOST = "fd00::1", KUBERNETES_SERVICE_PORT = "6443" })
    assert.equal("https://[fd00::1]:6443", c.server)
  end)
  it("goes before KUBECONFIG, behind an explicit kubeconfig and a context", function()
    local sa, path = account("sa", files), write("plain", config())
    env.KUBECONFIG = path
    assert.is_true(load({ service_account_dir = sa }, env).in_cluster)
    assert.is_false(load({ service_account_dir = sa, kubeconfig = path }, env).in_cluster)
    assert.is_false(load({ service_account_dir = sa, context = "two" }, env).in_cluster)
    env.KUBECONFIG = nil
  end)
  it("no token", function()
    local sa = account("sa2", { namespace = "x" })
    local c = load({ service_account_dir = sa }, env)
    assert.truthy(c.error:find("no token in '" .. sa .. "': does the pod forbid automountServiceAccountToken?", 1, true))
  end)
  it("no CA", function()
    local sa = account("sa3", { token = "x" })
    assert.truthy(load({ service_account_dir = sa }, env).error:find "ca.crt': No such file")
  end)
  it("no namespace file: default", function()
    local sa = account("sa4", { token = "x", ["ca.crt"] = "x" })
    assert.equal("default", load({ service_account_dir = sa }, env).namespace)
  end)
  it("garbage in the variables", function()
    local sa = account("sa", files)
    assert.truthy(load({ service_account_dir = sa },
      { KUBERNETES_SERVICE_HOST = "10.96.0.1", KUBERNETES_SERVICE_PORT = "tcp://x" }).error:find "KUBERNETES_SERVICE_HOST")
  end)
end)
