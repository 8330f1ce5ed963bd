/* SPDX-License-Identifier: Apache-2.0 */
#include "fast_model.h"

#include <pthread.h>

struct inlay_fast_vote inlay_fast_votes[4096];
uint16_t inlay_fast_squashed[2 * INLAY_ODDS_MAX + 1];
uint16_t inlay_fast_next[65536];

/* The patcher's. */
int32_t inlay_stretch(uint32_t p);
uint32_t inlay_squash(int32_t odds);

static void fill_next(unsigned bit)
{
    for (uint32_t n = 0; n <= INLAY_FAST_LIMIT; n++)
        for (uint32_t p = 0; p < 4096u; p++) {
            uint16_t counter = (uint16_t)(p << 4 | n);
            inlay_counter_learn(&counter, bit, INLAY_FAST_LIMIT);
            inlay_fast_next[bit << 15 | n << 12 | p] = counter;
        }
}

static void fill(void)
{
    for (uint32_t i = 0; i < 4096u; i++) {
        uint32_t p = inlay_counter_p((uint16_t)(i << 4));
        inlay_fast_votes[i].odds = (int16_t)inlay_stretch(p);
        inlay_fast_votes[i].linear = (int16_t)inlay_shr((int32_t)p - 32768, 4);
    }
    for (int32_t odds = -INLAY_ODDS_MAX; odds <= INLAY_ODDS_MAX; odds++)
        inlay_fast_squashed[odds + INLAY_ODDS_MAX] = (uint16_t)inlay_squash(odds);
    fill_next(0);
    fill_next(1);
}

void inlay_fast_model_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill);
}
