#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What each part of the small codec is worth: the table in docs/CODEC.md.

usage: codec.py BUILD

A part is taken out by an edit of the sources (PARTS), in a copy of the tree under BUILD, so that
differ and patcher both do without it and every patch is still applied before it is counted.  The
starting values stay as they are; a part's weight in them is not retrained.  Pairs are those of
corpus/PAIRS.tsv and those below 1 MB in BUILD/corpus, where `make corpus` puts them.
"""
import csv
import glob
import math
import os
import shutil
import subprocess
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SMALL = 1 << 20

# Name, then what is replaced by what in which file.
PARTS = (
    ('addresses: their prediction', [
        ('patch/walk_guess.h', '    if (!g->unit.has_target)\n        return;\n    g->target',
         '    g->unit.has_target = 0;\n    if (!g->unit.has_target)\n        return;\n    g->target')]),
    ('second pass of matching', [
        ('diff/align.c', 'pass < passes && !status', 'pass < 1 && !status')]),
    ('moves chosen by what they predict', [
        ('diff/moves.c', 'x->worth = n * WORTH_REFERENCE +', 'x->worth = 0 * n +')]),
    ('lessons: targets corrected before', [
        ('patch/walk_guess.h', '    unsigned at = s->lessons[outside]++ % LESSONS;',
         '    if (outside < 2)\n        return;\n    unsigned at = s->lessons[outside]++ % LESSONS;')]),
    ('swaps', [
        ('patch/walk_guess.h', '    return (w->from | w->to) && w->from == g->value',
         '    return 0 && (w->from | w->to) && w->from == g->value')]),
    ('candidates for missed units, swaps among them', [
        ('patch/walk_copy.h', 'k < CANDIDATES; k++', 'k < CANDIDATES * 0; k++')]),
    ('near targets', [
        ('diff/encode_mix.c', '    if (!truth_target(s, g, &target))\n        return 0;',
         '    if (!truth_target(s, g, &target) || g)\n        return 0;')]),
    ('calm stretches', [
        ('patch/walk_copy.h', 'if (s->run_length < CALM_AFTER)\n            return 0;',
         'if (s->run_length < 0xffffffffu)\n            return 0;')]),
    ('hunches for missed units', [
        ('patch/walk_copy.h', 's->hunch[h].base = unit[h] ? walk_hunch_base',
         's->hunch[h].base = unit[h] && !h && h ? walk_hunch_base')]),
    ('hunches for new data', [
        ('patch/walk_byte.h',
         's->hunch[i].base = walk_hunch_base(i, HUNCH_MISS + (s->memo_hits[i] & 3u));',
         's->hunch[i].base = 0;')]),
    ('high byte of halfwords first', [
        ('patch/arch_thumb2.c', 'INLAY_LITERAL_HALVES', 'INLAY_LITERAL_BYTES'),
        ('patch/arch_avr.c', 'INLAY_LITERAL_HALVES', 'INLAY_LITERAL_BYTES')]),
    ('far targets in new code', [
        ('patch/walk_note.h', '    return lo == 0xd000u ? THUMB_CALL : lo == 0x9000u ? THUMB_JUMP : 0;',
         '    return lo == 1u ? THUMB_CALL : 0;'),
        ('patch/walk_note.h', 'XTENSA_CALL = 5', 'XTENSA_CALL = 21'),
        ('patch/walk_note.h', 'RISCV_JAL = 0x04', 'RISCV_JAL = 0x100')]),
    ('turns of literal loads', [
        ('patch/walk_note.h', '    return (hi & 0xf8u) == 0x48u;', '    return hi == 256u;'),
        ('patch/walk_note.h', 'XTENSA_LOAD = 1', 'XTENSA_LOAD = 17')]),
    ('learning from copies', [
        ('patch/walk_run.h', 'if (s->run_length >= (s->params', 'if (s || s->run_length >= (s->params')]),
    ('low bits of numbers', [
        ('patch/walk.h', 'else if (i < 2)', 'else if (i > 32)')]),
    ('mixing: weights that learn', [
        ('patch/model.h', '    return inlay_shr(((bit ? 65536 : 0) - (int32_t)inlay_squash(sum)) * rate, 8);',
         '    return 0 * (int32_t)bit * sum * rate;')]),
    ('starting values', [
        ('patch/prior.c', '    uint32_t p = inlay_squash(inlay_prior_table[i].odds * 24);',
         '    if (i < INLAY_PRIORS)\n        return INLAY_COUNTER_START;\n'
         '    uint32_t p = inlay_squash(inlay_prior_table[i].odds * 24);')]),
    ('what code usually is', [
        ('patch/walk_text.h', '    if (!walk_knows_usual(&s->params) ||', '    if (s ||')]),
    ('large: learning from the old image', [
        ('patch/walk_plan.h', 'return taught ? walk_teach', 'return taught > 99 ? walk_teach')]),
    ('marks of rows', [
        ('patch/walk_rows.h', 'if (i < SEEN_FROM || *row == mark)', 'if (s)'),
        ('patch/walk_rows.h', '    if (*row == mark)\n', '    if (s)\n'),
        ('diff/fast_byte.h', '    if (!(is_first | is_second)) {',
         '    if (found.mark)\n        return found.place;\n    if (!(is_first | is_second)) {')]),
    ('large: prices of new data', [
        ('diff/align.c', 'return layout->arch == INLAY_ARCH_THUMB2 && taught',
         'return layout->arch == INLAY_ARCH_NONE && taught')]),
    ('large: four more contexts for units', [
        ('patch/walk.h', 'return p->large ? FLAGS_LARGE : FLAGS_SMALL;',
         'return p->large > 1 ? FLAGS_LARGE : FLAGS_SMALL;')]),
)


def own():
    corpus = os.path.join(REPO, 'corpus')
    with open(os.path.join(corpus, 'PAIRS.tsv'), encoding='utf-8') as f:
        for row in csv.DictReader(f, delimiter='\t'):
            yield row['pair'], os.path.join(corpus, row['old']), os.path.join(corpus, row['new'])


def fetched(folder):
    for path in sorted(glob.glob(os.path.join(folder, '*', '*', 'new'))):
        if os.path.getsize(path) < SMALL:
            name = os.path.relpath(os.path.dirname(path), folder)
            yield name, os.path.join(os.path.dirname(path), 'old'), path


def groups(folder):
    """The columns: what they are called, options, pairs."""
    mine, theirs = list(own()), list(fetched(folder))
    cortex = [p for p in mine if p[0].startswith('cortex-m4')]
    hubs = [p for p in theirs if p[0].startswith('cortex-m')]
    device = ['--profile', 'nrf52840', '--mode', 'ab']
    return [('Cortex-M, own', [], cortex), ('Cortex-M', [], hubs),
            ('RV32, own', [], [p for p in mine if p[0].startswith('rv32')]),
            ('ARM, x86-64, WebAssembly', [], [p for p in theirs if p not in hubs]),
            ('nRF52840: own', device, cortex), ('nRF52840: Cortex-M', device, hubs)]


def make(tree):
    done = subprocess.run(['make', '-s', '-j2', 'build/inlay'], cwd=tree, capture_output=True,
                          text=True)
    if done.returncode:
        sys.exit(done.stderr)


def sizes(tree, columns, patch):
    inlay = os.path.join(tree, 'build', 'inlay')
    for _, options, pairs in columns:
        column = []
        for _, old, new in pairs:
            subprocess.run([inlay, 'diff', old, new, patch] + options, check=True)
            column.append(os.path.getsize(patch))
        yield column


def without(tree, edits):
    """Edits the tree; returns what puts it back."""
    before = {}
    for name, old, new in edits:
        path = os.path.join(tree, name)
        with open(path, encoding='utf-8') as f:
            text = f.read()
        if text.count(old) != 1:
            sys.exit(f'{name}: no longer says this, or more than once:\n{old}')
        before.setdefault(path, text)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text.replace(old, new))
    return before


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def main():
    build = os.path.abspath(sys.argv[1])
    columns = [c for c in groups(os.path.join(build, 'corpus')) if c[2]]
    tree = os.path.join(build, 'ablation')
    shutil.rmtree(tree, ignore_errors=True)
    for name in ('patch', 'diff', '.ci', 'fuzz', 'corpus', 'bench', 'tests'):
        shutil.copytree(os.path.join(REPO, name), os.path.join(tree, name))
    for name in ('Makefile', 'VERSION'):
        shutil.copy2(os.path.join(REPO, name), tree)
    print('| without | ' + ' | '.join(c[0] for c in columns) + ' |')
    print('|---' + '|---:' * len(columns) + '|')
    with tempfile.TemporaryDirectory() as tmp:
        patch = os.path.join(tmp, 'patch')
        make(tree)
        whole = list(sizes(tree, columns, patch))
        print('| nothing: bytes, geometric mean | ' +
              ' | '.join(f'{mean(c):.0f}' for c in whole) + ' |', flush=True)
        for name, edits in PARTS:
            before = without(tree, edits)
            make(tree)
            cells = [mean([a / b for a, b in zip(x, y)]) - 1
                     for x, y in zip(sizes(tree, columns, patch), whole)]
            print(f'| {name} | ' + ' | '.join(f'{100 * c:+.1f} %' for c in cells) + ' |', flush=True)
            for path, text in before.items():
                with open(path, 'w', encoding='utf-8') as f:
                    f.write(text)


if __name__ == '__main__':
    main()
