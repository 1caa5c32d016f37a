#!/bin/sh
# check.sh - everything that CI checks; from the repository's root. HEADWAY names another binary.
set -eu
headway=${HEADWAY:-headway}
for parser in parsers/*.lua; do
    case $parser in *_spec.lua) continue ;; esac
    said=$("$headway" check --parser-dir parsers "$parser") || { echo "$said" && exit 1; }
    echo "$said" | grep -F "parser $(basename "$parser" .lua):"
done
for expect in recordings/*.expect; do
    recording=${expect%.expect}.cast
    echo "replay $recording"
    "$headway" replay --parser-dir parsers --expect "$(cat "$expect")" "$recording" >/dev/null
done
