#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The patcher on emulated machines of 32 bits, one of them big-endian, gives the same bytes.
set -u

BUILD=${BUILD:-build}
programs="$BUILD/emu/cortex-m4-Os.elf $BUILD/emu/rv32-Os.elf $BUILD/emu/powerpc-O2.elf"
# shellcheck disable=SC2086 # words are meant
${MAKE:-make} --no-print-directory -j"${JOBS:-2}" BUILD="$BUILD" "$BUILD/inlay" $programs || exit 1
BUILD=$BUILD tests/emu/emu.sh check
