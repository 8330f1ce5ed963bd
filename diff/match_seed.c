/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candidates for copies: longest matches found through a suffix array of the
 * old image.  Where the present diagonal goes on well no search is made, and
 * where nothing matches for long the searches thin out, so that neither
 * near-identical nor incompressible images cost much.  The array takes as long
 * to sort as going through the old image some hundred times: so that is what
 * the first searches do, and where images are nearly alike there are no others.
 */
#include "huge.h"
#include "match_feed.h"

#include <divsufsort.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define FOLLOW_RUN  24u    /* bytes on the present diagonal that spare a search */
#define RESUME_RUN  12u    /* the same, after a few differing bytes */
#define RESUME_GAP  4u     /* how many */
#define COMPARE_MAX 512u   /* bytes compared in a search: keeps periodic data fast */
#define NEIGHBOURS  16u    /* equally long matches looked at on either side */
#define BACK_MAX    4096u  /* bytes a candidate is extended backwards */
#define RECENT      8u     /* candidates that a new one may prolong */
#define PROLONG_GAP 256u   /* if it starts no further behind their end */
#define HAND_OVER   16384u /* bytes of the new image between one hand-over and the next */
#define SCANS_MAX   256u   /* searches without the suffix array ... */
#define SCAN_WORK   8u     /* ... that compare so many times the old image at most, one by one */
#define STRIDE      64u    /* bytes of the old image looked at together */

struct scan {
    const struct match_views *v;
    unsigned scans;   /* searches that went through all of the old image ... */
    uint64_t work;    /* ... and bytes that were compared for them */
    int32_t *sa;      /* suffix array of the old image; NULL: not needed so far */
    uint32_t *first;  /* by the leading bits: first suffix that has at least these */
    unsigned shift;   /* of 24 bits, how many do not take part in that */
    uint32_t min_len; /* shortest match that is worth a candidate */
    struct match_seeds seeds;
    struct match_feed *feed;
    uint32_t handed; /* position of the last hand-over */
};

static uint32_t prefix24(const uint8_t *p, uint32_t left)
{
    uint32_t v = (uint32_t)p[0] << 16;

    if (left > 1)
        v |= (uint32_t)p[1] << 8;
    if (left > 2)
        v |= p[2];
    return v;
}

static int index_old(struct scan *s)
{
    const struct match_views *v = s->v;
    unsigned bits = 12;

    while (bits < 20 && (1u << (bits + 3)) < v->old_size)
        bits++;
    s->shift = 24 - bits;
    s->sa = inlay_huge_alloc(((size_t)v->old_size + 1) * sizeof *s->sa);
    s->first = calloc(((size_t)1 << bits) + 1, sizeof *s->first);
    if (!s->sa || !s->first || divsufsort(v->old, s->sa, (int32_t)v->old_size))
        return -1;
    for (uint32_t i = 0; i < v->old_size; i++)
        s->first[(prefix24(v->old + i, v->old_size - i) >> s->shift) + 1]++;
    for (uint32_t i = 0; i < 1u << bits; i++)
        s->first[i + 1] += s->first[i];
    return 0;
}

static uint32_t min32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Bytes that old[at..) and new[pos..) share, of so many at most. */
static uint32_t match_at(const struct match_views *v, uint32_t pos, uint32_t at, uint32_t most)
{
    most = min32(most, min32(v->old_size - at, v->new_size - pos));
    return inlay_match_run(v->old + at, v->new + pos, most);
}

/* Bytes that suffix k of the old image and new[pos..) share, from `known` on; capped. */
static uint32_t common(const struct scan *s, uint32_t k, uint32_t pos, uint32_t known)
{
    uint32_t at = (uint32_t)s->sa[k];
    uint32_t max = min32(s->v->old_size - at, s->v->new_size - pos);

    max = min32(max, COMPARE_MAX);
    return known + inlay_match_run(s->v->old + at + known, s->v->new + pos + known,
                                   max > known ? max - known : 0);
}

/* 1 if suffix k sorts before new[pos..), which it shares len bytes with. */
static int before(const struct scan *s, uint32_t k, uint32_t pos, uint32_t len)
{
    uint32_t at = (uint32_t)s->sa[k];

    if (pos + len >= s->v->new_size || len >= COMPARE_MAX)
        return 0;
    return at + len >= s->v->old_size || s->v->old[at + len] < s->v->new[pos + len];
}

static uint32_t distance(uint32_t a, uint32_t b)
{
    uint32_t d = a - b;
    return d < MATCH_NO_DIAGONAL ? d : 0u - d;
}

