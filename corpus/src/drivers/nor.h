/* SPDX-License-Identifier: Apache-2.0 */
/* SPI NOR flash, and the same interface on RAM when none is fitted. */
#ifndef FEN_NOR_H
#define FEN_NOR_H

#include "fen.h"

struct nor {
    int (*read)(struct nor *n, uint32_t at, void *buf, size_t len);
    int (*program)(struct nor *n, uint32_t at, const void *buf, size_t len);
    int (*erase)(struct nor *n, uint32_t at);
    const char *name;
    uint8_t *ram;
    uint32_t size, sector, page;
    uint32_t erases, programs;
};

int nor_open(struct nor *n);
void nor_open_ram(struct nor *n, uint8_t *ram, uint32_t size, uint32_t sector);

#endif
