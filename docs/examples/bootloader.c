/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bootloader for the nRF52840 that updates the application in place; docs/PORTING.md
 * explains it.  Memory map, as in the profile nrf52840: bootloader up to 0x10000, slot up to
 * 0xF8000, work area up to 0x100000.
 */
#include "codec_mix.h"
#include "inlay_patch.h"
#include <string.h>

/* The board's: SHA-256, where the patch is kept, the way into the application. */
extern const struct inlay_crypto board_crypto;
size_t patch_read(uint32_t offset, uint8_t *buf, size_t len); /* 0: there is no more */
void patch_forget(void);
void board_log(enum inlay_event event, uint32_t a, uint32_t b);
void board_start(uint32_t vectors);
void board_recover(enum inlay_status why);
void board_reset(void);
void boot(void);

/* ---- flash ---- */

#define NVMC(offset)   (*(volatile uint32_t *)(0x4001E000u + (offset)))
#define NVMC_READY     0x400u
#define NVMC_CONFIG    0x504u /* 0: read, 1: write, 2: erase */
#define NVMC_ERASEPAGE 0x508u
#define WDT_RELOAD     (*(volatile uint32_t *)0x40010600u)

static uint32_t slot_base = 0x10000u, work_base = 0xF8000u;

static void nvmc_mode(uint32_t mode)
{
    NVMC(NVMC_CONFIG) = mode;
    while (NVMC(NVMC_READY) == 0)
        ;
}

static int flash_read(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    memcpy(buf, (const void *)(uintptr_t)(*(uint32_t *)ctx + pos), len);
    return 0;
}

static int flash_erase(void *ctx, uint32_t pos, uint32_t len)
{
    (void)len; /* always one page */
    nvmc_mode(2);
    NVMC(NVMC_ERASEPAGE) = *(uint32_t *)ctx + pos;
    nvmc_mode(0);
    return 0;
}

static int flash_write(void *ctx, uint32_t pos, const void *buf, uint32_t len)
{
    nvmc_mode(1);
    for (uint32_t i = 0; i < len; i += 4) {
        uint32_t word;
        memcpy(&word, (const uint8_t *)buf + i, 4);
        *(volatile uint32_t *)(uintptr_t)(*(uint32_t *)ctx + pos + i) = word;
        while (NVMC(NVMC_READY) == 0)
            ;
    }
    nvmc_mode(0);
    return 0;
}

static const struct inlay_flash slot_flash = {.ctx = &slot_base,
                                              .read = flash_read,
                                              .erase = flash_erase,
                                              .write = flash_write,
                                              .write_size = 4,
                                              .page_len = 512,
                                              .erased = 0xFF,
                                              .regions = 1,
                                              .region = {{232, 4096}}};
static const struct inlay_flash work_flash = {.ctx = &work_base,
                                              .read = flash_read,
                                              .erase = flash_erase,
                                              .write = flash_write,
                                              .write_size = 4,
                                              .page_len = 512,
                                              .erased = 0xFF,
                                              .regions = 1,
                                              .region = {{8, 4096}}};

/* ---- the update ---- */

static void on_event(void *ctx, enum inlay_event event, uint32_t a, uint32_t b)
{
    (void)ctx;
    board_log(event, a, b);
}

static const struct inlay_codec *const codecs[] = {&inlay_codec_mix_thumb2, NULL};
static const struct inlay_config config = {.old = &slot_flash,
                                           .slot = &slot_flash,
                                           .work = &work_flash,
                                           .crypto = &board_crypto,
                                           .codecs = codecs,
                                           .event = on_event};
static uint64_t workspace[16384 / 8];

/* From where the journal says to the end, or to what stops it. */
static enum inlay_status run(struct inlay_patcher *p, enum inlay_status st)
{
    uint8_t piece[256];
    size_t used;
    while (st == INLAY_MORE || st == INLAY_AGAIN) {
        WDT_RELOAD = 0x6E524635u;
        if (st == INLAY_AGAIN) {
            st = inlay_step(p);
            continue;
        }
        size_t len = patch_read(inlay_next_offset(p), piece, sizeof piece);
        if (len == 0)
            return INLAY_MORE;
        st = inlay_feed(p, piece, len, &used);
    }
    return st;
}

void boot(void)
{
    struct inlay_patcher *p;
    enum inlay_status st = inlay_begin(&p, &config, workspace, sizeof workspace);
    st = run(p, st);
    if (st == INLAY_DONE || st == INLAY_ALREADY)
        patch_forget();
    else if (st == INLAY_E_FLASH)
        board_reset(); /* the journal stands; a retry may succeed */
    /* Only an application that is whole is started: no update is under way. */
    enum inlay_status left = inlay_begin(&p, &config, workspace, sizeof workspace);
    if (left != INLAY_MORE)
        board_recover(st);
    if (st < 0)
        patch_forget(); /* refused before anything was changed */
    board_start(slot_base);
}
