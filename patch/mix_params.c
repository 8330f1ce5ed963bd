/* SPDX-License-Identifier: Apache-2.0 */
#include "mix_params.h"
#include "bytes.h"

int inlay_mix_params_read(struct inlay_mix_params *p, const uint8_t *b, size_t len)
{
    struct inlay_bytes in = {.at = b, .left = len};
    uint8_t kind = inlay_bytes_u8(&in);
    p->arch = kind & 15u;
    p->votes = (uint8_t)(INLAY_MIX_VOTES_MIN + (kind >> 4 & 7u));
    p->large = kind >> 7;
    p->flags = inlay_bytes_u8(&in);
    p->rows = inlay_bytes_u8(&in);
    /* Numbers that are 0 and last are left out. */
    int bare = len == 3u || (len > 3u && b[len - 1u] != 0);
    uint32_t moves = in.left ? inlay_bytes_uvarint(&in) : 0;
    uint32_t ranges = in.left ? inlay_bytes_uvarint(&in) : 0;
    p->moves = (uint16_t)moves;
    p->ranges = (uint16_t)ranges;
    return in.bad || in.left || !bare || p->votes > INLAY_MIX_VOTES_MAX ||
                   p->flags > INLAY_MIX_TABLE_MAX || p->rows > INLAY_MIX_TABLE_MAX ||
                   moves > 0xffffu || ranges > INLAY_MIX_RANGES_MAX
               ? -1
               : 0;
}
