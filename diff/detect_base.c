/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load address of a raw image.
 *
 * Anchors are places that pointers are likely to lead to: starts of functions
 * and of strings.  Every pair of a word and an anchor votes for the base that
 * would make the word point there.  Wrong pairs scatter; the right base is
 * named once per function or string whose address the image holds.
 */
#include "bits.h"
#include "detect_parts.h"

#include <stdlib.h>
#include <string.h>

#define ANCHORS_MAX 8192u
#define WORDS_MAX   32768u
#define TABLE_BITS  20
#define VOTES_MIN   4u

struct vote_list {
    uint32_t *at;
    uint32_t count;
    uint32_t start[257]; /* by low byte, once grouped */
};

static int vote_compare(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, 4);
    memcpy(&y, b, 4);
    return x < y ? -1 : x > y;
}

/* Sorts, drops doubles, keeps at most max, spread evenly. */
static void vote_unique(struct vote_list *l, uint32_t max)
{
    uint32_t kept = 0;
    if (!l->count)
        return;
    qsort(l->at, l->count, sizeof *l->at, vote_compare);
    for (uint32_t i = 0; i < l->count; i++) {
        if (i == 0 || l->at[i] != l->at[i - 1])
            l->at[kept++] = l->at[i];
    }
    l->count = kept;
    if (kept <= max)
        return;
    for (uint32_t i = 0; i < max; i++)
        l->at[i] = l->at[(uint64_t)i * kept / max];
    l->count = max;
}

/* Groups the values by those of their low bits that a base leaves alone. */
static int vote_group(struct vote_list *l, uint32_t mask)
{
    uint32_t *sorted = malloc((l->count + 1u) * sizeof *sorted);
    if (!sorted)
        return -1;
    memset(l->start, 0, sizeof l->start);
    for (uint32_t i = 0; i < l->count; i++)
        l->start[(l->at[i] & mask) + 1u]++;
    for (uint32_t i = 1; i <= 256; i++)
        l->start[i] += l->start[i - 1];
    for (uint32_t i = 0; i < l->count; i++)
        sorted[l->start[l->at[i] & mask]++] = l->at[i];
    memmove(l->start + 1, l->start, 256 * sizeof *l->start);
    l->start[0] = 0;
    free(l->at);
    l->at = sorted;
    return 0;
}

static uint32_t vote_step(enum inlay_arch_id arch)
{
    return arch == INLAY_ARCH_AARCH64 || arch == INLAY_ARCH_X86_64 ? 8u : 4u;
}

static int is_string(const uint8_t *b, uint32_t n, uint32_t pos)
{
    if (pos == 0 || n - pos < 6 || b[pos - 1] != 0)
        return 0;
    for (uint32_t i = 0; i < 5; i++) {
        if (b[pos + i] < 0x20 || b[pos + i] > 0x7e)
            return 0;
    }
    return 1;
}

static int vote_anchors(enum inlay_arch_id arch, const uint8_t *b, uint32_t n, struct vote_list *l)
{
    uint32_t thumb = arch == INLAY_ARCH_THUMB2;
    uint32_t room = 4096;
    for (uint32_t pos = 0; pos < n; pos++) {
        uint32_t anchor = pos;
        if (inlay_detect_prologue(arch, b, n, pos))
            anchor += thumb;
        else if (!is_string(b, n, pos))
            continue;
        if (!l->at || l->count == room) {
            room *= 2;
            uint32_t *at = realloc(l->at, room * sizeof *at);
            if (!at)
                return -1;
            l->at = at;
        }
        l->at[l->count++] = anchor;
    }
    return 0;
}

static int vote_words(const uint8_t *b, uint32_t n, uint32_t step, struct vote_list *l)
{
    l->at = malloc((n / step + 1u) * sizeof *l->at);
    if (!l->at)
        return -1;
    for (uint32_t pos = 0; n - pos >= step; pos += step) {
        uint32_t w = inlay_get32(b + pos);
        /* Of a 64-bit pointer the upper half is all zeros or starts with ones. */
        if (step == 8 && inlay_get32(b + pos + 4) - 1u < 0xffff0000u - 1u)
            continue;
        if (w >= 0x1000u && w < 0xfffff000u)
            l->at[l->count++] = w;
        if (n - pos == step)
            break;
    }
    return 0;
}

static uint32_t vote_slot(uint32_t base)
{
    return (base * 0x9e3779b1u) >> (32 - TABLE_BITS);
}

