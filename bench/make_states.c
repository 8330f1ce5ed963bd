/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What states of the models become (docs/FORMAT.md, "States"), worked out once
 * so that no device has to: writes patch/state_table.c to stdout.
 */
#include "model.h"

#include <stdio.h>

#define SLOW_RATE 10 /* a state that was seen 7 times learns like a counter of 10 */

static int seen(int state)
{
    int n = 0;
    while (state >> n > 1)
        n++;
    return n;
}

static int next(int state, int bit)
{
    int n = seen(state), to = n < 7 ? n + 1 : 7, half = to < 6 ? 10 - to : 4;
    int last = (1 << to) - 1, was = state - (1 << n);
    int32_t p = (int32_t)inlay_squash(inlay_state_odds((unsigned)state));
    p += inlay_shr(((bit ? 65536 : 0) - p) * (inlay_counter_rates[n < 7 ? n : SLOW_RATE] >> 1), 15);
    int at = inlay_shr(inlay_stretch((uint32_t)p), (unsigned)half + 1u) + (1 << (to - 1));
    at = at < 0 ? 0 : at > last ? last : at;
    if (n == 7 && bit && at <= was) /* it never stays where it is, but at an end */
        at = was < last ? was + 1 : last;
    if (n == 7 && !bit && at >= was)
        at = was > 0 ? was - 1 : 0;
    return (1 << to) + at;
}

int main(void)
{
    printf("/* SPDX-License-Identifier: Apache-2.0 */\n"
           "/* Written by `make states`; see bench/make_states.c. */\n"
           "#include \"model.h\"\n\nconst uint8_t inlay_state_next[2][256] = {");
    for (int bit = 0; bit < 2; bit++) {
        printf("\n    {");
        for (int state = 0; state < 256; state++)
            printf("%s%d,", state % 20 ? " " : "\n        ", state ? next(state, bit) : 0);
        printf("\n    },");
    }
    printf("\n};\n");
    return 0;
}
