/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/display.h"

#include "board/board.h"
#include "lib/crc.h"

#include <ctype.h>
#include <string.h>

static uint8_t frame[DISPLAY_WIDTH * DISPLAY_HEIGHT / 8];

static const uint8_t init_sequence[] = {
    0xae, 0xd5, 0x80, 0xa8, 0x3f, 0xd3, 0x00, 0x40, 0x8d, 0x14, 0x20, 0x00, 0xa1,
    0xc8, 0xda, 0x12, 0x81, 0x7f, 0xd9, 0xf1, 0xdb, 0x40, 0xa4, 0xa6, 0xaf,
};

/* A segment runs between two points of a 3 x 3 grid, numbered 0..8 row by row. */
static const uint8_t segment_ends[14][2] = {
    {0, 2}, {2, 5}, {5, 8}, {6, 8}, {3, 6}, {0, 3}, {3, 4},
    {4, 5}, {0, 4}, {1, 4}, {2, 4}, {4, 6}, {4, 7}, {4, 8},
};

enum {
    A = 1,
    B = 2,
    C = 4,
    D = 8,
    E = 16,
    F = 32,
    G = 64,
    H = 128,
    I = 256,
    J = 512,
    K = 1024,
    L = 2048,
    M = 4096,
    N = 8192,
};

static const uint16_t glyphs[64] = {
    ['!' - 32] = J | M,
    ['"' - 32] = F | J,
    ['#' - 32] = B | C | D | G | H | J | M,
    ['$' - 32] = A | F | G | H | C | D | J | M,
    ['%' - 32] = F | K | L | C,
    ['&' - 32] = A | I | K | L | N | D,
    ['\'' - 32] = J,
    ['(' - 32] = K | N,
    [')' - 32] = I | L,
    ['*' - 32] = G | H | I | J | K | L | M | N,
    ['+' - 32] = G | H | J | M,
    [',' - 32] = L,
    ['-' - 32] = G | H,
    ['.' - 32] = M,
    ['/' - 32] = K | L,
    ['0' - 32] = A | B | C | D | E | F | K | L,
    ['1' - 32] = B | C | K,
    ['2' - 32] = A | B | D | E | G | H,
    ['3' - 32] = A | B | C | D | H,
    ['4' - 32] = B | C | F | G | H,
    ['5' - 32] = A | C | D | F | G | H,
    ['6' - 32] = A | C | D | E | F | G | H,
    ['7' - 32] = A | K | M,
    ['8' - 32] = A | B | C | D | E | F | G | H,
    ['9' - 32] = A | B | C | D | F | G | H,
    [':' - 32] = J | M,
    [';' - 32] = J | L,
    ['<' - 32] = K | N,
    ['=' - 32] = D | G | H,
    ['>' - 32] = I | L,
    ['?' - 32] = A | B | H | M,
    ['@' - 32] = A | B | D | E | F | H | J,
    ['A' - 32] = A | B | C | E | F | G | H,
    ['B' - 32] = A | B | C | D | H | J | M,
    ['C' - 32] = A | D | E | F,
    ['D' - 32] = A | B | C | D | J | M,
    ['E' - 32] = A | D | E | F | G | H,
    ['F' - 32] = A | E | F | G,
    ['G' - 32] = A | C | D | E | F | H,
    ['H' - 32] = B | C | E | F | G | H,
    ['I' - 32] = A | D | J | M,
    ['J' - 32] = B | C | D | E,
    ['K' - 32] = E | F | G | K | N,
    ['L' - 32] = D | E | F,
    ['M' - 32] = B | C | E | F | I | K,
    ['N' - 32] = B | C | E | F | I | N,
    ['O' - 32] = A | B | C | D | E | F,
    ['P' - 32] = A | B | E | F | G | H,
    ['Q' - 32] = A | B | C | D | E | F | N,
    ['R' - 32] = A | B | E | F | G | H | N,
    ['S' - 32] = A | C | D | H | I,
    ['T' - 32] = A | J | M,
    ['U' - 32] = B | C | D | E | F,
    ['V' - 32] = E | F | K | L,
    ['W' - 32] = B | C | E | F | L | N,
    ['X' - 32] = I | K | L | N,
    ['Y' - 32] = I | K | M,
    ['Z' - 32] = A | D | K | L,
    ['[' - 32] = A | D | J | M,
    ['\\' - 32] = I | N,
    [']' - 32] = A | D | J | M,
    ['^' - 32] = L | N,
    ['_' - 32] = D,
};

static void send_commands(const uint8_t *commands, size_t len)
{
    spi_select(SPI_DISPLAY, true);
    while (len--) {
        spi_exchange(0x00);
        spi_exchange(*commands++);
    }
    spi_select(SPI_DISPLAY, false);
}

void display_init(void)
{
    send_commands(init_sequence, sizeof init_sequence);
    display_clear();
}

void display_clear(void)
{
    memset(frame, 0, sizeof frame);
}

void display_pixel(int x, int y, bool on)
{
    if (x < 0 || y < 0 || x >= DISPLAY_WIDTH || y >= DISPLAY_HEIGHT)
        return;
    uint8_t *cell = &frame[y / 8 * DISPLAY_WIDTH + x], bit = (uint8_t)(1 << y % 8);
    *cell = (uint8_t)(on ? *cell | bit : *cell & ~bit);
}

void display_line(int x0, int y0, int x1, int y1)
{
    int dx = x1 > x0 ? x1 - x0 : x0 - x1, dy = y1 > y0 ? y0 - y1 : y1 - y0;
    int sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1, err = dx + dy;
    for (;;) {
        display_pixel(x0, y0, true);
        if (x0 == x1 && y0 == y1)
            return;
        int twice = 2 * err;
        if (twice >= dy) {
            err += dy;
            x0 += sx;
        }
        if (twice <= dx) {
            err += dx;
            y0 += sy;
        }
    }
}

void display_frame(int x, int y, int w, int h)
{
    display_line(x, y, x + w - 1, y);
    display_line(x, y + h - 1, x + w - 1, y + h - 1);
    display_line(x, y, x, y + h - 1);
    display_line(x + w - 1, y, x + w - 1, y + h - 1);
}

void display_bar(int x, int y, int w, int h, int permille)
{
    display_frame(x, y, w, h);
    int fill = (w - 4) * permille / 1000;
    for (int i = 0; i < fill; i++)
        display_line(x + 2 + i, y + 2, x + 2 + i, y + h - 3);
}

int display_text(int x, int y, int w, int h, const char *s)
{
    for (; *s; s++, x += w) {
        unsigned c = (unsigned)toupper((unsigned char)*s) - 32;
        uint16_t bits = c < FEN_COUNT(glyphs) ? glyphs[c] : 0;
        for (unsigned i = 0; i < 14; i++) {
            if (!(bits >> i & 1))
                continue;
            int a = segment_ends[i][0], b = segment_ends[i][1];
            display_line(x + a % 3 * (w - 2) / 2, y + a / 3 * (h - 1) / 2, x + b % 3 * (w - 2) / 2,
                         y + b / 3 * (h - 1) / 2);
        }
    }
    return x;
}

void display_flush(void)
{
    static const uint8_t window[] = {0x21, 0, DISPLAY_WIDTH - 1, 0x22, 0, 7};
    send_commands(window, sizeof window);
    spi_select(SPI_DISPLAY, true);
    spi_exchange(0x40);
    for (size_t i = 0; i < sizeof frame; i++)
        spi_exchange(frame[i]);
    spi_select(SPI_DISPLAY, false);
}

uint32_t display_checksum(void)
{
    return crc32(0, frame, sizeof frame);
}
