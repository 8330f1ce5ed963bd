/* SPDX-License-Identifier: Apache-2.0 */
#include "detect.h"

#include "bits.h"
#include "detect_parts.h"
#include "error.h"

#include <stdlib.h>
#include <string.h>

static const char *const detect_names[] = {"none",   "thumb2", "arm",    "aarch64", "riscv",
                                           "xtensa", "avr",    "x86-64", "wasm"};

int inlay_arch_by_name(const char *name, enum inlay_arch_id *id)
{
    for (unsigned i = 0; i < sizeof detect_names / sizeof *detect_names; i++) {
        if (strcmp(name, detect_names[i]) == 0) {
            *id = (enum inlay_arch_id)i;
            return 0;
        }
    }
    return -1;
}

const char *inlay_arch_name(enum inlay_arch_id id)
{
    return (unsigned)id < sizeof detect_names / sizeof *detect_names ? detect_names[id] : "?";
}

#define GAP_MIN       64u /* bytes between segments that are more than a header */
#define RAM_LOWEST    0x10000000u
#define RAM_WORDS_MIN 8u
#define RAM_ALIGN     (1u << 20)
#define BSS_NEAR      (1u << 18)
#define BSS_MAX       (16u << 20)

struct image {
    const uint8_t *b;
    uint32_t n;
    struct inlay_space *space;
    uint8_t *spaces;
};

static enum inlay_arch_id find_arch(const struct image *im)
{
    if (inlay_detect_is_wasm(im->b, im->n))
        return INLAY_ARCH_WASM;
    enum inlay_arch_id named = inlay_detect_elf_arch(im->b, im->n);
    enum inlay_arch_id seen = inlay_detect_arch(im->b, im->n);
    /* An ELF header does not tell Thumb from ARM. */
    if (named == INLAY_ARCH_ARM && seen == INLAY_ARCH_THUMB2)
        return seen;
    return named == INLAY_ARCH_NONE ? seen : named;
}

/* Where the old image is known, the new one is likely to be too: look before voting. */
static uint32_t find_base(enum inlay_arch_id arch, const struct image *im,
                          const struct image *known, uint32_t known_base)
{
    uint32_t base = 0;
    if (known) {
        uint64_t here = inlay_detect_agree(arch, im->b, im->n, known_base);
        uint64_t there = inlay_detect_agree(arch, known->b, known->n, known_base);
        if (here * known->n * 2u >= there * im->n)
            return known_base;
    }
    if (inlay_detect_base(arch, im->b, im->n, &base) == 0 && known)
        return known_base;
    return base;
}

/* What no header speaks of is at base, unless it is so short that it is a header itself. */
static void fill_gaps(const struct image *im, uint32_t base)
{
    struct inlay_space got[INLAY_SPACES_MAX];
    uint32_t pos = 0;
    unsigned count = *im->spaces, out = 0;
    memcpy(got, im->space, count * sizeof *got);
    for (unsigned i = 0; i <= count && out < INLAY_SPACES_MAX; i++) {
        uint32_t to = i < count ? got[i].pos : im->n;
        if (to - pos > (count ? GAP_MIN : 0u))
            im->space[out++] = (struct inlay_space){base + pos, pos, to - pos};
        if (i < count && out < INLAY_SPACES_MAX) {
            im->space[out++] = got[i];
            pos = got[i].pos + got[i].len;
        }
    }
    *im->spaces = (uint8_t)out;
}

/*
 * Bare AArch64 code is free of absolute addresses, so it may be data alone that
 * spoke.  Its base is then odd: what makes its first byte land where RAM starts.
 */
static void split_data(const struct image *im, uint32_t base)
{
    uint32_t text = (0u - base) & (RAM_ALIGN - 1u);
    if (text >= im->n)
        return;
    im->space[0] = (struct inlay_space){0, 0, text};
    im->space[1] = (struct inlay_space){base + text, text, im->n - text};
    *im->spaces = 2;
}

/* Returns the base that was used.  *end as inlay_detect_header() sets it. */
static uint32_t find_spaces(enum inlay_arch_id arch, const struct image *im, int base_known,
                            uint32_t base, const struct image *before, uint32_t *end)
{
    *im->spaces = 0;
    *end = 0;
    if (!base_known) {
        *im->spaces =
            (uint8_t)inlay_detect_header(im->b, im->n, im->space, INLAY_SPACES_MAX - 1u, end);
        if (*end)
            return 0;
        base = find_base(arch, im, before, base);
    }
    fill_gaps(im, base);
    if (arch == INLAY_ARCH_AARCH64 && !base_known && (base & 0xfffu) && *im->spaces == 1)
        split_data(im, base);
    return base;
}

static int in_spaces(const struct image *im, uint32_t addr)
{
    for (unsigned i = 0; i < *im->spaces; i++) {
        if (addr - im->space[i].addr < im->space[i].len)
            return 1;
    }
    return 0;
}

static int is_text(uint32_t w)
{
    for (; w; w >>= 8) {
        uint32_t c = w & 0xffu;
        if (c && (c < 0x20 || c > 0x7e) && c != '\n' && c != '\t')
            return 0;
    }
    return 1;
}

/* How often addresses outside the image are referred to, by 64 KB piece. */
struct heat {
    uint32_t *hits;
    uint32_t best; /* the piece with most */
};

