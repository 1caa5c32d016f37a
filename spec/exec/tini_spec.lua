--- The same scenarios under `tini --` and under `headway exec --`: exit status, output and received signals are compared with
--- each other, and with what is expected. Where headway shall differ the row says so, and why.
local assert = require "luassert"
local passing = require "spec.support.passing"

local SIGNALS = [[
  touch out; "${RUN[@]}" "$PROBE" receive >out & pid=$!
  words() { until [ $(wc -l <out) -ge $1 ]; do sleep 0.01; done; }
  words 1; n=1; for i in LIST; do kill -$i $pid; n=$((n + 1)); words $n; done
  kill -64 $pid; kill -64 $pid; wait $pid; echo $?; sed '1d; s/ code.*//; s/got //' out | tr '\n' ' ']]
local function signals(list) return (SIGNALS:gsub("LIST", list)) end
local CODES = [[for i in 0 1 2 63 125 126 127 128 255; do "${RUN[@]}" sh -c "exit $i"; printf '%s ' $?; done]]

local cases = {
  -- name                               script                              both, or tini's     headway's          why it differs
  { "exit statuses",                    CODES,                              "0 1 2 63 125 126 127 128 255 " },
  { "by a signal", [[for i in 2 6 9 10 11 13 15 34 64; do
      "${RUN[@]}" "$PROBE" die $i; printf '%s ' $?; done]],                 "130 134 137 138 139 141 143 162 192 " },
  { "no such command",                  [["${RUN[@]}" ./no 2>/dev/null; echo $?]],             "127\n" },
  { "not in PATH",                      [["${RUN[@]}" no-such-command 2>/dev/null; echo $?]],  "127\n" },
  { "a directory",                      [["${RUN[@]}" / 2>/dev/null; echo $?]],                "126\n" },
  { "not executable",                   [[echo >f; "${RUN[@]}" ./f 2>/dev/null; echo $?]],     "126\n" },
  { "something below a file",           [[echo >f; "${RUN[@]}" ./f/x 2>/dev/null; echo $?]],   "1\n", "126\n",
    "it can't be run, as a shell says it; tini gives 1 for whatever it does not know" },
  { "a script without #!",              [[echo 'echo x' >f; chmod +x f; "${RUN[@]}" ./f]],     "x\n" },
  { "arguments",                        [["${RUN[@]}" printf '<%s>' -v -- --version '']],      "<-v><--><--version><>" },
  { "input and output",                 [[echo abc | "${RUN[@]}" tr a-z A-Z]],                 "ABC\n" },
  { "stderr",                           [["${RUN[@]}" sh -c 'echo x >&2' 2>&1]],               "x\n" },
  { "a reader that goes",               [["${RUN[@]}" yes | head -n 1; echo ${PIPESTATUS[0]}]], "y\n141\n" },
  { "a group of its own",               [["${RUN[@]}" bash -c 'read -r _ _ _ _ g _ </proc/$$/stat; echo $((g == $$))']], "1\n" },
  { "the session of the caller",        [["${RUN[@]}" bash -c 'read -r _ _ _ _ _ s _ </proc/$$/stat; echo $s' >s
      read -r _ _ _ _ _ s _ </proc/$$/stat; [ $s = $(cat s) ] && echo same]],                 "same\n" },
  { "signals that end a process",       signals "1 2 3 10 12 13 14 15 16 24 25 26 27 29 30",
    "0\n1 2 3 10 12 13 14 15 16 24 25 26 27 29 30 64 64 " },
  { "signals that do not",              signals "18 20 23 28",                                 "0\n18 20 23 28 64 64 " },
  { "real-time signals",                signals "$(seq 34 63)",
    "0\n" .. (function() local t = {} for i = 34, 63 do t[#t + 1] = i .. " " end return table.concat(t) end)() .. "64 64 " },
  { "SIGCHLD from somebody",            [[
    touch out; "${RUN[@]}" "$PROBE" receive >out & pid=$!; until [ -s out ]; do sleep 0.01; done
    kill -17 $pid; kill -64 $pid; kill -64 $pid; wait $pid; sed '1d; s/ code.*//; s/got //' out | tr '\n' ' ']],
    "64 64 ", "17 64 64 ", "without us it would be the command's; tini takes it for news of its children" },
  { "SIGTTIN and SIGTTOU from somebody, without a terminal", [[
    touch out; "${RUN[@]}" "$PROBE" receive >out & pid=$!; until [ -s out ]; do sleep 0.01; done
    kill -21 $pid; kill -22 $pid; kill -64 $pid; kill -64 $pid; wait $pid; sed '1d; s/ code.*//; s/got //' out | tr '\n' ' ']],
    "64 64 ", "21 22 64 64 ", "without us they would be the command's; tini ignores them" },
  { "SIGABRT from somebody", [[
    ulimit -c 0; touch out; "${RUN[@]}" bash -c 'trap "echo got >>out; exit 3" ABRT; echo $$ >child; echo x >out; while :; do sleep 0.02; done' & pid=$!
    until [ -s out ]; do sleep 0.01; done; kill -ABRT $pid; wait $pid; echo $?; cat out; kill $(cat child) 2>/dev/null; :]],
    "134\nx\n", "3\nx\ngot\n", "it is meant for the command, which tini leaves behind when it dies of it" },
  { "the value of a queued signal", [[
    touch out; "${RUN[@]}" "$PROBE" receive >out & pid=$!; until [ -s out ]; do sleep 0.01; done
    "$PROBE" queue $pid 40 1; until [ $(wc -l <out) = 2 ]; do sleep 0.01; done
    kill -64 $pid; kill -64 $pid; wait $pid; sed -n 's/.*got 40 code -*//p' out]],
    "0 value 0\n", "1 value 1\n", "without us the command would have it" },
  { "a signal to its parent", [[
    "${RUN[@]}" bash -c 'trap "echo back" USR1; kill -USR1 $PPID; for i in 1 2 3 4 5; do sleep 0.02; done']],
    "back\n", "", "beside process 1 such a signal is meant for somebody else, or is `kill -1`" },
  { "a trap",                           [[touch out
    "${RUN[@]}" bash -c 'trap "echo bye; exit 5" TERM; echo x; while :; do sleep 0.02; done' >out & pid=$!
    until [ -s out ]; do sleep 0.01; done; kill $pid; wait $pid; echo $?; cat out]],             "5\nx\nbye\n" },
  { "SIGHUP ignored by the caller",     [[trap '' HUP; "${RUN[@]}" grep SigIgn /proc/self/status | grep -c 1$]], "1\n" },
  { "the mask of the caller",           [["$PROBE" under block=10 -- "${RUN[@]}" grep SigBlk /proc/self/status]],
    "SigBlk:\t0000000000000200\n" },
  { "SIGPIPE as the caller has it",     [["${RUN[@]}" grep -c '^SigIgn:.*0000$' /proc/self/status]], "1\n" },
  { "SIGCHLD ignored by the caller",    [[t=20; [ ${RUN[0]} != tini ] || t=0.3
    { timeout -s KILL $t env --ignore-signal=CHLD "${RUN[@]}" sh -c 'exit 7'; } 2>/dev/null; echo $?]],
    "137\n", "7\n", "the kernel reaps the child of tini, which waits for ever" },
  { "timeout",                          [[timeout 0.2 "${RUN[@]}" sleep 1000; echo $?]],       "124\n" },
  { "somebody left behind",             [[mkfifo go; exec 5<>go
    "${RUN[@]}" bash -c '{ read x <&5; echo later; } & exit 3' >out; echo $?; echo >&5
    until grep -q later out; do sleep 0.02; done; cat out]],                                   "3\nlater\n" },
  { "a descriptor that the command closes", [[mkfifo p go; exec 6<>go
    "${RUN[@]}" bash -c 'exec 5>&-; read x; exit 3' 5>p <&6 & pid=$!
    exec 7<p; t=10; [ ${RUN[0]} != tini ] || t=0.3
    if read -t $t x <&7; [ $? -gt 128 ]; then echo held; else echo closed; fi; echo >&6; wait $pid; echo $?]],
    "held\n3\n", "closed\n3\n", "who waits for its end waits for the command, not for us" },
  { "stdout that the command closes", [[mkfifo p go; exec 6<>go
    "${RUN[@]}" bash -c 'exec >&-; read x; exit 3' >p <&6 & pid=$!
    exec 7<p; t=10; [ ${RUN[0]} != tini ] || t=0.3
    if read -t $t x <&7; [ $? -gt 128 ]; then echo held; else echo closed; fi; echo >&6; wait $pid; echo $?]],
    "held\n3\n", "closed\n3\n", "as above" },
  { "PR_SET_PDEATHSIG", [[setpriv --pdeathsig TERM "${RUN[@]}" "$PROBE" state | grep -o 'parent death [0-9]*']],
    "parent death 0\n", "parent death 15\n", "a fork loses it; tini wants -p for that" },
}

describe("headway exec and tini:", function()
  for _, case in ipairs(cases) do
    it(case[1], function()
      if not passing.has_tini then
        assert(os.getenv "HEADWAY_REQUIRE_CLUSTER" ~= "1", "tini is not installed")
        return pending "tini is not installed"
      end
      assert(not case[4] or case[5], "why does it differ?")
      local tini, ours = passing.run("tini", case[2]), passing.run("headway", case[2])
      assert.equal(case[3], tini.out, "tini: " .. tini.err)
      assert.equal(case[4] or case[3], ours.out, "headway: " .. ours.err)
      assert.equal(tini.status, ours.status)
    end)
  end
end)
