--- What a command finds and leaves behind under `headway exec`, from outside: input, descriptors, everything a process inherits,
--- exit statuses. Every row runs without the wrapper as well.
local assert = require "luassert"
local passing = require "spec.support.passing"

local is_root = passing.is_root

describe("headway exec: input", function()
  passing.rows(it, {
    { "a pipe", [[echo abc | "${RUN[@]}" cat]], out = "abc\n" },
    { "random bytes", [[
      head -c 3000007 /dev/urandom >in; cat in | "${RUN[@]}" cat >out; cmp in out && size out]], out = "3000007\n" },
    { "a file", [[echo abc >file; "${RUN[@]}" cat <file]], out = "abc\n" },
    { "a file, read on from where the command left it", [[
      printf 'a\nb\n' >file; { "${RUN[@]}" sh -c 'read x; echo $x'; cat; } <file]], out = "a\nb\n" },
    { "/dev/null", [["${RUN[@]}" cat </dev/null]] },
    { "closed", [["${RUN[@]}" cat <&-; echo $?]], out = "1\n", err = "Bad file descriptor\n$" },
    { "its end", [["${RUN[@]}" cat </dev/null; echo $?]], out = "0\n" },
    { "a command that reads no more lets the writer go", [[
      mkfifo go; yes | "${RUN[@]}" bash -c 'read x; exec <&-; read y <go; echo $x' | cat & pid=$!
      { yes; echo ${PIPESTATUS[0]} >ended; } | "${RUN[@]}" bash -c 'exec <&-; until [ -e ended ]; do sleep 0.02; done; cat ended'
      echo >go; wait $pid]], out = "141\ny\n" },
  })
end)

describe("headway exec: descriptors of the caller", function()
  passing.rows(it, {
    { "reach the command", [["${RUN[@]}" sh -c 'echo abc >&5; cat <&6' 5>file 6</dev/null; cat file]], out = "abc\n" },
    { "in both directions", [[echo in >file; "${RUN[@]}" sh -c 'cat <&7' 7<file]], out = "in\n" },
    { "are let go as soon as the command does (readiness is told so)", [[
      mkfifo ready go
      "${RUN[@]}" bash -c 'echo yes >&5; exec 5>&-; read x <go; exit 3' 5>ready & pid=$!
      cat ready; echo seen; echo >go; wait $pid; echo $?]], out = "yes\nseen\n3\n" },
    { "are not kept by the reporter", [[
      mkfifo ready; "${RUN[@]}" sh -c 'exit 3' 5>ready & pid=$!
      cat ready; wait $pid; echo $?]], out = "3\n" },
    { "are not kept by who copies for somebody left behind", [[
      mkfifo ready out go; exec 9<>go
      "${RUN[@]}" bash -c '{ read x <&9; } 5>&- & exit 3' >out 5>ready & pid=$!
      exec 4<out; cat ready; wait $pid; echo $?; echo >go; cat <&4]], out = "3\n" },
    { "keep their flags", [=[
      mkfifo p; exec 5<>p; before=$(cat /proc/self/fdinfo/5 | grep flags)
      "${RUN[@]}" true >&5; "${RUN[@]}" cat /dev/null <&5; "${RUN[@]}" true 2>&5
      [ "$before" = "$(cat /proc/self/fdinfo/5 | grep flags)" ]]=] },
    { "none is made blocking or not while the command runs", [[
      mkfifo p go; exec 5<>p
      "${RUN[@]}" bash -c 'echo x; read x <go' >&5 2>&5 & pid=$!
      read x <&5; grep flags /proc/self/fdinfo/5 >during
      echo >go; wait $pid; grep flags /proc/self/fdinfo/5 | cmp - during]] },
  })
end)

