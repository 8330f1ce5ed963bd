#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bugs that are put into journal, order and staging on purpose: the power-cut tests must catch each.
#
# usage: BUILD=dir JOBS=n tests/check_mutants.sh [NAME...]
#
# A bug is tests/mutants/NAME.patch, one line that says what is wrong and a
# patch of one file in patch/ or diff/.  It must apply without fuzz: where the
# code has changed, change the patch.
set -u

build=$PWD/${BUILD:-build}
work=$build/mutants
limit=30
# What cuts power or wears flash out, fast ones first.
cases='power:one_cut_on_every_shipped_profile
patcher:a_block_that_does_not_hold_is_written_again
journal:wear_of_the_stage_is_spread
power:two_cuts_on_six_geometries
journal:one_cut_everywhere
journal:cuts_in_the_settling
journal:two_cuts
journal:many_cuts'
export build work limit cases

# Runs one test case of a program; 0: it failed, so the bug is caught.
catches() {
    timeout "$limit" "$1/${2%:*}" "${2#*:}" >"$1/${2#*:}.log" 2>&1
    local status=$?
    grep -q 'test(s) run' "$1/${2#*:}.log" || [ $status -ge 124 ] || return 2
    [ $status -ne 0 ]
}
export -f catches

# one NAME: applies, builds, tests; prints one line
one() {
    local name=$1 dir=$work/$1 file libs='-ldivsufsort -llzma -lelf -lsodium -lpthread -lm -lcmocka'
    rm -rf "$dir"
    file=$(sed -n 's|^+++ b/||p' "tests/mutants/$name.patch")
    mkdir -p "$dir/$(dirname "$file")"
    cp "$file" "$dir/$file"
    if ! patch -s -p1 -F0 -d "$dir" <"tests/mutants/$name.patch" >"$dir/log" 2>&1 ||
        ! ${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -Ipatch -Idiff "-I$(dirname "$file")" -w -c \
            -o "$dir/mutant.o" "$dir/$file" >>"$dir/log" 2>&1; then
        echo "not ok $name: the patch does not apply or build any more: $(tail -n 1 "$dir/log")"
        return
    fi
    for each in $cases; do
        local program=${each%:*}
        # shellcheck disable=SC2086 # words are meant
        [ -e "$dir/$program" ] || ${CC:-cc} -o "$dir/$program" "$work/$program.o" "$dir/mutant.o" \
            "$build/libinlay.a" $libs || { echo "not ok $name: does not link"; return; }
        if catches "$dir" "$each"; then
            echo "ok $name is caught by ${each#*:}"
            rm -f "$dir"/{power,journal,patcher}
            return
        fi
    done
    echo "not ok $name is not caught: $(head -n 1 "tests/mutants/$name.patch")"
}
export -f one

mkdir -p "$work"
"${MAKE:-make}" --no-print-directory -j"${JOBS:-2}" "$build/libinlay.a" >"$work/build.log" 2>&1 ||
    { echo "not ok the library is not built"; exit 1; }
for program in power journal patcher; do
    ${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -Itests -Ipatch -Idiff -c -o "$work/$program.o" \
        "tests/test_$program.c" || { echo "not ok test_$program.c does not build"; exit 1; }
    # What fails without any bug catches none.
    # shellcheck disable=SC2086
    ${CC:-cc} -o "$work/$program" "$work/$program.o" "$build/libinlay.a" -ldivsufsort -llzma -lelf \
        -lsodium -lpthread -lm -lcmocka || exit 1
done

names=("$@")
[ $# -gt 0 ] || for file in tests/mutants/*.patch; do
    names+=("$(basename "$file" .patch)")
done
printf '%s\n' "${names[@]}" | xargs -P "${JOBS:-2}" -I NAME bash -c 'one NAME' | tee "$work/score"
for each in $cases; do
    mkdir -p "$work/none" && cp "$work/${each%:*}" "$work/none/"
    if catches "$work/none" "$each"; then
        echo "not ok ${each#*:} fails without any bug"
    fi
done | tee -a "$work/score"
caught=$(grep -c '^ok ' "$work/score")
echo "$caught of ${#names[@]} seeded bugs caught"
[ $# -gt 0 ] || [ "$caught" -ge 20 ] || exit 1
! grep -q '^not ok' "$work/score"
