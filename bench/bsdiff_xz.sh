#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bsdiff with its three streams compressed by xz -9e instead of bzip2.
#
# usage: bsdiff_xz.sh diff OLD NEW PATCH
#        bsdiff_xz.sh apply OLD PATCH OUT
#
# A bsdiff patch is "BSDIFF40", the lengths of the control and the difference stream and of the
# new file, 8 bytes each, and the three streams.  The patch here: the same, of the other streams.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# number FILE OFFSET: 8 bytes, little-endian
number() {
    od -A n -t u8 -j "$2" -N 8 "$1" | tr -d ' '
}

# bytes NUMBER: the same the other way
bytes() {
    n=$1
    for _ in 1 2 3 4 5 6 7 8; do
        # shellcheck disable=SC2059 # the format is the byte
        printf "\\$(printf %o $((n % 256)))"
        n=$((n / 256))
    done
}

# recode FILE FROM TO OUT: each of the three streams through FROM and then TO
recode() {
    control=$(number "$1" 8)
    diff=$(number "$1" 16)
    tail -c +33 "$1" | head -c "$control" | $2 | $3 >"$work/control"
    tail -c +$((33 + control)) "$1" | head -c "$diff" | $2 | $3 >"$work/diff"
    tail -c +$((33 + control + diff)) "$1" | $2 | $3 >"$work/extra"
    {
        printf BSDIFF40
        bytes "$(wc -c <"$work/control")"
        bytes "$(wc -c <"$work/diff")"
        tail -c +25 "$1" | head -c 8
        cat "$work/control" "$work/diff" "$work/extra"
    } >"$4"
}

case $1 in
diff)
    bsdiff "$2" "$3" "$work/patch"
    recode "$work/patch" 'bzip2 -d' 'xz -9e -T1' "$4"
    ;;
apply)
    recode "$3" 'xz -d' bzip2 "$work/patch"
    bspatch "$2" "$4" "$work/patch"
    ;;
esac
