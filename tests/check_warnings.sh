#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The patcher compiles as C99 without a warning, with gcc and with clang.
set -u

failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for cc in gcc clang; do
    for file in patch/*.c; do
        if $cc -std=c99 -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Wstrict-prototypes \
            -Wmissing-prototypes -Werror -O2 -c -o "$work/out.o" "$file" 2>"$work/log"; then
            echo "ok $cc $file"
        else
            echo "not ok $cc $file"
            cat "$work/log"
            failed=1
        fi
    done
done
exit $failed