/* Among matches as long as that of suffix k, the one nearest to a diagonal. */
static uint32_t nearest(const struct scan *s, uint32_t k, uint32_t lo, uint32_t hi, uint32_t pos,
                        uint32_t len, uint32_t diagonal)
{
    uint32_t best = (uint32_t)s->sa[k], at;

    for (uint32_t j = k; j > lo && k - j < NEIGHBOURS && common(s, j - 1, pos, 0) >= len; j--) {
        at = (uint32_t)s->sa[j - 1];
        if (distance(at - pos, diagonal) < distance(best - pos, diagonal))
            best = at;
    }
    for (uint32_t j = k + 1; j < hi && j - k <= NEIGHBOURS && common(s, j, pos, 0) >= len; j++) {
        at = (uint32_t)s->sa[j];
        if (distance(at - pos, diagonal) < distance(best - pos, diagonal))
            best = at;
    }
    return best;
}

/* 1 if the four bytes at key start anywhere in the stride at old. */
#ifdef __SSE2__
static int occurs(const uint8_t *old, const uint8_t *key)
{
    __m128i any = _mm_setzero_si128();
    for (unsigned i = 0; i < STRIDE; i += 16u) {
        __m128i all = _mm_set1_epi8(-1);
        for (unsigned k = 0; k < 4u; k++) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(old + i + k));
            all = _mm_and_si128(all, _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)key[k])));
        }
        any = _mm_or_si128(any, all);
    }
    return _mm_movemask_epi8(any) != 0;
}
#else
static int occurs(const uint8_t *old, const uint8_t *key)
{
    for (unsigned i = 0; i < STRIDE; i++)
        if (memcmp(old + i, key, 4) == 0)
            return 1;
    return 0;
}
#endif

/* Is the match of new[pos..) at `at` longer than *len, or as long and nearer to the diagonal? */
static void consider(struct scan *s, uint32_t pos, uint32_t at, uint32_t diagonal, uint32_t *len,
                     uint32_t *old_pos)
{
    uint32_t n = match_at(s->v, pos, at, COMPARE_MAX);

    s->work += n;
    if (n < s->min_len || n < *len)
        return;
    if (n > *len || distance(at - pos, diagonal) < distance(*old_pos - pos, diagonal)) {
        *len = n;
        *old_pos = at;
    }
}

/* find() without the suffix array. */
static uint32_t find_by_scan(struct scan *s, uint32_t pos, uint32_t diagonal, uint32_t *old_pos)
{
    const struct match_views *v = s->v;
    uint32_t at = 0, len = 0;

    s->scans++;
    for (; v->old_size - at >= STRIDE + 3u; at += STRIDE)
        if (occurs(v->old + at, v->new + pos))
            for (uint32_t i = 0; i < STRIDE; i++)
                consider(s, pos, at + i, diagonal, &len, old_pos);
    for (; at < v->old_size; at++)
        consider(s, pos, at, diagonal, &len, old_pos);
    return len == 0 ? 0 : match_at(v, pos, *old_pos, UINT32_MAX);
}

/* Longest match of new[pos..); of equally long ones one near the diagonal. Returns its length. */
static uint32_t find(const struct scan *s, uint32_t pos, uint32_t diagonal, uint32_t *old_pos)
{
    const struct match_views *v = s->v;
    uint32_t p = prefix24(v->new + pos, v->new_size - pos) >> s->shift;
    uint32_t lo = s->first[p], hi = s->first[p + 1], from = lo, to = hi;
    uint32_t lo_len = 0, hi_len = 0, len = 0, k = lo;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        uint32_t n = common(s, mid, pos, min32(lo_len, hi_len));
        if (n > len || (n == len && mid == from)) {
            len = n;
            k = mid;
        }
        if (before(s, mid, pos, n)) {
            lo = mid + 1;
            lo_len = n;
        } else {
            hi = mid;
            hi_len = n;
        }
    }
    if (len < s->min_len)
        return 0;
    *old_pos = nearest(s, k, from, to, pos, len, diagonal);
    return match_at(v, pos, *old_pos, UINT32_MAX);
}

/* 1 if the eight bytes at a and b are equal. */
static int same8(const uint8_t *a, const uint8_t *b)
{
    uint64_t x, y;

    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    return x == y;
}

