/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ballot of the patcher's model.h for computers with SSE2: eight inputs at a
 * time, and the same numbers.  fast_model.h includes it in place of that one.
 */
#ifndef INLAY_FAST_BALLOT_H
#define INLAY_FAST_BALLOT_H

#include <emmintrin.h>

struct inlay_ballot {
    int16_t in[2u * INLAY_VOTES];
    unsigned n;
    int16_t *weight[2];
    int32_t sum[2];
};

static inline void inlay_vote(struct inlay_ballot *b, uint32_t p)
{
    b->in[b->n++] = (int16_t)inlay_fast_stretch(p);
    b->in[b->n++] = (int16_t)((int32_t)(p >> 4) - 2048);
}

static inline void inlay_vote_odds(struct inlay_ballot *b, int32_t odds)
{
    b->in[b->n++] = (int16_t)odds;
    b->in[b->n++] = (int16_t)inlay_shr((int32_t)inlay_squash(odds) - 32768, 4);
}

static inline __m128i inlay_fast_load(const int16_t *eight)
{
    return _mm_loadu_si128((const __m128i *)(const void *)eight);
}

static inline __m128i inlay_fast_load4(const int16_t *four)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)four);
}

/* What voters say by one list: the two products of each are added up before they are shifted. */
static inline __m128i inlay_fast_say(__m128i in, __m128i weight)
{
    return _mm_srai_epi32(_mm_madd_epi16(in, weight), 12);
}

static inline void inlay_fast_sums(struct inlay_ballot *b)
{
    __m128i s0 = _mm_setzero_si128(), s1 = s0;
    unsigned i = 0;
    for (; i + 8u <= b->n; i += 8u) {
        __m128i in = inlay_fast_load(b->in + i);
        s0 = _mm_add_epi32(s0, inlay_fast_say(in, inlay_fast_load(b->weight[0] + i)));
        s1 = _mm_add_epi32(s1, inlay_fast_say(in, inlay_fast_load(b->weight[1] + i)));
    }
    if (i + 4u <= b->n) {
        __m128i in = inlay_fast_load4(b->in + i);
        s0 = _mm_add_epi32(s0, inlay_fast_say(in, inlay_fast_load4(b->weight[0] + i)));
        s1 = _mm_add_epi32(s1, inlay_fast_say(in, inlay_fast_load4(b->weight[1] + i)));
        i += 4u;
    }
    __m128i sums = _mm_add_epi32(_mm_unpacklo_epi32(s0, s1), _mm_unpackhi_epi32(s0, s1));
    sums = _mm_add_epi32(sums, _mm_srli_si128(sums, 8));
    b->sum[0] = _mm_cvtsi128_si32(sums);
    b->sum[1] = _mm_cvtsi128_si32(_mm_srli_si128(sums, 4));
    for (unsigned k = 0; i < b->n && k < 2; k++) /* one voter is left */
        b->sum[k] += inlay_mix_say(b->in[i], b->in[i + 1u], &b->weight[k][i]);
}

static inline uint32_t inlay_mix(struct inlay_ballot *b)
{
    inlay_fast_sums(b);
    return inlay_mixed(b->sum);
}

/* Steps of four weights; 256 times 256 beside each product rounds it. */
static inline __m128i inlay_fast_step(__m128i in, __m128i errors)
{
    return _mm_srai_epi32(_mm_madd_epi16(in, errors), 17);
}

static inline __m128i inlay_fast_moved(__m128i weight, __m128i step)
{
    return _mm_max_epi16(_mm_adds_epi16(weight, step), _mm_set1_epi16(-INLAY_WEIGHT_MAX));
}

static inline void inlay_fast_learn_list(const struct inlay_ballot *b, int16_t *weight,
                                         int32_t error)
{
    const __m128i half = _mm_set1_epi16(256);
    const __m128i errors = _mm_unpacklo_epi16(_mm_set1_epi16((int16_t)error), half);
    unsigned i = 0;
    for (; i + 8u <= b->n; i += 8u) {
        __m128i in = inlay_fast_load(b->in + i);
        __m128i step = _mm_packs_epi32(inlay_fast_step(_mm_unpacklo_epi16(in, half), errors),
                                       inlay_fast_step(_mm_unpackhi_epi16(in, half), errors));
        _mm_storeu_si128((__m128i *)(void *)(weight + i),
                         inlay_fast_moved(inlay_fast_load(weight + i), step));
    }
    if (i + 4u <= b->n) {
        __m128i in = _mm_unpacklo_epi16(inlay_fast_load4(b->in + i), half);
        __m128i step = inlay_fast_step(in, errors);
        _mm_storel_epi64(
            (__m128i *)(void *)(weight + i),
            inlay_fast_moved(inlay_fast_load4(weight + i), _mm_packs_epi32(step, step)));
        i += 4u;
    }
    for (; i < b->n; i++)
        weight[i] = inlay_mix_moved(weight[i], b->in[i], error);
}

static inline void inlay_mix_learn(struct inlay_ballot *b, unsigned bit, int32_t rate)
{
    for (unsigned k = 0; k < 2; k++)
        inlay_fast_learn_list(b, b->weight[k], inlay_mix_error(b->sum[k], bit, rate));
}

#endif
