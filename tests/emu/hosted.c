/* SPDX-License-Identifier: Apache-2.0 */
/* port.h for a process of an operating system, such as Linux under QEMU's user mode. */
#include "port.h"

#include <stdio.h>
#include <stdlib.h>

void *emu_alloc(size_t len)
{
    return malloc(len ? len : 1);
}

int emu_load(const char *name, uint8_t **data, uint32_t *len)
{
    FILE *f = fopen(name, "rb");
    if (!f)
        return -1;
    long size = fseek(f, 0, SEEK_END) ? -1 : ftell(f);
    rewind(f);
    *data = size < 0 ? NULL : emu_alloc((size_t)size);
    *len = (uint32_t)size;
    int ok = *data && fread(*data, 1, *len, f) == *len;
    fclose(f);
    return ok ? 0 : -1;
}

int emu_save(const char *name, const void *data, size_t len)
{
    FILE *f = fopen(name, "wb");
    if (!f)
        return -1;
    size_t n = fwrite(data, 1, len, f);
    return fclose(f) || n != len ? -1 : 0;
}

uint64_t emu_instructions(void)
{
    return 0;
}

void emu_spin(void)
{
}

void emu_stack_fill(void)
{
}

uint32_t emu_stack_used(void)
{
    return 0;
}

int main(void)
{
    return emu_main();
}
