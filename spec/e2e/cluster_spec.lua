--- The test cluster itself, and the facts about the API server that headway stands on.
local cluster = require "spec.support.cluster"
local shell = require "spec.support.cluster_shell"
if cluster.skip(pending) then return end

local STATUS = { subresource = "status" }

--- Runs a Lua program of the given text, which sees `cluster` and may print.
local function lua_process(text)
  return "lua5.4 -e " .. shell.quote([[local cluster = require "spec.support.cluster"; ]] .. text)
end

describe("test cluster", function()
  local c, namespace
  setup(function()
    c = cluster.shared()
    namespace = c:create_namespace "cluster"
  end)

  it("is one for all", function()
    assert.equal(c, cluster.shared())
    local status, version = c:request("GET", "/version")
    assert.equal(200, status)
    assert.matches("^v1%.", version.gitVersion)
  end)

  it("gives no answer's reason, and other statuses, without raising", function()
    assert.equal(401, (c:request("GET", "/api/v1/pods", nil, { token = "wrong" })))
    local status, reason = c:request("GET", "/version", nil, { ca = "/dev/null" })
    assert.is_nil(status)
    assert.matches("^curl %d+", reason)
  end)

  describe("pod-bound token with only 'patch pods'", function()
    local pod, other, token
    setup(function()
      c:service_account(namespace, "reporter")
      c:role_patch_pods(namespace, "reporter")
      pod = c:create_pod { namespace = namespace, service_account = "reporter",
        labels = { app = "task" }, annotations = { keep = "me" } }
      other = c:create_pod { namespace = namespace }
      token = c:token(namespace, "reporter", { pod = pod })
    end)

    it("gets the whole object by an empty patch, unchanged", function()
      local status, object = c:patch(pod, {}, { token = token })
      assert.equal(200, status)
      assert.equal(pod.metadata.resourceVersion, object.metadata.resourceVersion)
      assert.equal(pod.metadata.uid, object.metadata.uid)
      assert.equal("me", object.metadata.annotations.keep)
      assert.is_table(object.spec.containers)
    end)

    it("may not get", function()
      assert.equal(403, (c:request("GET", c:path(pod), nil, { token = token })))
    end)

    it("may not patch the status of an operation", function()
      local operation = c:create_dataprocess { namespace = namespace, phase = "Executing" }
      assert.equal(403, (c:patch(operation, { status = { infos = { progress = "1/2" } } },
        { subresource = "status", token = token })))
    end)

    it("is refused with a foreign uid, and on a stale resourceVersion", function()
      local annotations = { ["fluid.io/data-progress"] = "1/2" }
      assert.equal(422, (c:patch(pod, { metadata = { uid = other.metadata.uid, annotations = annotations } },
        { token = token })))
      local patch = { metadata = { uid = pod.metadata.uid, annotations = annotations } }
      local status, object = c:patch(pod, patch, { token = token })
      assert.equal(200, status)
      assert.equal("1/2", object.metadata.annotations["fluid.io/data-progress"])
      assert.equal(409, (c:patch(pod, { metadata = { resourceVersion = pod.metadata.resourceVersion,
        annotations = { x = "y" } } }, { token = token })))
    end)

    it("is seen in the audit log, with what was written", function()
      local from = c:audit_position()
      c:patch(pod, { metadata = { annotations = { seen = "yes" } } }, { token = token })
      local events = c:audit { from = from, verb = "patch", resource = "pods", namespace = namespace }
      assert.equal(1, #events)
      assert.equal(("system:serviceaccount:%s:reporter"):format(namespace), events[1].user.username)
      assert.equal("yes", events[1].requestObject.metadata.annotations.seen)
      assert.same({ pod.metadata.name }, events[1].user.extra["authentication.kubernetes.io/pod-name"])
    end)
  end)

  describe("operation status", function()
    for _, kind in ipairs { "DataProcess", "DataLoad", "DataMigrate", "DataBackup" } do
      it("of " .. kind .. " keeps infos and prunes unknown fields", function()
        local operation = c:create_operation { kind = kind, namespace = namespace, phase = "Executing" }
        local patch = { status = { infos = { progress = "40/100" }, progress = "40/100" } }
        local status, object = c:patch(operation, patch, STATUS)
        assert.equal(200, status)
        assert.equal("40/100", object.status.infos.progress)
        assert.is_nil(object.status.progress)
        assert.equal("Executing", object.status.phase)
        assert.same(object, c:get(operation))
      end)
    end

    it("takes no infos before its controller wrote a first status", function()
      local operation = c:create_dataprocess { namespace = namespace }
      local status, refusal = c:patch(operation, { status = { infos = { progress = "0/100" } } }, STATUS)
      assert.equal(422, status)
      assert.matches("status.phase: Required value", refusal.message, 1, true)
    end)

    it("is in the columns of kubectl", function()
      c:create_dataprocess { namespace = namespace, name = "columns", phase = "Executing" }
      local ok, out, err = c:kubectl("get", "dataprocess", "columns", "-n", namespace)
      assert.is_true(ok, err)
      assert.matches("^NAME%s+DATASET%s+PHASE%s+AGE%s+DURATION\ncolumns%s+demo%s+Executing", out)
    end)
  end)

  it("makes an operation with its job and pod", function()
    local operation, job, pod = c:create_running_dataprocess { namespace = namespace }
    assert.equal(operation.metadata.uid, job.metadata.ownerReferences[1].uid)
    assert.equal(job.metadata.uid, pod.metadata.ownerReferences[1].uid)
    assert.is_true(pod.metadata.ownerReferences[1].controller)
  end)

  it("creates many objects over one connection", function()
    local objects = {}
    for i = 1, 20 do
      objects[i] = { apiVersion = "v1", kind = "ConfigMap",
        metadata = { namespace = namespace, name = "many-" .. i } }
    end
    assert.equal(20, #c:create_all(objects))
  end)

  it("shows a process the files of a pod, and swaps the token", function()
    c:service_account(namespace, "inside")
    c:role_patch_pods(namespace, "inside")
    local pod = c:create_pod { namespace = namespace, service_account = "inside" }
    local inside = c:fake_serviceaccount_dir(namespace, "inside", pod.metadata.name)
    local script = [[cd "$0"; curl -s -o /dev/null -w "%{http_code}" --cacert ca.crt -X PATCH -d "{}" \
      -H "Content-Type: application/merge-patch+json" -H "Authorization: Bearer $(cat token)" \
      "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api/v1/namespaces/$(cat namespace)/pods/$1"]]
    local function ask()
      local argv = { "env" }
      for key, value in pairs(inside.env) do argv[#argv + 1] = key .. "=" .. value end
      table.move({ "sh", "-c", script, inside.dir, pod.metadata.name }, 1, 5, #argv + 1, argv)
      return select(2, shell.run(shell.command(argv)))
    end
    assert.equal("200", ask())
    inside:rotate "no token"
    assert.equal("401", ask())
    inside:rotate(c:token(namespace, "inside", { pod = pod }))
    assert.equal("200", ask())
  end)

  describe("kubeconfig", function()
    local function who(opts)
      local path = c:kubeconfig(c.dir .. "/" .. c:unique "who", opts)
      local ok, out, err = c:kubectl("--kubeconfig=" .. path, "auth", "whoami", "-o",
        "jsonpath={.status.userInfo}")
      assert.is_true(ok, err)
      return out
    end

    for name, inline in pairs { ["by path"] = false, ["inline"] = true } do
      it("with a client certificate, " .. name, function()
        local cert, key = c:client_cert("jane", { "dev", "ops" })
        local out = who { cert = cert, key = key, inline = inline }
        assert.matches('"username":"jane"', out, 1, true)
        assert.matches('"dev","ops"', out, 1, true)
      end)
    end

    it("with a token, a token's file, a plugin", function()
      local token = c:token(namespace, "default")
      local user = ("system:serviceaccount:%s:default"):format(namespace)
      assert.matches(user, who { token = token }, 1, true)
      shell.write(c.dir .. "/token.txt", token)
      assert.matches(user, who { token_file = c.dir .. "/token.txt", inline = true }, 1, true)
      assert.matches(user, who { exec = { command = "sh", env = { SPEC_TOKEN = token }, args = { "-c",
        [[printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",]]
          .. [["status":{"token":"%s"}}' "$SPEC_TOKEN"]] } } }, 1, true)
    end)
  end)

  describe("of one's own", function()
    local own, etcd
    setup(function()
      own = assert(cluster.start { crds = false })
      etcd = own.pids.etcd
    end)
    teardown(function()
      own:stop()
      assert.is_false(shell.alive(etcd))
      assert.is_false(shell.exists(own.dir))
    end)

    it("comes back on the same port with the same objects", function()
      local name, url = own:create_namespace(), own:server_url()
      own:stop_apiserver()
      assert.is_nil((own:request("GET", "/version")))
      own:start_apiserver()
      assert.equal(url, own:server_url())
      assert.equal(200, (own:request("GET", "/api/v1/namespaces/" .. name)))
    end)

    it("hangs when it is told to, and wakes", function()
      own:signal("apiserver", "STOP")
      assert.is_nil((own:request("GET", "/version", nil, { timeout = 0.3 })))
      own:signal("apiserver", "CONT")
      assert.equal(200, (own:request("GET", "/version")))
    end)
  end)

  describe("leaves nothing behind", function()
    --- Starts a cluster in a process that ends so; gives its directory and the pids of its processes.
    local function after(ending)
      local _, out = shell.run(lua_process([[local c = assert(cluster.start { crds = false })
        print(c.dir, c.pids.etcd, c.pids.apiserver) io.stdout:flush() ]] .. ending) .. " 2>&1")
      local dir, etcd, apiserver = out:match "^(%S+)\t(%d+)\t(%d+)\n"
      assert(dir, out)
      local gone = shell.wait_until(function()
        return not (shell.exists(dir .. "/ca.crt") or shell.alive(etcd) or shell.alive(apiserver))
      end, 10)
      assert.is_true(gone, out)
      assert.is_true(shell.wait_until(function() return not shell.exists(dir) end, 10))
      return out
    end

    it("when its process fails", function() after "error 'oops'" end)
    it("when its process is killed, though a child still has the pipe to the supervisor open", function()
      local out = after "os.execute 'sleep 300 >/dev/null 2>&1 & echo child $!; kill -KILL $PPID'"
      assert(os.execute("kill " .. out:match "child (%d+)"))
    end)
  end)
end)
