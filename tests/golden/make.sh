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


def lengths(flags):
    """Bytes of old digest, of link and of seal, which is longer in place."""
    return (4, 2, 4) if flags & 1 else (4, 2, 2)


def split(data):
    """The manifest's fields behind its length, in order, and what follows signature block."""
    old_digest, link, seal = lengths(data[2])
    names, at, m = {}, 4, data[:data[3]]
    for name in ('old_size', 'new_size', 'payload_len', 'sizes', 'plan_len', 'params',
                 'old_digest', 'new_digest', 'link', 'rest'):
        if name == 'sizes':
            end = at + 1
        elif name == 'params':
            end = at + 1 + m[at] % 32
        elif name == 'link':
            end = at + link
        elif name == 'old_digest':
            end = at + old_digest
        elif name == 'new_digest':
            end = at + 8
        elif name == 'rest':
            end = len(m)
        else:
            end = take(m, at)
        names[name] = m[at:end]
        at = end
    return names, data[data[3] + seal:]


def join(names, chunks, flags=good[2]):
    old_digest, link, seal = lengths(flags)
    names['old_digest'] = names['old_digest'][:old_digest]
    names['link'] = names['link'][:link]
    body = b''.join(names.values())
    head = b'IL' + bytes([flags, 4 + len(body)]) + body
    return head + hashlib.sha256(head).digest()[:seal] + chunks


def edit(flags=good[2], **changes):
    """The good patch with some fields changed, and a seal that is right."""
    names, chunks = split(good)
    for name, change in changes.items():
        names[name] = change(names[name])
    return join(names, chunks, flags)


def chained(payload):
    """The good patch with another payload of one chunk and a link that is right."""
    names, _ = split(good)
    names['payload_len'] = uvarint(len(payload))
    names['link'] = hashlib.sha256(payload).digest()[:4]
    return join(names, payload)


assert edit() == good
payload = split(good)[1]

# Damage: what a digest or a length finds.
put('bad-empty.inlay', b'')
put('bad-magic.inlay', flip(good, 0))
put('bad-truncated-manifest.inlay', good[:30])
put('bad-truncated-chunk.inlay', good[:-1])
put('bad-trailing.inlay', good + b'x')
put('bad-manifest.inlay', flip(good, 20))
put('bad-chunk.inlay', flip(good, len(good) - 1))

# Contradictions behind digests that are right.
put('bad-flags.inlay', edit(flags=good[2] & ~1))
put('bad-link.inlay', edit(link=lambda b: flip(b, 1)))
put('bad-number.inlay', edit(old_size=lambda b: b[:-1] + bytes([b[-1] | 128, 0])))
put('bad-size.inlay', edit(old_size=lambda b: uvarint(1 << 31)))
put('bad-check-len.inlay', edit(sizes=lambda b: bytes([b[0] & 0xe0 | 17])))
put('bad-plan-len.inlay', edit(plan_len=lambda b: flip(b, 0)))
put('bad-params.inlay', edit(params=lambda b: bytes([b[0] + 2]) + b[1:] + b'\1\1'))
put('bad-zero-param.inlay', edit(params=lambda b: bytes([b[0] + 1]) + b[1:] + b'\0'))
put('bad-old-digest.inlay', edit(old_digest=lambda b: flip(b, 0)))
put('bad-new-digest.inlay', edit(new_digest=lambda b: flip(b, 7)))
put('bad-payload.inlay', chained(flip(payload, len(payload) - 6)))
put('bad-payload-end.inlay', chained(payload + bytes(5)))
field = good[2] | 4
put('bad-field-order.inlay', edit(flags=field, rest=lambda b: b + b'\x82\1b\x81\1a'))
put('bad-field-len.inlay', edit(flags=field, rest=lambda b: b + b'\x81\2a'))

# Valid, but not for this level or build.
put('unsupported-level.inlay', flip(good, 2, 0x60))
put('unsupported-flag.inlay', edit(flags=good[2] | 0x10))
put('unsupported-codec.inlay', edit(params=lambda b: bytes([b[0] | 0xe0]) + b[1:]))
put('bad-large-in-place.inlay', edit(params=lambda b: b[:1] + bytes([b[1] | 128]) + b[2:]))
put('unsupported-processor.inlay', edit(params=lambda b: b[:1] + bytes([b[1] | 15]) + b[2:]))
put('unsupported-field.inlay', edit(flags=field, rest=lambda b: b + b'\x7f\1x'))
put('good-skipped-field.inlay', edit(flags=field, rest=lambda b: b + b'\xf0\1x'))
END
