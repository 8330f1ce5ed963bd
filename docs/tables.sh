#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the generated parts of README.md anew, from what is built and fetched in BUILD.
#
# usage: docs/tables.sh [BUILD [tour|size|bench]]
#
# A part stands between "<!-- NAME: command -->" and "<!-- end -->"; the command is what makes
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

# show COMMAND: it and what it says, as a Markdown block
show() {
    printf '    $ %s\n' "$1"
    (cd "$work" && PATH=$bin:$PATH sh -c "$1" 2>&1) | sed 's/^/    /'
}

bin=$(cd "$build" && pwd)
if [ -z "$only" ] || [ "$only" = tour ]; then
    cp corpus/images/cortex-m4/v1.1.0.bin "$work/v1.bin"
    cp corpus/images/cortex-m4/v1.2.0.bin "$work/v2.bin"
    {
        show 'inlay diff v1.bin v2.bin update.inlay --profile nrf52840'
        show 'inlay info update.inlay'
        show 'inlay sim v1.bin update.inlay --cut every --torn all'
        show 'inlay apply v1.bin update.inlay out.bin && cmp out.bin v2.bin'
    } >"$work/tour"
    table tour "$work/tour"
fi
if [ -z "$only" ] || [ "$only" = size ]; then
    BUILD=$build tests/size.sh --totals | awk '
        BEGIN { print "| | bytes |\n|---|---:|"
            title["code-thumb2"] = "code and constants, one processor (Thumb-2)"
            title["code-all"] = "code and constants, all processors"
            title["ram-patcher"] = "RAM: the patcher, room for a SHA-256 state of 256 bytes"
            title["ram-patcher-sha128"] = "RAM: the patcher, room for a SHA-256 state of 128 bytes" }
        { printf "| %s | %d |\n", $1 in title ? title[$1] : $1, $2 }' >"$work/size"
    table size "$work/size"
fi
if [ -z "$only" ] || [ "$only" = bench ]; then
    bench/table.py --inlay "$build/inlay" --measure "$build/bench/measure" \
        --fetched "$build/corpus" --shared none --runs 1 --max-mib 0.6 --brief |
        sed -e '/^# /,+1d' -e 's/^## /### /' >"$work/bench"
    table bench "$work/bench"
fi
