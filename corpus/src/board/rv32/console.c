/* SPDX-License-Identifier: Apache-2.0 */
/* The console that picolibc prints to, and board setup before main. */
#include "board/board.h"

#include <stdio.h>
#include <stdlib.h>

static int console_put(char c, FILE *file)
{
    (void)file;
    if (c == '\n')
        uart_put('\r');
    uart_put((uint8_t)c);
    return (unsigned char)c;
}

static int console_get(FILE *file)
{
    (void)file;
    int c = uart_get();
    return c < 0 ? EOF : c;
}

static FILE console = FDEV_SETUP_STREAM(console_put, console_get, NULL, _FDEV_SETUP_RW);

FILE *const stdin = &console;
FILE *const stdout = &console;
FILE *const stderr = &console;

static void __attribute__((constructor)) early_init(void)
{
    board_init();
}

void _exit(int status)
{
    (void)status;
    for (;;)
        board_reset();
}
