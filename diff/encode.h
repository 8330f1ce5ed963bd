/* SPDX-License-Identifier: Apache-2.0 */
/* Turns segments and a block order into a codec's payload. */
#ifndef INLAY_ENCODE_H
#define INLAY_ENCODE_H

#include "buffer.h"
#include "error.h"
#include "order.h"

/* Where the payload's bytes go, in 1/256 of a bit. */
struct inlay_encode_stats {
    uint64_t plan, control, addresses, corrections, new_data, checks;
};

struct inlay_layout;
struct inlay_index;
struct inlay_rehearsal;

#define INLAY_LARGE_MODEL                                                                          \
    (256u << 10) /* bytes of RAM from which models learn from the old image                        \
                  */

struct inlay_encode_input {
    const uint8_t *old, *new;
    uint32_t old_size, new_size;
    const struct inlay_segments *segments;
    const struct inlay_order *order;
    const struct inlay_order_limits *limits;
    const struct inlay_layout *layout; /* of detect.h; what the segments were found with ... */
    const struct inlay_index *index;   /* ... of index.h; with it */
    uint8_t check_len;                 /* bytes of digest per group, 0 to 15 */
    uint32_t model_bytes;              /* most RAM the codec's state may take */
    unsigned jobs; /* threads at most; 0 is 1.  The result does not depend on it */
    struct inlay_rehearsal *rehearsal; /* follows the mix codec if it can; or NULL */
};

struct inlay_encoded {
    uint8_t codec;              /* codec id */
    struct inlay_buffer params; /* the manifest's codec parameters, at most 64 bytes */
    struct inlay_buffer payload;
    uint32_t plan_len;   /* first payload bytes that hold the whole plan */
    uint32_t recipe_len; /* bytes of recipes of a group at most, if limits say that there are any */
    struct inlay_encode_stats stats;
};

/* What a decision of probability p / 65536 costs, in 1/256 bit; the other comes first. */
extern uint16_t inlay_coder_costs[4097]; /* by p / 16 */
void inlay_coder_cost_init(void);

static inline uint64_t inlay_coder_cost(uint32_t p)
{
    return p < 4096u ? 1024u + inlay_coder_costs[p ? p : 1u]
                     : inlay_coder_costs[p >> 4]; /* statistics only */
}

/* Return 0 or an exit code; *out is then empty. */
int inlay_encode_mix(const struct inlay_encode_input *in, struct inlay_encoded *out,
                     struct inlay_error *err);
int inlay_encode_lzma(const struct inlay_encode_input *in, struct inlay_encoded *out,
                      struct inlay_error *err);
void inlay_encoded_free(struct inlay_encoded *e);

#endif
