/* SPDX-License-Identifier: Apache-2.0 */
/* Radix-2 transform of 256 Q15 points, in place, scaled by 1/256. */
#ifndef FEN_FFT_H
#define FEN_FFT_H

#include "fen.h"

#define FFT_LEN 256u

void fft_run(int16_t re[FFT_LEN], int16_t im[FFT_LEN]);
void fft_window(int16_t re[FFT_LEN]);
uint32_t fft_power(int16_t re, int16_t im);

#endif