/* How far before a match its diagonal is still likely to be useful. */
static uint32_t extend_back(const struct match_views *v, uint32_t pos, uint32_t old_pos)
{
    const uint8_t *old = v->old + old_pos, *new = v->new + pos;
    uint32_t max = min32(min32(pos, old_pos), BACK_MAX), best = 0, step;
    int score = 0, top = 0;

    for (uint32_t i = 0; i < max && score > top - 16; i += step) {
        step = max - i >= 8 && same8(old - i - 8, new - i - 8) ? 8 : 1;
        if (step == 8)
            score += 8;
        else
            score += old[-1 - (int32_t)i] == new[-1 - (int32_t)i] ? 1 : -1;
        if (score > top) {
            top = score;
            best = i + step;
        }
    }
    return best;
}

/* Makes a match a candidate, or prolongs the candidate that it goes on from. */
static int note(struct scan *s, uint32_t pos, uint32_t old_pos, uint32_t len)
{
    struct match_seeds *seeds = &s->seeds;
    uint32_t diagonal = old_pos - pos;

    for (size_t i = 0; i < RECENT && i < seeds->count; i++) {
        struct match_seed *seed = &seeds->at[seeds->count - 1 - i];
        if (seed->diagonal == diagonal && pos <= seed->end + PROLONG_GAP) {
            if (pos + len > seed->end)
                seed->end = pos + len;
            return 0;
        }
    }
    uint32_t back = extend_back(s->v, pos, old_pos);
    return inlay_match_add(seeds, (struct match_seed){pos - back, pos + len, diagonal});
}

/* Hands over what nothing found from pos on will start before, nor prolong. */
static void hand_over(struct scan *s, uint32_t pos)
{
    const struct match_seeds *seeds = &s->seeds;
    uint32_t end = pos > BACK_MAX ? pos - BACK_MAX : 0;

    if (pos - s->handed < HAND_OVER)
        return;
    s->handed = pos;
    for (size_t i = 0; i < RECENT && i < seeds->count; i++) {
        const struct match_seed *seed = &seeds->at[seeds->count - 1 - i];
        if (pos <= seed->end + PROLONG_GAP)
            end = min32(end, seed->start);
    }
    inlay_match_feed_put(s->feed, seeds, end);
}

/* Bytes from pos on that the diagonal explains well enough to go on without a search. */
static uint32_t follow(const struct match_views *v, uint32_t pos, uint32_t diagonal)
{
    uint32_t run, skip, at = pos + diagonal;

    for (skip = 0; skip <= RESUME_GAP; skip++) {
        if (at + skip >= v->old_size || pos + skip >= v->new_size)
            return 0;
        run = inlay_match_run(v->old + at + skip, v->new + pos + skip,
                              min32(v->old_size - at, v->new_size - pos) - skip);
        if (run >= (skip ? RESUME_RUN : FOLLOW_RUN))
            return skip + run;
    }
    return 0;
}

static int may_not_scan(const struct scan *s)
{
    return s->scans == SCANS_MAX || s->work / SCAN_WORK > s->v->old_size;
}

static int scan_new(struct scan *s)
{
    const struct match_views *v = s->v;
    uint32_t pos = 0, diagonal = 0, misses = 0, old_pos = 0, len;

    while (v->new_size - pos >= s->min_len) {
        hand_over(s, pos);
        len = follow(v, pos, diagonal);
        if (len) {
            if (note(s, pos, pos + diagonal, len))
                return -1;
            pos += len;
            misses = 0;
            continue;
        }
        if (!s->sa && may_not_scan(s) && index_old(s))
            return -1;
        len = s->sa ? find(s, pos, diagonal, &old_pos) : find_by_scan(s, pos, diagonal, &old_pos);
        if (len == 0) {
            misses++;
            pos += min32(1 + misses / 256, min32(16, v->new_size - pos));
            continue;
        }
        if (note(s, pos, old_pos, len))
            return -1;
        if (len >= 16) {
            diagonal = old_pos - pos;
            misses = 0;
        }
        pos += len < 32 ? 1 + len / 4 : len;
    }
    return 0;
}

int inlay_match_seeds(const struct match_views *v, struct match_feed *feed)
{
    struct scan s = {.v = v, .feed = feed, .min_len = 4};
    int failed;

    if (v->old_size >= 1u << 20)
        s.min_len++;
    if (v->old_size >= 1u << 23)
        s.min_len++;
    failed = scan_new(&s);
    free(s.sa);
    free(s.first);
    if (!failed)
        inlay_match_feed_put(feed, &s.seeds, UINT32_MAX);
    free(s.seeds.at);
    return failed;
}
