#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The two files of make amalgamation, alone, apply a real patch.
set -u

work=$BUILD/amalgamation
old=corpus/images/cortex-m4/v1.1.0.bin
new=corpus/images/cortex-m4/v1.2.0.bin
rm -rf "$work"
mkdir -p "$work"

# check NAME COMMAND...
check() {
    name=$1
    shift
    if "$@"; then
        echo "ok $name"
    else
        echo "not ok $name"
        exit 1
    fi
}

check "make amalgamation" "$MAKE" --no-print-directory amalgamation
cp "$BUILD/inlay_patch.c" "$BUILD/inlay_patch.h" docs/examples/apply_file.c "$work"
cd "$work" || exit 1
for cc in gcc clang; do
    check "$cc compiles the two files and an example" \
        $cc -Wall -Wextra -Werror -std=c99 -O2 -o "apply-$cc" apply_file.c inlay_patch.c -lsodium
done
cd - >/dev/null || exit 1
check "inlay diff" "$BUILD/inlay" diff "$old" "$new" "$work/patch"
for cc in gcc clang; do
    check "$cc: applies" "$work/apply-$cc" "$old" "$work/patch" "$work/out"
    check "$cc: gives the new image" cmp "$new" "$work/out"
done
head -c $(($(wc -c <"$work/patch") / 2)) "$work/patch" >"$work/short"
check "refuses half a patch" sh -c "! $work/apply-gcc $old $work/short $work/out"
check "refuses another old image" sh -c "! $work/apply-gcc $new $work/patch $work/out"
