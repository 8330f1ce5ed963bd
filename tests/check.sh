#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make check: every part, each with its count; the last line sums them up.
#
# usage: tests/check.sh [PART]
#
# A part prints lines that start with "ok ", or "not ok " or "FAIL "; a part that ends
# with another status than 0 has at least one failure.
set -u

BUILD=${BUILD:-build}
JOBS=${JOBS:-2}
MAKE=${MAKE:-make}
export BUILD JOBS MAKE
unset MAKEFLAGS MFLAGS MAKELEVEL

out=$BUILD/check
passed=0
failed=0
mkdir -p "$out"
rm -f "$out/counted"

# part NAME COMMAND...: runs a part and counts
part() {
    local name=$1 log=$out/$1.log start=$SECONDS good bad status
    shift
    "$@" >"$log" 2>&1 </dev/null
    status=$?
    good=$(grep -c '^ok ' "$log")
    bad=$(grep -cE '^(not ok|FAIL) ' "$log")
    [ $status -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    [ $((good + bad)) -gt 0 ] || { bad=1; echo "nothing was tested" >>"$log"; }
    passed=$((passed + good))
    failed=$((failed + bad))
    printf '%-16s %5d passed, %d failed, %d s\n' "$name" "$good" "$bad" $((SECONDS - start))
    [ "$bad" -eq 0 ] || show "$log"
}

show() {
    if grep -qE '^(not ok|FAIL) ' "$1"; then
        grep -E -A 25 '^(not ok|FAIL) ' "$1" | grep -v '^ok ' | head -n 100 | sed 's/^/    /'
    else
        tail -n 30 "$1" | sed 's/^/    /'
    fi
    echo "    all of it: $1"
}

build() {
    "$MAKE" --no-print-directory -j"$JOBS" all tests && echo "ok build"
}

SANITIZE='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
build_sanitized() {
    "$MAKE" --no-print-directory -j"$JOBS" BUILD="$BUILD/asan" OPT="$SANITIZE" \
        tests fuzz-targets "$BUILD/asan/inlay" && echo "ok build with ASan and UBSan"
}

want=${1-}
for name in build unit asan-build asan-unit asan-cli \
    $(cd tests && ls check_*.sh cli.sh 2>/dev/null); do
    short=${name#check_}
    short=${short%.sh}
    case $want in ''|"$short") ;; *) continue ;; esac
    case $name in
    build) part build build ;;
    unit) part unit tests/unit.sh "$BUILD" ;;
    asan-build) part asan-build build_sanitized ;;
    asan-unit) part asan-unit env LIMIT=600 tests/unit.sh "$BUILD/asan" ;;
    asan-cli) part asan-cli tests/cli.sh "$BUILD/asan/inlay" 10 ;;
    cli.sh) part cli tests/cli.sh "$BUILD/inlay" ;;
    *) part "$short" "tests/$name" ;;
    esac
done

touch "$out/counted"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
