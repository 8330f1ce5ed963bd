/* SPDX-License-Identifier: Apache-2.0 */
/* Data of unknown structure: words, and pointers if the image has addresses. */
#include "arch.h"

static void none_parse(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                       struct inlay_unit *u)
{
    uint32_t edge = 4u - (addr & 3u);
    (void)st;
    (void)b;
    u->len = (uint8_t)(n < edge ? n : edge);
    u->type = 0;
    u->has_target = 0;
    u->target = 0;
}

static int none_aim(const struct inlay_arch_state *st, const struct inlay_unit *u, uint8_t *b,
                    uint32_t old_addr, uint32_t new_addr, uint32_t target)
{
    (void)st;
    (void)u;
    (void)b;
    (void)old_addr;
    (void)new_addr;
    (void)target;
    return 0;
}

const struct inlay_arch inlay_arch_none = {
    .id = INLAY_ARCH_NONE,
    .granule = 1,
    .pointer_len = 0,
    .literal_kind = INLAY_LITERAL_BYTES,
    .parse = none_parse,
    .aim = none_aim,
};
