/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a patch: manifest, signature block, chunks. */
#ifndef INLAY_CONTAINER_H
#define INLAY_CONTAINER_H

#include "buffer.h"
#include "error.h"
#include "manifest.h"

/* What struct inlay_manifest has only as places; NULL or empty: left out. */
struct inlay_container_fields {
    const char *old_version, *new_version;
    const uint8_t *component;
    size_t component_len;                  /* 0 to INLAY_COMPONENT_MAX */
    const struct inlay_buffer *old_checks; /* from inlay_container_old_checks(), or NULL */
    /*
     * Signs the manifest: writes at most room bytes of signature block to sig.
     * Returns 0 or an exit code.  NULL: the patch stays unsigned.
     */
    int (*sign)(void *ctx, const uint8_t *manifest, size_t manifest_len, uint8_t *sig, size_t room,
                size_t *sig_len, struct inlay_error *err);
    void *sign_ctx;
};

/* SHA-256; digest has 32 bytes. */
void inlay_sha256(const void *data, size_t len, uint8_t digest[32]);

/*
 * Fills in what follows from the images, sizes and digests, and nothing else.
 */
void inlay_container_images(struct inlay_manifest *m, const uint8_t *old_image, size_t old_size,
                            const uint8_t *new_image, size_t new_size);

/*
 * Appends checks of the old image's pieces to out, so that a device can say
 * where its image is wrong.  block_len: what a piece should not be longer
 * than, 256 or more; it will be if there were too many.  0, or -1 without memory.
 */
int inlay_container_old_checks(const uint8_t *old_image, size_t old_size, uint32_t block_len,
                               struct inlay_buffer *out);

/* Where the first piece of an image starts that these checks do not fit; m->old_size: none. */
uint32_t inlay_container_wrong_at(const struct inlay_manifest *m, const uint8_t *patch,
                                  const uint8_t *image, size_t size);

/*
 * Appends the whole patch to out.  m says what goes in the manifest; len,
 * body_pos, sig, first_link, lengths of digests, payload_len and the pieces are computed here.
 * fields may be NULL.  Returns 0 or an exit code; out is then unusable.
 */
int inlay_container_write(const struct inlay_manifest *m,
                          const struct inlay_container_fields *fields, const uint8_t *payload,
                          size_t payload_len, struct inlay_buffer *out, struct inlay_error *err);

/* Reads a manifest and checks that the patch is exactly as long as that says. */
int inlay_container_open(const uint8_t *patch, size_t patch_len, struct inlay_manifest *m,
                         struct inlay_error *err);

#endif
