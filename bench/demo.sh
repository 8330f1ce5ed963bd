#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A firmware update in place on an nRF52840, from two releases to proof.
#
# usage: bench/demo.sh INLAY [OLD NEW]
set -eu

inlay=$1
old=${2:-corpus/images/cortex-m4/v1.1.0.bin}
new=${3:-corpus/images/cortex-m4/v1.2.0.bin}
profile=nrf52840
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# size FILE: its bytes
size() {
    wc -c <"$1" | tr -d ' '
}

# row NAME FILE
row() {
    printf '    %-32s %8d bytes\n' "$1" "$(size "$2")"
}

# peer NAME COMMAND...: runs a differ that writes $work/peer
peer() {
    name=$1
    shift
    rm -f "$work/peer"
    if command -v "$1" >/dev/null && "$@" >/dev/null 2>&1 && [ -s "$work/peer" ]; then
        row "$name" "$work/peer"
    else
        printf '    %-32s not here\n' "$name"
    fi
}

echo "Two releases of a greenhouse node's firmware for Cortex-M4:"
row "$old" "$old"
row "$new" "$new"
echo
echo "1. inlay diff OLD NEW PATCH --profile $profile"
"$inlay" diff "$old" "$new" "$work/patch" --profile $profile
echo
echo "2. The patch beside others, which all need room for a second image:"
row "inlay, in place" "$work/patch"
peer "bsdiff" bsdiff "$old" "$new" "$work/peer"
peer "xdelta3 -9 -S lzma" xdelta3 -9 -S lzma -e -f -s "$old" "$new" "$work/peer"
peer "zstd -22 --patch-from" zstd -q -f --ultra -22 --long=27 "--patch-from=$old" "$new" \
    -o "$work/peer"
rdiff signature "$old" "$work/sig" 2>/dev/null || true
peer "rdiff" rdiff delta "$work/sig" "$new" "$work/peer"
xz -9e -k -c "$new" >"$work/xz" 2>/dev/null && row "the whole image, xz -9e" "$work/xz"
echo
echo "3. inlay sim OLD PATCH --profile $profile --cut every: the device code on a model of"
echo "   that flash, once without a power cut and once with a cut at every operation"
"$inlay" sim "$old" "$work/patch" --profile $profile --cut every
echo
echo "4. inlay apply OLD PATCH OUT; cmp OUT NEW"
"$inlay" apply "$old" "$work/patch" "$work/out"
cmp "$work/out" "$new"
echo "   the same, bit for bit"
