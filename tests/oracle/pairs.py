#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pairs of small images that resemble code: usage: pairs.py DIR SEED...

Writes DIR/SEED.old and DIR/SEED.new.  Words come from a small vocabulary, from
branches and from pointers into the image, and move when something is inserted.
Seeds from 1000 on are WebAssembly modules, made by pairs_wasm.py, those from
2000 on ELF files or archives of them, made by pairs_elf.py.
"""
import random
import struct
import sys

import pairs_elf
import pairs_wasm

BASE = 0x8000000


def words(r, count):
    """Lists of one tag and its number: a constant, a pointer to a word, or a Thumb BL to one."""
    common = [r.getrandbits(32) for _ in range(40)]
    out = []
    for _ in range(count):
        kind = r.random()
        if kind < 0.15:
            out.append(('pointer', r.randrange(count)))
        elif kind < 0.35:
            out.append(('call', r.randrange(count)))
        elif kind < 0.45:
            out.append(('plain', r.getrandbits(32)))
        else:
            out.append(('plain', r.choice(common)))
    return out


def call(at, to):
    off = (to - at - 4) & 0x1ffffff
    s, i1, i2 = off >> 24, off >> 23 & 1, off >> 22 & 1
    high = 0xf000 | s << 10 | off >> 12 & 0x3ff
    low = 0xd000 | (i1 ^ s ^ 1) << 13 | (i2 ^ s ^ 1) << 11 | off >> 1 & 0x7ff
    return high | low << 16


def image(program, place, tail):
    """place: where each word of the first program went."""
    data = b''
    for kind, number in program:
        if kind == 'pointer':
            number = BASE + 4 * place[number]
        elif kind == 'call':
            number = call(BASE + len(data), BASE + 4 * place[number])
        data += struct.pack('<I', number)
    return data + tail


def edit(r, program):
    """Inserts, drops and changes; returns the new program and where old words went."""
    out, place = [], []
    for word in program:
        place.append(len(out))
        fate = r.random()
        if fate < 0.004:
            out += words(r, r.randrange(1, 12))
            out[place[-1]:] = [w if w[0] == 'plain' else ('plain', 7) for w in out[place[-1]:]]
        if fate < 0.006:
            continue
        out.append(('plain', r.getrandbits(32)) if fate < 0.012 else word)
    return out, place


for seed in sys.argv[2:]:
    r = random.Random(int(seed))
    if int(seed) >= 1000:
        kind = pairs_elf if int(seed) >= 2000 else pairs_wasm
        for name, made in zip(('old', 'new'), kind.pair(r)):
            with open(f'{sys.argv[1]}/{seed}.{name}', 'wb') as f:
                f.write(made)
        continue
    first = words(r, r.choice([1, 3, 60, 400, 2500]))
    second, place = edit(r, first)
    tails = [r.randbytes(r.randrange(4)) for _ in range(2)]
    with open(f'{sys.argv[1]}/{seed}.old', 'wb') as f:
        f.write(image(first, range(len(first)), tails[0]))
    with open(f'{sys.argv[1]}/{seed}.new', 'wb') as f:
        f.write(image(second, place, tails[1]))
