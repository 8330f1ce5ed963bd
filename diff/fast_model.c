/* SPDX-License-Identifier: Apache-2.0 */
#include "fast_model.h"

#include <pthread.h>

int16_t inlay_fast_odds[65536];

int32_t inlay_stretch(uint32_t p); /* the patcher's */

static void fill(void)
{
    for (uint32_t p = 1; p < 65536u; p++)
        inlay_fast_odds[inlay_fast_place(p)] = (int16_t)inlay_stretch(p);
}

void inlay_fast_model_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill);
}
