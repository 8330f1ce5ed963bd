/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/crc.h"

#include "lib/tables.h"

uint32_t crc32(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;
    crc = ~crc;
    while (len--)
        crc = crc32_table[(crc ^ *p++) & 0xff] ^ crc >> 8;
    return ~crc;
}

uint16_t crc16(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint16_t crc = 0xffff;
    while (len--)
        crc = (uint16_t)(crc16_table[(crc ^ *p++) & 0xff] ^ crc >> 8);
    return crc;
}

uint8_t crc8(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint8_t crc = 0xff;
    while (len--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++)
            crc = (uint8_t)(crc & 0x80 ? crc << 1 ^ 0x31 : crc << 1);
    }
    return crc;
}
