/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEN_TABLES_H
#define FEN_TABLES_H

#include "fen.h"

extern const int16_t sine_table[257]; /* a quarter wave, Q15 */
extern const uint32_t crc32_table[256];
extern const uint16_t crc16_table[256];
extern const int16_t ntc_table[256]; /* centidegrees by ADC code */
extern const uint16_t gamma_table[256];
extern const int16_t fir_slow[63];
extern const int16_t fir_fast[31];
extern const uint8_t chime_wave[4000];  /* 8 kHz */
extern const uint16_t vapour_table[81]; /* pascal from -20 to 60 degrees */
extern const uint32_t exp2_table[65];
extern const int16_t window_table[256];

#endif
