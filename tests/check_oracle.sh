#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The independent decoder must make of every patch what the patcher makes of it.
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
inlay=$BUILD/inlay
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

if ! $CC -std=c11 -O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all \
    -o "$tmp/oracle" tests/oracle/*.c patch/prior_table.c patch/usual_thumb2.c -lsodium -llzma; then
    echo "not ok build of the oracle"
    exit 1
fi
echo "ok build of the oracle"

# The specification's instruction tables are the oracle's.
python3 tests/oracle/tables.py || failed=1

compare() { # compare NAME OLD NEW OPTIONS...
    local name=$1 old=$2 new=$3
    shift 3
    if "$inlay" diff "$old" "$new" "$tmp/patch" "$@" && "$tmp/oracle" "$old" "$tmp/patch" "$tmp/out" &&
        cmp -s "$new" "$tmp/out"; then
        echo "ok $name $*"
    else
        echo "not ok $name $*"
        mkdir -p "$BUILD/oracle"
        cp "$old" "$BUILD/oracle/old"
        cp "$tmp/patch" "$BUILD/oracle/patch"
        echo "    its old image and patch are in $BUILD/oracle"
        failed=1
    fi
}

cat >"$tmp/stage.profile" <<END
name = stage
title = A device with a stage and with memory for both codecs
source = none: for tests
arch = auto
mode = in-place
slot.blocks = 8 x 1024, 64 x 4096
slot.write_size = 4
work.blocks = 12 x 8192
ram = 64M
model_ram = 64K
chunk_len = 1K
check_len = 4
END

# Beside the old image, in several groups.
sed -e 's/^name = .*/name = groups/' -e 's/^mode = .*/mode = ab/' -e 's/^ram = .*/ram = 16K/' \
    -e 's/^model_ram = .*/model_ram = 12K/' "$tmp/stage.profile" >"$tmp/groups.profile"
cat >>"$tmp/groups.profile" <<END
second.blocks = 8 x 1024, 64 x 4096
second.write_size = 4
redo = 8K
END

# The project's own images, as computers and as devices have them.
while IFS=$'\t' read -r pair old new _; do
    compare "$pair" "corpus/$old" "corpus/$new"
    compare "$pair" "corpus/$old" "corpus/$new" --codec lzma
    compare "$pair" "corpus/$old" "corpus/$new" --profile nrf52840
    compare "$pair" "corpus/$old" "corpus/$new" --profile nrf52840 --mode ab
    compare "$pair" "corpus/$old" "corpus/$new" --profile "$tmp/groups.profile"
    compare "$pair" "corpus/$old" "corpus/$new" --profile "$tmp/stage.profile" --codec lzma
done < <(tail -n +2 corpus/PAIRS.tsv)

# Every processor, also on images that are not for it: what a parser takes for code is arbitrary.
for arch in none thumb2 arm aarch64 riscv xtensa avr x86-64 wasm; do
    for family in cortex-m4 rv32; do
        for codec in mix lzma; do
            compare "$family as $arch" corpus/images/$family/v1.1.0.bin corpus/images/$family/v1.2.0.bin \
                --profile "$tmp/stage.profile" --arch $arch --base 0x10000 --codec $codec
        done
    done
done

# A module's sections are told apart by address alone.
for base in 0x80000000 0x90000000 0xa0000000 0xb0000000 0xd0000000; do
    for codec in mix lzma; do
        compare "area $base of wasm" corpus/images/rv32/v1.1.0.bin corpus/images/rv32/v1.2.0.bin \
            --arch wasm --base $base --codec $codec
    done
done

# Made-up pairs.  The number is the seed; tests/oracle/pairs.py makes the pair again.
read -ra seeds < <(echo {1..24})
python3 tests/oracle/pairs.py "$tmp" "${seeds[@]}"
for seed in "${seeds[@]}"; do
    arch=$(echo thumb2 arm riscv avr x86-64 none xtensa aarch64 | cut -d' ' -f$((seed % 8 + 1)))
    compare "made up $seed" "$tmp/$seed.old" "$tmp/$seed.new" --arch "$arch" --base 0x8000000
    compare "made up $seed" "$tmp/$seed.old" "$tmp/$seed.new" --arch "$arch" --base 0x8000000 \
        --profile "$tmp/stage.profile"
done

read -ra seeds < <(echo {1000..1015})
python3 tests/oracle/pairs.py "$tmp" "${seeds[@]}"
for seed in "${seeds[@]}"; do
    compare "made up module $seed" "$tmp/$seed.old" "$tmp/$seed.new"
    compare "made up module $seed" "$tmp/$seed.old" "$tmp/$seed.new" --codec lzma
    compare "made up module $seed" "$tmp/$seed.old" "$tmp/$seed.new" --profile "$tmp/stage.profile"
done

read -ra seeds < <(echo {2000..2015})
python3 tests/oracle/pairs.py "$tmp" "${seeds[@]}"
for seed in "${seeds[@]}"; do
    arch=$(echo auto x86-64 aarch64 auto | cut -d' ' -f$((seed % 4 + 1)))
    compare "made up ELF $seed" "$tmp/$seed.old" "$tmp/$seed.new" --arch "$arch"
    compare "made up ELF $seed" "$tmp/$seed.old" "$tmp/$seed.new" --arch "$arch" --codec lzma
    compare "made up ELF $seed" "$tmp/$seed.old" "$tmp/$seed.new" --arch "$arch" --profile "$tmp/stage.profile"
done

for new in ../shared/corpus/*/*/new; do
    [ -e "$new" ] || continue
    [ "$(wc -c <"$new")" -le 500000 ] || continue
    old=${new%new}old
    compare "${new#../shared/corpus/}" "$old" "$new"
done

# The golden patches: the same images, and refused what the patcher refuses, without a crash.
while IFS='|' read -r patch old new code _; do
    "$tmp/oracle" "corpus/images/$old" "tests/golden/$patch" "$tmp/out" 2>"$tmp/err"
    status=$?
    good=0
    case $code in
    0) cmp -s "corpus/images/$new" "$tmp/out" && good=$((status == 0)) ;;
    3) good=$((status == 3)) ;;
    *) good=$((status >= 4 && status <= 11)) ;;
    esac
    if [ $good -eq 1 ]; then
        echo "ok golden ${patch##*/}"
    else
        echo "not ok golden ${patch##*/}: status $status, $(cat "$tmp/err")"
        failed=1
    fi
done < <(tail -n +2 tests/golden/EXPECT.tsv | tr '\t' '|')
exit $failed
