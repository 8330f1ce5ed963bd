/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nor.h"

#include "board/board.h"

#include <string.h>

enum {
    CMD_WRITE_ENABLE = 0x06,
    CMD_STATUS = 0x05,
    CMD_READ = 0x03,
    CMD_PROGRAM = 0x02,
    CMD_ERASE_4K = 0x20,
    CMD_ID = 0x9f,
    CMD_WAKE = 0xab,
    STATUS_WIP = 1,
    ERASE_TIMEOUT_MS = 400,
    PROGRAM_TIMEOUT_MS = 5,
};

struct nor_part {
    uint8_t maker, type, capacity;
    const char *name;
};

static const struct nor_part parts[] = {
    {0xef, 0x40, 0x15, "W25Q16JV"},   {0xef, 0x40, 0x16, "W25Q32JV"},
    {0xef, 0x40, 0x17, "W25Q64JV"},   {0xef, 0x40, 0x18, "W25Q128JV"},
    {0xc2, 0x28, 0x15, "MX25R1635"},  {0xc2, 0x28, 0x16, "MX25R3235"},
    {0xc2, 0x28, 0x17, "MX25R6435F"}, {0x1f, 0x86, 0x01, "AT25SF161"},
    {0x9d, 0x60, 0x16, "IS25LP032"},  {0x9d, 0x60, 0x17, "IS25LP064"},
    {0xc8, 0x40, 0x16, "GD25Q32C"},   {0x20, 0xba, 0x18, "N25Q128A"},
};

static void send_command(uint8_t command, uint32_t at)
{
    spi_exchange(command);
    spi_exchange((uint8_t)(at >> 16));
    spi_exchange((uint8_t)(at >> 8));
    spi_exchange((uint8_t)at);
}

static uint8_t read_status(void)
{
    spi_select(SPI_NOR, true);
    spi_exchange(CMD_STATUS);
    uint8_t status = spi_exchange(0);
    spi_select(SPI_NOR, false);
    return status;
}

static int wait_ready(uint32_t limit)
{
    uint32_t start = board_millis();
    while (read_status() & STATUS_WIP)
        if (board_millis() - start > limit)
            return FEN_ERR_TIMEOUT;
    return FEN_OK;
}

static void enable_write(void)
{
    spi_select(SPI_NOR, true);
    spi_exchange(CMD_WRITE_ENABLE);
    spi_select(SPI_NOR, false);
}

static int spi_read(struct nor *n, uint32_t at, void *buf, size_t len)
{
    uint8_t *p = buf;
    if (at > n->size || len > n->size - at)
        return FEN_ERR_RANGE;
    spi_select(SPI_NOR, true);
    send_command(CMD_READ, at);
    while (len--)
        *p++ = spi_exchange(0);
    spi_select(SPI_NOR, false);
    return FEN_OK;
}

static int program_page(uint32_t at, const uint8_t *p, size_t len)
{
    enable_write();
    spi_select(SPI_NOR, true);
    send_command(CMD_PROGRAM, at);
    while (len--)
        spi_exchange(*p++);
    spi_select(SPI_NOR, false);
    return wait_ready(PROGRAM_TIMEOUT_MS);
}

static int spi_program(struct nor *n, uint32_t at, const void *buf, size_t len)
{
    const uint8_t *p = buf;
    if (at > n->size || len > n->size - at)
        return FEN_ERR_RANGE;
    while (len) {
        size_t room = n->page - at % n->page, part = len < room ? len : room;
        int err = program_page(at, p, part);
        if (err)
            return err;
        n->programs++;
        at += (uint32_t)part;
        p += part;
        len -= part;
    }
    return FEN_OK;
}

static int spi_erase(struct nor *n, uint32_t at)
{
    if (at >= n->size || at % n->sector)
        return FEN_ERR_RANGE;
    enable_write();
    spi_select(SPI_NOR, true);
    send_command(CMD_ERASE_4K, at);
    spi_select(SPI_NOR, false);
    n->erases++;
    return wait_ready(ERASE_TIMEOUT_MS);
}

int nor_open(struct nor *n)
{
    uint8_t id[3];
    spi_select(SPI_NOR, true);
    spi_exchange(CMD_WAKE);
    spi_select(SPI_NOR, false);
    spi_select(SPI_NOR, true);
    spi_exchange(CMD_ID);
    for (unsigned i = 0; i < 3; i++)
        id[i] = spi_exchange(0);
    spi_select(SPI_NOR, false);
    for (size_t i = 0; i < FEN_COUNT(parts); i++) {
        const struct nor_part *p = &parts[i];
        if (p->maker != id[0] || p->type != id[1] || p->capacity != id[2])
            continue;
        *n = (struct nor){spi_read,          spi_program, spi_erase, p->name, NULL,
                          1u << p->capacity, 4096,        256,       0,       0};
        return FEN_OK;
    }
    return FEN_ERR_MISSING;
}

static int ram_read(struct nor *n, uint32_t at, void *buf, size_t len)
{
    if (at > n->size || len > n->size - at)
        return FEN_ERR_RANGE;
    memcpy(buf, n->ram + at, len);
    return FEN_OK;
}

static int ram_program(struct nor *n, uint32_t at, const void *buf, size_t len)
{
    const uint8_t *p = buf;
    if (at > n->size || len > n->size - at)
        return FEN_ERR_RANGE;
    for (size_t i = 0; i < len; i++)
        n->ram[at + i] &= p[i];
    n->programs++;
    return FEN_OK;
}

static int ram_erase(struct nor *n, uint32_t at)
{
    if (at >= n->size || at % n->sector)
        return FEN_ERR_RANGE;
    memset(n->ram + at, 0xff, n->sector);
    n->erases++;
    return FEN_OK;
}

void nor_open_ram(struct nor *n, uint8_t *ram, uint32_t size, uint32_t sector)
{
    *n = (struct nor){ram_read, ram_program, ram_erase, "RAM", ram, size, sector, 64, 0, 0};
    memset(ram, 0xff, size);
}
