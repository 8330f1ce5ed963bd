/* SPDX-License-Identifier: Apache-2.0 */
#include "lzma_format.h"
#include "bits.h"

#include <string.h>

int inlay_lzma_params_read(struct inlay_lzma_params *p, const uint8_t *b, size_t len)
{
    if (len != LZMA_PARAMS_LEN)
        return -1;
    p->arch = b[0];
    p->dict_log2 = b[1];
    p->props = b[2];
    p->table_log2 = b[3];
    p->moves = (uint16_t)inlay_get16(b + 4);
    p->ranges = (uint16_t)inlay_get16(b + 6);
    p->kept = inlay_get32(b + 8);
    if (p->dict_log2 < LZMA_DICT_MIN || p->dict_log2 > LZMA_DICT_MAX)
        return -1;
    /* LZMA2 allows lc + lp up to 4 only. */
    if (p->props >= 5 * 5 * 9 || p->props % 9 + p->props / 9 % 5 > LZMA_LCLP_MAX)
        return -1;
    if (p->table_log2 > LZMA_TABLE_MAX || p->kept < LZMA_KEPT_MIN)
        return -1;
    return p->kept > LZMA_KEPT_MAX ? -1 : 0;
}

void inlay_lzma_params_write(const struct inlay_lzma_params *p, uint8_t *b)
{
    b[0] = p->arch;
    b[1] = p->dict_log2;
    b[2] = p->props;
    b[3] = p->table_log2;
    inlay_put16(b + 4, p->moves);
    inlay_put16(b + 6, p->ranges);
    inlay_put32(b + 8, p->kept);
}

void inlay_lzma_filters(const struct inlay_lzma_params *p, lzma_options_lzma *options,
                        lzma_filter *filters)
{
    memset(options, 0, sizeof *options);
    lzma_lzma_preset(options, 9 | LZMA_PRESET_EXTREME);
    options->dict_size = (uint32_t)1 << p->dict_log2;
    options->lc = p->props % 9;
    options->lp = p->props / 9 % 5;
    options->pb = p->props / 45;
    filters[0] = (lzma_filter){LZMA_FILTER_LZMA2, options};
    filters[1] = (lzma_filter){LZMA_VLI_UNKNOWN, NULL};
}

void inlay_lzma_block(const struct inlay_codec_setup *setup, uint32_t block, uint32_t *pos,
                      uint32_t *len)
{
    uint64_t at = 0, size = setup->regions == 0 && block == 0 ? setup->new_size : 0;
    for (unsigned i = 0; i < setup->regions; i++) {
        const struct inlay_region *r = &setup->region[i];
        if (block < r->count) {
            at += (uint64_t)block * r->block_len;
            size = r->block_len;
            break;
        }
        block -= r->count;
        at += (uint64_t)r->count * r->block_len;
    }
    if (at >= setup->new_size)
        at = size = 0;
    else if (size > setup->new_size - at)
        size = setup->new_size - at;
    *pos = (uint32_t)at;
    *len = (uint32_t)size;
}
