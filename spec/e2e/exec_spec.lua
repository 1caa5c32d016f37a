--- `headway exec` against a real API server, as the wrapper in a task's own container: a token that is bound to the pod, RBAC.
--- HEADWAY_ROUNDS (20): runs with SIGTERM, and with kill -9 of the reporter, at random moments.
local cjson = require "cjson"
local cluster = require "spec.support.cluster"
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local wrapped = require "spec.support.wrapped"
if cluster.skip(pending) then return end

local NM, DETAIL = "fluid.io/data-progress", "fluid.io/data-progress-detail"
local ROUNDS = math.tointeger(tonumber(os.getenv "HEADWAY_ROUNDS" or "20"))
local AT_ONCE = 5

describe("headway exec in a pod", function()
  local c, namespace
  local tasks, n = {}, 0

  setup(function()
    c = cluster.shared()
    namespace = c:create_namespace "exec"
    c:service_account(namespace, "reporter")
    c:service_account(namespace, "nobody")
    c:role_patch_pods(namespace, "reporter")
  end)
  after_each(function()
    for _, t in ipairs(tasks) do
      wrapped.close(t.p)
      process.remove(t.account.dir)
      process.remove(t.dir)
    end
    tasks = {}
  end)

  --- Runs a command line in a pod of its own; FLUID_PROGRESS_FILE is dir/progress.
  local function start(command, env, account_name)
    n = n + 1
    local _, _, pod = c:create_running_dataprocess { namespace = namespace, name = "op" .. n,
      service_account = account_name or "reporter", phase = "Executing" }
    local t = { pod = pod, dir = process.temp_dir(),
      account = c:fake_serviceaccount_dir(namespace, account_name or "reporter", pod) }
    local all = { FLUID_PROGRESS_FILE = t.dir .. "/progress", HEADWAY_POD_NAME = pod.metadata.name,
      HEADWAY_POD_NAMESPACE = namespace, HEADWAY_SERVICEACCOUNT_DIR = t.account.dir }
    for name, value in pairs(t.account.env) do all[name] = value end
    for name, value in pairs(env or {}) do all[name] = value end
    t.p = wrapped.start_line({ process.headway, "exec" }, { "--", "sh", "-c", command }, all)
    tasks[#tasks + 1] = t
    return t
  end

  local function annotations(t) return c:get(t.pod).metadata.annotations or {} end

  local function detail(t) return cjson.decode(annotations(t)[DETAIL]) end

  --- All values that were written to the pod, in their order.
  local function values(t, from)
    local list = {}
    for _, event in ipairs(c:audit { from = from, verb = "patch", name = t.pod.metadata.name, code = 200 }) do
      local patch = event.requestObject
      local value = patch and patch.metadata and patch.metadata.annotations and patch.metadata.annotations[NM]
      if value then list[#list + 1] = value end
    end
    return list
  end

  it("begins at 0/100, follows, and says how the command ended, before it ends itself", function()
    local from = c:audit_position()
    local t = start "echo 1/4 > $FLUID_PROGRESS_FILE; sleep 0.5; echo 4/4 > $FLUID_PROGRESS_FILE"
    assert.equal(0, t.p:wait())
    assert.equal("4/4", annotations(t)[NM])
    local d = detail(t)
    assert.same({ "wrapper", "complete", 4, 4 }, { d.by, d.state, d.done, d.total })
    for _, value in ipairs(values(t, from)) do
      assert.is_truthy(({ ["0/100"] = true, ["1/4"] = true, ["4/4"] = true })[value], value)
    end
  end)

  it("publishes the last true value and the reason of a failure", function()
    local t = start "echo 3/8; exit 9"
    assert.equal(9, t.p:wait())
    assert.equal("3/8", annotations(t)[NM])
    local d = detail(t)
    assert.same({ "failed", "exit status 9", 3, 8 }, { d.state, d.reason, d.done, d.total })
  end)

  it("without the right: one line, and the command is not disturbed", function()
    local t = start("echo 3/8; echo out; sleep 0.5; exit 9", nil, "nobody")
    assert.equal(9, t.p:wait())
    assert.equal("3/8\nout\n", t.p:out())
    assert.matches("needs verb 'patch' on 'pods'", t.p:err())
  end)

  it("a server that hangs delays the end by five seconds at the most", function()
    local own = assert(cluster.start { crds = false })
    finally(function() own:stop() end)
    local space = own:create_namespace "hangs"
    own:service_account(space, "reporter")
    local pod = own:create_pod { namespace = space, service_account = "reporter" }
    local account = own:fake_serviceaccount_dir(space, "reporter", pod)
    local env = { HEADWAY_POD_NAME = pod.metadata.name, HEADWAY_POD_NAMESPACE = space, HEADWAY_SERVICEACCOUNT_DIR = account.dir }
    for name, value in pairs(account.env) do env[name] = value end
    env.DONE = account.dir .. "/done"
    own:signal("apiserver", "STOP")
    local p = wrapped.start_line({ process.headway, "exec" }, { "--", "sh", "-c", "echo 1/2; date +%s > $DONE; exit 3" }, env)
    assert.equal(3, p:wait(30))
    local took = os.time() - math.tointeger(tonumber(shell.read(account.dir .. "/done")))
    own:signal("apiserver", "CONT")
    assert.is_true(took <= 7, took .. " s") -- five, and the machine's own
    wrapped.close(p)
    process.remove(account.dir)
  end)

  --- Starts some, does something to each at a random moment, and judges all.
  local function rounds(command, act, judge)
    for _ = 1, math.max(1, ROUNDS // AT_ONCE) do
      local from, batch = c:audit_position(), {}
      for i = 1, AT_ONCE do batch[i] = start(command) end
      for _, t in ipairs(batch) do
        assert.is_truthy(shell.wait_until(function() return shell.exists(t.dir .. "/progress") end, 20))
        act(t)
      end
      for _, t in ipairs(batch) do judge(t, from) end
    end
  end

  local function done_of(value) return math.tointeger(tonumber(value:match "^(%d+)/")) end

  local function value_of(t) return done_of(shell.read(t.dir .. "/progress")) end

  it("SIGTERM at a random moment: the last complete write before it is published", function()
    rounds([[i=0; while :; do i=$((i+1)); echo $i/100000 > $FLUID_PROGRESS_FILE.new; mv $FLUID_PROGRESS_FILE.new $FLUID_PROGRESS_FILE
      done]], function(t)
      shell.run(("sleep %.3f"):format(math.random() * 0.3))
      t.least = value_of(t)
      t.p:kill "TERM"
    end, function(t, from)
      assert.equal(143, t.p:wait())
      -- The shell's own child may rename once more after the shell's end.
      local last = done_of(annotations(t)[NM])
      assert.is_true(t.least <= last and last <= value_of(t), ("%d, %d, %d"):format(t.least, last, value_of(t)))
      assert.equal("ended by signal 15 (Terminated)", detail(t).reason)
      local before = 0
      for _, value in ipairs(values(t, from)) do
        if value ~= "0/100" then
          assert.is_true(done_of(value) >= before, value)
          before = done_of(value)
        end
      end
    end)
  end)

  it("kill -9 of the reporter at a random moment: nothing moves back, the newest value follows", function()
    rounds([[echo 0/40 > $FLUID_PROGRESS_FILE; until [ -e $FLUID_PROGRESS_FILE.go ]; do sleep 0.02; done
      i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo $i/40 > $FLUID_PROGRESS_FILE.new
      mv $FLUID_PROGRESS_FILE.new $FLUID_PROGRESS_FILE; sleep 0.03; done; exit 1]], function(t)
      local reporter = wrapped.await(t.p.pid, "reporter")
      shell.write(t.dir .. "/progress.go", "")
      shell.run(("sleep %.3f; kill -9 %d"):format(math.random() * 0.2, reporter))
    end, function(t, from)
      assert.equal(1, t.p:wait())
      assert.equal("40/40", annotations(t)[NM])
      local before = -1
      for _, value in ipairs(values(t, from)) do
        local done = value == "0/100" and 0 or done_of(value)
        assert.is_true(done >= before, value .. " after " .. before)
        before = done
      end
    end)
  end)
end)
