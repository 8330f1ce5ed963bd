#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the instruction tables of docs/FORMAT.md with those of the oracle (cpu.c)."""
import re
import sys

ORIGINS = {'pc': {'thumb2': 'AT_PC4', 'arm': 'AT_PC8', 'xtensa': 'AT_PC4'}, 'apc': 'AT_WORD4',
           '0': 'AT_0', '0x800000': 'AT_RAM', 'address + 2': 'AT_PC2',
           '(address & ~3) + 4': 'AT_CALL_XT', '((address + 3) & ~3) - 0x40000': 'AT_LITERAL_XT',
           '': 'AT_PC'}
KINDS = {'S': 'SIGNED', 'U': 'UNSIGNED', 'M': 'MAGNITUDE'}


def number(text):
    a, _, shift = text.replace('u', '').partition('<<')
    return int(a, 0) << int(shift or '0')


def code_rows(source):
    """By processor: (mask, value, type, kind, origin, bits, pieces, plus, minus)."""
    for name, text in re.findall(r'#define (\w+)\s*\\?\s*(\{\{.*?\}\})', source):
        source = re.sub(rf'\b{name}\b(?!\s*\\?\s*\{{\{{)', text, source)
    out = {}
    for name, body in re.findall(r'static const struct row (\w+)\[\] = \{(.*?)\n\};', source, re.S):
        rows = out.setdefault(name, [])
        for row in re.split(r'(?<=\}), (?=\{\d, (?:0x|0, 0|3, 3))', ' '.join(body.split())):
            pieces = re.search(r'\{(\{.*?\})\}', row).group(1)
            rest = re.sub(r'\{\{.*?\}\}', '', row)
            f = [x.strip() for x in rest.strip(' {},\n').split(',') if x.strip()]
            cut = frozenset(tuple(int(x, 0) for x in p.split(','))
                            for p in re.findall(r'\{(\d+, \d+, \d+)\}', pieces))
            length, mask, match, kind = int(f[0]), number(f[1]), number(f[2]), f[4]
            if length == 1 or (kind == 'NONE' and mask in (0, 3)):
                continue
            if kind == 'NONE':
                rows.append((mask, match, int(f[3]), kind))
            else:
                rows.append((mask, match, int(f[3]), kind, f[5], int(f[6]), cut, number(f[8]),
                             number(f[9])))
    return out


def pieces(text):
    out = set()
    for to, at in re.findall(r'([\d:]+) < ([\d:]+)', text):
        high, low = (to.split(':') * 2)[:2] if ':' in to else (to, to)
        first = at.split(':')[-1]
        assert int(at.split(':')[0]) - int(first) == int(high) - int(low), text
        out.add((int(low), int(high) - int(low) + 1, int(first)))
    return frozenset(out)


def sign_bits(text):
    _, _, sign = text.partition(';')
    mask = sum(1 << int(n) for n in re.findall(r'\d+', sign))
    return (mask, 0) if 'plus' in sign else (0, mask)


def document_rows(text, name):
    """The same out of one processor's table."""
    rows, by_type = [], {}
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip('|').split('|')]
        if not line.startswith('| ') or not re.match(r'[\da-f]+, [\da-f]+', cells[2]):
            continue
        if cells[2] == '0, 0' or cells[3] == 'below':
            continue
        kind, offset, origin = int(cells[0]), cells[3], cells[4] if len(cells) > 4 else ''
        offset = by_type[int(offset[8:])] if offset.startswith('as type') else offset
        by_type[kind] = offset
        origin = ORIGINS[origin]
        if isinstance(origin, dict):
            origin = origin[name]
        mask = None
        for pattern in cells[2].split(' and '):
            parts = [int(x, 16) for x in pattern.split(', ')]
            mask = parts[0] if len(parts) == 2 else mask
            row = (mask, parts[-1], kind, KINDS.get(offset[:1], 'NONE'))
            if offset:
                head = offset.partition(':')[0]
                row += (origin, int(head[1:]), pieces(offset), *sign_bits(offset))
            rows.append(row)
    return rows


code = code_rows(open('tests/oracle/cpu.c').read())
document = open('docs/FORMAT.md').read()
sections = re.findall(r'\n\*\*\d, ([\w-]+)\.\*\*(.*?)(?=\n\*\*\d|\n## )', document, re.S)
names = {'Thumb-2': 'thumb2', 'ARM': 'arm', 'AArch64': 'aarch64', 'RISC-V': 'riscv',
         'Xtensa': 'xtensa', 'AVR': 'avr'}
failed = 0
for title, text in sections:
    if title not in names:
        continue
    name = names.pop(title)
    here, there = document_rows(text, name), code[name]
    good = here == there and len(here) > 3
    print('ok' if good else 'not ok', f'instructions of {title} in docs/FORMAT.md: {len(here)} rows')
    for a, b in zip(here, there):
        if a != b:
            print('   ', a, '\n   ', b)
            break
    failed |= not good
for title in names:
    print(f'not ok instructions of {title} in docs/FORMAT.md: no table')
sys.exit(1 if failed or names else 0)
