/* SPDX-License-Identifier: Apache-2.0 */
/* What a host gives the patcher: SHA-256 from libsodium and all codecs. */
#include "codec_lzma.h"
#include "codec_mix_host.h"
#include "fast_model.h"
#include "inlay.h"

#include <sodium.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= INLAY_SHA_STATE_MAX, "SHA-256 state");

static void init(void *ctx, void *state)
{
    (void)ctx;
    crypto_hash_sha256_init(state);
}

static void update(void *ctx, void *state, const void *data, size_t len)
{
    (void)ctx;
    crypto_hash_sha256_update(state, data, len);
}

static void final(void *ctx, void *state, uint8_t digest[32])
{
    (void)ctx;
    crypto_hash_sha256_final(state, digest);
}

const struct inlay_crypto *inlay_host_crypto(void)
{
    static const struct inlay_crypto crypto = {NULL, init, update, final, NULL};
    return &crypto;
}

const struct inlay_codec *const *inlay_host_codecs(void)
{
    static const struct inlay_codec *const codecs[] = {&inlay_codec_mix_host, &inlay_codec_lzma,
                                                       NULL};
    inlay_fast_model_init();
    return codecs;
}

enum inlay_exit inlay_exit_of(enum inlay_status status)
{
    switch (status) {
    case INLAY_E_OLD:
        return INLAY_EXIT_OLD;
    case INLAY_E_CORRUPT:
    case INLAY_E_CHAIN:
    case INLAY_E_RESULT:
    case INLAY_E_UNSUPPORTED:
        return INLAY_EXIT_CORRUPT;
    case INLAY_E_LIMIT:
    case INLAY_E_WORKSPACE:
        return INLAY_EXIT_LIMIT;
    case INLAY_E_FLASH:
        return INLAY_EXIT_IO;
    case INLAY_E_SIGNATURE:
        return INLAY_EXIT_SIGNATURE;
    case INLAY_E_POLICY:
        return INLAY_EXIT_POLICY;
    default:
        return status < 0 ? INLAY_EXIT_FAILURE : INLAY_EXIT_OK;
    }
}
