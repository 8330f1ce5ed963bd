#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes one image out of a downloaded package.

usage: extract.py PACKAGE MEMBER OUT

MEMBER is a path in the package; "a.zip!b" is the file b in the zip archive a.  An Intel HEX
file becomes the raw bytes of its lowest region, up to 16 MiB, gaps filled with 0xff.
"""
import io
import subprocess
import sys
import tarfile
import zipfile

REGION = 16 << 20


def open_package(path):
    if path.endswith('.deb'):
        tar = subprocess.run(['dpkg-deb', '--fsys-tarfile', path], check=True, stdout=subprocess.PIPE)
        return tarfile.open(fileobj=io.BytesIO(tar.stdout))
    return tarfile.open(path)


def read_member(path, member):
    outer, _, inner = member.partition('!')
    with open_package(path) as tar:
        data = tar.extractfile(outer).read()
    if inner:
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            data = z.read(inner)
    return data


def hex_records(text):
    """Yields (address, bytes) of the data records."""
    base = 0
    for number, line in enumerate(text.split(), 1):
        if not line.startswith(':'):
            raise ValueError(f'line {number} is not Intel HEX')
        raw = bytes.fromhex(line[1:])
        if sum(raw) & 0xff:
            raise ValueError(f'line {number}: wrong checksum')
        count, offset, kind, data = raw[0], raw[1] << 8 | raw[2], raw[3], raw[4:-1]
        if kind == 0:
            yield base + offset, data[:count]
        elif kind == 2:
            base = int.from_bytes(data, 'big') << 4
        elif kind == 4:
            base = int.from_bytes(data, 'big') << 16


def hex_to_binary(text):
    image = bytearray()
    start = None
    for address, data in sorted(hex_records(text)):
        if start is None:
            start = address
        at = address - start
        if at + len(data) > REGION:
            break
        image.extend(b'\xff' * (at - len(image)))
        image[at:at + len(data)] = data
    return bytes(image)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.split('\n\n')[1])
    package, member, out = sys.argv[1:]
    data = read_member(package, member)
    if member.endswith('.hex'):
        data = hex_to_binary(data.decode('ascii'))
    with open(out, 'wb') as f:
        f.write(data)


if __name__ == '__main__':
    main()
