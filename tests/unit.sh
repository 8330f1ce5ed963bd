#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the unit tests that are built in a directory.
#
# usage: BUILD=dir tests/unit.sh DIR [NAME]
#
# One line "ok" or "not ok" per test case.  A program that stops early, or
# runs for too long, counts as one failure more.
set -u

dir=$1
failed=0
# shellcheck disable=SC2231 # a pattern
for program in "$dir"/tests/test_${2:-*}; do
    [ -x "$program" ] || continue
    name=$(basename "$program")
    # Built earlier from a source that is gone.
    [ -e "tests/$name.c" ] || continue
    log=$dir/tests/$name.log
    CMOCKA_MESSAGE_OUTPUT=tap timeout "${LIMIT:-300}" "$program" >"$log" 2>&1
    status=$?
    sed -nE "s/^(ok|not ok) [0-9]+ - /\1 $name: /p" "$log"
    bad=$(grep -c '^not ok' "$log")
    if [ $status -ne 0 ] && { [ $status -gt 128 ] || [ "$status" -ne "$bad" ]; }; then
        echo "not ok $name: stopped with status $status"
    fi
    if [ $status -ne 0 ]; then
        failed=1
        grep -vE '^(ok|1\.\.|# *Running)' "$log" | tail -n 20 | sed 's/^/    /'
        echo "    again: $program"
    fi
done
exit $failed
