/* SPDX-License-Identifier: Apache-2.0 */
/* Cooperative scheduler: periodic tasks by earliest deadline, and events. */
#ifndef FEN_SCHED_H
#define FEN_SCHED_H

#include "fen.h"

#define SCHED_MAX_TASKS 12u

enum sched_event {
    EVENT_NONE,
    EVENT_SAMPLE_READY,
    EVENT_ALARM_RAISED,
    EVENT_ALARM_CLEARED,
    EVENT_CONFIG_CHANGED,
    EVENT_KEY,
    EVENT_DAY_CHANGED,
    EVENT_KINDS
};

struct task {
    const char *name;
    void (*run)(void *ctx, uint32_t now);
    void *ctx;
    uint32_t period, due;
    uint32_t runs, late, worst; /* worst: longest run in milliseconds */
    bool paused;
};

typedef void sched_listener(enum sched_event event, uint32_t arg, void *ctx);

int sched_add(const char *name, void (*run)(void *, uint32_t), void *ctx, uint32_t period);
int sched_listen(enum sched_event event, sched_listener *listener, void *ctx);
int sched_post(enum sched_event event, uint32_t arg);
bool sched_step(uint32_t now);
struct task *sched_task(unsigned index);
struct task *sched_find(const char *name);
unsigned sched_load(void); /* permille of time spent in tasks */
const char *sched_event_name(enum sched_event event);

#endif
