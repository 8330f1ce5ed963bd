#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# For long runs: fuzzing, and random power cuts in every torn mode on pairs of the corpus.
#
# usage: BUILD=dir SECS=n tests/soak.sh
set -u

failed=0
"$MAKE" --no-print-directory -j2 "$BUILD/inlay" || exit 1
"$MAKE" --no-print-directory fuzz-smoke SECS="$SECS" || failed=1
end=$(($(date +%s) + SECS))
seed=$(date +%s)
while [ "$(date +%s)" -lt $end ]; do
    for profile in nrf52840 stm32f407 stm32h743 stm32l476; do
        for pair in v1.0.1:v1.1.0 v1.1.0:v1.2.0 v1.2.0:v1.2.0-o2; do
            old=corpus/images/cortex-m4/${pair%:*}.bin
            new=corpus/images/cortex-m4/${pair#*:}.bin
            patch=$BUILD/soak.patch
            seed=$((seed + 1))
            [ "$(date +%s)" -lt $end ] || break 2
            if "$BUILD/inlay" diff "$old" "$new" "$patch" --profile $profile --mode in-place &&
                "$BUILD/inlay" sim "$old" "$patch" --profile $profile --torn all \
                    --cut random:200:$seed >"$BUILD/soak.log" 2>&1; then
                echo "ok   $profile $pair, seed $seed"
            else
                echo "FAIL $profile $pair, seed $seed"
                tail -n 5 "$BUILD/soak.log"
                failed=1
            fi
        done
    done
done
exit $failed
