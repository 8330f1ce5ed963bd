#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the unit tests that are built in a directory, JOBS at a time.
#
# usage: BUILD=dir tests/unit.sh DIR [NAME]
#
# One line "ok" or "not ok" per test case.  A program that stops early, or
# runs for too long, counts as one failure more.
set -u

dir=$1
programs=()
for source in tests/test_${2:-*}.c; do
    programs+=("$(basename "$source" .c)")
done

export CMOCKA_MESSAGE_OUTPUT=tap
printf '%s\n' "${programs[@]}" | xargs -P "${JOBS:-2}" -I NAME sh -c \
    "timeout ${LIMIT:-300} $dir/tests/NAME >$dir/tests/NAME.log 2>&1; echo \$? >$dir/tests/NAME.status"

failed=0
for name in "${programs[@]}"; do
    log=$dir/tests/$name.log
    status=$(cat "$dir/tests/$name.status")
    sed -nE "s/^(ok|not ok) [0-9]+ - /\1 $name: /p" "$log"
    [ "$status" -ne 0 ] || continue
    failed=1
    bad=$(grep -c '^not ok' "$log")
    # A program's status is the number of cases that failed, if it came to its end.
    [ "$status" -eq "$bad" ] || echo "not ok $name: stopped with status $status"
    grep -vE '^(ok|1\.\.|# *Running)' "$log" | tail -n 20 | sed 's/^/    /'
    echo "    again: $dir/tests/$name"
done
exit $failed
