# SPDX-License-Identifier: Apache-2.0
"""Made-up WebAssembly modules: functions, a table, globals and data that refer to each other."""
import struct

DATA = 65536


def leb(v, size=1):
    out = []
    while v > 127 or len(out) + 1 < size:
        out.append(v & 127 | 128)
        v >>= 7
    return bytes(out + [v])


def sleb(v):
    out = []
    while not -64 <= v < 64:
        out.append(v & 127 | 128)
        v >>= 7
    return bytes(out + [v & 127])


def instruction(r, locals_):
    """A tuple of a tag and what it refers to by name, or plain bytes."""
    kind = r.randrange(24)
    local = r.randrange(locals_)
    plain = {0: b'\x43' + r.randbytes(4),
             1: b'\x44' + r.randbytes(8),
             2: b'\x42' + sleb(r.getrandbits(63)),
             3: b'\x02\x40\x0c\x00\x0b',
             4: b'\x0e\x03\x00\x01\x02\x00',
             5: b'\xfc\x0a\x00\x00',
             6: b'\xfd\x0c' + r.randbytes(16),
             7: b'\xfd\x00\x04' + leb(r.getrandbits(9)),
             8: b'\xfe\x10\x02' + leb(r.getrandbits(9)),
             9: b'\x1a',
             10: b'\x6a',
             11: b'\x41' + sleb(r.getrandbits(12) - 2048),
             12: b'\x04\x7f\x05\x0b'}
    if kind in plain:
        return plain[kind]
    if kind < 16:
        return r.choice(['call', 'ref']), r.random()
    if kind < 18:
        return 'type', r.random()
    if kind < 19:
        return 'global', r.random()
    if kind < 21:
        return r.choice(['const', 'load', 'padded']), r.random()
    return 'local', (r.choice([0x20, 0x21, 0x22]), local)


def function(r):
    groups = r.randrange(4)
    locals_ = [(r.randrange(1, 9), r.choice([0x7f, 0x7e, 0x7d, 0x7c])) for _ in range(groups)]
    code = [instruction(r, 3 + 4 * groups) for _ in range(r.randrange(2, 90))]
    return {'locals': locals_, 'code': code, 'key': r.random()}


def world(r):
    count = r.choice([4, 40, 220])
    return {'functions': [function(r) for _ in range(count)], 'types': r.randrange(2, 9),
            'globals': r.randrange(1, 5),
            'data': [('plain', r.getrandbits(r.choice([4, 12, 32]))) if r.random() < 0.6 else
                     (r.choice(['pointer', 'entry']), r.random()) for _ in range(count * 12)]}


def edit(r, w):
    """Functions, data, types and locals come and go."""
    functions, data = [], []
    for f in w['functions']:
        if r.random() < 0.05:
            functions.append(function(r))
        if r.random() < 0.03:
            continue
        f = dict(f, code=list(f['code']))
        if r.random() < 0.2:
            f['code'][r.randrange(len(f['code']))] = instruction(r, 3)
        if r.random() < 0.1:
            swap = {0: 1, 1: 0, 2: 3}
            f['code'] = [('local', (i[1][0], swap.get(i[1][1], i[1][1]))) if i[0] == 'local' else i
                         for i in f['code']]
        functions.append(f)
    for d in w['data']:
        if r.random() < 0.01:
            data.append(('plain', r.getrandbits(32)))
        data.append(d)
    return dict(w, functions=functions, data=data, types=w['types'] + r.randrange(2),
                globals=w['globals'] + r.randrange(2))


def section(number, body):
    return bytes([number]) + leb(len(body)) + body


def module(w, shift):
    functions, table = w['functions'], w['functions'][::3]
    imports = 3

    def index(at, things):
        return int(at * len(things))

    def encode(i):
        if isinstance(i, bytes):
            return i
        tag, at = i
        if tag == 'local':
            return bytes([at[0]]) + leb(at[1])
        if tag in ('call', 'ref'):
            return (b'\x10' if tag == 'call' else b'\xd2') + leb(imports + index(at, functions))
        if tag == 'type':
            return b'\x11' + leb(int(at * w['types'])) + b'\x00'
        if tag == 'global':
            return b'\x23' + leb(int(at * w['globals']))
        addr = DATA + 4 * index(at, w['data']) + (400000 if at > 0.8 else 0)
        if tag == 'const':
            return b'\x41' + sleb(addr)
        return b'\x28\x02' + leb(addr, 5 if tag == 'padded' else 1)

    def body(f):
        code = leb(len(f['locals'])) + b''.join(leb(n) + bytes([t]) for n, t in f['locals'])
        code += b''.join(encode(i) for i in f['code']) + b'\x0b'
        return leb(len(code)) + code

    def word(kind, at):
        if kind == 'pointer':
            return DATA + 4 * index(at, w['data'])
        return 1 + index(at, table) if kind == 'entry' else at

    glob = b'\x7f\x01\x41' + sleb(600000 + shift) + b'\x0b'
    data = b''.join(struct.pack('<I', word(*d)) for d in w['data'])
    kinds = [section(1, leb(w['types']) + b'\x60\x01\x7f\x00' * w['types']),
             section(2, leb(imports) + b'\x01e\x01f\x00\x00' * imports),
             section(3, leb(len(functions)) + bytes(int(f['key'] * w['types']) for f in functions)),
             section(4, b'\x01\x70\x00' + leb(1 + len(table))), section(5, b'\x01\x00\x10'),
             section(6, leb(w['globals']) + glob * w['globals']),
             section(7, b'\x02\x06memory\x02\x00\x04main\x00' + leb(imports + len(functions) - 1)),
             section(9, b'\x01\x00\x41\x01\x0b' + leb(len(table)) +
                     b''.join(leb(imports + 3 * i) for i in range(len(table)))),
             section(10, leb(len(functions)) + b''.join(map(body, functions))),
             section(11, b'\x01\x00\x41' + sleb(DATA) + b'\x0b' + leb(len(data)) + data),
             section(0, b'\x04name' + bytes(range(30)))]
    return b'\0asm\1\0\0\0' + b''.join(kinds)


def pair(r):
    first = world(r)
    return module(first, 0), module(edit(r, first), 16)
