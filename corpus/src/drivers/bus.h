/* SPDX-License-Identifier: Apache-2.0 */
/* A register bus; the self test puts models of the parts behind it. */
#ifndef FEN_BUS_H
#define FEN_BUS_H

#include "fen.h"

struct bus {
    int (*transfer)(void *ctx, uint8_t address, const uint8_t *tx, size_t tx_len, uint8_t *rx,
                    size_t rx_len);
    void *ctx;
};

extern const struct bus bus_wire;

int bus_write_register(const struct bus *b, uint8_t address, uint8_t reg, uint8_t value);
int bus_read_registers(const struct bus *b, uint8_t address, uint8_t reg, uint8_t *rx, size_t len);

#endif
