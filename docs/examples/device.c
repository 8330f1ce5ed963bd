/* SPDX-License-Identifier: Apache-2.0 */
/* An update in place on a device; what comes from the board is declared here. */
#include "codec_mix.h"
#include "inlay_patch.h"

extern const struct inlay_flash slot_flash, work_flash; /* how this board's flash is cut */
extern const struct inlay_crypto board_crypto;          /* SHA-256 and the signature's check */
size_t download(uint32_t offset, uint8_t *buf, size_t len);
void kick_watchdog(void);
int update(void);

int update(void)
{
    static const struct inlay_codec *const codecs[] = {&inlay_codec_mix_thumb2, NULL};
    static uint64_t workspace[2048]; /* inlay info says how much a patch needs */
    static uint8_t packet[256];
    const struct inlay_config cfg = {.old = &slot_flash,
                                     .slot = &slot_flash,
                                     .work = &work_flash,
                                     .crypto = &board_crypto,
                                     .codecs = codecs};
    struct inlay_patcher *p;
    enum inlay_status st = inlay_begin(&p, &cfg, workspace, sizeof workspace);
    while (st == INLAY_MORE || st == INLAY_AGAIN) {
        kick_watchdog();
        if (st == INLAY_AGAIN) {
            st = inlay_step(p);
            continue;
        }
        size_t used, len = download(inlay_next_offset(p), packet, sizeof packet);
        if (len == 0)
            return INLAY_MORE; /* no connection: call again later, it goes on where it was */
        st = inlay_feed(p, packet, len, &used);
    }
    return st; /* INLAY_DONE or INLAY_ALREADY: reset into the new image */
}
