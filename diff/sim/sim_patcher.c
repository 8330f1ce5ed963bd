/* SPDX-License-Identifier: Apache-2.0 */
/* The device that is simulated: the patcher, fed from memory. */
#include "inlay.h"
#include "sim.h"

#include <string.h>

/* A boot takes this many calls at most; more is an endless loop. */
#define CALLS_MAX 50000000u
/* So many blocks from one look at the device's whole state to the next. */
#define PASS_EVERY 8u

/* The simulator proves flash, not trust: it has no keys. */
static int accept(void *ctx, const uint8_t *manifest, size_t manifest_len, const uint8_t *sig,
                  size_t sig_len)
{
    (void)ctx, (void)manifest, (void)manifest_len, (void)sig, (void)sig_len;
    return 0;
}

static enum inlay_status feed(struct inlay_patcher *p, struct inlay_sim_board *b)
{
    uint32_t pos = inlay_next_offset(p);
    size_t used = 0, len;
    if (pos >= b->patch_len)
        return INLAY_MORE;
    len = b->patch_len - pos;
    if (b->feed_len && len > b->feed_len)
        len = b->feed_len;
    enum inlay_status status = inlay_feed(p, b->patch + pos, len, &used);
    b->fed += used;
    b->low = pos < b->low ? pos : b->low;
    b->high = pos + used > b->high ? pos + (uint32_t)used : b->high;
    *b->mark = inlay_next_offset(p);
    /* What is taken must bring it on, or it would ask for ever. */
    return status == INLAY_MORE && !used ? INLAY_E_USAGE : status;
}

/* Commits, more or less: where boots that were cut in different places come together again. */
static void count_progress(void *ctx, enum inlay_event event, uint32_t a, uint32_t b)
{
    uint32_t *progress = ctx;
    (void)a, (void)b;
    if (event == INLAY_EVENT_RESUMED)
        *progress += PASS_EVERY;
    else if (event == INLAY_EVENT_BLOCK)
        *progress += 1;
}

static enum inlay_status run(struct inlay_patcher *p, struct inlay_sim_board *b,
                             enum inlay_status status, uint32_t *progress)
{
    for (uint32_t calls = 0; calls < CALLS_MAX; calls++) {
        if (*progress >= PASS_EVERY && b->pass) {
            *progress = 0;
            if (b->pass(b, (uint64_t)status))
                return INLAY_DONE;
        }
        if (status == INLAY_MORE && inlay_next_offset(p) >= b->patch_len)
            return INLAY_MORE;
        if (status == INLAY_MORE)
            status = feed(p, b);
        else if (status == INLAY_AGAIN || status == INLAY_OK)
            status = inlay_step(p);
        else
            return status;
    }
    return INLAY_AGAIN;
}

enum inlay_status inlay_sim_patcher(void *ctx, struct inlay_sim_board *b)
{
    const struct inlay_codec *const *codecs = ctx ? ctx : inlay_host_codecs();
    struct inlay_crypto crypto = *inlay_host_crypto();
    struct inlay_config cfg = {
        .old = b->old, .slot = b->slot, .work = b->work, .crypto = &crypto, .codecs = codecs};
    struct inlay_patcher *p = NULL;
    struct inlay_needs needs;
    uint32_t progress = 0;
    crypto.verify = accept;
    cfg.event = count_progress;
    cfg.event_ctx = &progress;
    enum inlay_status status = inlay_probe(codecs, b->patch, b->patch_len, &needs);
    if (status != INLAY_OK)
        return status == INLAY_MORE ? INLAY_E_CORRUPT : status;
    b->ram_used = needs.workspace;
    if (needs.workspace > b->ram_len)
        return INLAY_E_WORKSPACE;
    status = inlay_begin(&p, &cfg, b->ram, needs.workspace);
    if (!p || status < 0)
        return status;
    status = run(p, b, status, &progress);
    b->at = inlay_report(p);
    return status;
}
