#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The model of the journal holds, and each order that is wrong on purpose is caught.
#
# usage: tests/check_spin.sh [BUG_x|LIMIT_x [DEFINE...]]   (the latter: shows the shortest history)
set -u

model=$PWD/tests/spin/journal.pml
work=$PWD/${BUILD:-build}/spin
failed=0
mkdir -p "$work"

# search DIRECTORY COMPILER-FLAGS PAN-FLAGS DEFINE...: leaves spin's words in `out`
search() {
    local dir=$work/$1 cflags=$2 flags=$3
    shift 3
    rm -rf "$dir"
    mkdir -p "$dir"
    cp "$model" "$dir" && cd "$dir" || return 1
    # shellcheck disable=SC2086 # words are meant
    spin "${@/#/-D}" -a journal.pml >spin.log 2>&1 &&
        cc -w $cflags -DMEMLIM=1000 -o pan pan.c >cc.log 2>&1 &&
        timeout 300 ./pan -w20 $flags >pan.log 2>&1
    out=$(cat spin.log cc.log pan.log 2>/dev/null)
    cd - >/dev/null || exit 1
}

states() {
    echo "$out" | awk '/states, stored/ { print $1; exit }'
}

# Every history, with cuts without number: none may break a property.
holds() {
    local name=$1
    shift
    search "$@"
    if echo "$out" | grep -q 'errors: 0$' &&
        ! echo "$out" | grep -qE 'not completed|too small|out of memory|resource'; then
        echo "ok $name: $(states) states"
    else
        echo "not ok $name"
        echo "$out" | head -n 20
        failed=1
    fi
}

SHORTEST='-O1 -DSAFETY -DBFS'

# caught NAME DEFINE...: the model must break, as it has to with that define.
caught() {
    local name=$1
    shift
    search "$1" "$SHORTEST" '' "$@"
    if echo "$out" | grep -qE '^pan:1: assertion violated'; then
        echo "ok $name is caught: $1, $(states) states"
    else
        echo "not ok $name is not caught: $1"
        echo "$out" | head -n 20
        failed=1
    fi
}

if [ $# -gt 0 ]; then
    search "$1" "$SHORTEST" '' "$@"
    echo "$out" | grep -E '^pan|errors:|states, stored'
    cd "$work/$1" && [ -e journal.pml.trail ] && spin "${@/#/-D}" -t journal.pml | sed '/^spin: trail/q'
    exit
fi

holds "the update recovers from any cuts" all '-O2 -DSAFETY' -m2000000
holds "no boot goes round in circles" rounds '-O1 -DNP -DNOFAIR' '-l -m3000000' WORN=0 ABORTS=0

small='WORN=0 ABORTS=0'
# shellcheck disable=SC2086
{
    caught "a block moved before the record that it is staged" BUG_NO_STAGED $small
    caught "a block erased before the group is staged for certain" BUG_MOVE_EARLY $small
    caught "the record that blocks are staged, written before the stage" BUG_STAGED_EARLY $small
    caught "the record that a group is in its place, before it is" BUG_COMMIT_EARLY $small
    caught "no record between a group and the next" BUG_LAZY_COMMIT $small
    caught "recipes written after the record that they are" BUG_RECIPE_EARLY $small
    caught "a recipe that copies from a block moved before" BUG_RECIPE_TAKEN $small
    caught "a group decoded again when its recipes are being followed" BUG_RECIPE_AGAIN $small
    caught "a block made by recipe and moved without a record" BUG_MADE_UNRECORDED $small
    caught "the stage used again without a record that it is free" BUG_STAGE_REUSED $small
    caught "the next group's direct block before this group's record" BUG_DIRECT_EARLY $small
    caught "the head saved after the first record" BUG_HEAD_LATE $small
    caught "the head overwritten before the journal is certain" BUG_NO_CLEAR WORN=0
    caught "done before the last block" BUG_DONE_EARLY $small
    caught "a block that reads erased, not erased again" BUG_SKIP_ERASE $small
    caught "blocks that are not read back" BUG_NO_READ_BACK ABORTS=0
    caught "a record that was found, relied on as it is" BUG_NO_SETTLE $small
    caught "a record appended after a reset" BUG_APPEND $small
    caught "an area begun with one copy" BUG_ONE_COPY $small
    caught "a full area begun again instead of the other" BUG_SAME_AREA $small
    caught "after a reset always the other area erased" BUG_ERASE_OTHER $small
    caught "after a reset the area chosen by number" BUG_NUMBERS $small
    # What is assumed is needed: without it there is a history that ends badly.
    caught "an erase that fades later" LIMIT_FADING $small
    caught "an abort after a cut erase that reads untouched" LIMIT_ABORT WORN=0
}
exit $failed
