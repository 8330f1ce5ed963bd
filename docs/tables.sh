#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the generated tables of README.md anew, from what is built and fetched in BUILD.
#
# usage: docs/tables.sh [BUILD [size|bench]]
#
# A table stands between "<!-- NAME: command -->" and "<!-- end -->"; the command is what makes
# it.  `make BUILD=dir corpus` fetches the public packages.
set -eu

build=${1:-build}
only=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# table NAME FILE: puts a file between the marks
table() {
    awk -v name="$1" -v file="$2" '
        index($0, "<!-- " name ":") == 1 {
            print; print ""
            while ((getline line <file) > 0) print line
            print ""; inside = 1; next
        }
        $0 == "<!-- end -->" { inside = 0 }
        !inside' README.md >"$work/README.md"
    cat "$work/README.md" >README.md
}

if [ "$only" != bench ]; then
    BUILD=$build tests/size.sh --totals | awk '
        BEGIN { print "| | bytes |\n|---|---:|"
            title["code-thumb2"] = "code and constants, one processor (Thumb-2)"
            title["code-all"] = "code and constants, all processors"
            title["ram-patcher"] = "RAM: the patcher, room for a SHA-256 state of 256 bytes"
            title["ram-patcher-sha128"] = "RAM: the patcher, room for a SHA-256 state of 128 bytes" }
        { printf "| %s | %d |\n", $1 in title ? title[$1] : $1, $2 }' >"$work/size"
    table size "$work/size"
fi
if [ "$only" != size ]; then
    bench/table.py --inlay "$build/inlay" --measure "$build/bench/measure" \
        --fetched "$build/corpus" --shared none --runs 1 --max-mib 0.6 --brief |
        sed -e '/^# /,+1d' -e 's/^## /### /' >"$work/bench"
    table bench "$work/bench"
fi
