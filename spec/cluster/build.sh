#!/bin/sh
# Builds the Kubernetes binary of the tests, or finds it in the cache; its path is the last line on stdout.
#
#   build.sh           build when missing (8-10 minutes on 2 cores when nothing is cached)
#   build.sh --print   print the path; exit status 1 when it isn't built yet
#
# The cache is ${HEADWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headway}, keyed by go.mod, go.sum and main.go.
# Any Go from 1.19 on will do: one that is too old fetches the right toolchain as a module.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${HEADWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headway}
toolchain=1.26.3 # at least the `go` line of go.mod

say() { echo "build.sh: $*" >&2; }
die() { say "$*"; exit 1; }

key=$(cd "$here" && cat go.mod go.sum main.go | sha256sum | cut -d' ' -f1)
dir=$cache/kube-$key
binary=$dir/kube

if [ "${1:-}" = --print ]; then
    echo "$binary"
    [ -x "$binary" ]
    exit
elif [ $# -gt 0 ]; then
    say "unknown argument '$1'"
    exit 2
fi

# old_go VERSION: true when `go` is older than the `go` line of go.mod asks for.
old_go() {
    need=$(sed -n 's/^go //p' "$here/go.mod")
    [ "$(printf '%s\n%s\n' "$need" "$1" | sort -V | head -n 1)" != "$need" ]
}

# Prints the path of a go program that is new enough.
find_go() {
    if ! command -v go >/dev/null; then
        [ "$(id -u)" = 0 ] || die "no go program found: install golang-go"
        say "no go program found: installing golang-go"
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends golang-go >&2 ||
            die "can't install golang-go (is the package list current? apt-get update)"
    fi
    version=$(cd / && GOTOOLCHAIN=local go env GOVERSION)
    version=${version#go}
    if ! old_go "$version"; then
        command -v go
        return
    fi
    module=golang.org/toolchain@v0.0.1-go$toolchain.$(go env GOOS)-$(go env GOARCH)
    say "go $version is too old: fetching $module"
    # Outside of this module, since an old go can't even read its go.mod.
    root=$(cd / && GO111MODULE=on GOFLAGS=-mod=mod GOTOOLCHAIN=local go mod download -json "$module" |
        sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
    [ -n "$root" ] || die "can't fetch $module"
    # Modules are unpacked without their executable bits.
    chmod +x "$root"/bin/* "$root"/pkg/tool/*/*
    echo "$root/bin/go"
}

build() {
    go=$(find_go) || exit 1
    say "building $binary with $("$go" version)"
    version=$(sed -n 's/^require k8s.io\/kubernetes //p' "$here/go.mod")
    [ -n "$version" ] || version=$(sed -n 's/^[[:space:]]*k8s.io\/kubernetes \(v[0-9.]*\).*/\1/p' "$here/go.mod")
    number=${version#v}
    major=${number%%.*}
    minor=${number#*.}
    minor=${minor%%.*}
    v=k8s.io/component-base/version
    # No C compiler is needed, and the result runs on any Linux.
    # (The lock is closed for go, which may leave a helper behind that lives longer than the build.)
    (cd "$here" && CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=readonly "$go" build -trimpath -buildvcs=false \
        -ldflags "-s -w -X $v.gitVersion=$version -X $v.gitMajor=$major -X $v.gitMinor=$minor" \
        -o "$binary.new" .) >&2 9>&-
    mv "$binary.new" "$binary"
}

if [ ! -x "$binary" ]; then
    mkdir -p "$dir"
    # Who comes second waits here, and finds the binary built. $dir.lock is outside of $dir: that one may be removed.
    exec 9>"$dir.lock"
    flock 9
    [ -x "$binary" ] || build
fi
echo "$binary"
