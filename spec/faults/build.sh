#!/bin/sh
# Builds the fault proxy of the specs, or finds it in the cache; its path is the last line on stdout.
#
#   build.sh           build when missing (half a minute when nothing is cached)
#   build.sh --print   print the path; exit status 1 when it isn't built yet
#
# The cache is ${HEADWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headway}, keyed by go.mod and the sources. Any Go from
# 1.19 on will do: the standard library is all it needs, so nothing is fetched.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${HEADWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headway}
key=$(cd "$here" && cat go.mod ./*.go | sha256sum | cut -d' ' -f1)
dir=$cache/faults-$key
binary=$dir/faults

if [ "${1:-}" = --print ]; then
    echo "$binary"
    [ -x "$binary" ]
    exit
elif [ $# -gt 0 ]; then
    echo "build.sh: unknown argument '$1'" >&2
    exit 2
fi

if [ ! -x "$binary" ]; then
    mkdir -p "$dir"
    # Who comes second waits here, and finds the binary built. $dir.lock is outside of $dir: that one may be removed.
    exec 9>"$dir.lock"
    flock 9
    if [ ! -x "$binary" ]; then
        command -v go >/dev/null || { echo "build.sh: no go program found: install golang-go" >&2 && exit 1; }
        # (The lock is closed for go, which may leave a helper behind that lives longer than the build.)
        (cd "$here" && CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=readonly go build -trimpath -buildvcs=false \
            -ldflags '-s -w' -o "$binary.new" .) >&2 9>&-
        mv "$binary.new" "$binary"
    fi
fi
echo "$binary"
