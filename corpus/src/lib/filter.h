/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEN_FILTER_H
#define FEN_FILTER_H

#include "fen.h"

#define MEDIAN_LEN 5u
#define FIR_MAX    63u

struct median {
    int32_t window[MEDIAN_LEN];
    uint8_t next, used;
};

struct ema {
    int32_t value;
    uint8_t shift;
    bool primed;
};

struct biquad {
    int32_t b0, b1, b2, a1, a2; /* Q16 */
    int32_t x1, x2, y1, y2;
};

struct fir {
    const int16_t *taps;
    uint16_t count, next;
    int16_t line[FIR_MAX];
};

struct stats {
    int32_t low, high;
    int64_t sum, squares;
    uint32_t count;
};

int32_t median_add(struct median *m, int32_t v);
int32_t ema_add(struct ema *e, int32_t v);
void biquad_lowpass(struct biquad *b, float cutoff, float q); /* cutoff as a part of the rate */
int32_t biquad_add(struct biquad *b, int32_t v);
void fir_init(struct fir *f, const int16_t *taps, size_t count);
int16_t fir_add(struct fir *f, int16_t v);
void stats_add(struct stats *s, int32_t v);
int32_t stats_mean(const struct stats *s);
int32_t stats_deviation(const struct stats *s);

#endif
