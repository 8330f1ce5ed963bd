/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that an image's own header gives: ELF, ESP8266, ESP32. */
#include "bits.h"
#include "detect_parts.h"

#include <string.h>

struct space_list {
    struct inlay_space *at;
    unsigned count, max;
    uint32_t size; /* of the image */
    uint32_t end;  /* address after what the header says is in memory; 0: it doesn't */
};

/* Adds a space that lies in the image; one that overlaps the last or starts before it is dropped.
 */
static int space_add(struct space_list *l, uint32_t addr, uint64_t pos, uint64_t len)
{
    if (len == 0)
        return 0;
    if (pos > l->size || len > l->size - pos || l->count == l->max)
        return -1;
    if (l->count) {
        const struct inlay_space *last = &l->at[l->count - 1u];
        uint64_t end = (uint64_t)last->pos + last->len;
        if (pos + len <= end)
            return 0;
        if (pos < end) {
            addr += (uint32_t)(end - pos);
            len -= end - pos;
            pos = end;
        }
    }
    l->at[l->count++] = (struct inlay_space){addr, (uint32_t)pos, (uint32_t)len};
    return 0;
}

static int is_elf(const uint8_t *b, uint32_t n)
{
    return n >= 64 &&
           memcmp(b,
                  "\x7f"
                  "ELF",
                  4) == 0 &&
           (b[4] == 1 || b[4] == 2) && b[5] == 1;
}

enum inlay_arch_id inlay_detect_elf_arch(const uint8_t *b, uint32_t n)
{
    if (!is_elf(b, n))
        return INLAY_ARCH_NONE;
    switch (inlay_get16(b + 18)) {
    case 40:
        return INLAY_ARCH_ARM;
    case 62:
        return INLAY_ARCH_X86_64;
    case 83:
        return INLAY_ARCH_AVR;
    case 94:
        return INLAY_ARCH_XTENSA;
    case 183:
        return INLAY_ARCH_AARCH64;
    case 243:
        return INLAY_ARCH_RISCV;
    default:
        return INLAY_ARCH_NONE;
    }
}

/* The low 32 bits of a 4- or 8-byte field; 0xffffffff if there are more. */
static uint32_t elf_word(const uint8_t *b, int wide)
{
    return wide && inlay_get32(b + 4) ? 0xffffffffu : inlay_get32(b);
}

/* The loadable segments of an ELF file that starts at byte `start` of the image. */
static void elf_spaces(const uint8_t *b, uint32_t start, struct space_list *l)
{
    const uint8_t *header = b + start;
    int wide = header[4] == 2;
    uint64_t table = (uint64_t)start + elf_word(header + (wide ? 32 : 28), wide);
    uint32_t size = inlay_get16(header + (wide ? 54 : 42));
    uint32_t count = inlay_get16(header + (wide ? 56 : 44));
    if (size < (wide ? 56u : 32u))
        return;
    for (uint32_t i = 0; i < count; i++, table += size) {
        if (table > l->size || size > l->size - table)
            return;
        const uint8_t *p = b + table;
        if (inlay_get32(p) != 1) /* PT_LOAD */
            continue;
        uint32_t addr = inlay_get32(p + (wide ? 16 : 8));
        space_add(l, addr, (uint64_t)start + elf_word(p + (wide ? 8 : 4), wide),
                  elf_word(p + (wide ? 32 : 16), wide));
        l->end = addr + inlay_get32(p + (wide ? 40 : 20));
    }
}

/* Programs of fixed address inside a raw image: loaders carry them along. */
static void elf_inside(const uint8_t *b, struct space_list *l)
{
    for (uint32_t pos = 16; pos < l->size && l->size - pos >= 64; pos += 16) {
        if (b[pos] == 0x7f && is_elf(b + pos, l->size - pos) && inlay_get16(b + pos + 16) == 2)
            elf_spaces(b, pos, l);
    }
    l->end = 0; /* the rest of the image has addresses too */
}

/* Addresses that segments of Espressif's processors are loaded to or mapped at. */
static int esp_address(uint32_t addr)
{
    return (addr >= 0x3c000000u && addr < 0x44000000u) ||
           (addr >= 0x50000000u && addr < 0x60200000u);
}

/* Segments of (address, length, bytes) from pos on.  Returns 0 if all make sense. */
static int esp_segments(const uint8_t *b, uint32_t pos, uint32_t count, struct space_list *l)
{
    for (uint32_t i = 0; i < count; i++) {
        if (pos > l->size || l->size - pos < 8)
            return -1;
        uint32_t addr = inlay_get32(b + pos), len = inlay_get32(b + pos + 4);
        if (!esp_address(addr) || space_add(l, addr, (uint64_t)pos + 8, len) != 0)
            return -1;
        pos += 8u + len;
    }
    return 0;
}

/* An image of magic E9 at pos: the header of the ESP32 is 24 bytes, that of the ESP8266 8. */
static void esp_spaces(const uint8_t *b, uint32_t pos, struct space_list *l)
{
    static const uint32_t header[] = {24, 8};
    unsigned count = l->count;
    if (pos > l->size || l->size - pos < 24 || b[pos] != 0xe9 || b[pos + 1] == 0 || b[pos + 1] > 16)
        return;
    for (unsigned i = 0; i < 2; i++) {
        if (esp_segments(b, pos + header[i], b[pos + 1], l) == 0)
            return;
        l->count = count;
    }
}

unsigned inlay_detect_header(const uint8_t *b, uint32_t n, struct inlay_space *at, unsigned max,
                             uint32_t *end)
{
    struct space_list l = {at, 0, max, n, 0};
    if (is_elf(b, n)) {
        elf_spaces(b, 0, &l);
    } else if (n >= 24 && b[0] == 0xe9) {
        esp_spaces(b, 0, &l);
    } else if (n >= 24 && b[0] == 0xea && inlay_get32(b + 8) == 0 &&
               inlay_get32(b + 12) < n - 16u) {
        /* The ESP8266's second form: code that runs from flash, then an image of magic E9. */
        esp_spaces(b, 16u + inlay_get32(b + 12), &l);
    } else {
        elf_inside(b, &l);
    }
    *end = l.end;
    return l.count;
}
