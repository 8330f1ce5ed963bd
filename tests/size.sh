#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Code and RAM of the patcher on a Cortex-M4 with -Os.
#
# usage: BUILD=dir tests/size.sh [--totals]
#
# "core and thumb2" is what a linker keeps of the whole with the codec for
# one processor, "all processors" with the codec for all of them.
set -eu

work=$BUILD/size
flags='-mcpu=cortex-m4 -mthumb -std=c99 -Os -ffunction-sections -fdata-sections -ffreestanding'
cc=arm-none-eabi-gcc
rm -rf "$work"
mkdir -p "$work"

for file in patch/*.c; do
    # shellcheck disable=SC2086 # words are meant
    $cc $flags -c -o "$work/$(basename "$file" .c).o" "$file"
done

# An application that calls everything in the public header, with one codec list.
cat >"$work/app.h" <<'END'
#include "codec_mix.h"
#include "inlay_patch.h"
void *const inlay_app_uses[] = {
    (void *)inlay_probe, (void *)inlay_patcher_size, (void *)inlay_begin,
    (void *)inlay_next_offset, (void *)inlay_match, (void *)inlay_feed, (void *)inlay_step,
    (void *)inlay_report, (void *)inlay_abort, (void *)&CODEC};
END
# total NAME CODEC: text and data of what the linker keeps
total() {
    echo '#include "app.h"' >"$work/app.c"
    # shellcheck disable=SC2086
    $cc $flags -Ipatch -DCODEC="$2" -c -o "$work/app.obj" "$work/app.c"
    $cc -mcpu=cortex-m4 -mthumb -nostdlib -Wl,--gc-sections -Wl,-e,inlay_app_uses \
        -Wl,--defsym=memcpy=0,--defsym=memmove=0,--defsym=memset=0,--defsym=memcmp=0 \
        -o "$work/app.elf" "$work/app.obj" "$work"/*.o -lgcc
    arm-none-eabi-size "$work/app.elf" | awk -v name="$1" 'NR == 2 {
        printf "%-20s %6d\n", name, $1 + $2 - 40 }'
}

# Bytes of a struct, as an array's size in an object file.
ram() {
    printf '#include "internal.h"\nchar inlay_ram[%s];\n' "$2" >"$work/ram.c"
    # shellcheck disable=SC2086
    $cc $flags -Ipatch $3 -c -o "$work/ram.obj" "$work/ram.c"
    arm-none-eabi-nm -S "$work/ram.obj" | awk -v name="$1" '/inlay_ram/ {
        printf "%-20s ", name; print $2 }' | while read -r words; do
        printf '%-20s %6d\n' "${words% *}" "0x${words##* }"
    done
}

if [ "${1-}" != --totals ]; then
    echo "text   data    bss  file (Cortex-M4, -Os, bytes)"
    arm-none-eabi-size "$work"/*.o | awk 'NR > 1 {
        n = split($6, p, "/"); printf "%5d %6d %6d  %s\n", $1, $2, $3, p[n] }' | sort -rn
    echo
fi
total code-thumb2 inlay_codec_mix_thumb2
total code-all inlay_codec_mix_all
ram ram-patcher 'sizeof(struct inlay_patcher)' ''
ram ram-patcher-sha128 'sizeof(struct inlay_patcher)' -DINLAY_SHA_STATE_MAX=128u
