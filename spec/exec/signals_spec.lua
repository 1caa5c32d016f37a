--- Signals under `headway exec`, from outside: what is sent to the wrapper reaches the command, once, and nothing else does.
--- Every row runs without the wrapper as well. $pid is what the caller started; `words N` awaits N lines in the file out.
local assert = require "luassert"
local passing = require "spec.support.passing"

local function script(text)
  return "touch out; words() { until [ $(wc -l <out) -ge $1 ]; do sleep 0.01; done; }\n" .. text
end

local function rows(cases)
  for _, case in ipairs(cases) do
    case[2] = script(case[2])
    it(case[1], function() passing.check(case) end)
  end
end

describe("headway exec: signals", function()
  local expected = { "ready" }
  for number = 1, 63 do
    -- KILL and STOP can't be caught; 32 and 33 are libc's own.
    if number ~= 9 and number ~= 19 and number ~= 32 and number ~= 33 then
      expected[#expected + 1] = ("got %d code 0 value 0"):format(number)
    end
  end
  for _ = 1, 2 do expected[#expected + 1] = "got 64 code 0 value 0" end
  local every = [[
    "${RUN[@]}" "$PROBE" receive >out & pid=$!
    words 1; SIGNALED
    n=1
    for i in $(seq 1 8) $(seq 10 18) $(seq 20 31) $(seq 34 64) 64; do
      kill -$i $pid; n=$((n + 1)); words $n
    done
    wait $pid; echo $?; sed 's/^ready.*/ready/' out]]
  rows {
    { "each that can be caught, once", (every:gsub("SIGNALED", ":")),
      out = "0\n" .. table.concat(expected, "\n") .. "\n" },
    { "each while the reporter is stopped", (every:gsub("SIGNALED", "signal_reporter STOP $pid")),
      out = "0\n" .. table.concat(expected, "\n") .. "\n" },
    { "real-time ones with their values, in order, none lost", [[
      "${RUN[@]}" "$PROBE" receive >out & pid=$!
      words 1; "$PROBE" queue $pid 40 20; words 21; "$PROBE" queue $pid 36 5; words 26; "$PROBE" queue $pid 64 2; wait $pid
      sed -n 's/ code -1 value / /p' out | tr '\n' ' ']],
      out = (function()
        local all = {}
        for _, row in ipairs { { 40, 20 }, { 36, 5 }, { 64, 2 } } do
          for i = 1, row[2] do all[#all + 1] = ("got %d %d "):format(row[1], i) end
        end
        return table.concat(all)
      end)() },
    { "nothing comes unasked: neither SIGCHLD nor SIGPIPE nor SIGCONT", [[
      mkfifo pipe; "${RUN[@]}" "$PROBE" receive >pipe 2>out & pid=$!
      exec 3<pipe; read x <&3; signal_reporter KILL $pid; [ -z "$(reporter $pid)" ]
      kill -64 $pid; kill -64 $pid; wait $pid; cat <&3]], out = "got 64 code 0 value 0\ngot 64 code 0 value 0\n" },
    { "the caller's alarm, whenever it goes off", [[
      "$PROBE" under block=14 alarm=50 -- "${RUN[@]}" "$PROBE" receive >out & pid=$!
      words 2; kill -64 $pid; words 3; kill -64 $pid; wait $pid; sed '1d; s/ code.*//' out]],
      out = "got 14\ngot 64\ngot 64\n" },
    { "one before the command runs is not lost, or ends it", [[
      "${RUN[@]}" sleep 1000 & pid=$!; kill -TERM $pid; wait $pid; echo $?]], out = "143\n", err = "" },

    { "default: the command ends, so do we", [[
      for i in HUP INT QUIT ABRT USR1 ALRM TERM SEGV 40 64; do # bash lets its background ignore two of them
        env --default-signal=INT,QUIT "${RUN[@]}" sh -c 'ulimit -c 0; echo x; exec sleep 1000' >out & pid=$!
        words 1; kill -$i $pid; wait $pid; echo $?; : >out
      done]], out = "129\n130\n131\n134\n138\n142\n143\n139\n168\n192\n", err = "" },
    { "a trap of the shell", [[
      "${RUN[@]}" bash -c 'trap "echo trapped; exit 9" TERM; echo x; while :; do sleep 0.02; done' >out & pid=$!
      words 1; kill -TERM $pid; wait $pid; echo $?; cat out]], out = "9\nx\ntrapped\n" },
    { "a command that goes on after them", [[
      "${RUN[@]}" bash -c 'n=0; trap "n=\$((n + 1)); echo got" USR1; echo x; until [ $n = 3 ]; do sleep 0.02; done; exit 3' >out & pid=$!
      words 1; for i in 1 2 3; do kill -USR1 $pid; words $((i + 1)); done; wait $pid; echo $?]], out = "3\n" },
    { "nohup", [[
      nohup "${RUN[@]}" "$PROBE" state >out 2>&1; grep -c 'SigIgn:.*1$' out]], out = "1\n" },
    { "SIGHUP that the caller ignores stays ignored by the command", [[
      trap '' HUP; "${RUN[@]}" sh -c 'echo x; exec sleep 1000' >out & pid=$!
      words 1; kill -HUP $pid; kill -TERM $pid; wait $pid; echo $?]], out = "143\n" },
    { "SIGCHLD that the caller ignores: the exit status is known", [[
      trap '' CHLD; "${RUN[@]}" sh -c 'exit 7'; echo $?]], out = "7\n" },
    { "blocked ones of the caller reach the command as well", [[
      "$PROBE" under block=15 block=10 -- "${RUN[@]}" "$PROBE" receive >out & pid=$!
      words 1; kill -10 $pid; words 2; kill -15 $pid; words 3; kill -64 $pid; words 4; kill -64 $pid; wait $pid; echo $?; wc -l <out]],
      out = "0\n5\n" },
    { "stopped and continued", [[
      set -m # a group of its own, which is no orphan
      "${RUN[@]}" sh -c 'echo $$; exec sleep 1000' >out & pid=$!; words 1; child=$(cat out)
      await() { until grep -q "^State:.$1" /proc/$child/status; do sleep 0.01; done; }
      kill -TSTP $pid; await T; kill -CONT $pid; await S; kill -TERM $pid; wait $pid; echo $?]], out = "143\n", err = "" },
    { "kill 0 inside the command reaches it and its children", [[
      setsid -w "${RUN[@]}" bash -c 'trap "echo parent" TERM; (trap "echo child; exit" TERM; echo ready; while :; do sleep 0.01; done) &
        until [ -s out ]; do sleep 0.01; done; kill 0; wait; wait; exit 3' >out; echo $?; sort out]],
      out = "3\nchild\nparent\nready\n", err = "" },
    { "timeout ends it", [["${RUN[@]}" timeout 0.1 sleep 1000; echo $?; timeout 0.3 "${RUN[@]}" sleep 1000; echo $?]],
      out = "124\n124\n" },
    { "timeout -k too, when SIGTERM is ignored", [[
      timeout -k 0.1 0.5 "${RUN[@]}" timeout -s KILL 1 sh -c 'trap "" TERM; while :; do sleep 0.05; done'; echo $?]],
      out = "137\n", err = "" },
    { "SIGTERM while nobody reads the output", [[
      mkfifo out2; exec 3<>out2
      "${RUN[@]}" bash -c 'echo $$ >&2; exec yes' >out2 2>out & pid=$!
      words 1; until grep -q pipe_write /proc/$(cat out)/wchan; do sleep 0.02; done
      kill -TERM $pid; gone $(cat out); head -c 65536 <&3 | wc -c; wait $pid; echo $?]], out = "65536\n143\n", err = "" },
  }

  it("a second SIGTERM leaves a reader who does not read, after the command's end", function()
    local run = passing.run("headway", script [[
      mkfifo out2; exec 3<>out2
      "${RUN[@]}" bash -c 'echo $$ >&2; exec yes' >out2 2>out & pid=$!
      words 1; child=$(cat out); until grep -q pipe_write /proc/$child/wchan; do sleep 0.02; done
      kill -TERM $pid; while [ -e /proc/$child ]; do sleep 0.02; done
      kill -TERM $pid; wait $pid; echo $?]])
    assert.same({ "143\n", "" }, { run.out, run.err })
  end)

  it("SIGINT after the command's end waits for nothing", function()
    local run = passing.run("headway", script [[
      mkfifo go; "${RUN[@]}" bash -c 'echo $$; read x <go; exit 4' >out & pid=$!
      words 1; child=$(cat out); signal_reporter STOP $pid; echo >go
      while [ -e /proc/$child ]; do sleep 0.02; done
      kill -INT $pid; wait $pid; echo $?]])
    assert.same({ "4\n", "" }, { run.out, run.err })
  end)

  it("kill -1 inside a command does not come back to it", function()
    if not passing.is_root then return pending "a user of its own is needed" end
    local run = passing.run("headway", script [[
      cp "${RUN[0]}" headway; chmod 755 headway; RUN[0]=$PWD/headway
      setpriv --reuid 54322 --clear-groups "${RUN[@]}" bash -c 'trap "echo again" USR1; kill -USR1 -1; echo $?; exit 5'; echo $?]])
    assert.equal("0\n5\n", run.out, run.err) -- our parser's worker, which it hits as well, is started again
  end)
end)
