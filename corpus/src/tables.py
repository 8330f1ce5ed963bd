#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes lib/tables.c: the lookup tables of the firmware.  usage: tables.py > lib/tables.c"""
import math


def emit(ctype, name, values, fmt='{}', per_line=12, guard=None):
    if guard:
        print(f'#if {guard}')
    print(f'const {ctype} {name}[{len(values)}] = {{')
    for i in range(0, len(values), per_line):
        print('    ' + ', '.join(fmt.format(v) for v in values[i:i + per_line]) + ',')
    print('};')
    if guard:
        print('#endif')
    print()


def crc(poly, width, reflect_byte):
    v = reflect_byte
    for _ in range(8):
        v = v >> 1 ^ poly if v & 1 else v >> 1
    return v


def ntc(code):
    """Centidegrees for an 8-bit ADC code: 10k NTC, beta 3950, 10k pull-up."""
    code = min(max(code, 3), 252)
    ohms = 10000 * code / (255 - code)
    kelvin = 1 / (1 / 298.15 + math.log(ohms / 10000) / 3950)
    return round((kelvin - 273.15) * 100)


def lowpass(taps, cutoff):
    mid = (taps - 1) / 2
    h = []
    for i in range(taps):
        x = i - mid
        s = 2 * cutoff if x == 0 else math.sin(2 * math.pi * cutoff * x) / (math.pi * x)
        h.append(s * (0.54 - 0.46 * math.cos(2 * math.pi * i / (taps - 1))))
    return [round(v / sum(h) * 32768) for v in h]


def chime(n):
    """A bell: three partials, decaying, 8-bit unsigned."""
    out = []
    for i in range(n):
        t = i / 8000
        v = sum(a * math.exp(-d * t) * math.sin(2 * math.pi * f * t)
                for f, a, d in ((880, .6, 9), (2427, .25, 16), (4757 / 1.3, .12, 30)))
        out.append(max(0, min(255, round(128 + 120 * v))))
    return out


def svp(centi):
    """Saturation vapour pressure in pascal (Magnus) at whole degrees."""
    return round(611.2 * math.exp(17.62 * centi / (243.12 + centi)))


print('/* SPDX-License-Identifier: Apache-2.0 */')
print('/* Made by tables.py. */')
print('/* clang-format off */')
print('#include "lib/tables.h"\n')
emit('int16_t', 'sine_table', [round(32767 * math.sin(math.pi / 2 * i / 256)) for i in range(257)])
emit('uint32_t', 'crc32_table', [crc(0xEDB88320, 32, i) for i in range(256)], '0x{:08x}', 8)
emit('uint16_t', 'crc16_table', [crc(0xA001, 16, i) for i in range(256)], '0x{:04x}')
emit('int16_t', 'ntc_table', [ntc(i) for i in range(256)])
emit('uint16_t', 'gamma_table', [round(1000 * (i / 255) ** 2.2) for i in range(256)])
emit('int16_t', 'fir_slow', lowpass(63, 0.02))
emit('int16_t', 'fir_fast', lowpass(31, 0.10))
emit('uint8_t', 'chime_wave', chime(4000), '{}', 18)
emit('uint16_t', 'vapour_table', [svp(t) for t in range(-20, 61)])
emit('uint32_t', 'exp2_table', [round(65536 * 2 ** (i / 64)) for i in range(65)])
emit('int16_t', 'window_table',
     [round(32767 * (0.5 - 0.5 * math.cos(2 * math.pi * i / 255))) for i in range(256)],
     guard='FEN_RELEASE >= 120')
