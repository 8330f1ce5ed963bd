#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The examples compile and run, and every C block of the documents is part of one of them.
set -u

failed=0
work=$BUILD/docs
rm -rf "$work"
mkdir -p "$work"

# check NAME COMMAND...
check() {
    local name=$1
    shift
    if "$@"; then
        echo "ok $name"
    else
        echo "not ok $name"
        failed=1
    fi
}

for file in device bootloader; do
    check "$file.c compiles for a device" arm-none-eabi-gcc -std=c99 -Wall -Wextra -Wconversion \
        -Wshadow -Wpedantic -Werror -mcpu=cortex-m4 -mthumb -Ipatch -c -o "$work/$file.o" \
        docs/examples/$file.c
done

# The library as others find it: installed, through pkg-config's file.
check "make install" "$MAKE" --no-print-directory install DESTDIR="$PWD/$work/root" PREFIX=/usr
root=$work/root/usr
check "make_patch.c compiles against what was installed" cc -std=c11 -Wall -Wextra -Werror \
    -I"$root/include/inlay" -o "$work/make_patch" docs/examples/make_patch.c -L"$root/lib" -linlay
export LD_LIBRARY_PATH=$root/lib
old=corpus/images/rv32/v1.0.0.bin
new=corpus/images/rv32/v1.0.1.bin
check "make_patch makes a patch" "$work/make_patch" $old $new nrf52840 "$work/patch"
check "the installed command applies it" "$root/bin/inlay" apply $old "$work/patch" "$work/out"
check "which gives the new image" cmp "$work/out" $new
check "no private symbol is exported" sh -c \
    "! nm -D --defined-only $root/lib/libinlay.so | awk '{print \$3}' | grep -vE '^(inlay_|INLAY_)'"

# Takes the C blocks out of the documents, each into a file of its own.
awk -v dir="$work" '
FNR == 1 { inside = 0 }
/^```c$/ { inside = 1; n++; name = FILENAME; gsub("/", "_", name)
           file = sprintf("%s/block-%s-%d", dir, name, FNR); next }
/^```/   { inside = 0 }
inside   { print > file }' README.md docs/*.md 2>/dev/null
for block in "$work"/block-*; do
    [ -e "$block" ] || continue
    check "$(basename "$block") is part of an example" python3 -c '
import glob, sys
block = [line.strip() for line in open(sys.argv[1]) if line.strip()]
for path in glob.glob("docs/examples/*.[ch]") + glob.glob("patch/*.h") + glob.glob("diff/*.h"):
    text = [line.strip() for line in open(path) if line.strip()]
    if any(text[i:i + len(block)] == block for i in range(len(text))):
        sys.exit(0)
sys.exit("it is in none of docs/examples: " + sys.argv[1])' "$block"
done
exit $failed
