# SPDX-License-Identifier: Apache-2.0
"""Made-up ELF files: functions, and .eh_frame and .eh_frame_hdr that speak of them; and archives of such."""
import struct

EH_FRAME_HDR = 0x6474e550
TEXT = 0x1000


def words(r, count):
    return b''.join(bytes([r.randrange(16), 0x41, r.randrange(4), 0xd]) for _ in range(count))


def functions(r, count):
    return [(words(r, r.randrange(2, 40)), words(r, r.randrange(1, 5))) for _ in range(count)]


def frames(where, text, start):
    """.eh_frame at start, and where the entry of each function is."""
    data, entries = struct.pack('<IIQ', 12, 0, 0), []
    for addr, (code, program) in zip(where, text):
        at = start + len(data)
        entries.append(at)
        data += struct.pack('<IIiI', 12 + len(program), at + 4 - start, addr - (at + 8), len(code))
        data += program
    return data + bytes(4), entries


def header(start, where, entries):
    data = struct.pack('<BBBBiI', 1, 0x1b, 3, 0x3b, 12 + 8 * len(where) - 4, len(where))
    return data + b''.join(struct.pack('<ii', f - start, e - start)
                           for f, e in zip(where, entries))


def image(text):
    where, code = [], b''
    for body, _ in text:
        where.append(TEXT + len(code))
        code += body
    start = TEXT + len(code)
    size = 12 + 8 * len(where)
    frame, entries = frames(where, text, start + size)
    data = bytes(TEXT - 64 - 2 * 56) + code + header(start, where, entries) + frame
    elf = b'\x7fELF\x02\x01\x01' + bytes(9)
    elf += struct.pack('<HHIQQQIHHHHHH', 3, 183, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0)
    total = 64 + 2 * 56 + len(data)
    elf += struct.pack('<IIQQQQQQ', 1, 5, 0, 0, 0, total, total, 0x10000)
    elf += struct.pack('<IIQQQQQQ', EH_FRAME_HDR, 4, start, start, start, size, size, 4)
    return elf + data


def edit(r, text):
    out = []
    for body, program in text:
        fate = r.random()
        if fate < 0.1:
            body += words(r, r.randrange(1, 4))
        if 0.05 < fate < 0.12:
            program += words(r, 1)
        if fate < 0.95:
            out.append((body, program))
        if fate > 0.97:
            out += functions(r, 1)
    return out


def archive(files):
    data = b''
    for f in files:
        data += bytes(512) + f + bytes(-len(f) % 512)
    return data


def pair(r):
    if r.random() < 0.5:
        first = [functions(r, 120) for _ in range(r.randrange(1, 10))]
        return archive(map(image, first)), archive(image(edit(r, f)) for f in first)
    first = functions(r, r.choice([1, 20, 300]))
    return image(first), image(edit(r, first))