describe("headway exec: how a command ends", function()
  passing.rows(it, {
    { "each exit status", [[
      for i in 0 1 2 3 63 64 100 124 125 126 127 128 129 143 200 254 255; do "${RUN[@]}" sh -c "exit $i"; echo $?; done]],
      out = "0\n1\n2\n3\n63\n64\n100\n124\n125\n126\n127\n128\n129\n143\n200\n254\n255\n" },
    { "each of all 256, when nothing is published", [[
      [ ${#RUN[@]} = 0 ] || RUN=("${RUN[0]}" exec --)
      for i in $(seq 0 255); do "${RUN[@]}" sh -c "exit $i" 2>/dev/null; [ $? = $i ] || echo $i: $?; done]] },
    { "each signal: 128 and its number, as a shell says it", [[
      ulimit -c 0
      for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 24 25 26 27 29 30 31 34 40 64; do
        "${RUN[@]}" "$PROBE" die $i; [ $? = $((128 + i)) ] || echo $i: $?
      done]], err = "" },
    { "PATH is searched", [[mkdir bin; printf '#!/bin/sh\necho found $1\n' >bin/tool; chmod +x bin/tool
      PATH=$PWD/bin:$PATH "${RUN[@]}" tool x]], out = "found x\n" },
    { "a script without #!", [[printf 'echo script $1\n' >tool; chmod +x tool; "${RUN[@]}" ./tool x]], out = "script x\n" },
    { "arguments of all kinds", [["${RUN[@]}" printf '<%s>' -- '' ' ' '--help' "a'b" $'\n' $'\xff' -x]],
      out = "<--><><\32><--help><a'b><\n><\xff><-x>" },
    { "a thousand arguments", [["${RUN[@]}" sh -c 'echo $#' sh $(seq 1 1000)]], out = "1000\n" },
  })
  local cant = {
    -- name                                    script                                                   status  words
    { "no such command",                     [["${RUN[@]}" no-such-command]],                           127, "No such file" },
    { "no such path",                        [["${RUN[@]}" ./no/such]],                                 127, "No such file" },
    { "an empty name",                       [["${RUN[@]}" '']],                                        127, "No such file" },
    { "a directory",                         [["${RUN[@]}" /]],                                         126, "Permission denied" },
    { "a file that is no program",           [[echo >file; "${RUN[@]}" ./file]],                        126, "Permission denied" },
    { "something below a file",              [[echo >file; "${RUN[@]}" ./file/x]],                      126, "Not a directory" },
    { "a link to itself",                    [[ln -s loop loop; "${RUN[@]}" ./loop]],                   126, "Too many levels" },
  }
  for _, row in ipairs(cant) do
    it("can't be run: " .. row[1], function()
      local run = passing.run("headway", row[2])
      assert.same({ row[3], "" }, { run.status, run.out })
      assert.is_truthy(run.err:find("^headway exec: start '[^\n]*': " .. row[4] .. "[^\n]*\n$"), run.err)
    end)
  end
  it("can't be run: more arguments than the kernel takes", function()
    local run = passing.run("headway", [["${RUN[@]}" true 2>&1; ulimit -s 256; "${RUN[@]}" true $(seq 1 30000) 2>/dev/null; echo $?]])
    assert.is_truthy(run.out:find "^126\n$", run.out)
  end)
end)

describe("headway exec: what a command inherits", function()
  local function same(name, script, flags)
    it(name, function()
      local direct, wrapped = passing.run("none", script), passing.run("headway", script, flags)
      assert.same({ 0, "" }, { direct.status, direct.err })
      assert.is_true(#direct.out > 500)
      assert.same({ 0, "" }, { wrapped.status, wrapped.err })
      local lines, missing = {}, {}
      direct.out, wrapped.out = direct.out:gsub("environment _=/[^\n]*\n", ""), wrapped.out:gsub("environment _=/[^\n]*\n", "")
      for line in wrapped.out:gmatch "[^\n]+" do lines[#lines + 1] = line:gsub("/tmp/tmp%.%w+", "DIR") end
      for line in direct.out:gmatch "[^\n]+" do
        line = line:gsub("/tmp/tmp%.%w+", "DIR")
        local at = 1
        while lines[at] and lines[at] ~= line do at = at + 1 end
        if not table.remove(lines, at) then missing[#missing + 1] = line end
      end
      assert.same({ missing = {}, more = {} }, { missing = missing, more = lines })
    end)
  end
  same("everything", [["${RUN[@]}" "$PROBE" state a b '']])
  same("everything, with --watch=file", [["${RUN[@]}" "$PROBE" state]], { "--watch=file" })
  same("a cleared environment", [[env -i A=1 B= "=x" "${RUN[@]}" "$PROBE" state]])
  same("an environment with names twice and without =", [[env -i A=1 A=2 '_=y' "${RUN[@]}" "$PROBE" state]])
  same("another directory", [[mkdir a; cd a; "${RUN[@]}" "$PROBE" state]])
  same("a directory that is gone", [[mkdir a; cd a; rmdir ../a; "${RUN[@]}" "$PROBE" state]])
  same("umask", [[umask 0; "${RUN[@]}" "$PROBE" state; umask 777; "${RUN[@]}" "$PROBE" state]])
  same("limits", [[ulimit -c 0 -n 100 -s 4096 -t 1000 -f 1000000; ulimit -S -n 50; "${RUN[@]}" "$PROBE" state]])
  same("nice and ioprio", [[nice -n 7 ionice -c 3 "${RUN[@]}" "$PROBE" state]])
  same("a scheduling class", [[chrt --batch 0 "${RUN[@]}" "$PROBE" state]])
  same("oom_score_adj", [[echo 321 >/proc/self/oom_score_adj; "${RUN[@]}" "$PROBE" state]])
  same("processors", [[taskset 1 "${RUN[@]}" "$PROBE" state]])
  same("ignored signals (nohup)", [[nohup "${RUN[@]}" "$PROBE" state 2>&1]])
  same("other ignored signals", [[trap '' INT QUIT TERM PIPE XFSZ CHLD USR1 CONT TSTP RTMIN+5; "${RUN[@]}" "$PROBE" state]])
  same("blocked signals", [["$PROBE" under block=10 block=15 block=17 block=40 -- "${RUN[@]}" "$PROBE" state]])
  same("open files", [[exec 5</dev/null 77>file 200<>file2; mkfifo p; exec 9<>p; "${RUN[@]}" "$PROBE" state]])
  same("closed files", [["${RUN[@]}" "$PROBE" state <&-]])
  same("the signal of its parent's death", [[setpriv --pdeathsig TERM "${RUN[@]}" "$PROBE" state]])
  same("no new privileges", [[setpriv --no-new-privs "${RUN[@]}" "$PROBE" state]])
  same("a personality", [[setarch -R "${RUN[@]}" "$PROBE" state]])
  if is_root then
    same("another user, fewer rights", [[
      setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "${RUN[@]}" "$PROBE" state]])
  end

  it("FLUID_PROGRESS_FILE is all that is added", function()
    local script = [[env -i A=1 "${RUN[@]}" env | sort]]
    local run = passing.run("headway", script)
    assert.is_truthy(run.out:find "^A=1\nFLUID_PROGRESS_FILE=/[^\n]*/progress\n", run.out)
  end)
  it("FLUID_PROGRESS_FILE that is set stays", function()
    local run = passing.run("headway", [[env -i FLUID_PROGRESS_FILE=/nowhere/x B=2 "${RUN[@]}" env | grep -v SAN_OPTIONS]])
    assert.equal("B=2\nFLUID_PROGRESS_FILE=/nowhere/x\n", run.out)
  end)
end)

describe("headway exec: whatever is wrong with us,", function()
  local function row(name, script, out, err, flags)
    it(name, function()
      local run = passing.run("headway", script, flags)
      assert.same({ out, 0 }, { run.out, run.status }, run.err)
      assert.is_truthy(run.err:find(err), run.err)
    end)
  end
  local ONE = "^headway [^\n]*"
  row("no pod to write to: one line", [["${RUN[0]}" exec -- echo a]], "a\n", ONE .. "no pod to write to[^\n]*\n$")
  row("a wrong flag: one line", [["${RUN[0]}" exec --no-such-flag -- echo a]], "a\n", ONE .. "unknown flag '%-%-no%-such%-flag'[^\n]*\n$")
  row("a flag that takes the -- for its value", [["${RUN[0]}" exec --poll -- echo a]], "a\n", ONE .. "\n$")
  row("a wrong value", [["${RUN[0]}" exec --poll=never -- echo a]], "a\n", ONE .. "\n$")
  row("a wrong setting", [[HEADWAY_POLL=never "${RUN[@]}" echo a]], "a\n", ONE .. "HEADWAY_POLL[^\n]*\n$")
  row("a settings file that is not there", [[HEADWAY_CONFIG=/nowhere "${RUN[@]}" echo a]], "a\n", ONE .. "/nowhere[^\n]*\n$")
  row("a settings file that is wrong", [[echo 'x: [' >c; HEADWAY_CONFIG=$PWD/c "${RUN[@]}" echo a]], "a\n", ONE .. "\n$")
  row("a directory that can't be written", [["${RUN[0]}" exec --dir /proc/x -- echo a]], "a\n", ONE .. "\n$")
  row("a log level that is none", [[HEADWAY_LOG=loud "${RUN[@]}" echo a]], "a\n", ONE .. "\n$")
  row("few descriptors", [[for i in 4 5 6 7 8 9 10 12 14 16 20; do (ulimit -n $i; "${RUN[@]}" echo a 2>/dev/null); done]],
    ("a\n"):rep(11), "^$")
  row("flags that look like ours are the command's", [["${RUN[@]}" echo --help -x -- --poll]], "--help -x -- --poll\n", "^$")
  row("--help", [["${RUN[0]}" exec --help | { read -r x; echo "$x"; cat >/dev/null; }]], "usage: headway exec [FLAGS] [--] COMMAND [ARGUMENT...]\n", "^$")

  it("no command: says which is wanted, and exits 2", function()
    for _, script in ipairs { [["${RUN[0]}" exec]], [["${RUN[0]}" exec --]], [["${RUN[0]}" exec --poll 5s --]] } do
      local run = passing.run("headway", script)
      assert.same({ 2, "" }, { run.status, run.out })
      assert.is_truthy(run.err:find "^headway exec: which command%? expected [^\n]*\n", run.err)
    end
  end)

  it("no process can be had: the command takes ours", function()
    if not is_root then return pending "another user's limit is needed" end
    local run = passing.run("headway", [[
      cp "${RUN[0]}" headway; chmod 755 headway; RUN[0]=./headway
      prlimit --nproc=1 setpriv --reuid 54321 --clear-groups --inh-caps=-all --bounding-set=-all "${RUN[@]}" sh -c "exit 3"; echo $?]])
    assert.equal("3\n", run.out, run.err)
    assert.is_truthy(run.err:find "^headway exec: start 'sh': make a process: [^\n]*\nheadway exec: nothing is published[^\n]*\n$",
      run.err)
  end)
end)