static void heat_add(struct heat *h, const struct image *im, uint32_t addr)
{
    if (!in_spaces(im, addr) && ++h->hits[addr >> 16] > h->hits[h->best])
        h->best = addr >> 16;
}

/* Words in [lo, hi) that are not text. */
static void heat_words(struct heat *h, const struct image *im, uint32_t lo, uint32_t hi)
{
    for (uint32_t pos = 0; pos < im->n && im->n - pos >= 4; pos += 4) {
        uint32_t w = inlay_get32(im->b + pos);
        if (w >= lo && w < hi && !is_text(w))
            heat_add(h, im, w);
    }
}

/* What instructions refer to, where addresses are parts of instructions rather than words. */
static void heat_code(struct heat *h, const struct image *im, const struct inlay_arch *arch)
{
    struct inlay_arch_state st = {0};
    struct inlay_unit u;
    uint32_t base = im->space[0].addr;
    for (uint32_t pos = 0; pos < im->n; pos += u.len) {
        uint32_t n = im->n - pos < INLAY_WINDOW ? im->n - pos : INLAY_WINDOW;
        arch->parse(&st, im->b + pos, n, base + pos, &u);
        if (u.has_target && u.target >= RAM_LOWEST)
            heat_add(h, im, u.target);
    }
}

/* Where variables of a microcontroller are: the fullest piece with its neighbours. */
static void find_ram(const struct image *im, struct inlay_layout *out)
{
    struct heat h = {calloc(0x10000, sizeof *h.hits), 0};
    if (!h.hits)
        return;
    if (out->arch == INLAY_ARCH_RISCV)
        heat_code(&h, im, &inlay_arch_riscv);
    else
        heat_words(&h, im, RAM_LOWEST, 0x40000000u);
    uint32_t lo = h.best, hi = h.best, least = h.hits[h.best] / 16u;
    if (h.hits[h.best] >= RAM_WORDS_MIN) {
        while (lo > 0 && h.hits[lo - 1u] > least)
            lo--;
        while (hi < 0xffffu && h.hits[hi] > least)
            hi++;
        out->data_lo = lo << 16;
        out->data_hi = hi << 16;
    }
    free(h.hits);
}

/* The end of the space behind which most words point: variables follow what they belong to. */
static uint32_t busiest_end(const struct image *im)
{
    uint32_t best = 0, most = 0;
    for (unsigned i = 0; i < *im->spaces; i++) {
        uint32_t end = im->space[i].addr + im->space[i].len, words = 1;
        if (end > 0u - BSS_MAX) /* vectors at the top */
            continue;
        for (uint32_t pos = 0; pos < im->n && im->n - pos >= 4; pos += 4) {
            uint32_t w = inlay_get32(im->b + pos);
            words += w - end < BSS_NEAR && !in_spaces(im, w);
        }
        if (words >= most) {
            most = words;
            best = end;
        }
    }
    return best;
}

/* elf_end: see find_spaces(). */
static void find_data(const struct image *im, uint32_t elf_end, struct inlay_layout *out)
{
    if (*im->spaces == 0 || out->arch == INLAY_ARCH_NONE)
        return;
    if (elf_end) {
        const struct inlay_space *last = &im->space[*im->spaces - 1u];
        out->data_lo = last->addr + last->len;
        out->data_hi = elf_end > out->data_lo ? elf_end : out->data_lo;
        return;
    }
    if (out->arch == INLAY_ARCH_THUMB2 || out->arch == INLAY_ARCH_RISCV) {
        find_ram(im, out);
    } else if (out->arch == INLAY_ARCH_XTENSA) {
        out->data_lo = 0x3f800000u;
        out->data_hi = 0x40200000u;
    } else if (out->arch == INLAY_ARCH_AVR) {
        out->data_lo = 0x800000u;
        out->data_hi = 0x810000u;
    }
    if (out->data_lo == out->data_hi) {
        out->data_lo = busiest_end(im);
        out->data_hi = out->data_lo + BSS_MAX;
    }
}

int inlay_detect(const uint8_t *old, size_t old_size, const uint8_t *new, size_t new_size,
                 const char *arch, int base_known, uint64_t base, struct inlay_layout *out)
{
    struct image before = {old, (uint32_t)old_size, out->old_space, &out->old_spaces};
    struct image after = {new, (uint32_t)new_size, out->new_space, &out->new_spaces};
    memset(out, 0, sizeof *out);
    if (!arch || strcmp(arch, "auto") == 0) {
        out->arch = find_arch(&before);
        if (out->arch == INLAY_ARCH_NONE)
            out->arch = find_arch(&after);
    } else if (inlay_arch_by_name(arch, &out->arch) != 0) {
        return INLAY_EXIT_USAGE;
    }
    if (out->arch == INLAY_ARCH_WASM && inlay_detect_wasm(old, before.n, new, after.n, out) == 0)
        return 0;
    if (!base_known && inlay_detect_archive(old, before.n, new, after.n, out) == 0)
        return 0;
    uint32_t end, new_end;
    uint32_t used = find_spaces(out->arch, &before, base_known, (uint32_t)base, NULL, &end);
    find_spaces(out->arch, &after, base_known, base_known ? (uint32_t)base : used, &before,
                &new_end);
    find_data(&before, end, out);
    inlay_detect_tables(old, old_size, new, new_size, out);
    return 0;
}
