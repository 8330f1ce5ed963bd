#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs fuzz targets built with libFuzzer.
#
# usage: BUILD=dir fuzz/fuzz.sh SECONDS NAME...
#
# What is found in passing stays in BUILD/fuzzer/corpus; inputs that fail are
# kept in fuzz/regress/NAME, where make check replays them.
set -u

secs=$1
shift
failed=0
# The format may have changed since the committed seeds were made.
fresh=$BUILD/fuzzer/seeds
"$BUILD/fuzzer/fuzz/seeds" corpus/images "$fresh" || exit 1
for name in "$@"; do
    kept=$BUILD/fuzzer/corpus/$name
    log=$BUILD/fuzzer/$name.log
    mkdir -p "$kept" "fuzz/corpus/$name" "fuzz/regress/$name"
    if "$BUILD/fuzzer/fuzz/fuzz_$name" -max_total_time="$secs" -timeout=20 -rss_limit_mb=2048 \
        -max_len=16384 -dict=fuzz/inlay.dict -print_final_stats=1 \
        -artifact_prefix="fuzz/regress/$name/" "$kept" "$fresh/$name" "fuzz/corpus/$name" >"$log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        cover=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
        echo "ok   $name: $runs runs, $cover edges"
    else
        failed=1
        echo "FAIL $name: see $log"
        grep -E 'ERROR|runtime error|FUZZ:|Test unit written' "$log" | head -5
    fi
    rmdir "fuzz/regress/$name" 2>/dev/null
done
exit $failed
