#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares inlay with other differs and prints Markdown tables.

usage: table.py [--inlay PATH] [--measure PATH] [--fetched DIR] [--shared DIR]
                [--runs N] [--only TEXT] [--max-mib N] [--brief]

Pairs come from corpus/PAIRS.tsv, from DIR/CLASS/NAME/{old,new} of what `make corpus` fetched,
and from a shared corpus of the same layout where there is one.  Every patch is applied and the
result compared.  The runs of the tools are interleaved, times are medians of wall time, memory
is the peak of the run.  Tools that are not installed are left out and named.
"""
import argparse
import collections
import csv
import filecmp
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TIMEOUT = 900

Pair = collections.namedtuple('Pair', 'name old new')
Cost = collections.namedtuple('Cost', 'wall cpu peak_kib')

BSDIFF_XZ = '"' + os.path.join(REPO, 'bench', 'bsdiff_xz.sh') + '"'

# Name, the programs it needs, commands to make a patch, commands to apply it.
PEERS = [
    ('bsdiff', ['bsdiff', 'bspatch'],
     ['bsdiff {old} {new} {patch}'],
     ['bspatch {old} {out} {patch}']),
    ('bsdiff + xz', ['bsdiff', 'bspatch', 'xz', 'bzip2'],
     [BSDIFF_XZ + ' diff {old} {new} {patch}'],
     [BSDIFF_XZ + ' apply {old} {patch} {out}']),
    ('xdelta3', ['xdelta3'],
     ['xdelta3 -9 -S lzma -e -f -s {old} {new} {patch}'],
     ['xdelta3 -d -f -s {old} {patch} {out}']),
    ('zstd', ['zstd'],
     ['zstd -q -f --ultra -22 --long=27 --patch-from={old} {new} -o {patch}'],
     ['zstd -q -f -d --long=27 --patch-from={old} {patch} -o {out}']),
    ('rdiff', ['rdiff'],
     ['rdiff -f signature {old} {tmp}', 'rdiff -f delta {tmp} {new} {patch}'],
     ['rdiff -f patch {old} {patch} {out}']),
    ('xz (full)', ['xz', 'sh'],
     ['sh -c "exec xz -9e -T1 <$0 >$1" {new} {patch}'],
     ['sh -c "exec xz -d <$0 >$1" {patch} {out}']),
    ('hdiffz', ['hdiffz', 'hpatchz'],
     ['hdiffz {hdiff} -SD -c-lzma-9-32m -d -f -p-1 {old} {new} {patch}'],
     ['hpatchz -f {old} {patch} {out}']),
    ('detools', ['detools'],
     ['detools create_patch -c lzma {old} {new} {patch}'],
     ['detools apply_patch {old} {patch} {out}']),
]


class Tool:
    def __init__(self, name, diff, apply):
        self.name, self.diff, self.apply = name, diff, apply


class Result:
    """What one tool did on one pair; failed is a sentence, or None."""

    def __init__(self):
        self.size = None
        self.diffs, self.applies = [], []
        self.failed = None

    def median(self, costs):
        return statistics.median(c.wall for c in costs)

    def peak(self, costs):
        return max(c.peak_kib for c in costs)


def split_command(template, values):
    """Words first, then values, so that paths with blanks stay whole."""
    words, quoted = [], False
    for i, part in enumerate(template.split('"')):
        quoted = i % 2 == 1
        words += [part] if quoted else part.split()
    return [w.format(**values) for w in words]


def run_commands(commands, values, measure, report):
    total = Cost(0.0, 0.0, 0)
    for template in commands:
        argv = [measure, report] + split_command(template, values)
        done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, timeout=TIMEOUT)
        if done.returncode:
            why = done.stderr.decode(errors='replace').strip().splitlines()
            raise RuntimeError(f'exit code {done.returncode}: {why[-1] if why else "no message"}')
        with open(report) as f:
            wall, cpu, peak = f.read().split()
        total = Cost(total.wall + float(wall), total.cpu + float(cpu),
                     max(total.peak_kib, int(peak)))
    return total


def run_tool(tool, pair, result, measure):
    if result.failed:
        return
    with tempfile.TemporaryDirectory() as t:
        values = {'old': pair.old, 'new': pair.new, 'patch': t + '/patch', 'out': t + '/out',
                  'tmp': t + '/tmp',
                  'hdiff': '-m-6' if os.path.getsize(pair.new) > 3 << 20 else '-m-1'}
        try:
            diff = run_commands(tool.diff, values, measure, t + '/report')
            apply = run_commands(tool.apply, values, measure, t + '/report')
        except (RuntimeError, subprocess.TimeoutExpired) as e:
            result.failed = str(e)
            return
        if not filecmp.cmp(values['out'], pair.new, shallow=False):
            result.failed = 'the result differs from the new image'
            return
        size = os.path.getsize(values['patch'])
        if result.size not in (None, size):
            result.failed = f'patch of {size} bytes after one of {result.size}: not deterministic'
        result.size = size
        result.diffs.append(diff)
        result.applies.append(apply)


def own_pairs():
    here = os.path.join(REPO, 'corpus')
    with open(os.path.join(here, 'PAIRS.tsv')) as f:
        for row in csv.DictReader(f, delimiter='\t'):
            yield Pair(row['pair'], os.path.join(here, row['old']), os.path.join(here, row['new']))


def tree_pairs(top):
    if not os.path.isdir(top):
        return
    for kind in sorted(os.listdir(top)):
        folder = os.path.join(top, kind)
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            old, new = (os.path.join(folder, name, side) for side in ('old', 'new'))
            if os.path.isfile(old) and os.path.isfile(new):
                yield Pair(f'{kind}/{name}', old, new)


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def table(head, rows):
    print('| ' + ' | '.join(head) + ' |')
    print('|---' + '|---:' * (len(head) - 1) + '|')
    for row in rows:
        print('| ' + ' | '.join(row) + ' |')
    print()


def cell(result, show):
    return 'failed' if result.failed else show(result)


def mean_row(label, tools, results, value):
    """Each tool's value as a multiple of inlay's, over the pairs where both have one."""
    row = [label]
    for tool in tools:
        ratios = [value(r[tool.name]) / value(r['inlay']) for r in results.values()
                  if not r[tool.name].failed and not r['inlay'].failed]
        row.append(f'{geometric_mean(ratios):.2f}' if ratios else '-')
    return row


def print_costs(names, pairs, results):
    print('Making the patch: seconds and peak memory:\n')
    show = lambda r: f'{r.median(r.diffs):.2f} s {r.peak(r.diffs) / 1024:.0f} MiB'
    table(['pair'] + names, [[p.name] + [cell(results[p][n], show) for n in names] for p in pairs])
    print('Applying it: milliseconds and peak memory:\n')
    show = lambda r: f'{r.median(r.applies) * 1e3:.0f} ms {r.peak(r.applies) / 1024:.0f} MiB'
    table(['pair'] + names, [[p.name] + [cell(results[p][n], show) for n in names] for p in pairs])


def print_set(title, tools, pairs, results, brief):
    names = [t.name for t in tools]
    size = {p: os.path.getsize(p.new) for p in pairs}
    print(f'## {title}\n')
    print('Patch bytes:\n')
    rows = [[p.name, str(size[p])] + [cell(results[p][n], lambda r: str(r.size)) for n in names]
            for p in pairs]
    table(['pair', 'new image'] + names, rows)
    if not brief:
        print_costs(names, pairs, results)
    print('Multiples of inlay, geometric means (above 1: inlay is better):\n')
    table([''] + names, [
        mean_row('patch bytes', tools, results, lambda r: r.size),
        mean_row('differ time', tools, results, lambda r: r.median(r.diffs)),
        mean_row('differ memory', tools, results, lambda r: r.peak(r.diffs)),
        mean_row('apply time', tools, results, lambda r: max(r.median(r.applies), 1e-4)),
        mean_row('apply memory', tools, results, lambda r: r.peak(r.applies)),
    ])
    print_losses(pairs, results)


def print_losses(pairs, results):
    lost = []
    for p in pairs:
        good = {n: r.size for n, r in results[p].items() if not r.failed}
        if 'inlay' not in good:
            lost.append(f'{p.name} (inlay failed)')
            continue
        best = min(good, key=lambda n: (good[n], n != 'inlay'))
        if best != 'inlay':
            lost.append(f'{p.name} ({best}: {good[best]} bytes against {good["inlay"]})')
    print('Pairs on which another tool makes the smaller patch: '
          + ('; '.join(lost) if lost else 'none') + '.\n')


def run_set(title, pairs, tools, args):
    results = {p: {t.name: Result() for t in tools} for p in pairs}
    for number, pair in enumerate(pairs, 1):
        print(f'{title}: {number} of {len(pairs)}: {pair.name}', file=sys.stderr, flush=True)
        for _ in range(args.runs):
            for tool in tools:
                run_tool(tool, pair, results[pair][tool.name], args.measure)
    print_set(title, tools, pairs, results, args.brief)
    failures = [(p.name, n, r.failed) for p in pairs for n, r in results[p].items() if r.failed]
    for failure in failures:
        print('- %s: %s failed: %s' % failure)
    if failures:
        print()
    return not any(n == 'inlay' for _, n, _ in failures)


def read_arguments():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--inlay', default=os.path.join(REPO, 'build/inlay'))
    ap.add_argument('--measure', default=os.path.join(REPO, 'build/bench/measure'))
    ap.add_argument('--fetched', default=os.path.join(REPO, 'build/corpus'))
    ap.add_argument('--shared', default=os.path.join(REPO, '../shared/corpus'))
    ap.add_argument('--runs', type=int, default=3)
    ap.add_argument('--only', default='', help='pairs whose name contains this')
    ap.add_argument('--max-mib', type=float, default=math.inf)
    ap.add_argument('--brief', action='store_true', help='no times and memory pair by pair')
    args = ap.parse_args()
    for name in ('inlay', 'measure'):
        path = os.path.abspath(getattr(args, name))
        setattr(args, name, path)
        if not os.access(path, os.X_OK):
            sys.exit(f'table.py: {path} is not there: build it with `make bench`, or give --{name}')
    if args.runs < 1:
        sys.exit('table.py: --runs must be 1 or more')
    return args


def choose_tools(inlay):
    tools = [Tool('inlay', [inlay + ' diff {old} {new} {patch}'],
                  [inlay + ' apply {old} {patch} {out}'])]
    missing = []
    for name, programs, diff, apply in PEERS:
        if all(shutil.which(p) for p in programs):
            tools.append(Tool(name, diff, apply))
        else:
            missing.append(name)
    return tools, missing


def main():
    args = read_arguments()
    tools, missing = choose_tools(args.inlay)
    sets = [('Own firmware (corpus/)', own_pairs()),
            ('Public packages (make corpus)', tree_pairs(args.fetched)),
            ('Shared corpus', tree_pairs(args.shared))]
    print('# inlay beside other differs\n')
    print(f'{args.runs} interleaved runs each on {platform.machine()}, {os.cpu_count()} cores.'
          + (f' Not installed: {", ".join(missing)}.' if missing else '') + '\n')
    good, measured = True, 0
    for title, pairs in sets:
        pairs = [p for p in pairs
                 if args.only in p.name and os.path.getsize(p.new) <= args.max_mib * 1048576]
        if pairs:
            measured += len(pairs)
            good &= run_set(title, pairs, tools, args)
    if not measured:
        sys.exit('table.py: no pair fits --only and --max-mib')
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
