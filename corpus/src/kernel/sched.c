/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/sched.h"

#include "board/board.h"

#include <string.h>

#define MAX_LISTENERS 12u
#define QUEUE_LEN     16u

struct listener {
    sched_listener *call;
    void *ctx;
    enum sched_event event;
};

struct posted {
    uint8_t event;
    uint32_t arg;
};

static struct task tasks[SCHED_MAX_TASKS];
static unsigned task_count;
static struct listener listeners[MAX_LISTENERS];
static unsigned listener_count;
static struct posted queue[QUEUE_LEN];
static unsigned queue_head, queue_tail;
static uint32_t busy_ms, load_start;

static const char *const event_names[EVENT_KINDS] = {
    "none", "sample-ready", "alarm-raised", "alarm-cleared", "config-changed", "key", "day-changed",
};

int sched_add(const char *name, void (*run)(void *, uint32_t), void *ctx, uint32_t period)
{
    if (task_count == SCHED_MAX_TASKS)
        return FEN_ERR_FULL;
    struct task *t = &tasks[task_count++];
    *t = (struct task){.name = name, .run = run, .ctx = ctx, .period = period};
    t->due = board_millis() + period;
    return FEN_OK;
}

int sched_listen(enum sched_event event, sched_listener *listener, void *ctx)
{
    if (listener_count == MAX_LISTENERS)
        return FEN_ERR_FULL;
    listeners[listener_count++] = (struct listener){listener, ctx, event};
    return FEN_OK;
}

int sched_post(enum sched_event event, uint32_t arg)
{
    if (queue_head - queue_tail == QUEUE_LEN)
        return FEN_ERR_FULL;
    queue[queue_head % QUEUE_LEN] = (struct posted){(uint8_t)event, arg};
    queue_head++;
    return FEN_OK;
}

static bool deliver_event(void)
{
    if (queue_head == queue_tail)
        return false;
    struct posted p = queue[queue_tail++ % QUEUE_LEN];
    for (unsigned i = 0; i < listener_count; i++)
        if (listeners[i].event == p.event)
            listeners[i].call(p.event, p.arg, listeners[i].ctx);
    return true;
}

static struct task *earliest(uint32_t now)
{
    struct task *best = NULL;
    for (unsigned i = 0; i < task_count; i++) {
        struct task *t = &tasks[i];
        if (t->paused || (int32_t)(now - t->due) < 0)
            continue;
        if (!best || (int32_t)(t->due - best->due) < 0)
            best = t;
    }
    return best;
}

static void run_task(struct task *t, uint32_t now)
{
    uint32_t start = board_millis();
    if (now - t->due > t->period / 2)
        t->late++;
    t->run(t->ctx, now);
    uint32_t took = board_millis() - start;
    t->worst = took > t->worst ? took : t->worst;
    t->runs++;
    busy_ms += took;
    t->due += t->period;
    if ((int32_t)(now - t->due) > 0)
        t->due = now + t->period;
}

bool sched_step(uint32_t now)
{
    if (deliver_event())
        return true;
    struct task *t = earliest(now);
    if (!t)
        return false;
    run_task(t, now);
    return true;
}

struct task *sched_task(unsigned index)
{
    return index < task_count ? &tasks[index] : NULL;
}

struct task *sched_find(const char *name)
{
    for (unsigned i = 0; i < task_count; i++)
        if (strcmp(tasks[i].name, name) == 0)
            return &tasks[i];
    return NULL;
}

unsigned sched_load(void)
{
    uint32_t span = board_millis() - load_start;
    unsigned load = span ? (unsigned)(busy_ms * 1000u / span) : 0;
    busy_ms = 0;
    load_start = board_millis();
    return load;
}

const char *sched_event_name(enum sched_event event)
{
    return event < EVENT_KINDS ? event_names[event] : "?";
}
