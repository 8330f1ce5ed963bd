/* SPDX-License-Identifier: Apache-2.0 */
#include "fast_model.h"

#include <pthread.h>

int16_t inlay_fast_odds[65536];
uint16_t inlay_fast_next[65536];

struct inlay_fast_state inlay_fast_state[256];

/* The patcher's. */
#undef inlay_state_odds
#undef inlay_state_learned
int32_t inlay_stretch(uint32_t p);
uint8_t inlay_state_learned(unsigned state, unsigned bit);

static void fill_next(unsigned bit)
{
    for (uint32_t n = 0; n <= INLAY_FAST_LIMIT; n++)
        for (uint32_t p = 0; p < 4096u; p++) {
            uint16_t counter = (uint16_t)(p << 4 | n);
            inlay_counter_learn(&counter, bit, INLAY_FAST_LIMIT);
            inlay_fast_next[bit << 15 | n << 12 | p] = counter;
        }
}

static void fill_states(void)
{
    for (unsigned i = INLAY_STATE_START; i < 256u; i++) {
        struct inlay_fast_state *s = &inlay_fast_state[i];
        s->odds = (int16_t)inlay_state_odds(i);
        s->next[0] = inlay_state_learned(i, 0);
        s->next[1] = inlay_state_learned(i, 1);
    }
}

static void fill(void)
{
    for (uint32_t p = 1; p < 65536u; p++)
        inlay_fast_odds[inlay_fast_place(p)] = (int16_t)inlay_stretch(p);
    fill_next(0);
    fill_next(1);
    fill_states();
}

void inlay_fast_model_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill);
}
