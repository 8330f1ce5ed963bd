#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the golden patches anew from corpus/images: `make golden`, after a change of the format.
# usage: tests/golden/make.sh INLAY
set -eu
inlay=$1
cd "$(dirname "$0")"
images=../../corpus/images

"$inlay" diff $images/cortex-m4/v1.0.0.bin $images/cortex-m4/v1.0.1.bin good-host.inlay
"$inlay" diff $images/cortex-m4/v1.0.0.bin $images/cortex-m4/v1.0.1.bin good-in-place.inlay \
    --profile nrf52840
"$inlay" diff $images/rv32/v1.0.1.bin $images/rv32/v1.1.0.bin good-rv32.inlay
"$inlay" diff $images/cortex-m4/v1.0.0.bin $images/cortex-m4/v1.0.1.bin good-lzma.inlay --codec lzma

python3 - <<'END'
import hashlib

good = open('good-in-place.inlay', 'rb').read()


def put(name, data):
    open(name, 'wb').write(data)


def flip(data, at, mask=1):
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1:]


def sealed(data):
    """The digest behind the manifest, made right again."""
    length = data[5]
    seal = hashlib.sha256(data[:length + 1]).digest()[:4]
    return data[:length + 1] + seal + data[length + 5:]


put('bad-empty.inlay', b'')
put('bad-magic.inlay', flip(good, 0))
put('bad-truncated-manifest.inlay', good[:40])
put('bad-truncated-chunk.inlay', good[:-1])
put('bad-trailing.inlay', good + b'x')
put('bad-manifest.inlay', flip(good, 30))
put('bad-chunk.inlay', flip(good, len(good) - 1))
put('bad-flags.inlay', sealed(flip(good, 4, 1)))
put('unsupported-level.inlay', flip(good, 3, 3))
put('unsupported-flag.inlay', sealed(flip(good, 4, 0x80)))
END
