--- What a command prints under `headway exec`, from outside: the same bytes, at the same moment, to the same end. Every row
--- runs without the wrapper as well, so that what it expects is what the system does by itself.
local passing = require "spec.support.passing"

local MB = 1024 * 1024

describe("headway exec: output", function()
  passing.rows(it, {
    { "random bytes on both streams at once, chunks of odd sizes, to files", ([[
      "${RUN[@]}" "$PROBE" flood %d >out 2>err; echo $?
      "$PROBE" flood %d >out2 2>err2
      cmp out out2 && cmp err err2 && size out && size err]]):format(4 * MB + 7, 4 * MB + 7),
      out = ("0\n%d\n%d\n"):format(4 * MB + 7, 4 * MB + 7) },
    { "the same through pipes", ([[
      "${RUN[@]}" "$PROBE" flood %d 2> >(cat >err; echo >done) | cat >out; echo ${PIPESTATUS[0]}
      until [ -e done ]; do sleep 0.02; done
      "$PROBE" flood %d >out2 2>err2
      cmp out out2 && cmp err err2 && size out && size err]]):format(4 * MB + 7, 4 * MB + 7),
      out = ("0\n%d\n%d\n"):format(4 * MB + 7, 4 * MB + 7) },
    { "the same to a socket", ([[
      "$PROBE" under stdout=stream -- "${RUN[@]}" "$PROBE" flood %d 2>err | cat >out
      "$PROBE" flood %d >out2 2>err2
      cmp out out2 && cmp err err2 && size out]]):format(MB + 7, MB + 7), out = ("%d\n"):format(MB + 7) },
    { "messages to a socket stay apart", [[
      "$PROBE" under stdout=messages -- "${RUN[@]}" sh -c 'echo 12345; printf 12; echo 123; printf .' | cat]],
      out = "6\n2\n4\n" },
    { "the same again while the reporter is stopped", ([[
      mkfifo go; exec 5<>go
      "${RUN[@]}" bash -c 'read x <&5; exec "$@"' bash "$PROBE" flood %d >out 2>err & pid=$!
      signal_reporter STOP $pid; echo >go; wait $pid; echo $?
      "$PROBE" flood %d >out2 2>err2
      cmp out out2 && cmp err err2 && size out]]):format(4 * MB + 7, 4 * MB + 7), out = ("0\n%d\n"):format(4 * MB + 7) },
    { "nothing at all", [["${RUN[@]}" true]] },
    { "a line without an end", [["${RUN[@]}" printf 'a\nb']], out = "a\nb" },
    { "NUL and line ends of all kinds", [["${RUN[@]}" printf 'a\0b\r\nc\rd\n\n']], out = "a\0b\r\nc\rd\n\n" },
    { "stderr", [["${RUN[@]}" sh -c 'printf x >&2']], err = "^x$" },

    { "each byte at once: the command goes on when it was seen", [[
      mkfifo out err go
      "${RUN[@]}" bash -c 'for i in 1 2 3 4 5; do printf $i; read x; printf e >&2; read x; done' <go >out 2>err &
      exec 3>go 4<out 5<err
      for i in 1 2 3 4 5; do
        IFS= read -r -N1 x <&4; printf %s "$x"; echo >&3
        IFS= read -r -N1 x <&5; printf %s "$x"; echo >&3
      done; wait $!; echo $?]], out = "1e2e3e4e5e0\n" },
    { "each byte at once while the reporter is stopped", [[
      mkfifo out go; exec 3<>go
      "${RUN[@]}" bash -c 'read x; for i in 1 2 3; do printf $i; read x; done' <go >out & pid=$!
      exec 4<out; signal_reporter STOP $pid; echo >&3
      for i in 1 2 3; do IFS= read -r -N1 x <&4; printf %s "$x"; echo >&3; done; wait $pid; echo $?]], out = "1230\n" },

    { "a slow reader holds the command up, and nothing is lost at the end", [[
      mkfifo out; exec 3<>out
      "${RUN[@]}" bash -c 'echo $$ >&2; exec head -c 400000 /dev/zero' >out 2>pid & pid=$!
      until [ -s pid ]; do sleep 0.02; done
      until grep -q pipe_write /proc/$(cat pid)/wchan; do sleep 0.02; done # it waits for room
      head -c 100000 <&3 | wc -c; kill -0 $(cat pid) && echo held up
      head -c 300000 <&3 | wc -c; wait $pid; echo $?]], out = "100000\nheld up\n300000\n0\n" },
    { "what a command wrote before its end comes, however late it is read", [[
      mkfifo out done; exec 3<>out
      "${RUN[@]}" bash -c 'head -c 60000 /dev/zero; echo >done' >out & pid=$!
      read x <done; head -c 30000 <&3 | wc -c; head -c 30000 <&3 | wc -c; wait $pid; echo $?]],
      out = "30000\n30000\n0\n" },
  })

  describe("the reader is gone,", function()
    for _, way in ipairs { "runs", "is stopped", "was killed" } do
      local signal = ({ runs = ":", ["is stopped"] = "signal_reporter STOP", ["was killed"] = "signal_reporter KILL" })[way]
      passing.rows(it, {
        { "the reporter " .. way .. ": yes ends by SIGPIPE", [[
          mkfifo out go
          "${RUN[@]}" bash -c 'read x <go; exec yes' >out & pid=$!
          exec 3<out; ]] .. signal .. [[ $pid; echo >go; head -n 1 <&3; exec 3<&-; wait $pid; echo $?]], out = "y\n141\n" },
        { "the reporter " .. way .. ": who ignores SIGPIPE sees EPIPE", [[
          mkfifo out go
          "${RUN[@]}" bash -c 'read x <go; exec "$@"' bash "$PROBE" until-broken >out & pid=$!
          exec 3<out; ]] .. signal .. [[ $pid; echo >go; head -c 1 <&3; exec 3<&-; wait $pid; echo $?]],
          out = "x5\n", err = "^Broken pipe\n$" },
      })
    end
    passing.rows(it, {
      { "as the shell has it", [["${RUN[@]}" yes | head -n 1; echo ${PIPESTATUS[*]}]], out = "y\n141 0\n" },
      { "the very next write fails", [[
        mkfifo out go
        "${RUN[@]}" bash -c 'trap "" PIPE; echo a; readlink /proc/$$/fd/1 >pipe; read x <go; echo b; echo $? >&2' >out 2>err & pid=$!
        exec 3<out; read x <&3; until [ -s pipe ]; do sleep 0.02; done; old=$(reporter $pid); exec 3<&-
        # Nobody but the command has the pipe once we have let go: the wrapper, its reporter, what that was just starting.
        # Not `gone`: a process whose first thread has ended shows no files, while its others still hold them.
        [ -z "$old" ] || while [ -e /proc/$old ]; do sleep 0.02; done
        [ ${#RUN[@]} = 0 ] || until [ $(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -cF "$(cat pipe)") = 1 ]; do sleep 0.02; done
        echo >go; wait $pid; echo $?; tail -n 1 err]], out = "0\n1\n", err = "" },
      { "a command that only waits for that is told", [[
        mkfifo out
        "${RUN[@]}" "$PROBE" nap-until-broken >out 2>err & pid=$!
        exec 3<out; until grep -q waiting err; do sleep 0.02; done
        exec 3<&-; wait $pid; echo $?]], out = "6\n" },
      { "tail -f ends", [[
        echo line >file
        "${RUN[@]}" tail -f file | head -n 1; echo ${PIPESTATUS[*]}]], out = "line\n141 0\n", err = "" },
      { "only of stdout: stderr goes on", [[
        "${RUN[@]}" sh -c 'trap "" PIPE; while echo x; do :; done 2>/dev/null; echo still >&2; exit 4' | :
        echo ${PIPESTATUS[0]}]], out = "4\n", err = "^still\n$" },
      { "of a socket", [[
        "$PROBE" under stdout=stream -- "${RUN[@]}" "$PROBE" until-broken | head -c 1; echo ${PIPESTATUS[0]}]],
        out = "x5\n", err = "\n$" }, -- EPIPE, or ECONNRESET when some was not read
    })
  end)

  describe("stdout is", function()
    passing.rows(it, {
      { "closed: writing fails as it would", [["${RUN[@]}" sh -c 'echo x; echo $? >&2' >&-]], err = "\n[12]\n$" },
      { "closed, and stays so", [["${RUN[@]}" sh -c '[ -e /proc/self/fd/1 ] || echo none >&2' >&-]], err = "^none\n$" },
      { "closed, stdin and stderr too", [[
        "${RUN[@]}" bash -c 'for i in 0 1 2; do [ ! -e /proc/$$/fd/$i ] || : >open$i; done; exit 3' <&- >&- 2>&-
        echo $? open*]], out = "3 open*\n" },
      { "a file", [["${RUN[@]}" echo abc >file; cat file]], out = "abc\n" },
      { "a file, written from where it stands", [[
        { echo first; "${RUN[@]}" echo second; echo third; } >file; cat file]], out = "first\nsecond\nthird\n" },
      { "a file to append to", [[echo 1 >file; "${RUN[@]}" sh -c 'echo 2; echo 3 >&2' >>file 2>>file; cat file]],
        out = "1\n2\n3\n" },
      { "a file to append to that others append to", [[
        mkfifo go; "${RUN[@]}" bash -c 'echo 1; read x <go; echo 3' >>file & pid=$!
        until [ -s file ]; do sleep 0.02; done; echo 2 >>file; echo >go; wait $pid; cat file]], out = "1\n2\n3\n" },
      { "the same file as stderr, opened twice: they overwrite each other as ever", [[
        "${RUN[@]}" sh -c 'printf aaaa; sleep 0; printf bb >&2' >file 2>file; size file]], out = "4\n" },
      { "read and write (<>)", [[printf 123456 >file; "${RUN[@]}" printf ab 1<>file; cat file]], out = "ab3456" },
      { "/dev/null", [["${RUN[@]}" head -c 1000000 /dev/zero >/dev/null]] },
    })
    passing.rows(it, {
      { "/dev/full: it is said, and the command stopped by SIGPIPE; without us each write fails instead", [[
        "${RUN[@]}" yes >/dev/full; echo $?]], only = true, out = "141\n",
        front = "^headway exec: write standard output: No space left on device\n$" },
      { "full at once for one line: nobody but us is left to say it", [["${RUN[@]}" echo >/dev/full; echo $?]],
        only = true, out = "0\n", front = "^headway exec: write standard output: No space left on device\n$" },
    })
  end)

  describe("stdout and stderr are one:", function()
    local expected = {}
    for i = 0, 999 do expected[#expected + 1] = ("out %d\nerr %d\n"):format(i, i) end
    expected = table.concat(expected)
    passing.rows(it, {
      { "a file", [["${RUN[@]}" "$PROBE" twice >file 2>&1; cat file]], out = expected },
      { "a pipe", [["${RUN[@]}" "$PROBE" twice 2>&1 | cat]], out = expected },
      { "a file opened twice to append", [["${RUN[@]}" "$PROBE" twice >>file 2>>file; cat file]], out = expected },
      { "a pipe opened twice", [[mkfifo p; cat p & "${RUN[@]}" "$PROBE" twice >p 2>p; wait $!]], out = expected },
    })
  end)

  describe("with --watch=file", function()
    passing.rows(it, {
      { "it is the command's own", [["${RUN[@]}" sh -c 'readlink /proc/self/fd/1 /proc/self/fd/2' >out 2>err
        grep -c "$PWD/out\|$PWD/err" out]], flags = { "--watch=file" }, out = "2\n" },
      { "nobody else holds it", [[
        mkfifo go; "${RUN[@]}" sh -c 'echo a; exec >&-; read x <go' | { cat; echo >go; }; echo $?]],
        flags = { "--watch=file" }, out = "a\n0\n" },
    })
  end)

  describe("its end comes with the end of the last who writes:", function()
    for _, way in ipairs { "runs", "was killed" } do
      local signal = way == "runs" and ":" or "signal_reporter KILL"
      passing.rows(it, {
        { "a command that closes stdout and goes on, the reporter " .. way, [[
          mkfifo out go; exec 5<>go
          "${RUN[@]}" bash -c 'read x <&5; echo a; exec >&-; read x <&5; exit 3' >out & pid=$!
          exec 3<out; ]] .. signal .. [[ $pid; echo >go; cat <&3; echo end; echo >go; wait $pid; echo $?]],
          out = "a\nend\n3\n" },
      })
    end
    passing.rows(it, {
      { "somebody left behind holds nothing up, and his output still comes", [[
        mkfifo out go; exec 4<>go
        "${RUN[@]}" bash -c 'echo first; { read x <&4; echo later; read x <&4; echo last; } & exit 5' >out & pid=$!
        exec 3<out; wait $pid; echo $?; read x <&3; echo $x; echo >go; read x <&3; echo $x; echo >go; cat <&3]],
        out = "5\nfirst\nlater\nlast\n" },
      { "his stderr too", [[
        mkfifo err go; exec 4<>go
        "${RUN[@]}" bash -c '{ read x <&4; echo later >&2; } & exit 5' 2>err & pid=$!
        exec 3<err; wait $pid; echo $?; echo >go; cat <&3]], out = "5\nlater\n" },
      { "one left behind who writes for ever", [[
        "${RUN[@]}" sh -c 'yes & exit 4' | { head -n 1; head -c 1000000 | wc -c >more; }
        echo ${PIPESTATUS[0]}; cat more]], out = "y\n4\n1000000\n" },
      { "and one who writes for ever is not held up by a wrapper that has ended", [[
        mkfifo out; "${RUN[@]}" sh -c 'yes & echo $! >pid; exit 4' >out & pid=$!
        cat <out >/dev/null & reader=$!
        wait $pid; echo $?; kill -0 $(cat pid) && echo writes; kill $reader; gone $(cat pid); echo gone]],
        out = "4\nwrites\ngone\n" },
    })
  end)
end)
