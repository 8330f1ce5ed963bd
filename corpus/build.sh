#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds every version of the corpus firmware for every processor.
#
# usage: build.sh [--check] [--out DIR]
#
# Without options the committed images in corpus/images are replaced.  With --check they are
# built elsewhere and compared.  The same compiler packages give the same bytes; with others
# they differ, and the check says which packages made the committed ones.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
images=$here/images
out=$images
check=0
while [ $# -gt 0 ]; do
    case $1 in
    --check) check=1 ;;
    --out) out=$2; shift ;;
    *) echo "usage: build.sh [--check] [--out DIR]" >&2; exit 2 ;;
    esac
    shift
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $check = 0 ] || out=$work/images

# name, release switch, version text, optimisation, C library
versions='v1.0.0       100 1.0.0 -Os first
v1.0.1       101 1.0.1 -Os first
v1.1.0       110 1.1.0 -Os first
v1.2.0       120 1.2.0 -Os first
v1.2.0-libc  120 1.2.0 -Os second
v1.2.0-o2    120 1.2.0 -O2 first'

portable="app/alarm.c app/config.c app/control.c app/log.c app/main.c app/menu.c app/modbus.c
app/sampler.c app/selftest.c app/shell.c app/telemetry.c app/vibration.c drivers/climate.c
drivers/display.c drivers/i2c.c drivers/light.c drivers/nor.c drivers/soil.c kernel/ring.c
kernel/sched.c lib/calendar.c lib/cbor.c lib/crc.c lib/fft.c lib/filter.c lib/fixed.c lib/json.c
lib/pid.c lib/tables.c lib/text.c"

common="-std=gnu11 -Wall -Wextra -Wno-type-limits -I. -ffunction-sections -fdata-sections -fno-common
-Wl,--gc-sections -Wl,--build-id=none"

set_class() {
    case $1 in
    cortex-m4)
        cross=arm-none-eabi-
        sources="board/cortex-m4/startup.c board/cortex-m4/board.c board/cortex-m4/syscalls.c $portable"
        flags="-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -fno-builtin-printf
            -nostartfiles -Tboard/cortex-m4/link.ld"
        case $2 in # newlib, then its smaller build with another printf and allocator
        first) flags="$flags --specs=nosys.specs" ;;
        second) flags="$flags --specs=nano.specs --specs=nosys.specs -u _printf_float -u _scanf_float" ;;
        esac
        packages="gcc-arm-none-eabi binutils-arm-none-eabi libnewlib-arm-none-eabi" ;;
    rv32)
        cross=riscv64-unknown-elf-
        sources="board/rv32/board.c board/rv32/console.c $portable"
        flags="-march=rv32imac -mabi=ilp32 --specs=picolibc.specs -fno-builtin-printf
            -Wl,--defsym=__flash=0x20400000 -Wl,--defsym=__flash_size=0x00c00000
            -Wl,--defsym=__ram=0x80000000 -Wl,--defsym=__ram_size=0x4000
            -Wl,--defsym=__stack_size=0x800"
        case $2 in # picolibc built for size, then its build for speed
        first) ;;
        second) flags="$flags --picolibc-buildtype=release" ;;
        esac
        packages="gcc-riscv64-unknown-elf binutils-riscv64-unknown-elf picolibc-riscv64-unknown-elf" ;;
    esac
}

build_one() { # class name release version optimisation libc
    set_class "$1" "$6"
    mkdir -p "$out/$1"
    # Word splitting of the flags is wanted.
    # shellcheck disable=SC2086
    (cd "$here/src" && "${cross}gcc" "-ffile-prefix-map=$here/src=." $common $flags "$5" "-DFEN_RELEASE=$3" "-DFEN_VERSION=\"$4\"" \
        -o "$work/$1-$2.elf" $sources -lm)
    "${cross}objcopy" -O binary "$work/$1-$2.elf" "$out/$1/$2.bin"
}

tools() {
    for class in cortex-m4 rv32; do
        set_class $class first
        for p in $packages; do
            printf '%s\t%s\t%s\n' $class "$p" \
                "$(dpkg-query -W -f '${Version}' "$p" 2>/dev/null || echo unknown)"
        done
    done
}

for class in cortex-m4 rv32; do
    set_class $class first
    if ! command -v "${cross}gcc" >/dev/null; then
        echo "corpus: ${cross}gcc is not installed (packages: $packages)" >&2
        exit 1
    fi
    echo "$versions" | while read -r name release version opt libc; do
        build_one $class "$name" "$release" "$version" "$opt" "$libc"
        echo "built $class/$name.bin $(wc -c <"$out/$class/$name.bin") bytes"
    done
done

if [ $check = 0 ]; then
    tools >"$out/TOOLS.tsv"
    exit 0
fi

status=0
for f in "$out"/*/*.bin; do
    rel=${f#"$out"/}
    if ! cmp -s "$f" "$images/$rel"; then
        echo "corpus: $rel differs from the committed image" >&2
        status=1
    fi
done
if [ $status != 0 ]; then
    tools >"$work/tools"
    if cmp -s "$work/tools" "$images/TOOLS.tsv"; then
        echo "corpus: the packages are those of the committed images: the sources have changed." \
            "Run 'make corpus-build' and commit the images." >&2
    else
        echo "corpus: the committed images were made with:" >&2
        cat "$images/TOOLS.tsv" >&2
        echo "corpus: installed are:" >&2
        cat "$work/tools" >&2
    fi
else
    echo "corpus: all committed images are reproduced"
fi
exit $status
