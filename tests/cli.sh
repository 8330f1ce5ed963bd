#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command from outside: exit codes, messages, formats, streams, kills.
# usage: tests/cli.sh BUILD/inlay [KILLS]
set -u
LC_ALL=C
export LC_ALL
case $1 in
/*) inlay=$1 ;;
*) inlay=$PWD/$1 ;;
esac
images=$(cd "$(dirname "$0")/../corpus/images" && pwd) || exit 1
kills=${2:-${KILLS:-200}}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
passed=0
failed=0

ok() {
    passed=$((passed + 1))
    echo "ok   $1"
}

bad() {
    failed=$((failed + 1))
    echo "FAIL $1: $2"
}

# code NAME EXIT PATTERN COMMAND...: the exit code, and what must be said on standard error
# ("": nothing at all).
code() {
    name=$1 want=$2 pattern=$3
    shift 3
    "$@" >out 2>err </dev/null
    got=$?
    if [ $got -ne "$want" ]; then
        bad "$name" "exit $got instead of $want: $(head -c 200 err)"
    elif [ -z "$pattern" ] && [ -s err ]; then
        bad "$name" "said: $(head -c 200 err)"
    elif ! grep -q -e "$pattern" err && [ -n "$pattern" ]; then
        bad "$name" "did not say '$pattern' but: $(head -c 200 err)"
    else
        ok "$name"
    fi
}

# same NAME A B: equal files
same() {
    if cmp -s "$2" "$3"; then ok "$1"; else bad "$1" "$2 and $3 differ"; fi
}

# says NAME PATTERN: standard output of the last command
says() {
    if grep -q -e "$2" out; then ok "$1"; else bad "$1" "no '$2' on standard output"; fi
}

# trip NAME OLD NEW [diff options]: there and back
trip() {
    name=$1 old=$2 new=$3
    shift 3
    code "$name: diff" 0 "" "$inlay" diff "$old" "$new" trip.patch "$@"
    code "$name: apply" 0 "" "$inlay" apply "$old" trip.patch trip.out
    same "$name: result" "$new" trip.out
}

# ---- inputs ----
numbers() { # FROM TO: text that resembles itself
    awk -v a="$1" -v b="$2" 'BEGIN { for (i = a; i < b; i++) printf "%d squared is %d;", i, i * i }'
}
numbers 1 6000 >old
{
    numbers 1 900
    echo something new
    numbers 900 5000
    numbers 5200 6400
} >new
numbers 1 20000 | gzip -9n | tail -c +500 | head -c 30000 >noise
: >empty
printf x >one
printf y >two
numbers 1 12 >small
{
    cat old
    numbers 7000 30000
} >large

# ---- the frame ----
code "no command" 2 "usage: inlay COMMAND" "$inlay"
code "unknown command" 2 "there is no command 'frob'; try inlay --help" "$inlay" frob
code "--help" 0 "" "$inlay" --help
says "--help lists commands" "  diff "
code "--version" 0 "" "$inlay" --version
says "--version shows it" "^inlay [0-9]"
for c in diff apply info sim profile; do
    code "$c --help" 0 "" "$inlay" $c --help
    says "$c --help shows usage" "^usage: inlay $c "
    code "$c without arguments" 2 "an argument is missing.*try inlay $c --help" "$inlay" $c
    code "$c with an unknown option" 2 "there is no option --frob; try inlay $c --help" \
        "$inlay" $c --frob
    if [ "$(wc -l <err)" -eq 1 ]; then ok "$c: one line"; else bad "$c: one line" "$(cat err)"; fi
done
code "full disk" 8 "cannot write to standard output" sh -c "'$inlay' --help >/dev/full"

# ---- round trips ----
trip "plain" old new
trip "identical" old old
trip "empty old" empty new
trip "empty new" old empty
trip "both empty" empty empty
trip "one byte" one two
trip "one byte, identical" one one
trip "from one byte" one new
trip "to one byte" old one
trip "much larger" small old
trip "much smaller" old small
code "incompressible: diff" 0 "looks compressed or encrypted as a whole" \
    "$inlay" diff small noise noise.patch
code "incompressible: apply" 0 "" "$inlay" apply small noise.patch trip.out
same "incompressible: result" noise trip.out
trip "every option" old new --arch none --base 0x8000000 --component lamp --old-version 1.0 \
    --new-version 2.0 --security-counter 7
trip "short options" old new -pnrf52840 -m ab
trip "in place on flash" old new --profile nrf52840 --mode in-place
trip "in place, from one byte" one new --profile stm32l476
trip "in place, to one byte" old one --profile stm32l476
trip "in place, identical" old old --profile esp32
trip "in place, empty new" old empty --profile nrf52840
trip "in place, empty old" empty new --profile nrf52840
trip "A/B on flash" old new --profile stm32h743 --mode ab

# ---- codecs ----
codec_of() { # PATCH: what inlay info calls its codec
    "$inlay" info "$1" | sed -n 's/^patch .* codec \([a-z]*\),.*/\1/p'
}
for codec in mix lzma; do
    trip "--codec $codec" old new --codec $codec
    if [ "$(codec_of trip.patch)" = $codec ]; then
        ok "--codec $codec: info"
    else
        bad "--codec $codec: info" "says $(codec_of trip.patch)"
    fi
