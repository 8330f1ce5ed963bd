# SPDX-License-Identifier: Apache-2.0
"""Made-up ELF files, and archives of such: functions, .eh_frame and .eh_frame_hdr that speak of them, and on
x86-64 symbols, relocations that name them by index, and data that looks like both."""
import struct

EH_FRAME_HDR = 0x6474e550
AARCH64, X86_64 = 183, 62
HEAD = 64 + 5 * 56
TEXT = {AARCH64: 0x1000, X86_64: 0x8000}


def words(r, count):
    return b''.join(bytes([r.randrange(16), 0x41, r.randrange(4), 0xd]) for _ in range(count))


SLOTS = (0xf94003e1, 0xb90003e2, 0x3dc003e0, 0x910003e3, 0xa94053f3, 0x6d4027e8)  # AArch64, of sp


def body(r, count):
    """Words, and every third one an access to the stack."""
    code = b''
    for _ in range(count):
        access = struct.pack('<I', r.choice(SLOTS) | r.randrange(16) << 15)
        code += access if r.random() < 0.3 else words(r, 1)
    return code


def widened(code):
    """The same with a larger frame."""
    found = [w for w, in struct.iter_unpack('<I', code)]
    return b''.join(struct.pack('<I', w + (1 << 15) * (w & ~0x3f8000 in SLOTS)) for w in found)


def functions(r, count):
    return [(body(r, r.randrange(2, 40)), words(r, r.randrange(1, 5))) for _ in range(count)]


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


def front(where, machine):
    """What is before the code: the symbols, their strings, the relocations; and the last ones' place."""
    if machine == AARCH64:
        return bytes(TEXT[machine] - HEAD), 0
    data = b''.join(struct.pack('<IIQQ', 7 * i, 18, at, 16) for i, at in enumerate([0] + where))
    strings = HEAD + len(data)
    data += b'\xe8name\x0f\0' * len(where) + bytes(-7 * len(where) % 8)
    for i, at in enumerate(where):
        data += struct.pack('<QIIQ', at, 7, (i ^ 3) % len(where), 0)
    return data + bytes(TEXT[machine] - HEAD - len(data)), strings


def segment(kind, flags, start, size):
    return struct.pack('<IIQQQQQQ', kind, flags, start, start, start, size, size, 8)


def image(text, machine):
    where, code = [], b''
    for function, _ in text:
        where.append(TEXT[machine] + len(code))
        code += function
    start = TEXT[machine] + len(code)
    size = 12 + 8 * len(where)
    frame, entries = frames(where, text, start + size)
    before, strings = front(where, machine)
    data = before + code + header(start, where, entries) + frame
    dynamic = HEAD + len(data)
    data += struct.pack('<QQQQ', 5, strings, 6, HEAD) + bytes(16)
    total = HEAD + len(data)
    elf = b'\x7fELF\x02\x01\x01' + bytes(9)
    elf += struct.pack('<HHIQQQIHHHHHH', 3, machine, 1, 0, 64, 0, 0, 64, 56, 5, 64, 0, 0)
    elf += segment(1, 4, 0, TEXT[machine]) + segment(1, 5, TEXT[machine], len(code))
    elf += segment(1, 6, start, total - start) + segment(EH_FRAME_HDR, 4, start, size)
    elf += segment(2, 6, dynamic, total - dynamic)
    return elf + data


def edit(r, text):
    out = []
    for code, program in text:
        fate = r.random()
        if fate < 0.1:
            code += body(r, r.randrange(1, 4))
        if fate > 0.9:
            code = widened(code)
        if 0.05 < fate < 0.12:
            program += words(r, 1)
        if fate < 0.95:
            out.append((code, program))
        if fate > 0.97:
            out += functions(r, 1)
    return out


def archive(files):
    data = b''
    for f in files:
        data += bytes(512) + f + bytes(-len(f) % 512)
    return data


def pair(r):
    machine = r.choice([AARCH64, X86_64])
    if r.random() < 0.5:
        first = [functions(r, 120) for _ in range(r.randrange(1, 7))]
        return (archive(image(f, machine) for f in first),
                archive(image(edit(r, f), machine) for f in first))
    first = functions(r, r.choice([1, 20, 300]))
    return image(first, machine), image(edit(r, first), machine)
