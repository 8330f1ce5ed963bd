/* SPDX-License-Identifier: Apache-2.0 */
#include "app/config.h"
#include "app/log.h"
#include "app/node.h"
#include "board/board.h"
#include "kernel/sched.h"

#include <stdio.h>

#define RAM_STORE_SECTOR 512u

static const char *const error_texts[] = {
    "no error", "bad argument", "bus error",    "timed out",        "checksum wrong",
    "no room",  "not found",    "out of range", "not possible now",
};

static struct nor nor;
static uint8_t ram_store[2 * RAM_STORE_SECTOR];

const char *fen_error_text(int err)
{
    size_t i = (size_t)-err;
    return err <= 0 && i < FEN_COUNT(error_texts) ? error_texts[i] : "unknown error";
}

static void blink(void *ctx, uint32_t now)
{
    (void)ctx;
    gpio_write(PIN_LED, now / 500 & 1);
    board_kick_watchdog();
}

static void setting_changed(enum sched_event event, uint32_t arg, void *ctx)
{
    (void)event, (void)ctx;
    if (arg >= SET_FAN_KP && arg <= SET_FAN_KD)
        control_init();
    struct task *sampler = sched_find("sampler"), *report = sched_find("report");
    sampler->period = (uint32_t)config_get(SET_SAMPLE_PERIOD) * 1000;
    report->period = (uint32_t)config_get(SET_REPORT_PERIOD) * 1000;
}

static void open_store(void)
{
    int err = nor_open(&nor);
    if (err)
        nor_open_ram(&nor, ram_store, sizeof ram_store, RAM_STORE_SECTOR);
    err = config_open(&nor, nor.size - 2 * nor.sector, 2);
    if (err)
        log_add(LOG_ERROR, MSG_STORE_ERROR, err, 0);
    printf("settings in %s\n", nor.name);
}

static void add_tasks(void)
{
    sched_add("blink", blink, NULL, 500);
    sched_add("shell", shell_run, NULL, 20);
    sched_add("control", control_run, NULL, 1000);
    sched_add("alarm", alarm_run, NULL, 100);
    sched_add("display", menu_run, NULL, 250);
    sched_add("sampler", sampler_run, NULL, (uint32_t)config_get(SET_SAMPLE_PERIOD) * 1000);
    sched_add("report", telemetry_run, NULL, (uint32_t)config_get(SET_REPORT_PERIOD) * 1000);
#if FEN_RELEASE >= 120
    vibration_init();
    sched_add("vibration", vibration_run, NULL, 5000);
#endif
    sched_listen(EVENT_CONFIG_CHANGED, setting_changed, NULL);
}

int main(void)
{
    printf("\nfen %s, greenhouse node, %s\n", FEN_VERSION, board_name);
    selftest_run();
    open_store();
    sampler_init();
    control_init();
    alarm_init();
    menu_init();
    add_tasks();
    log_add(LOG_INFO, MSG_BOOT, 0, SET_COUNT);
    shell_init();
    for (;;)
        if (!sched_step(board_millis()))
            board_idle();
}