done
numbers 1 62000 >big
{
    numbers 1 30000
    echo something new
    numbers 30100 64000
} >bigger
trip "large" big bigger
code "large, by mix" 0 "" "$inlay" diff big bigger mix.patch --codec mix
code "large, by lzma" 0 "" "$inlay" diff big bigger lzma.patch --codec lzma
code "large, by the smaller" 0 "" "$inlay" diff big bigger auto.patch --codec auto
small=mix.patch
[ "$(wc -c <lzma.patch)" -ge "$(wc -c <mix.patch)" ] || small=lzma.patch
same "large: the smaller one is taken" $small auto.patch
"$inlay" profile show nrf52840 | sed 's/^name *=.*/name = bigflash/; s/^ram *=.*/ram = 8M/
    s/^model_ram *=.*/model_ram = 4M/; s/^slot.blocks *=.*/slot.blocks = 512 x 4096/' >big.profile
code "lzma in place: diff" 0 "" \
    "$inlay" diff big bigger lzma.patch --profile ./big.profile --mode in-place --codec lzma
code "lzma in place: sim" 0 "" \
    "$inlay" sim big lzma.patch --profile ./big.profile --cut random:3
cp big image
code "lzma in place: apply" 0 "" "$inlay" apply --in-place image lzma.patch
same "lzma in place: result" bigger image
code "lzma on a microcontroller" 5 "bytes of RAM, [0-9]* more than" \
    "$inlay" diff old new p --profile nrf52840 --codec lzma

# ---- determinism ----
"$inlay" diff old new a.patch && "$inlay" diff old new b.patch
same "the same patch twice" a.patch b.patch
jobs() { # NAME OLD NEW [diff options]: as many threads as there may be, and the same bytes
    name=$1 from=$2 to=$3
    shift 3
    for n in 1 2 8; do
        "$inlay" diff "$from" "$to" jobs$n.patch --jobs $n "$@" 2>/dev/null || rm -f jobs$n.patch
    done
    same "$name: two threads" jobs1.patch jobs2.patch
    same "$name: eight threads" jobs1.patch jobs8.patch
}
cortex=$images/cortex-m4 rv32=$images/rv32
jobs "code, large models" "$cortex/v1.1.0.bin" "$cortex/v1.2.0-o2.bin"
jobs "code, small models of several shapes" "$cortex/v1.1.0.bin" "$cortex/v1.2.0.bin" -p nrf52840
jobs "code of another processor than the profile's" "$rv32/v1.0.1.bin" "$rv32/v1.1.0.bin" -p nrf52840
jobs "large, both codecs" big bigger
jobs "large, both codecs, mostly new" old bigger
jobs "large, in place" big bigger --profile ./big.profile --mode in-place

# ---- streams ----
sh -c "'$inlay' diff - new - <old >s.patch" && same "diff from stdin to stdout" a.patch s.patch
sh -c "'$inlay' diff old - s.patch <new" && same "diff, new from stdin" a.patch s.patch
sh -c "'$inlay' apply - a.patch - <old >s.out" && same "apply from stdin to stdout" new s.out
sh -c "'$inlay' apply old - s.out <a.patch" && same "apply, patch from stdin" new s.out
sh -c "'$inlay' info - <a.patch >s.info" && "$inlay" info a.patch >f.info &&
    same "info from stdin" f.info s.info
