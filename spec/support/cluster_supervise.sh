#!/bin/sh
# Keeps the processes of one test cluster, so that none outlives the test run, however that ends.
#
#   cluster_supervise.sh DIR      with commands on stdin, each answered by one line in the FIFO DIR/reply:
#     start NAME                  runs the script DIR/NAME.sh, output to DIR/NAME.log      "ok PID"; an older one of the name ends
#     stop NAME SIGNAL SECONDS    signals it, waits, kills it when the time is over        "ok"
#     signal NAME SIGNAL                                                                   "ok" or "gone"
#
# When stdin ends (the test runner exited or died) or SIGTERM comes, everything is killed and DIR removed,
# unless there is a file DIR/keep. The processes themselves ask for SIGKILL when this script dies.
set -u

dir=$1
cd "$dir" || exit 1
names=

# Open for reading too: so a write never waits for a reader that may have died.
exec 8<>"$dir/reply"

pid_of() { eval "echo \${pid_$1:-}"; }

clean_up() {
    trap '' TERM INT HUP
    for name in $names; do
        pid=$(pid_of "$name")
        # A stopped process dies of SIGKILL as well.
        [ -z "$pid" ] || kill -s KILL "$pid" 2>/dev/null
    done
    wait
    cd /
    [ -e "$dir/keep" ] || rm -rf "$dir"
    exit 0
}
trap clean_up TERM INT HUP

start() { # one process of a name: an older one ends
    pid=$(pid_of "$1")
    [ -z "$pid" ] || kill -s KILL "$pid" 2>/dev/null
    sh "$dir/$1.sh" </dev/null >>"$dir/$1.log" 2>&1 8>&- &
    eval "pid_$1=$!"
    case " $names " in *" $1 "*) ;; *) names="$names $1" ;; esac
    echo "ok $!"
}

stop() {
    pid=$(pid_of "$1")
    [ -n "$pid" ] || return
    kill -s "$2" "$pid" 2>/dev/null
    setsid setpriv --pdeathsig KILL sh -c "sleep $3; kill -s KILL $pid" 8>&- &
    guard=$!
    wait "$pid"
    kill -s KILL -- "-$guard" 2>/dev/null || kill -s KILL "$guard"
    wait "$guard"
    eval "pid_$1="
}

while read -r command name signal seconds; do
    case $command in
    start) start "$name" >&8 ;;
    stop) stop "$name" "$signal" "$seconds" 2>/dev/null; echo ok >&8 ;;
    signal)
        pid=$(pid_of "$name")
        if [ -n "$pid" ] && kill -s "$signal" "$pid"; then echo ok >&8; else echo gone >&8; fi
        ;;
    *) echo "unknown command '$command'" >&8 ;;
    esac
done
clean_up
