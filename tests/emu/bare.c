/* SPDX-License-Identifier: Apache-2.0 */
/* port.h on bare metal: files by semihosting, memory from the linker script. */
#include "port.h"
#include "semihost.h"

#include <string.h>

#define PAINT       0xA5u
#define STACK_TRIED 8192u /* bytes below the caller that are watched */

void *emu_alloc(size_t len)
{
    static size_t used;
    size_t room = (size_t)(emu_heap_end - emu_heap) - used;
    size_t whole = (len + 7) & ~(size_t)7;
    if (whole < len || whole > room)
        return NULL;
    used += whole;
    return emu_heap + used - whole;
}

static intptr_t open_file(const char *name, intptr_t mode)
{
    const intptr_t arguments[3] = {(intptr_t)name, mode, (intptr_t)strlen(name)};
    return semihost(SYS_OPEN, arguments);
}

int emu_load(const char *name, uint8_t **data, uint32_t *len)
{
    intptr_t file = open_file(name, 1);
    if (file < 0)
        return -1;
    intptr_t size = semihost(SYS_FLEN, &file);
    *data = size < 0 ? NULL : emu_alloc((size_t)size);
    if (!*data)
        return -1;
    *len = (uint32_t)size;
    const intptr_t arguments[3] = {file, (intptr_t)*data, size};
    intptr_t missing = semihost(SYS_READ, arguments);
    return semihost(SYS_CLOSE, &file) || missing ? -1 : 0;
}

int emu_save(const char *name, const void *data, size_t len)
{
    intptr_t file = open_file(name, 5);
    if (file < 0)
        return -1;
    const intptr_t arguments[3] = {file, (intptr_t)data, (intptr_t)len};
    intptr_t missing = semihost(SYS_WRITE, arguments);
    return semihost(SYS_CLOSE, &file) || missing ? -1 : 0;
}

static uint8_t *below_here;

void emu_stack_fill(void)
{
    below_here = (uint8_t *)((uintptr_t)__builtin_frame_address(0) - 256);
    for (volatile uint8_t *at = below_here - STACK_TRIED; at < below_here; at++)
        *at = PAINT;
}

uint32_t emu_stack_used(void)
{
    const uint8_t *at = below_here - STACK_TRIED;
    while (at < below_here && *at == PAINT)
        at++;
    return (uint32_t)(below_here - at) + 256;
}

void emu_start(void);
void emu_start(void)
{
    static const intptr_t exited = 0x20026; /* ADP_Stopped_ApplicationExit */
    const intptr_t arguments[2] = {exited, emu_main()};
    semihost(SYS_EXIT, arguments);
    for (;;) {
    }
}
