#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an update in place costs against A/B: Markdown tables for docs/DESIGN.md.

usage: in_place.py INLAY FETCHED

Pairs are those of corpus/PAIRS.tsv and the Cortex-M pairs in FETCHED, where `make corpus` puts
them.  The profile is nrf52840, the second table with other numbers of blocks in its work area.
"""
import csv
import glob
import json
import math
import os
import re
import subprocess
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROFILE = os.path.join(REPO, 'diff', 'profiles', 'nrf52840.profile')
WORK_BLOCKS = (4, 5, 6, 8, 12, 16, 32)


def pairs(fetched):
    corpus = os.path.join(REPO, 'corpus')
    with open(os.path.join(corpus, 'PAIRS.tsv'), encoding='utf-8') as f:
        for row in csv.DictReader(f, delimiter='\t'):
            yield row['pair'], os.path.join(corpus, row['old']), os.path.join(corpus, row['new'])
    for path in sorted(glob.glob(os.path.join(fetched, 'cortex-m', '*'))):
        yield ('cortex-m/' + os.path.basename(path), os.path.join(path, 'old'),
               os.path.join(path, 'new'))


def diff(inlay, pair, profile, mode, patch):
    done = subprocess.run([inlay, 'diff', pair[1], pair[2], patch, '--profile', profile, '--mode',
                           mode, '--json'], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def by_pair(everything, ab, in_place):
    print('| pair | A/B | in place | ratio | direct / staged of all blocks | groups | recipes | pool | '
          'lost |')
    print('|---|---:|---:|---:|---:|---:|---:|---:|---:|')
    for pair, a, b in zip(everything, ab, in_place):
        blocks = b['blocks']
        print(f"| {pair[0]} | {a['patch']} | {b['patch']} | {b['patch'] / a['patch']:.3f} | "
              f"{blocks['direct']} / {blocks['staged']} of {blocks['all']} | {blocks['groups']} | "
              f"{b['needs']['recipes']} | {b['needs']['pool']} | {b['lost']} |")
    ratios = [b['patch'] / a['patch'] for a, b in zip(ab, in_place)]
    print(f'\nGeometric mean {mean(ratios):.3f}, worst {max(ratios):.3f}.\n')


def by_work_area(inlay, everything, ab, tmp):
    print('| work area | most blocks staged whole | groups, sum | bytes lost, sum | '
          'in place / A/B, geometric mean | worst |')
    print('|---|---:|---:|---:|---:|---:|')
    with open(PROFILE, encoding='utf-8') as f:
        text = f.read()
    for blocks in WORK_BLOCKS:
        profile = os.path.join(tmp, 'work.profile')
        with open(profile, 'w', encoding='utf-8') as f:
            f.write(re.sub(r'work\.blocks = \d+ x', f'work.blocks = {blocks} x', text))
        runs = [diff(inlay, p, profile, 'in-place', os.path.join(tmp, 'patch')) for p in everything]
        ratios = [b['patch'] / a['patch'] for a, b in zip(ab, runs)]
        print(f"| {blocks * 4} KB | {max(r['needs']['stage_blocks'] for r in runs)} | "
              f"{sum(r['blocks']['groups'] for r in runs)} | {sum(r['lost'] for r in runs)} | "
              f'{mean(ratios):.3f} | {max(ratios):.3f} |')


def main():
    inlay, fetched = sys.argv[1:]
    everything = list(pairs(fetched))
    with tempfile.TemporaryDirectory() as tmp:
        patch = os.path.join(tmp, 'patch')
        ab = [diff(inlay, p, PROFILE, 'ab', patch) for p in everything]
        by_pair(everything, ab, [diff(inlay, p, PROFILE, 'in-place', patch) for p in everything])
        by_work_area(inlay, everything, ab, tmp)


if __name__ == '__main__':
    main()