/* Counts the votes of pairs that agree in the low bits; returns the slot that has most. */
static uint32_t vote_count(const struct vote_list *words, const struct vote_list *anchors,
                           uint32_t groups, uint16_t *table)
{
    uint32_t best = 0;
    for (uint32_t g = 0; g < groups; g++) {
        for (uint32_t w = words->start[g]; w < words->start[g + 1]; w++) {
            for (uint32_t a = anchors->start[g]; a < anchors->start[g + 1]; a++) {
                uint32_t slot = vote_slot(words->at[w] - anchors->at[a]);
                if (words->at[w] >= anchors->at[a] && table[slot] < 0xffffu &&
                    ++table[slot] > table[best])
                    best = slot;
            }
        }
    }
    return best;
}

/* The base that most pairs in this slot of the table share, by majority vote. */
static uint32_t vote_resolve(const struct vote_list *words, const struct vote_list *anchors,
                             uint32_t groups, uint32_t slot)
{
    uint32_t base = 0, lead = 0;
    for (uint32_t g = 0; g < groups; g++) {
        for (uint32_t w = words->start[g]; w < words->start[g + 1]; w++) {
            for (uint32_t a = anchors->start[g]; a < anchors->start[g + 1]; a++) {
                uint32_t vote = words->at[w] - anchors->at[a];
                if (words->at[w] < anchors->at[a] || vote_slot(vote) != slot)
                    continue;
                if (lead == 0)
                    base = vote;
                lead = vote == base ? lead + 1u : lead - 1u;
            }
        }
    }
    return base;
}

/* The most votes that any other slot has. */
static uint32_t vote_noise(const uint16_t *table, uint32_t best)
{
    uint32_t second = 0;
    for (uint32_t i = 0; i < (uint32_t)1 << TABLE_BITS; i++) {
        if (i != best && table[i] > second)
            second = table[i];
    }
    return second;
}

/* Bases are multiples of groups.  The winner must lead the second by more than lead votes. */
static uint32_t vote(struct vote_list *words, struct vote_list *anchors, uint32_t groups,
                     uint32_t lead, uint32_t *base)
{
    uint16_t *table = calloc((size_t)1 << TABLE_BITS, sizeof *table);
    uint32_t votes = 0;
    if (table && vote_group(words, groups - 1u) == 0 && vote_group(anchors, groups - 1u) == 0) {
        uint32_t best = vote_count(words, anchors, groups, table);
        uint32_t noise = vote_noise(table, best);
        if (table[best] > lead + noise + noise / 4u) {
            votes = table[best];
            *base = vote_resolve(words, anchors, groups, best);
        }
    }
    free(table);
    return votes;
}

static int is_anchor(enum inlay_arch_id arch, const uint8_t *b, uint32_t n, uint32_t pos)
{
    if (pos < n && is_string(b, n, pos))
        return 1;
    if (arch == INLAY_ARCH_THUMB2)
        return (pos & 1u) && inlay_detect_prologue(arch, b, n, pos - 1u);
    return inlay_detect_prologue(arch, b, n, pos);
}

uint32_t inlay_detect_agree(enum inlay_arch_id arch, const uint8_t *b, uint32_t n, uint32_t base)
{
    uint32_t step = vote_step(arch);
    uint32_t count = 0;
    for (uint32_t pos = 0; pos < n && n - pos >= step; pos += step)
        count += (uint32_t)is_anchor(arch, b, n, inlay_get32(b + pos) - base);
    return count;
}

uint32_t inlay_detect_base(enum inlay_arch_id arch, const uint8_t *b, uint32_t n, uint32_t *base)
{
    struct vote_list words = {0}, anchors = {0};
    uint32_t votes = 0;
    if (arch == INLAY_ARCH_NONE || arch == INLAY_ARCH_AVR || n < 64)
        return 0;
    if (vote_anchors(arch, b, n, &anchors) == 0 && vote_words(b, n, vote_step(arch), &words) == 0) {
        vote_unique(&words, WORDS_MAX);
        vote_unique(&anchors, ANCHORS_MAX);
        votes = vote(&words, &anchors, 256, 3, base);
        if (votes == 0 && (uint64_t)words.count * anchors.count < (uint64_t)1 << 26)
            votes = vote(&words, &anchors, 16, 16, base);
    }
    free(words.at);
    free(anchors.at);
    return votes;
}
