/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ballot of the patcher's model.h for computers with SSE2: four votes at a
 * time, and the same numbers.  fast_model.h includes it in place of that one.
 */
#ifndef INLAY_FAST_BALLOT_H
#define INLAY_FAST_BALLOT_H

#include <emmintrin.h>

struct inlay_ballot {
    int16_t in[2u * INLAY_VOTES];
    unsigned n;
    int16_t *weight[2];
    uint32_t p;
};

static inline void inlay_vote(struct inlay_ballot *b, uint32_t p)
{
    b->in[b->n++] = (int16_t)inlay_fast_stretch(p);
    b->in[b->n++] = (int16_t)((int32_t)(p >> 4) - 2048);
}

static inline __m128i inlay_fast_load(const int16_t *four)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)four);
}

/* Votes times the sums of their weights; each product is shifted before it is added. */
static inline int32_t inlay_fast_sum(const struct inlay_ballot *b)
{
    __m128i sum = _mm_setzero_si128();
    unsigned i = 0;
    for (; i + 4u <= b->n; i += 4u) {
        __m128i in = inlay_fast_load(b->in + i);
        __m128i weights = _mm_unpacklo_epi16(inlay_fast_load(b->weight[0] + i),
                                             inlay_fast_load(b->weight[1] + i));
        __m128i products = _mm_madd_epi16(_mm_unpacklo_epi16(in, in), weights);
        sum = _mm_add_epi32(sum, _mm_srai_epi32(products, 13));
    }
    sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 8));
    sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 4));
    int32_t total = _mm_cvtsi128_si32(sum);
    for (; i < b->n; i++)
        total += inlay_shr(b->in[i] * (b->weight[0][i] + b->weight[1][i]), 13);
    return total;
}

static inline uint32_t inlay_mix(struct inlay_ballot *b)
{
    b->p = inlay_mixed(inlay_fast_sum(b));
    return b->p;
}

static inline void inlay_fast_step(int16_t *four, __m128i step)
{
    __m128i w = _mm_adds_epi16(inlay_fast_load(four), step);
    w = _mm_max_epi16(w, _mm_set1_epi16(-INLAY_WEIGHT_MAX));
    _mm_storel_epi64((__m128i *)(void *)four, w);
}

static inline void inlay_mix_learn(struct inlay_ballot *b, unsigned bit, int32_t rate)
{
    int32_t error = inlay_mix_error(b->p, bit, rate);
    /* 256 times 256 beside each product rounds it. */
    const __m128i half = _mm_set1_epi16(256);
    const __m128i errors = _mm_unpacklo_epi16(_mm_set1_epi16((int16_t)error), half);
    unsigned i = 0;
    for (; i + 4u <= b->n; i += 4u) {
        __m128i in = _mm_unpacklo_epi16(inlay_fast_load(b->in + i), half);
        __m128i step = _mm_srai_epi32(_mm_madd_epi16(in, errors), 17);
        step = _mm_packs_epi32(step, step);
        inlay_fast_step(b->weight[0] + i, step);
        inlay_fast_step(b->weight[1] + i, step);
    }
    for (; i < b->n; i++)
        for (unsigned k = 0; k < 2; k++)
            b->weight[k][i] = inlay_mix_moved(b->weight[k][i], b->in[i], error);
}

#endif
