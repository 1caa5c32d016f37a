--- Whatever becomes of headway's own processes, the command's output and exit status stay what they are.
--- HEADWAY_ROUNDS (20): how often each kind of process is killed, at random moments.
local process = require "spec.support.process"
local shell = require "spec.support.cluster_shell"
local wrapped = require "spec.support.wrapped"

local ROUNDS = math.tointeger(tonumber(os.getenv "HEADWAY_ROUNDS" or "20"))
local AT_ONCE = 5
local LINES = 120

-- About a second of lines, short and long, on both streams, once it is told to; its end is told in a file as well, for when
-- nobody waits for it.
local COMMAND = ([[until [ -e $DONE.go ]; do sleep 0.02; done; i=0; while [ $i -lt LINES ]; do i=$((i+1)); echo $i/LINES; printf '%4000d\n' $i >&2; echo err$i >&2
  sleep 0.005; done; echo ended > $DONE; exit 7]]):gsub("LINES", LINES)

local function expected()
  local out, err = {}, {}
  for i = 1, LINES do
    out[i] = ("%d/%d\n"):format(i, LINES)
    err[i] = (" "):rep(4000 - #tostring(i)) .. i .. "\nerr" .. i .. "\n"
  end
  return table.concat(out), table.concat(err)
end

--- Nothing but the wrapper's words about itself may stand between.
local function without_ours(text) return (text:gsub("headway [^\n]*\n", "")) end

describe("headway exec when a process is killed:", function()
  local out, err = expected()

  local function start(way)
    local p
    local dir = process.temp_dir()
    local env = { DONE = dir .. "/done" }
    if way == "pipes" then
      p = wrapped.start_line({ "bash", "-c", [[exec "$@" > >(cat > $OUT) 2> >(cat > $ERR)]], "bash", process.headway, "exec",
        "--dir", "DIR" }, { "--", "sh", "-c", COMMAND },
        { DONE = env.DONE, OUT = dir .. "/out", ERR = dir .. "/err" })
      p.out_file, p.err_file = dir .. "/out", dir .. "/err"
    else
      p = wrapped.start(COMMAND, env, table.unpack(way == "pty" and { "--pty" } or {}))
      p.out_file, p.err_file = p.dir .. "/out", p.dir .. "/err"
    end
    p.extra = dir
    return p
  end

  local function go(p) shell.write(p.extra .. "/done.go", "") end

  local function close(p)
    wrapped.close(p)
    process.remove(p.extra)
  end

  local function complete(p)
    return shell.wait_until(function()
      return shell.read(p.out_file) == out and without_ours(shell.read(p.err_file) or "") == err
    end, 30)
  end

  --- Kills that process of each run after a random time, then judges all of them.
  local function round(way, victim, judge)
    local runs = {}
    for i = 1, AT_ONCE do
      local p = start(way)
      runs[i] = p
      p.victim = victim == "wrapper" and p.pid or wrapped.await(p.pid, victim)
    end
    for _, p in ipairs(runs) do
      go(p)
      shell.run(("sleep %.3f; kill -9 %d 2>/dev/null"):format(math.random() * 0.12, p.victim))
    end
    for _, p in ipairs(runs) do
      local status = p:wait(40)
      assert.is_true(complete(p) and true, ("%s: the output differs: %d of %d bytes, stderr %d of %d"):format(way,
        #(shell.read(p.out_file) or ""), #out, #without_ours(shell.read(p.err_file) or ""), #err))
      judge(p, status)
      close(p)
    end
  end

  local function last_value(p, status)
    assert.equal(7, status)
    local nm, detail = wrapped.progress(p)
    assert.same({ ("%d/%d"):format(LINES, LINES), "failed", "exit status 7" }, { nm, detail.state, detail.reason })
  end

  for _, way in ipairs { "files", "pipes", "pty" } do
    for _, victim in ipairs { "reporter", "worker" } do
      it(("the %s, with output to %s: output, exit status and last value are right"):format(victim, way), function()
        for _ = 1, math.max(1, ROUNDS // AT_ONCE // 2) do round(way, victim, last_value) end
      end)
    end
    it(("the wrapper, with output to %s: the command goes on, and so does its output"):format(way), function()
      for _ = 1, math.max(1, ROUNDS // AT_ONCE // 2) do
        round(way, "wrapper", function(p, status)
          assert.equal(137, status)
          assert.is_truthy(shell.wait_until(function() return shell.exists(p.extra .. "/done") end, 20))
          -- Who looked on has seen the end, but not how it ended.
          local detail = wrapped.await_progress(p, ("%d/%d"):format(LINES, LINES))
          assert.equal("running", detail.state)
        end)
      end
    end)
  end

  it("all of them but the command, again and again", function()
    local p = start "files"
    go(p)
    while not shell.exists(p.dir .. "/status") do
      local all = wrapped.processes(p.pid)
      for _, which in ipairs { "worker", "reporter" } do
        if all[which] then shell.run("kill -9 " .. all[which] .. " 2>/dev/null") end
      end
      shell.run "sleep 0.05"
    end
    assert.equal(7, p:wait())
    assert.is_truthy(complete(p))
    close(p)
  end)
end)
