#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Golden patches: what each must do, and that the differ still makes the good ones byte for byte.
# After a change of the format: make golden.
set -u
BUILD=${BUILD:-build}
inlay=$BUILD/inlay
images=corpus/images
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

verdict() { # verdict STATUS NAME
    if [ "$1" -eq 0 ]; then echo "ok $2"; else echo "not ok $2"; failed=1; fi
}

# The table, one patch a line; a tab between fields that may be empty.
while IFS='|' read -r patch old new code message why; do
    "$inlay" apply "$images/$old" "tests/golden/$patch" "$tmp/out" 2>"$tmp/err"
    status=$?
    good=1
    [ "$status" -eq "$code" ] && grep -qF -- "$message" "$tmp/err" && good=0
    [ -z "$message" ] && [ "$status" -eq "$code" ] && good=0
    [ "$new" = - ] || cmp -s "$images/$new" "$tmp/out" || good=1
    verdict $good "$patch: $why"
    [ $good -eq 0 ] || echo "    exit $status, expected $code: $(cat "$tmp/err")"
done < <(tail -n +2 tests/golden/EXPECT.tsv | tr '\t' '|')

same() { # same PATCH OLD NEW OPTIONS...
    local patch=$1 old=$2 new=$3
    shift 3
    "$inlay" diff "$images/$old" "$images/$new" "$tmp/patch" "$@" &&
        cmp -s "$tmp/patch" "tests/golden/$patch"
    verdict $? "$patch is what the differ makes"
}
same good-host.inlay cortex-m4/v1.0.0.bin cortex-m4/v1.0.1.bin
same good-in-place.inlay cortex-m4/v1.0.0.bin cortex-m4/v1.0.1.bin --profile nrf52840
same good-rv32.inlay rv32/v1.0.1.bin rv32/v1.1.0.bin

# No patch without a line of why.
for patch in tests/golden/*.inlay; do
    grep -q "^${patch##*/}"$'\t' tests/golden/EXPECT.tsv || verdict 1 "${patch##*/} is in EXPECT.tsv"
done

# The dump in docs/FORMAT.md is the golden patch.
sed -n '/^<!-- dump/,/^<!-- end/p' docs/FORMAT.md | grep -oE '^    ([0-9a-f]{2}( |$))+' | tr -d ' \n' >"$tmp/dump"
od -An -v -tx1 tests/golden/good-host.inlay | tr -d ' \n' >"$tmp/golden"
cmp -s "$tmp/dump" "$tmp/golden"
verdict $? "the dump in docs/FORMAT.md"
exit $failed