code "two streams at once" 2 "only one of OLD and NEW" "$inlay" diff - - p
code "two streams at once, apply" 2 "only one of OLD and PATCH" "$inlay" apply - - out1
code "JSON and patch on one stream" 2 "both want standard output" "$inlay" diff old new - --json
code "in place on a stream" 2 "needs a file" "$inlay" apply --in-place - a.patch
code "closed output" 8 "cannot write standard output" sh -c "'$inlay' diff old new - >/dev/full"

# ---- usage ----
code "too many arguments" 2 "one argument too many: 'd'" "$inlay" diff a b c d
code "bad mode" 2 "in-place or ab, not 'up'" "$inlay" diff old new p --mode up
code "bad codec" 2 "auto, mix or lzma, not 'zip'" "$inlay" diff old new p --codec zip
for n in 0 65 two -1 "" 2x; do
    code "bad number of threads '$n'" 2 "a number of threads from 1 to 64, not '$n'" \
        "$inlay" diff old new p --jobs "$n"
done
code "bad number of threads, short" 2 "a number of threads from 1 to 64" "$inlay" diff old new p -j0
code "bad base" 2 "takes a number such as" "$inlay" diff old new p --base 12x
code "bad counter" 2 "takes a number such as" "$inlay" diff old new p --security-counter=4294967296
code "bad processor" 2 "there is no processor called 'z80'" "$inlay" diff old new p --arch z80
code "option without value" 2 "--mode needs a value" "$inlay" diff old new p --mode
code "flag with a value" 2 "--json takes no value" "$inlay" diff old new p --json=1
code "unknown profile" 2 "nosuch" "$inlay" diff old new p --profile nosuch
code "mode without areas" 2 "has no areas for updates in place" "$inlay" diff old new p -m in-place
code "output over input" 2 "would overwrite an input" "$inlay" diff old new new
code "apply over OLD" 2 "would overwrite OLD" "$inlay" apply old a.patch ./old
code "apply over PATCH" 2 "would overwrite PATCH" "$inlay" apply old a.patch a.patch
code "apply without OUT" 2 "OUT is missing" "$inlay" apply old a.patch
code "in place with OUT" 2 "takes IMAGE and PATCH only" "$inlay" apply -i old a.patch x
code "in place, A/B patch" 2 "not for updates in place" "$inlay" apply -i old a.patch
printf 'name = x\nslot.blocks = zero\n' >bad.profile
code "bad profile file" 2 "bad.profile:2:" "$inlay" diff old new p --profile ./bad.profile

# ---- input and output ----
code "missing input" 8 "cannot open nosuch" "$inlay" diff nosuch new p
code "missing patch" 8 "cannot open nosuch" "$inlay" apply old nosuch out1
code "output nowhere" 8 "cannot write nosuch/p" "$inlay" diff old new nosuch/p
code "a directory" 8 "cannot read" "$inlay" info .
if ls ./*.patch.?????? p >/dev/null 2>&1; then
    bad "nothing left behind" "$(ls)"
else
    ok "nothing left behind"
fi

# ---- the wrong image, the wrong patch ----
sed 's/5 squared/6 squared/' old >other
code "wrong old image" 3 "not the one this patch was made for" "$inlay" apply other a.patch out1
code "wrong old size" 3 "has 1 bytes, but the patch was made for" "$inlay" apply one a.patch out1
if [ -e out1 ]; then bad "no output after a refusal" "there is one"; else ok "no output after a refusal"; fi
code "not a patch" 4 "patch" "$inlay" apply old new out1
code "empty patch" 4 "patch" "$inlay" apply old empty out1
code "info of no patch" 4 "patch" "$inlay" info old
size=$(wc -c <a.patch)
head -c $((size - 1)) a.patch >cut.patch
code "patch cut short" 4 "cut short" "$inlay" apply old cut.patch out1
{
    cat a.patch
    printf x
} >long.patch
code "patch with more behind" 4 "bytes were added" "$inlay" apply old long.patch out1
{
    head -c $((size - 30)) a.patch
    printf '\252'
    tail -c 29 a.patch
} >flip.patch
code "patch with a changed byte" 4 "get the patch again" "$inlay" apply old flip.patch out1
{
    head -c 2 a.patch
    printf '\130'
    tail -c +4 a.patch
} >signed.patch
code "signature on a patch made without" 4 "manifest" "$inlay" apply old signed.patch out1
"$inlay" diff old new lamp.patch --component lamp --security-counter 7
code "component and counter that fit" 0 "" \
    "$inlay" apply old lamp.patch out2 --component lamp --security-counter 7
code "another component" 7 "another device" "$inlay" apply old lamp.patch out1 --component door
code "no component" 7 "another device" "$inlay" apply old a.patch out1 --component lamp
code "older than allowed" 7 "older than allowed" \
    "$inlay" apply old lamp.patch out1 --security-counter 8

# ---- what does not fit ----
numbers 1 60000 | head -c 1200000 >huge
code "new image too large" 5 "the new image has 1200000 bytes, [0-9]* more than the slot of nrf52840" \
    "$inlay" diff old huge p --profile nrf52840
code "old image too large" 5 "the old image has 1200000 bytes, [0-9]* more than the slot" \
    "$inlay" diff huge old p --profile nrf52840
"$inlay" profile show nrf52840 >n.profile
sed 's/^ram *=.*/ram = 6K/; s/^model_ram *=.*/model_ram = 4K/' n.profile >ram.profile
code "too little RAM" 5 "bytes of RAM, [0-9]* more than" "$inlay" diff old new p --profile ./ram.profile
sed 's/^work.blocks *=.*/work.blocks = 3 x 4096/' n.profile >work.profile
code "too small a work area" 5 "work area of nrf52840 has" "$inlay" diff old new p --profile ./work.profile

