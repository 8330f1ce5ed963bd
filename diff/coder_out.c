/* SPDX-License-Identifier: Apache-2.0 */
#include "coder_out.h"

#include <math.h>
#include <pthread.h>

void (*inlay_trace)(unsigned counter, unsigned bit);

static void emit(struct inlay_coder *c, uint8_t byte)
{
    if (inlay_buffer_add_byte(c->out, byte))
        c->failed = 1;
}

/* Moves the top byte of low out, holding it back while a carry may still come. */
void inlay_coder_shift(struct inlay_coder *c)
{
    if (c->low < 0xff000000u || c->low >> 32) {
        uint8_t carry = (uint8_t)(c->low >> 32);
        if (c->started)
            emit(c, (uint8_t)(c->cache + carry));
        for (; c->cache_run; c->cache_run--)
            emit(c, (uint8_t)(0xffu + carry));
        c->cache = (uint8_t)(c->low >> 24);
        c->started = 1;
    } else {
        c->cache_run++;
    }
    c->low = (c->low & 0x00ffffffu) << 8;
}

void inlay_coder_finish(struct inlay_coder *c)
{
    /* The value in [low, low + range) with the most zeros at its end. */
    uint64_t top = c->low + c->range - 1u;
    for (unsigned bits = 32; bits > 0; bits--) {
        uint64_t value = top >> bits << bits;
        if (value >= c->low) {
            c->low = value;
            break;
        }
    }
    for (unsigned i = 0; i < 5; i++)
        inlay_coder_shift(c);
    while (c->out->len && c->out->data[c->out->len - 1u] == 0)
        c->out->len--;
}

uint16_t inlay_coder_costs[4097];

static void fill_cost(void)
{
    for (unsigned i = 1; i <= 4096; i++)
        inlay_coder_costs[i] = (uint16_t)(256.0 * 12.0 - 256.0 * log2(i) + 0.5);
}

void inlay_coder_cost_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_cost);
}
