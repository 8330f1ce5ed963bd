#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# For long runs: fuzzing; every history of two power cuts in every torn mode, and of three on tiny
# images, on devices of all kinds; then random histories on pairs of the corpus until time is over.
#
# usage: BUILD=dir SECS=n JOBS=n tests/soak.sh
#
# The histories of two and three cuts take about a minute, whatever SECS says.
# shellcheck disable=SC2317 # the functions are called by xargs
set -u


"$MAKE" --no-print-directory -j2 "$BUILD/inlay" || exit 1
work=$BUILD/soak
images=corpus/images/cortex-m4
rm -rf "$work"
mkdir -p "$work"
export BUILD work images
start=$(date +%s)

# device NAME AREAS: a profile of small blocks
device() {
    printf '%s\n' "name = $1" "title = soak" "source = none" "arch = thumb2" "mode = in-place" \
        "ram = 64K" "model_ram = 4K" "chunk_len = 256" "check_len = 4" "${@:2}" >"$work/$1.profile"
}
device pages "slot.blocks = 8 x 512" "slot.write_size = 4" "work.blocks = 16 x 512"
device ecc8 "slot.blocks = 8 x 512" "slot.write_size = 8" "slot.ecc = yes" "work.blocks = 16 x 512"
device mixed "slot.blocks = 4 x 256, 2 x 2048" "slot.write_size = 1" \
    "work.blocks = 10 x 256, 3 x 2048"
device zero "slot.blocks = 16 x 256" "slot.write_size = 4" "slot.erased = 0" "slot.page_len = 64" \
    "work.blocks = 32 x 256"
device ecc32 "slot.blocks = 4 x 2048" "slot.write_size = 32" "slot.ecc = yes" \
    "work.blocks = 8 x 2048"
device tight "slot.blocks = 8 x 512" "slot.write_size = 4" "work.blocks = 12 x 512" # recipes
device nor "slot.blocks = 8 x 512" "slot.write_size = 256" "work.blocks = 16 x 1024"

# run NAME PROFILE OLD NEW OPTIONS...: makes a patch, simulates, prints one line
run() {
    local name=$1 profile=$2 old=$3 new=$4 patch=$work/$1.patch log=$work/$1.log
    shift 4
    if "$BUILD/inlay" diff "$old" "$new" "$patch" --profile "$profile" --mode in-place 2>"$log" &&
        "$BUILD/inlay" sim "$old" "$patch" --profile "$profile" --json "$@" >"$log" 2>&1; then
        echo "ok $name: $(awk -F '[:,]' '/"tried"/ { print $2 + 0 }' "$log") histories"
    else
        echo "not ok $name: $(grep -v '^[ {}]' "$log" | tail -n 1)"
        echo "    again: $BUILD/inlay sim $old $patch --profile $profile $*"
    fi
}
export -f run

# every DEVICE CUTS BYTES MODES SEED: on the first so many bytes of two versions
every() {
    local name=$1-$2-cuts-$5
    head -c "$3" "$images/v1.1.0.bin" >"$work/$name.old"
    { head -c $(($3 / 3)) "$images/v1.2.0.bin"; tail -c +200 "$work/$name.old"; } |
        head -c "$3" >"$work/$name.new"
    run "$name" "$work/$1.profile" "$work/$name.old" "$work/$name.new" \
        --cut every --cuts "$2" --torn "$4" --seed "$5"
}
export -f every

rand() {
    run "random-$1-$4" "$1" "$images/$2.bin" "$images/$3.bin" --torn all --cut "random:3000:$4" \
        --seed "$4"
}
export -f rand

seed=$start
{
    for name in pages ecc8 mixed zero ecc32 nor; do
        echo "every $name 2 3000 all $seed"
        echo "every $name 3 1200 any $seed"
    done
    echo "every tight 2 3000 all $seed"
    echo "every tight 3 1700 any $seed"
    end=$((start + SECS))
    while [ "$(date +%s)" -lt $end ]; do
        for profile in nrf52840 stm32f407 stm32h743 stm32l476; do
            for pair in "v1.0.1 v1.1.0" "v1.1.0 v1.2.0" "v1.2.0 v1.2.0-o2"; do
                seed=$((seed + 1))
                echo "[ \$(date +%s) -ge $end ] || rand $profile $pair $seed"
            done
        done
    done
} | xargs -P "${JOBS:-2}" -I LINE bash -c LINE | tee "$work/score"

failed=0
"$MAKE" --no-print-directory fuzz-smoke SECS="$SECS" || failed=1
total=$(awk '/^ok/ { n += $(NF - 1) } END { print n + 0 }' "$work/score")
echo "$total histories of power cuts"
grep -q '^not ok' "$work/score" && failed=1
exit $failed
