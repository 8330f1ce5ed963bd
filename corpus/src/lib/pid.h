/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEN_PID_H
#define FEN_PID_H

#include "fen.h"

struct pid {
    int32_t kp, ki, kd; /* Q16 */
    int32_t low, high;
    int64_t integral;
    int32_t last_input, last_output;
    bool primed;
};

void pid_init(struct pid *p, int32_t kp, int32_t ki, int32_t kd, int32_t low, int32_t high);
int32_t pid_step(struct pid *p, int32_t target, int32_t input);
void pid_hold(struct pid *p, int32_t output);

#endif
