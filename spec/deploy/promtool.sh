#!/bin/bash
# promtool.sh - Prometheus' own checker, taken out of Debian's package (nothing is installed, no server is started); its path is the
# last line on stdout. Fetched once into ${HEADWAY_CACHE:-~/.cache/headway}/promtool-VERSION/.
set -euo pipefail

cache=${HEADWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headway}
mkdir -p "$cache"
exec 9>"$cache/promtool.lock"
flock 9

candidate() { apt-cache policy prometheus | sed -n 's/^  Candidate: //p'; }
version=$(candidate)
if [ -z "$version" ] || [ "$version" = '(none)' ]; then
    apt-get -qq update
    version=$(candidate)
fi
dir=$cache/promtool-$version
if [ ! -x "$dir/promtool" ]; then
    work=$(mktemp -d "${TMPDIR:-/tmp}/headway-promtool.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download "prometheus=$version") >&2
    dpkg-deb -x "$work"/prometheus_*.deb "$work/x"
    mkdir -p "$dir"
    mv "$work/x/usr/bin/promtool" "$dir/promtool.new"
    mv "$dir/promtool.new" "$dir/promtool"
fi
echo "$dir/promtool"
