#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The independent decoder must make of every patch what the patcher makes of it.
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
inlay=$BUILD/inlay
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

if ! $CC -std=c11 -O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all \
    -o "$tmp/oracle" tests/oracle/*.c patch/prior_table.c -lsodium -llzma; then
    echo "not ok build of the oracle"
    exit 1
fi
echo "ok build of the oracle"

compare() { # compare NAME OLD NEW OPTIONS...
    local name=$1 old=$2 new=$3
    shift 3
    if "$inlay" diff "$old" "$new" "$tmp/patch" "$@" && "$tmp/oracle" "$old" "$tmp/patch" "$tmp/out" &&
        cmp -s "$new" "$tmp/out"; then
        echo "ok $name $*"
    else
        echo "not ok $name $*"
        failed=1
    fi
}

while IFS=$'\t' read -r pair old new _; do
    compare "$pair" "corpus/$old" "corpus/$new"
    compare "$pair" "corpus/$old" "corpus/$new" --profile nrf52840
    compare "$pair" "corpus/$old" "corpus/$new" --profile nrf52840 --mode ab
done < <(tail -n +2 corpus/PAIRS.tsv)

for new in ../shared/corpus/*/*/new; do
    [ -e "$new" ] && [ "$(wc -c <"$new")" -le 700000 ] || continue
    old=${new%new}old
    compare "${new#../shared/corpus/}" "$old" "$new"
done

# A damaged patch must end in an error, not in a crash or another image.
for patch in tests/golden/bad-*.inlay tests/golden/unsupported-*.inlay; do
    "$tmp/oracle" corpus/images/cortex-m4/v1.0.0.bin "$patch" "$tmp/out" 2>/dev/null
    status=$?
    if [ $status -ge 1 ] && [ $status -le 20 ]; then
        echo "ok refuses ${patch##*/}"
    else
        echo "not ok ${patch##*/}: status $status"
        failed=1
    fi
done
exit $failed
