/* SPDX-License-Identifier: Apache-2.0 */
/* Fen: firmware of a greenhouse node.  Release switches and what every module needs. */
#ifndef FEN_H
#define FEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 100 base, 101 one constant, 110 a bug fix, 120 vibration monitoring. */
#ifndef FEN_RELEASE
#define FEN_RELEASE 100
#endif
#ifndef FEN_VERSION
#define FEN_VERSION "1.0.0"
#endif

#define FEN_COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum fen_error {
    FEN_OK = 0,
    FEN_ERR_ARG = -1,
    FEN_ERR_BUS = -2,
    FEN_ERR_TIMEOUT = -3,
    FEN_ERR_CRC = -4,
    FEN_ERR_FULL = -5,
    FEN_ERR_MISSING = -6,
    FEN_ERR_RANGE = -7,
    FEN_ERR_STATE = -8,
};

const char *fen_error_text(int err);

#endif
