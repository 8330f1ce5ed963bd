#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Boots the images of the corpus under QEMU and waits for the verdict of their self test.
#
# usage: boot.sh [IMAGE...]        (default: all committed images)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
qemu=
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null || :; rm -rf "$work"' EXIT

start_qemu() { # class image
    common="-display none -monitor none -serial file:$work/console"
    # Word splitting of the options is wanted.
    # shellcheck disable=SC2086
    case $1 in
    cortex-m4) # the core takes stack and entry from address 0, where a boot loader would be
        head -c 8 "$2" >"$work/vector"
        qemu-system-arm -M mps2-an386 $common -kernel "$work/vector" \
            -device loader,file="$2",addr=0x10000,force-raw=on </dev/null >"$work/log" 2>&1 & ;;
    rv32) # a piece may not be larger than the machine's RAM
        split -b 16384 -d -a 3 "$2" "$work/piece"
        set -- $common
        at=$((0x20400000))
        for piece in "$work"/piece*; do
            set -- "$@" -device "loader,file=$piece,addr=$at,force-raw=on"
            at=$((at + 16384))
        done
        qemu-system-riscv32 -M sifive_e -bios none "$@" </dev/null >"$work/log" 2>&1 & ;;
    esac
    qemu=$!
}

boot() { # class image
    rm -f "$work"/*
    start_qemu "$1" "$2"
    tries=0
    until grep -q 'selftest:.*failed' "$work/console" 2>/dev/null; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ] || ! kill -0 "$qemu" 2>/dev/null; then
            echo "$1/$(basename "$2"): no verdict" >&2
            cat "$work/console" "$work/log" >&2 2>/dev/null || :
            return 1
        fi
        sleep 0.1
    done
    kill "$qemu"
    wait "$qemu" 2>/dev/null || :
    qemu=
    grep 'selftest:' "$work/console" | tr -d '\r' | sed "s|^|$1/$(basename "$2"): |"
    grep -q 'selftest: [1-9][0-9]* passed, 0 failed' "$work/console"
}

for tool in qemu-system-arm qemu-system-riscv32; do
    command -v $tool >/dev/null || { echo "boot.sh: $tool is not installed" >&2; exit 1; }
done
[ $# -gt 0 ] || set -- "$here"/images/*/*.bin
status=0
for image in "$@"; do
    boot "$(basename "$(dirname "$image")")" "$image" || status=1
done
exit $status
