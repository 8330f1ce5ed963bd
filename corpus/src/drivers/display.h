/* SPDX-License-Identifier: Apache-2.0 */
/* 128x64 monochrome display: framebuffer, lines, and a drawn sixteen-segment font. */
#ifndef FEN_DISPLAY_H
#define FEN_DISPLAY_H

#include "fen.h"

#define DISPLAY_WIDTH  128
#define DISPLAY_HEIGHT 64

void display_init(void);
void display_clear(void);
void display_pixel(int x, int y, bool on);
void display_line(int x0, int y0, int x1, int y1);
void display_frame(int x, int y, int w, int h);
void display_bar(int x, int y, int w, int h, int permille);
int display_text(int x, int y, int w, int h, const char *s); /* cell size; returns the next x */
void display_flush(void);
uint32_t display_checksum(void);

#endif
