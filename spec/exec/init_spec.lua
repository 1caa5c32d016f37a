--- `headway exec` as process 1 of a pid namespace, as in a container, and beside it. In a script "${INIT[@]}" makes the namespace.
local assert = require "luassert"
local passing = require "spec.support.passing"
local shell = require "spec.support.cluster_shell"

local INIT = { "unshare", "--pid", "--fork", "--mount-proc", "--kill-child" }
if not passing.is_root then table.insert(INIT, 2, "--map-root-user") end
local possible = shell.run(shell.command(INIT) .. " true 2>/dev/null")

local function run(front, script)
  return passing.run(front, ("INIT=(%s)\n%s"):format(shell.command(INIT), script))
end

local function row(name, script, out, err)
  it(name, function()
    if not possible then
      assert(os.getenv "HEADWAY_REQUIRE_CLUSTER" ~= "1", "no pid namespace can be made")
      return pending "no pid namespace can be made"
    end
    for _, front in ipairs { "headway", "tini" } do
      if front == "headway" or passing.has_tini then
        local found = run(front, script)
        assert.same({ out, 0 }, { found.out, found.status }, front .. ": " .. found.err)
        assert.is_truthy(found.err:find(err or "^$"), front .. ": " .. found.err)
      end
    end
  end)
end

describe("headway exec as process 1", function()
  row("is process 1, and the command is none", [["${INIT[@]}" "${RUN[@]}" bash -c 'echo $PPID $(( $$ > 1 ))']], "1 1\n")
  row("gives the exit status", [[for i in 0 3 255; do "${INIT[@]}" "${RUN[@]}" sh -c "exit $i"; echo $?; done]], "0\n3\n255\n")
  row("gives 127 and 126", [[for i in ./no / ; do "${INIT[@]}" "${RUN[@]}" $i 2>/dev/null; echo $?; done]], "127\n126\n")
  row("gives the signal", [["${INIT[@]}" "${RUN[@]}" bash -c 'kill -KILL $$'; echo $?
    "${INIT[@]}" "${RUN[@]}" bash -c 'kill -TERM $$'; echo $?]], "137\n143\n")

  -- Without --kill-child's parent in between the signal would go to unshare: the pid of process 1 outside is its child.
  local START = [[
    touch out; "${INIT[@]}" "${RUN[@]}" CMD >out & outer=$!
    until [ -s out ]; do sleep 0.02; done
    pid=$(cat /proc/$outer/task/$outer/children)
  ]]
  local function start(command) return (START:gsub("CMD", function() return command end)) end
  row("forwards signals that have no handler in it", start "sh -c 'echo x; exec sleep 1000'" .. [[
    kill -TERM $pid; wait $outer; echo $?]], "143\n")
  row("forwards each to a command that handles it", start [["$PROBE" receive]] .. [[
    n=1; for i in 1 2 3 10 12 14 15 17 20 28 34 64 64; do
      kill -$i $pid; n=$((n + 1)); [ $i = 17 ] && n=$((n - 1))
      [ $i = 17 ] || until [ $(wc -l <out) -ge $n ]; do sleep 0.02; done
    done; wait $outer; echo $?; sed '1d; s/ code.*//; /got 17/d' out | tr '\n' ' ']],
    "0\ngot 1 got 2 got 3 got 10 got 12 got 14 got 15 got 20 got 28 got 34 got 64 got 64 ")
  row("a signal that the command sends to process 1 comes back to it", [[
    "${INIT[@]}" "${RUN[@]}" bash -c 'trap "echo got; exit 3" TERM; kill -TERM 1; while :; do sleep 0.02; done'; echo $?]], "got\n3\n")
  row("kill -1 inside the command spares it", [[
    "${INIT[@]}" "${RUN[@]}" bash -c 'trap "echo got" TERM; kill -TERM -1; exit 3'; echo $?]], "3\n", "")

  row("reaps orphans: no zombie stays", [[
    mkfifo go; exec 5<>go
    "${INIT[@]}" "${RUN[@]}" bash -c '
      "$1" orphans 50 <&5
      zombies() { cat /proc/[0-9]*/status 2>/dev/null | grep -c "^State:.*Z"; }
      count() { cat /proc/[0-9]*/comm 2>/dev/null | grep -c "^exec_probe$"; }
      until [ $(count) = 50 ]; do sleep 0.02; done
      grep -h "^PPid:" $(grep -l "^Name:.exec_probe$" /proc/[0-9]*/status) | sort | uniq -c | tr -s " \t" " "
      printf "%050d" 0 >&5
      until [ $(count) = 0 ]; do sleep 0.02; done; zombies; exit 4' bash "$PROBE"; echo $?]], " 50 PPid: 1\n0\n4\n")
  row("everything ends with the command", [[
    mkfifo alive; cat alive >/dev/null & reader=$!
    "${INIT[@]}" "${RUN[@]}" bash -c '(trap "" TERM HUP; exec sleep 1000) 5>alive &
      until [ -e /proc/$!/fd/5 ]; do sleep 0.02; done; exit 3'; echo $?
    wait $reader; echo nobody]], "3\nnobody\n")
  row("what was written before its end comes, all of it", [[
    "${INIT[@]}" "${RUN[@]}" head -c 3000000 /dev/zero | wc -c]], "3000000\n")
end)

describe("headway exec beside process 1", function()
  it("as a subreaper's child leaves orphans to him", function()
    local found = passing.run("headway", [[
      "${RUN[@]}" bash -c '"$1" orphans 3 </dev/null' bash "$PROBE"; echo $?]])
    assert.same({ "0\n", 0, "" }, { found.out, found.status, found.err })
  end)
end)
