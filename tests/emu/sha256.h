/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 for machines where the tests have no library for it.  Not for devices. */
#ifndef EMU_SHA256_H
#define EMU_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct emu_sha256 {
    uint32_t h[8];
    uint64_t total; /* bytes taken so far */
    uint8_t block[64];
};

void emu_sha256_init(struct emu_sha256 *s);
void emu_sha256_update(struct emu_sha256 *s, const uint8_t *data, size_t len);
void emu_sha256_final(struct emu_sha256 *s, uint8_t digest[32]);

/* The examples that go with FIPS 180-4, and the empty message.  0: all right. */
int emu_sha256_try(void);

#endif
