#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Applies patches with the patcher on emulated machines and compares what comes out.
#
# usage: BUILD=dir tests/emu/emu.sh check|table [DIRECTORY]
#
# check prints a line for each patch and machine, "ok ..." or "not ok ...".
# table prints instructions per byte of the new image, for more patches and
# also for pairs outside of the repository: DIRECTORY/.../old and new.
set -u

BUILD=${BUILD:-build}
here=tests/emu

# Cortex-M4 and RV32 count instructions: with -icount shift=0 the time that the
# machine sees is the number of instructions executed, on any computer.
emulate() { # machine program
    local common=(-display none -monitor none -serial none -icount shift=0
        -semihosting-config "enable=on,target=native")
    case $1 in
    cortex-m4*) timeout 120 qemu-system-arm -M mps2-an386 "${common[@]}" -kernel "$2" ;;
    rv32*) timeout 120 qemu-system-riscv32 -M virt -m 32M -bios none "${common[@]}" -kernel "$2" ;;
    powerpc*) timeout 120 qemu-ppc "$2" ;;
    esac
}

row='%-26s %-18s %-12s %7s %7s %9s %5s %8s %6s %8s\n'

figure() { # name, from the report
    sed -nE "s/.*\b$1=([0-9]+).*/\1/p" report
}

# Looking at the counter costs something too: half of it falls to who calls.
row() { # name, options, machine
    local what
    what=$(sed -E 's/--(profile|mode|codec mix|arch (thumb2|riscv)) ?//g' <<<"$2")
    awk -v name="$1" -v what="$what" -v machine="$3" -v form="$row" '{
        for (i = 1; i <= NF; i++) { split($i, part, "="); v[part[1]] = part[2] }
        n = v["new"]
        looking = v["looks"] * v["price"] / 4
        counts = v["patcher"] > 0
        printf form, name, what, machine, n, v["patch"], v["workspace"],
            counts ? v["stack"] : "-", counts ? sprintf("%.1f", (v["patcher"] - looking) / n) : "-",
            counts ? sprintf("%.1f", v["flash"] / n) : "-",
            counts ? sprintf("%.1f", v["hash"] / n) : "-" }' report
}

verdict() { # machine, what was done
    local spent
    spent=$(($(figure patcher) / $(figure new)))
    case $1 in
    powerpc*) echo "ok $2" ;; # nothing counts there
    *) [ $spent -gt 0 ] && echo "ok $2, $spent instructions per byte" ||
        echo "not ok $2, but no instructions were counted" ;;
    esac
}

# One patch on each machine.  Arguments: what, name, old, new, machines, options.
one() {
    local what=$1 name=$2 old=$3 new=$4 machines=$5 machine programs
    shift 5
    local label="$name $*"
    local dir=$BUILD/emu/run/${label//[^a-zA-Z0-9.]/_}
    mkdir -p "$dir"
    cp "$old" "$dir/old" && cp "$new" "$dir/new" && chmod u+w "$dir/old" "$dir/new"
    if ! "$BUILD/inlay" diff "$dir/old" "$dir/new" "$dir/patch" "$@" 2>"$dir/log" >&2; then
        echo "not ok $label: no patch is made"
        cat "$dir/log"
        return
    fi
    programs=$(realpath "$BUILD/emu")
    cd "$dir" || exit 1
    for machine in $machines; do
        rm -f result report
        if ! emulate "$machine" "$programs/$machine.elf" >log 2>&1 </dev/null; then
            echo "not ok $label on $machine: $(cat report log 2>/dev/null)"
        elif ! cmp result new >log 2>&1; then
            echo "not ok $label on $machine: $(cat log)"
        elif [ "$what" = table ]; then
            row "$name" "$*" "$machine"
        else
            verdict "$machine" "$label on $machine: $(figure patch) bytes, $(figure boots) boots"
        fi
    done
}

# "pair|old|new" of the repository's corpus
ours() {
    awk -F '\t' -v want="$1" 'NR > 1 && $1 ~ want { print $1 "|corpus/" $2 "|corpus/" $3 }' \
        corpus/PAIRS.tsv
}

arch_of() {
    case $1 in rv32/*) echo "--arch riscv" ;; *) echo "--arch thumb2" ;; esac
}

# Devices of 14 KB, then the computer's profile with megabytes of models.
profiles() { # machines; reads pairs
    local pair
    while read -r pair; do
        echo "$pair|$1|--profile nrf52840 --mode ab $(arch_of "$pair")"
        echo "$pair|$1|--profile nrf52840 --mode in-place $(arch_of "$pair")"
        echo "$pair|$1|--profile host"
    done
}

# Every processor's rules, whatever the bytes mean: all must agree on them.
processors() { # machines; reads pairs
    local pair arch
    while read -r pair; do
        for arch in arm aarch64 xtensa avr x86-64 wasm none; do
            echo "$pair|$1|--profile nrf52840 --mode in-place --arch $arch"
        done
    done
}

others() { # directory, machines: pairs that fit the emulated machines
    local old name
    find -L "$1" -name old -size -1100k | sort | while read -r old; do
        name=$(basename "$(dirname "$old")")
        echo "$name|$old|${old%old}new|$2|--profile host --codec mix"
        case $old in */cortex-m/*)
            echo "$name|$old|${old%old}new|$2|--profile nrf52840 --mode ab" ;;
        esac
    done
}

cases() {
    local small='cortex-m4-Os rv32-Os powerpc-O2' all='cortex-m4-Os cortex-m4-O2 rv32-Os rv32-O2 powerpc-O2'
    if [ "$1" = check ]; then
        ours '^cortex-m4/(bug-fix|library|compiler-flag)|^rv32/(feature|library)' | profiles "$small"
        ours '^cortex-m4/feature' | processors "$small"
    else
        ours . | profiles "${all% powerpc-O2}"
        [ $# -lt 2 ] || others "$2" "$all"
    fi
}

if [ "${1-}" = one ]; then
    IFS='|' read -r name old new machines options <<<"$3"
    # shellcheck disable=SC2086 # words are meant
    one "$2" "$name" "$old" "$new" "$machines" $options
    exit
fi

rm -rf "$BUILD/emu/run"
mkdir -p "$BUILD/emu/run"
export BUILD
cases "$@" | tr '\n' '\0' | xargs -0 -n1 -P "${JOBS:-2}" "$here/emu.sh" one "$1" >"$BUILD/emu/out"
if [ "$1" = table ]; then
    echo "The last three columns: instructions per byte of the new image."
    # shellcheck disable=SC2059 # one form for all rows
    printf "$row" pair "made for" machine new patch workspace stack patcher flash SHA-256
fi
sort -s "$BUILD/emu/out"
[ -s "$BUILD/emu/out" ] && ! grep -q '^not ok' "$BUILD/emu/out"
