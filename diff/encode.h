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

struct inlay_encode_input {
    const uint8_t *old, *new;
    uint32_t old_size, new_size;
    const struct inlay_segments *segments;
    const struct inlay_order *order;
    const struct inlay_order_limits *limits;
    uint8_t check_len; /* bytes of digest per group, 0 to 16 */
    const char *arch;  /* "auto", "none", or a processor's name */
    uint64_t base;     /* load address of byte 0, used if base_known */
    int base_known;
    uint32_t model_bytes; /* most RAM the codec's state may take */
};

struct inlay_encoded {
    uint8_t codec;              /* codec id */
    struct inlay_buffer params; /* the manifest's codec parameters, at most 64 bytes */
    struct inlay_buffer payload;
    uint32_t plan_len; /* first payload bytes that hold the whole plan */
    struct inlay_encode_stats stats;
};

/* What a decision of probability p / 65536 costs, in 1/256 bit. */
uint64_t inlay_coder_cost(uint32_t p);

/* Return 0 or an exit code; *out is then empty. */
int inlay_encode_mix(const struct inlay_encode_input *in, struct inlay_encoded *out,
                     struct inlay_error *err);
int inlay_encode_lzma(const struct inlay_encode_input *in, struct inlay_encoded *out,
                      struct inlay_error *err);
void inlay_encoded_free(struct inlay_encoded *e);

#endif
