#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Replays the seeds of the fuzz targets and every input that once failed, under sanitizers.
#
# One of them again: build/asan/fuzz/fuzz_NAME FILE
set -u

failed=0
for source in fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    program=$BUILD/asan/fuzz/$name
    log=$BUILD/check/$name.log
    name=${name#fuzz_}
    set --
    for dir in "fuzz/corpus/$name" "fuzz/regress/$name"; do
        [ ! -d "$dir" ] || set -- "$@" "$dir"
    done
    [ $# -gt 0 ] || { echo "not ok $name has no seeds"; failed=1; continue; }
    # Each file's name is printed before it runs; the one that crashes is the last.
    timeout 300 "$program" "$@" >"$log" 2>&1
    status=$?
    if [ $status -eq 0 ]; then
        sed -n 's/^fuzz\//ok fuzz\//p' "$log"
    else
        failed=1
        echo "not ok $name: $(grep '^fuzz/' "$log" | tail -n 1), status $status"
        tail -n 25 "$log"
        echo "again: $program $(grep '^fuzz/' "$log" | tail -n 1)"
    fi
done
exit $failed
