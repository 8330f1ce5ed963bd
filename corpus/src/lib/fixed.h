/* SPDX-License-Identifier: Apache-2.0 */
/* Q16.16 arithmetic, saturating; angles are 16-bit turns. */
#ifndef FEN_FIXED_H
#define FEN_FIXED_H

#include "fen.h"

#define Q16(x)  ((int32_t)((x)*65536.0 + ((x) < 0 ? -0.5 : 0.5)))
#define Q16_ONE 65536

int32_t q16_mul(int32_t a, int32_t b);
int32_t q16_div(int32_t a, int32_t b);
int32_t q16_sqrt(int32_t v);
int32_t q16_exp2(int32_t v);
int32_t q16_log2(int32_t v);
int16_t q15_sin(uint16_t turn);
int16_t q15_cos(uint16_t turn);
uint16_t fixed_atan2(int32_t y, int32_t x);
uint32_t fixed_isqrt(uint32_t v);
int32_t fixed_lerp(const int16_t *table, size_t count, int32_t pos_q8);
int32_t fixed_clamp(int32_t v, int32_t low, int32_t high);

#endif
