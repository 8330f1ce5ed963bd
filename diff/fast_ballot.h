/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ballot of the patcher's model.h for computers with SSE2: eight votes at
 * a time, and the same numbers.  fast_model.h includes it in place of that one.
 */
#ifndef INLAY_FAST_BALLOT_H
#define INLAY_FAST_BALLOT_H

#include <emmintrin.h>
#include <string.h>

struct inlay_ballot {
    int16_t in[2u * INLAY_VOTES];
    unsigned n; /* even */
    int16_t *weight[2];
    uint32_t p;
};

static inline void inlay_vote(struct inlay_ballot *b, uint32_t p)
{
    struct inlay_fast_vote vote = inlay_fast_vote(p);
    memcpy(b->in + b->n, &vote, sizeof vote);
    b->n += 2u;
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

/* Votes from i on times the sums of their weights; each product is shifted before it is added. */
static inline __m128i inlay_fast_weigh(const struct inlay_ballot *b, unsigned i, unsigned lanes)
{
    __m128i in = inlay_fast_load(b->in + i, lanes);
    __m128i w0 = inlay_fast_load(b->weight[0] + i, lanes);
    __m128i w1 = inlay_fast_load(b->weight[1] + i, lanes);
    __m128i low = _mm_madd_epi16(_mm_unpacklo_epi16(in, in), _mm_unpacklo_epi16(w0, w1));
    __m128i high = _mm_madd_epi16(_mm_unpackhi_epi16(in, in), _mm_unpackhi_epi16(w0, w1));
    return _mm_add_epi32(_mm_srai_epi32(low, 13), _mm_srai_epi32(high, 13));
}

static inline uint32_t inlay_mix(struct inlay_ballot *b)
{
    __m128i sum = _mm_setzero_si128();
    unsigned i = 0;
    for (; b->n - i >= 8u; i += 8u)
        sum = _mm_add_epi32(sum, inlay_fast_weigh(b, i, 8));
    if (b->n & 4u)
        sum = _mm_add_epi32(sum, inlay_fast_weigh(b, i, 4));
    if (b->n & 2u)
        sum = _mm_add_epi32(sum, inlay_fast_weigh(b, b->n - 2u, 2));
    sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 8));
    sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 4));
    b->p = inlay_fast_mixed(_mm_cvtsi128_si32(sum));
    return b->p;
}

/* Moves the weights of votes from i on; errors: the error and 256, again and again. */
static inline void inlay_fast_move(const struct inlay_ballot *b, unsigned i, __m128i errors,
                                   unsigned lanes)
{
    const __m128i half = _mm_set1_epi16(256); /* 256 times 256 beside each product rounds it */
    const __m128i least = _mm_set1_epi16(-INLAY_WEIGHT_MAX);
    __m128i in = inlay_fast_load(b->in + i, lanes);
    __m128i low = _mm_madd_epi16(_mm_unpacklo_epi16(in, half), errors);
    __m128i high = _mm_madd_epi16(_mm_unpackhi_epi16(in, half), errors);
    __m128i step = _mm_packs_epi32(_mm_srai_epi32(low, 17), _mm_srai_epi32(high, 17));
    for (unsigned k = 0; k < 2; k++) {
        __m128i w = _mm_adds_epi16(inlay_fast_load(b->weight[k] + i, lanes), step);
        inlay_fast_store(b->weight[k] + i, _mm_max_epi16(w, least), lanes);
    }
}

static inline void inlay_mix_learn(struct inlay_ballot *b, unsigned bit, int32_t rate)
{
    int32_t error = inlay_mix_error(b->p, bit, rate);
    const __m128i errors = _mm_unpacklo_epi16(_mm_set1_epi16((int16_t)error), _mm_set1_epi16(256));
    unsigned i = 0;
    for (; b->n - i >= 8u; i += 8u)
        inlay_fast_move(b, i, errors, 8);
    if (b->n & 4u)
        inlay_fast_move(b, i, errors, 4);
    if (b->n & 2u)
        inlay_fast_move(b, b->n - 2u, errors, 2);
}

#endif
