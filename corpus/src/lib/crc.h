/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEN_CRC_H
#define FEN_CRC_H

#include "fen.h"

uint32_t crc32(uint32_t crc, const void *data, size_t len);
uint16_t crc16(const void *data, size_t len); /* Modbus */
uint8_t crc8(const void *data, size_t len);   /* sensors: polynomial 0x31, start 0xff */

#endif
