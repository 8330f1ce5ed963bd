/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/fft.h"

#if FEN_RELEASE >= 120
#include "lib/fixed.h"
#include "lib/tables.h"

static void bit_reverse(int16_t *re, int16_t *im)
{
    for (unsigned i = 0, j = 0; i < FFT_LEN; i++) {
        if (i < j) {
            int16_t t = re[i];
            re[i] = re[j];
            re[j] = t;
            t = im[i];
            im[i] = im[j];
            im[j] = t;
        }
        unsigned bit = FFT_LEN / 2;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j |= bit;
    }
}

static void butterfly(int16_t *re, int16_t *im, unsigned a, unsigned b, int32_t c, int32_t s)
{
    int32_t tr = (c * re[b] + s * im[b]) >> 15, ti = (c * im[b] - s * re[b]) >> 15;
    int32_t ar = re[a], ai = im[a];
    re[a] = (int16_t)((ar + tr) >> 1);
    im[a] = (int16_t)((ai + ti) >> 1);
    re[b] = (int16_t)((ar - tr) >> 1);
    im[b] = (int16_t)((ai - ti) >> 1);
}

void fft_run(int16_t re[FFT_LEN], int16_t im[FFT_LEN])
{
    bit_reverse(re, im);
    for (unsigned half = 1; half < FFT_LEN; half *= 2) {
        unsigned turn = 0x8000u / half;
        for (unsigned k = 0; k < half; k++) {
            int32_t c = q15_cos((uint16_t)(k * turn)), s = q15_sin((uint16_t)(k * turn));
            for (unsigned a = k; a < FFT_LEN; a += 2 * half)
                butterfly(re, im, a, a + half, c, s);
        }
    }
}

void fft_window(int16_t re[FFT_LEN])
{
    for (unsigned i = 0; i < FFT_LEN; i++)
        re[i] = (int16_t)(re[i] * window_table[i] >> 15);
}

uint32_t fft_power(int16_t re, int16_t im)
{
    return (uint32_t)(re * re) + (uint32_t)(im * im);
}
#endif
