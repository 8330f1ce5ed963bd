#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cppcheck and clang-tidy over the sources, and the format.  0: nothing was found.
set -u

failed=0
make -s "${BUILD:-build}/gen/profiles.c" >/dev/null
echo "== cppcheck"
cppcheck --quiet --std=c11 --language=c -j2 --error-exitcode=1 --inline-suppr \
    --enable=warning,portability,performance -Ipatch -Idiff \
    --suppress=autoVariables --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
    patch diff fuzz docs/examples || failed=1
echo "== clang-tidy"
find patch diff -name '*.c' | sort | xargs -P2 -n4 sh -c 'clang-tidy --quiet --warnings-as-errors="*" \
    "$@" -- -std=c11 -D_GNU_SOURCE -Ipatch -Idiff "-DINLAY_VERSION=\"\"" 2>/dev/null' _ || failed=1
echo "== clang-format (make fmt mends it)"
find patch diff tests fuzz docs/examples -name '*.[ch]' | sort |
    xargs clang-format --dry-run --Werror 2>&1 | grep 'error:' | cut -d: -f1 | uniq -c
exit $failed
