/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ballot of the patcher's model.h for computers with SSE2: eight inputs at a
 * time, and the same numbers.  fast_model.h includes it in place of that one.
 */
#ifndef INLAY_FAST_BALLOT_H
#define INLAY_FAST_BALLOT_H

#include <emmintrin.h>
#include <string.h>

struct inlay_ballot {
    int16_t in[2u * INLAY_VOTES];
    unsigned n; /* even */
    int16_t *weight[2];
    int32_t sum[2];
};

static inline void inlay_vote(struct inlay_ballot *b, uint32_t p)
{
    struct inlay_fast_vote vote = inlay_fast_vote(p);
    memcpy(b->in + b->n, &vote, sizeof vote);
    b->n += 2u;
}

static inline void inlay_vote_odds(struct inlay_ballot *b, int32_t odds)
{
    b->in[b->n++] = (int16_t)odds;
    b->in[b->n++] = (int16_t)inlay_shr((int32_t)inlay_fast_squash(odds) - 32768, 4);
}

/* Two, four or eight; there is nothing behind the last one that may be touched. */
static inline __m128i inlay_fast_load(const int16_t *at, unsigned lanes)
{
    int32_t two;
    if (lanes == 8u)
        return _mm_loadu_si128((const __m128i *)(const void *)at);
    if (lanes == 4u)
        return _mm_loadl_epi64((const __m128i *)(const void *)at);
    memcpy(&two, at, sizeof two);
    return _mm_cvtsi32_si128(two);
}

static inline void inlay_fast_store(int16_t *at, __m128i v, unsigned lanes)
{
    int32_t two = _mm_cvtsi128_si32(v);
    if (lanes == 8u)
        _mm_storeu_si128((__m128i *)(void *)at, v);
    else if (lanes == 4u)
        _mm_storel_epi64((__m128i *)(void *)at, v);
    else
        memcpy(at, &two, sizeof two);
}

/* What voters say by both lists: the two products of each are added up before they are shifted. */
static inline void inlay_fast_weigh(const struct inlay_ballot *b, unsigned i, unsigned lanes,
                                    __m128i said[2])
{
    __m128i in = inlay_fast_load(b->in + i, lanes);
    for (unsigned k = 0; k < 2; k++) {
        __m128i both = _mm_madd_epi16(in, inlay_fast_load(b->weight[k] + i, lanes));
        said[k] = _mm_add_epi32(said[k], _mm_srai_epi32(both, 12));
    }
}

static inline uint32_t inlay_mix(struct inlay_ballot *b)
{
    __m128i said[2] = {_mm_setzero_si128(), _mm_setzero_si128()};
    unsigned i = 0;
    for (; b->n - i >= 8u; i += 8u)
        inlay_fast_weigh(b, i, 8, said);
    if (b->n & 4u)
        inlay_fast_weigh(b, i, 4, said);
    if (b->n & 2u)
        inlay_fast_weigh(b, b->n - 2u, 2, said);
    __m128i sums =
        _mm_add_epi32(_mm_unpacklo_epi32(said[0], said[1]), _mm_unpackhi_epi32(said[0], said[1]));
    sums = _mm_add_epi32(sums, _mm_srli_si128(sums, 8));
    b->sum[0] = _mm_cvtsi128_si32(sums);
    b->sum[1] = _mm_cvtsi128_si32(_mm_srli_si128(sums, 4));
    return inlay_fast_mixed(b->sum);
}

/* Moves weights of a list from i on; errors: the error and 256, again and again. */
static inline void inlay_fast_move(const struct inlay_ballot *b, int16_t *weight, unsigned i,
                                   __m128i errors, unsigned lanes)
{
    const __m128i half = _mm_set1_epi16(256); /* 256 times 256 beside each product rounds it */
    const __m128i least = _mm_set1_epi16(-INLAY_WEIGHT_MAX);
    __m128i in = inlay_fast_load(b->in + i, lanes);
    __m128i low = _mm_madd_epi16(_mm_unpacklo_epi16(in, half), errors);
    __m128i high = _mm_madd_epi16(_mm_unpackhi_epi16(in, half), errors);
    __m128i step = _mm_packs_epi32(_mm_srai_epi32(low, 17), _mm_srai_epi32(high, 17));
    __m128i moved = _mm_adds_epi16(inlay_fast_load(weight + i, lanes), step);
    inlay_fast_store(weight + i, _mm_max_epi16(moved, least), lanes);
}

static inline void inlay_mix_learn(struct inlay_ballot *b, unsigned bit, int32_t rate)
{
    for (unsigned k = 0; k < 2; k++) {
        const int16_t error = (int16_t)inlay_mix_error(b->sum[k], bit, rate);
        const __m128i errors = _mm_unpacklo_epi16(_mm_set1_epi16(error), _mm_set1_epi16(256));
        unsigned i = 0;
        for (; b->n - i >= 8u; i += 8u)
            inlay_fast_move(b, b->weight[k], i, errors, 8);
        if (b->n & 4u)
            inlay_fast_move(b, b->weight[k], i, errors, 4);
        if (b->n & 2u)
            inlay_fast_move(b, b->weight[k], b->n - 2u, errors, 2);
    }
}

#endif