# ---- formats ----
hex() { # FILE ADDRESS: Intel HEX
    od -An -v -tx1 -w16 "$1" | awk -v base="$2" '
        function put(s,   i, sum, d) {
            d = "0123456789ABCDEF"
            s = toupper(s)
            for (i = 1; i < length(s); i += 2)
                sum += (index(d, substr(s, i, 1)) - 1) * 16 + index(d, substr(s, i + 1, 1)) - 1
            printf ":%s%02X\n", s, (256 - sum % 256) % 256
        }
        {
            if (NR == 1 || (base + pos) % 65536 == 0)
                put(sprintf("02000004%04X", int((base + pos) / 65536)))
            n = NF; gsub(/ /, "")
            put(sprintf("%02X%04X00%s", n, (base + pos) % 65536, $0))
            pos += n
        }
        END { put("00000001") }'
}
srec() { # FILE ADDRESS: S-records
    od -An -v -tx1 -w16 "$1" | awk -v base="$2" '
        function put(t, s,   i, sum, d) {
            d = "0123456789ABCDEF"
            s = toupper(s)
            for (i = 1; i < length(s); i += 2)
                sum += (index(d, substr(s, i, 1)) - 1) * 16 + index(d, substr(s, i + 1, 1)) - 1
            printf "S%d%s%02X\n", t, s, 255 - sum % 256
        }
        BEGIN { put(0, "030000") }
        { n = NF; gsub(/ /, ""); put(3, sprintf("%02X%08X%s", n + 5, base + pos, $0)); pos += n }
        END { put(7, "0500000000") }'
}
uf2() { # FILE ADDRESS: UF2 for an RP2040; the last block is padded with 0xFF
    total=$((($(wc -c <"$1") + 255) / 256)) number=0
    while [ $number -lt $total ]; do
        block=$(dd if="$1" bs=256 skip=$number count=1 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
        awk -v a=$(($2 + number * 256)) -v n=$number -v t=$total -v b="$block" '
            function word(v,   i) { for (i = 0; i < 4; i++) { printf "%02x", v % 256; v = int(v / 256) } }
            BEGIN {
                printf "5546320a57515d9e00200000"; word(a); word(256); word(n); word(t)
                printf "56ff8be4"
                printf "%s", b
                for (i = length(b); i < 512; i += 2) printf "ff"
                for (i = 0; i < 220; i++) printf "00"
                printf "306fb10a\n"
            }'
        number=$((number + 1))
    done | unhex
}
unhex() {
    awk 'BEGIN { d = "0123456789abcdef"; for (i = 0; i < 256; i++) byte[i] = sprintf("%c", i) }
        { for (i = 1; i < length($0); i += 2)
              printf "%c", (index(d, substr($0, i, 1)) - 1) * 16 + index(d, substr($0, i + 1, 1)) - 1 }'
}
hex old 134217728 >old.hex
hex new 134217728 >new.hex
srec old 134217728 >old.srec
"$inlay" diff old new raw.patch --base 0x8000000
for from in old.hex old.srec; do
    code "$from: diff" 0 "" "$inlay" diff $from new.hex f.patch
    same "$from: the patch of the raw images" raw.patch f.patch
    code "$from: apply" 0 "" "$inlay" apply $from f.patch f.out
    same "$from: result" new f.out
done
code "hex: base in JSON" 0 "" "$inlay" diff old.hex new.hex f.patch --json
says "hex: base in JSON" '"base": 134217728'
sed '3s/.$/Z/' old.hex >torn.hex
code "damaged hex" 2 "torn.hex:3: this is not an Intel HEX record" "$inlay" diff torn.hex new p
sed '5s/[0-9A-F][0-9A-F]$/00/;6s/[0-9A-F][0-9A-F]$/00/' old.srec >torn.srec
code "damaged S-record" 2 "torn.srec:[56]: the checksum is wrong" "$inlay" diff torn.srec new p
{
    sed '$d' old.hex
    printf ':020000049000''6A\n:010000000AF5\n:00000001FF\n'
} >gap.hex
code "gap" 2 "a gap of [0-9]* bytes.*extract the part" "$inlay" diff gap.hex new p
head -c 3000 old >old3k
head -c 3072 new >new3k
uf2 new3k 268435456 >new.uf2
code "UF2: diff" 0 "" "$inlay" diff old3k new.uf2 u.patch --json
says "UF2: processor" '"arch": "thumb2"'
code "UF2: apply" 0 "" "$inlay" apply old3k u.patch u.out
same "UF2: result" new3k u.out

tool=arm-none-eabi
if command -v $tool-gcc >/dev/null && command -v $tool-objcopy >/dev/null; then
    cat >fw.c <<'END'
int counter = 5;
const char text[] = "firmware " VERSION;
int scale(int x) { return x * FACTOR + counter; }
int _start(void) { for (;;) counter = scale(counter) + text[counter & 7]; }
END
    for v in 1 2; do
        $tool-gcc -mcpu=cortex-m4 -mthumb -Os -nostdlib -DVERSION="\"$v\"" -DFACTOR=$((v * 3)) \
            -Wl,-Ttext=0x8000000,-Tdata=0x20000000 -o fw$v.raw.elf fw.c 2>/dev/null
        # Variables are stored behind the code, as a linker script would have it.
        $tool-objcopy --change-section-lma .data=0x8000200 fw$v.raw.elf fw$v.elf
        $tool-objcopy -O binary -j .text -j .rodata -j .data --gap-fill 0xff fw$v.elf fw$v.bin
        $tool-objcopy -O ihex fw$v.elf fw$v.hex
        $tool-objcopy -O srec fw$v.elf fw$v.srec
    done
    for kind in elf hex srec; do
        code "objcopy $kind: diff" 0 "" "$inlay" diff fw1.$kind fw2.$kind fw.patch --json
        says "objcopy $kind: base" '"base": 134217728'
        code "objcopy $kind: apply" 0 "" "$inlay" apply fw1.bin fw.patch fw.out
        same "objcopy $kind: result" fw2.bin fw.out
    done
fi
cp "$inlay" program
code "program of an operating system: diff" 0 "" "$inlay" diff old3k program e.patch --json
says "program of an operating system: a file" '"kind": "elf file"'
code "program of an operating system: apply" 0 "" "$inlay" apply old3k e.patch e.out
same "program of an operating system: result" program e.out

# ---- info ----
code "info: another old image" 3 "not the old image" "$inlay" info a.patch --old new
if "$inlay" info a.patch --old old | awk '
    /^bytes / { gsub(",", ""); said = $(NF - 2) + $NF }
    /^payload / { for (i = 2; i < NF; i++) if ($i ~ /^[a-z_]+$/) { gsub(",", "", $(i + 1)); sum += $(i + 1) } }
    END { exit !(sum > 0 && sum - said < 4 && said - sum < 4) }'; then
    ok "info --old: the parts are the whole"
else
    bad "info --old: the parts are the whole" "$("$inlay" info a.patch --old old | tail -2)"
fi
code "info" 0 "" "$inlay" info lamp.patch
says "info: component" "^component *lamp"
says "info: counter" "^security counter *7"
code "info --json" 0 "" "$inlay" info lamp.patch --json
says "info --json: schema" '"schema": "inlay.info/1"'
says "info --json: digest" "\"sha256_prefix\": \"$(sha256sum new | cut -c1-8)\""
code "diff --json" 0 "" "$inlay" diff old new p2 --json
says "diff --json: schema" '"schema": "inlay.diff/1"'
if command -v python3 >/dev/null; then
    for c in "info lamp.patch" "diff old new p2" "profile list" "profile show esp32"; do
        # shellcheck disable=SC2086
        "$inlay" $c --json >j.json
        if python3 -m json.tool j.json >/dev/null; then ok "$c: valid JSON"; else bad "$c: valid JSON" ""; fi
    done
fi

# ---- in place on a file ----
code "in place: diff" 0 "" "$inlay" diff old new ip.patch --profile stm32l476
cp old image
code "in place: apply" 0 "" "$inlay" apply --in-place image ip.patch
same "in place: result" new image
code "in place: again" 0 "was already applied" "$inlay" apply --in-place image ip.patch
same "in place: still the result" new image
cp other image
code "in place: wrong image" 3 "nothing was changed" "$inlay" apply --in-place image ip.patch
same "in place: nothing was changed" other image
cp old image
code "in place: changed patch" 4 "cut short" sh -c "head -c -1 ip.patch >c.patch; '$inlay' apply -i image c.patch"
if [ -e image.inlay-journal ]; then bad "in place: no journal left" ""; else ok "in place: no journal left"; fi
if command -v flock >/dev/null; then
    code "in place: two at once" 8 "being updated by another process" \
        flock image "$inlay" apply -i image ip.patch
fi
# A limit on the size of files kills the update among the blocks behind the old end.
"$inlay" diff old large grow.patch --profile stm32l476
"$inlay" diff old new ip.patch --profile stm32l476
cp old image
{ (ulimit -f $(($(wc -c <old) / 512 + 100)) && "$inlay" apply -i image grow.patch); } >/dev/null 2>&1
if [ -e image.inlay-journal ]; then
    ok "in place: killed half way"
    code "in place: another patch" 1 "another patch is half applied.*apply that patch to its end" \
        "$inlay" apply -i image ip.patch
    code "in place: goes on" 0 "" "$inlay" apply -i image grow.patch
    same "in place: result after all" large image
else
    bad "in place: killed half way" "it finished"
fi

# ---- what a power cut may cost ----
"$inlay" profile show nrf52840 >long.profile
{ cat long.profile; echo "redo = 8K"; } >short.profile
groups() { "$inlay" diff old large grow2 --mode ab --profile "$1" --json | sed -n 's/.*"groups": \([0-9]*\).*/\1/p'; }
if [ "$(groups short.profile)" -gt "$(groups long.profile)" ]; then
    ok "redo: less of it makes smaller groups"
else
    bad "redo: less of it makes smaller groups" "$(groups short.profile) and $(groups long.profile) groups"
fi

# ---- how the work area is divided ----
number() { sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" j.json; }
divided() { # NAME OLD NEW PROFILE KEY TEST NUMBER...: what the patch needs of the work area
    name=$1
    "$inlay" diff "$2" "$3" p2 --json --profile "$4" >j.json
    shift 4
    while [ $# -gt 0 ] && [ "$(number "$1")" "$2" "$3" ]; do
        shift 3
    done
    if [ $# -eq 0 ]; then ok "work area: $name"; else bad "work area: $name" "$1 $2 $3: $(cat j.json)"; fi
}
m4=$images/cortex-m4
{ cat n.profile; echo "recipes = no"; } >whole.profile
divided "recipes where blocks resemble old ones" "$m4/v1.0.1.bin" "$m4/v1.1.0.bin" nrf52840 \
    recipes -gt 0 stage_blocks -eq 1 groups -eq 1
divided "no recipes where the profile says so" "$m4/v1.0.1.bin" "$m4/v1.1.0.bin" ./whole.profile \
    recipes -eq 0 stage_blocks -eq 5
divided "no recipes where one group does" "$m4/v1.0.0.bin" "$m4/v1.0.1.bin" nrf52840 \
    recipes -eq 0 stage_blocks -eq 3
divided "blocks staged whole where recipes would be long" "$images/rv32/v1.2.0.bin" \
    "$images/rv32/v1.2.0-libc.bin" nrf52840 recipes -eq 0 stage_blocks -eq 5
i=0
while [ $i -lt 104 ]; do # an order that no order of blocks is good for
    tail -c +$(((i * 37 + 11) % 104 * 1024 + 1)) "$m4/v1.0.0.bin" | head -c 1024
    i=$((i + 1))
done >mixed
divided "a larger pool where much would be lost" "$m4/v1.0.0.bin" mixed nrf52840 \
    pool -gt 4096 stage_blocks -eq 4

# ---- another image than the old one ----
cp old image
printf 'X' | dd of=image bs=1 seek=9000 conv=notrunc 2>/dev/null
rm -f image.inlay-journal
code "wrong image: refused" 3 "not the image of" "$inlay" apply -i image grow.patch
code "wrong image: patch with checks" 0 "" "$inlay" diff old large checks.patch --old-checks
code "wrong image: named" 3 "first wrong block is at byte 8192;" "$inlay" apply image checks.patch out2
code "wrong image: checks don't hinder" 0 "" "$inlay" apply old checks.patch out2
same "wrong image: result" large out2

# ---- histories of power cuts, followed to their end or not ----
head -c 9000 old >small
{ head -c 3000 large; tail -c +3100 small; } >small.new
"$inlay" diff small small.new small.patch --profile nrf52840
for full in "" --full; do
    # shellcheck disable=SC2086 # nothing, or a word
    "$inlay" sim small small.patch --cut every --torn all --json $full | grep -v '"known"' >"cuts$full"
done
same "sim: --full finds the same" cuts cuts--full
if grep -q '"tried": [1-9][0-9][0-9]' cuts; then ok "sim: cuts"; else bad "sim: cuts" "$(tail -n 9 cuts)"; fi

# Real firmware, with so many groups that what the codec saves at commits matters in each resume.
for pair in cortex-m4/v1.2.0:cortex-m4/v1.1.0 rv32/v1.2.0:rv32/v1.1.0; do
    "$inlay" diff "$images/${pair%:*}.bin" "$images/${pair#*:}.bin" real.patch --profile nrf52840
    code "sim: cuts of ${pair%%/*} firmware" 0 "" "$inlay" sim "$images/${pair%:*}.bin" real.patch --cut every
done

# ---- SIGKILL at random moments ----
# Each update is killed again and again, at times drawn from the seed, until it gets through.
kill_seed=${KILL_SEED:-$(date +%s)}
cp old image
rm -f image.inlay-journal
begun=$(date +%s%N)
"$inlay" apply -i image grow.patch
took=$((($(date +%s%N) - begun) / 1000)) # microseconds, undisturbed
kill_round() { # adds to $hits
    cp old image
    rm -f image.inlay-journal
    tries=0
    while [ $tries -lt 200 ]; do
        tries=$((tries + 1))
        "$inlay" apply -i image grow.patch 2>/dev/null &
        pid=$!
        # Later with every try: a machine that is busy now must get through some time.
        sleep "$(awk -v s="$kill_seed$rounds$tries" -v t=$took -v n=$tries 'BEGIN { srand(s); rand()
            printf "%.4f", (rand() < 0.15 ? 2 : 0.3) * rand() * (1 + n / 10) * t / 1e6 }')"
        kill -9 $pid 2>/dev/null
        wait $pid 2>/dev/null && return 0
        [ -e image.inlay-journal ] && hits=$((hits + 1))
    done
    return 1
}
hits=0
rounds=0
lost=""
while [ $hits -lt "$kills" ] && [ $rounds -lt $((4 * kills)) ]; do
    rounds=$((rounds + 1))
    kill_round || lost="round $rounds did not end in 200 tries"
    [ -n "$lost" ] || cmp -s image large || lost="round $rounds ended at another image"
    [ -n "$lost" ] || [ ! -e image.inlay-journal ] || lost="round $rounds left its journal"
    [ -z "$lost" ] || break
done 2>/dev/null
if [ -z "$lost" ] && [ $hits -ge "$kills" ]; then
    ok "SIGKILL: $hits kills in $rounds updates of $((took / 1000)) ms, all ended at the new image"
else
    bad "SIGKILL" "${lost:-$rounds updates and too few} after $hits kills; again: KILL_SEED=$kill_seed tests/cli.sh $1 $kills"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
