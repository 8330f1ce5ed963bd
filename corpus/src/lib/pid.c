/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/pid.h"

#include "lib/fixed.h"

#include <string.h>

void pid_init(struct pid *p, int32_t kp, int32_t ki, int32_t kd, int32_t low, int32_t high)
{
    memset(p, 0, sizeof *p);
    p->kp = kp;
    p->ki = ki;
    p->kd = kd;
    p->low = low;
    p->high = high;
}

int32_t pid_step(struct pid *p, int32_t target, int32_t input)
{
    int32_t error = target - input;
    int32_t slope = p->primed ? input - p->last_input : 0;
    int64_t next = p->integral + (int64_t)error * p->ki;
    int64_t out = ((int64_t)error * p->kp + next - (int64_t)slope * p->kd) >> 16;
#if FEN_RELEASE >= 110
    /* Conditional integration: a saturated output must not wind up the integral. */
    bool pushing_up = out > p->high && error > 0, pushing_down = out < p->low && error < 0;
    if (!pushing_up && !pushing_down)
        p->integral = next;
#else
    p->integral = next;
#endif
    p->last_input = input;
    p->primed = true;
    p->last_output = out > p->high ? p->high : out < p->low ? p->low : (int32_t)out;
    return p->last_output;
}

void pid_hold(struct pid *p, int32_t output)
{
    p->integral = (int64_t)fixed_clamp(output, p->low, p->high) * 65536;
    p->primed = false;
}
