#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The patcher for bare metal needs nothing but memcpy, memmove, memset and memcmp.
#
# Linked with -r, what is left undefined must be one of these, or a helper of
# the compiler for what a processor lacks.  Helpers for floating point and
# for 64-bit division would be a mistake in the sources; so they fail.
set -u

failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# try NAME COMPILER HELPERS OPTIONS...
try() {
    name=$1 prefix=$2 helpers=$3
    shift 3
    if ! "${prefix}gcc" "$@" -std=c99 -Os -Wall -Wextra -Wconversion -Wshadow -Werror \
        -ffreestanding -nostdlib -r -o "$work/$name.o" patch/*.c 2>"$work/log"; then
        echo "not ok $name: does not compile"
        cat "$work/log"
        failed=1
        return
    fi
    "${prefix}nm" -u "$work/$name.o" | awk '{print $2}' | sort -u |
        grep -vE "^(memcpy|memmove|memset|memcmp|$helpers)\$" >"$work/undefined"
    if [ -s "$work/undefined" ]; then
        echo "not ok $name: needs $(tr '\n' ' ' <"$work/undefined")"
        failed=1
    else
        echo "ok $name: needs nothing but memcpy, memmove, memset and memcmp"
    fi
    # Static data that is written would be state outside of the workspace.
    if "${prefix}nm" "$work/$name.o" | grep -q ' [bBdDC] '; then
        echo "not ok $name: has variables: $("${prefix}nm" "$work/$name.o" | grep ' [bBdDC] ')"
        failed=1
    else
        echo "ok $name: has no variables"
    fi
}

# 32-bit division, wide shifts and multiplication, and jump tables of Thumb-1.
arm='__aeabi_u?idiv(mod)?|__aeabi_l(mul|lsl|lsr|asr|cmp)|__aeabi_ulcmp|__gnu_thumb1_case_[us]qi|__gnu_thumb1_case_[us]hi|__gnu_thumb1_case_si'
try cortex-m4 arm-none-eabi- "$arm" -mcpu=cortex-m4 -mthumb
try cortex-m0plus arm-none-eabi- "$arm" -mcpu=cortex-m0plus -mthumb
try cortex-a9 arm-none-eabi- "$arm" -mcpu=cortex-a9 -marm
# Debian's compiler for RISC-V comes without a C library; string.h is picolibc's.
headers=/usr/lib/picolibc/riscv64-unknown-elf/include
rv='__u?divsi3|__u?modsi3|__mulsi3|__muldi3|__ashldi3|__lshrdi3|__ashrdi3|__riscv_(save|restore)_[0-9]+'
try rv32imac riscv64-unknown-elf- "$rv" -isystem $headers -march=rv32imac -mabi=ilp32
try rv32ec riscv64-unknown-elf- "$rv" -isystem $headers -march=rv32ec -mabi=ilp32e
try rv64gc riscv64-unknown-elf- "$rv" -isystem $headers -march=rv64gc -mabi=lp64d -mcmodel=medany
exit $failed
