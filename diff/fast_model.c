/* SPDX-License-Identifier: Apache-2.0 */
#include "fast_model.h"

#include <pthread.h>

int16_t inlay_fast_odds[65536];
uint16_t inlay_fast_next[65536];

int32_t inlay_stretch(uint32_t p); /* the patcher's */

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
    for (uint32_t p = 1; p < 65536u; p++)
        inlay_fast_odds[inlay_fast_place(p)] = (int16_t)inlay_stretch(p);
    fill_next(0);
    fill_next(1);
}

void inlay_fast_model_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill);
}
