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
"$inlay" diff $images/cortex-m4/v1.0.1.bin $images/cortex-m4/v1.1.0.bin good-recipes.inlay \
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


def uvarint(v):
    out = b''
    while v > 127:
        out += bytes([v & 127 | 128])
        v >>= 7
    return out + bytes([v])


def take(data, at):
    """The end of the uvarint at at."""
    while data[at] > 127:
        at += 1
    return at + 1


def split(data):
    """The manifest's fields behind the flags, in order; the one chunk."""
    names, at = {}, 3
    assert data[3] & 16  # as long as the old image
    for name in ('packed', 'old_size', 'payload_len', 'plan_len', 'params', 'old_digest',
                 'new_digest', 'geometry'):
        if name == 'packed':
            end = at + 1
        elif name == 'params':
            end = at + data[3] % 16
        elif name in ('old_digest', 'new_digest'):
            end = at + 4
        elif name == 'geometry':
            end = take(data, take(data, at))  # the usual first byte is left out
        else:
            end = take(data, at)
        names[name] = data[at:end]
        at = end
    names['fields'] = b''
    return names, data[at + 4:]


def sha(data):
    return hashlib.sha256(data).digest()


def join(names, chunk, flags=good[2]):
    head = b'IL' + bytes([flags]) + b''.join(names.values())
    return head + sha(sha(head) + chunk)[:4] + chunk


def edit(flags=good[2], **changes):
    """The good patch with some fields changed, and a seal that is right."""
    names, chunk = split(good)
    for name, change in changes.items():
        names[name] = change(names[name])
    return join(names, chunk, flags)


def carry(payload):
    """The good patch with another payload of one chunk and a seal that is right."""
    names, _ = split(good)
    names['payload_len'] = uvarint(len(payload))
    return join(names, payload)


def fields(data):
    """With fields, which are anything."""
    return edit(flags=good[2] | 4, fields=lambda _: uvarint(len(data)) + data)


assert edit() == good
payload = split(good)[1]

# Damage: what a digest or a length finds.
put('bad-empty.inlay', b'')
put('bad-magic.inlay', flip(good, 0))
put('bad-truncated-manifest.inlay', good[:20])
put('bad-truncated-chunk.inlay', good[:-1])
put('bad-trailing.inlay', good + b'x')
put('bad-manifest.inlay', flip(good, 14))
put('bad-chunk.inlay', flip(good, len(good) - 1))

# Contradictions behind digests that are right.
put('bad-geometry.inlay', edit(flags=good[2] | 2, geometry=lambda b: b'\x02' + b))
put('bad-recipes.inlay', edit(geometry=lambda b: b[:1] + b'\x01'))
put('bad-pool.inlay', edit(flags=good[2] | 2, geometry=lambda b: b'\x12' + b + b'\0'))
put('bad-seal.inlay', flip(good, len(good) - len(payload) - 1))
put('bad-number.inlay', edit(old_size=lambda b: b[:-1] + bytes([b[-1] | 128, 0])))
put('bad-size.inlay', edit(old_size=lambda b: uvarint(1 << 31)))
put('bad-plan-len.inlay', edit(plan_len=lambda b: flip(b, 0)))
put('bad-params.inlay', edit(packed=lambda b: bytes([b[0] + 2]), params=lambda b: b + b'\1\1'))
put('bad-zero-param.inlay', edit(packed=lambda b: bytes([b[0] + 1]), params=lambda b: b + b'\0'))
put('bad-same-size.inlay', edit(packed=lambda b: flip(b, 0, 16), old_size=lambda b: b + b'\0'))
put('bad-old-digest.inlay', edit(old_digest=lambda b: flip(b, 0)))
put('bad-new-digest.inlay', edit(new_digest=lambda b: flip(b, 3)))
put('bad-payload.inlay', carry(flip(payload, len(payload) - 6)))
put('bad-payload-end.inlay', carry(payload + bytes(5)))
put('bad-field-order.inlay', fields(b'\x82\1b\x81\1a'))
put('bad-field-len.inlay', fields(b'\x81\2a'))
put('bad-fields-len.inlay', edit(flags=good[2] | 4, fields=lambda _: b'\xff\x7f\x81\1a'))

# Valid, but not for this level or build.
put('unsupported-level.inlay', flip(good, 2, 0xc0))
put('unsupported-codec.inlay', edit(flags=good[2] | 0x30))
put('bad-large-in-place.inlay', edit(params=lambda b: bytes([b[0] | 128]) + b[1:]))
put('unsupported-processor.inlay', edit(params=lambda b: bytes([b[0] | 15]) + b[1:]))
put('unsupported-field.inlay', fields(b'\x7f\1x'))
put('good-skipped-field.inlay', fields(b'\xf0\1x'))
END
