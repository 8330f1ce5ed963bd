/* SPDX-License-Identifier: Apache-2.0 */
#include "mix_params.h"
#include "bits.h"

int inlay_mix_params_read(struct inlay_mix_params *p, const uint8_t *b, size_t len)
{
    if (len != INLAY_MIX_PARAMS_LEN)
        return -1;
    p->arch = b[0];
    p->flag_log2 = b[1];
    p->byte_log2 = b[2];
    p->moves = (uint16_t)inlay_get16(b + 3);
    p->ranges = (uint16_t)inlay_get16(b + 5);
    if (p->flag_log2 < INLAY_MIX_LOG2_MIN || p->flag_log2 > INLAY_MIX_LOG2_MAX)
        return -1;
    if (p->byte_log2 < INLAY_MIX_LOG2_MIN || p->byte_log2 > INLAY_MIX_LOG2_MAX)
        return -1;
    return p->ranges > INLAY_MIX_RANGES_MAX ? -1 : 0;
}

void inlay_mix_params_write(const struct inlay_mix_params *p, uint8_t *b)
{
    b[0] = p->arch;
    b[1] = p->flag_log2;
    b[2] = p->byte_log2;
    inlay_put16(b + 3, p->moves);
    inlay_put16(b + 5, p->ranges);
}
