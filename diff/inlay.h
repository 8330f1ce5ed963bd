/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libinlay: makes patches for a device and applies them on a host.
 *
 * The same engine as the inlay command.  Functions return 0 or an
 * enum inlay_exit and, if err is not NULL, leave a sentence there that says
 * what is wrong, where, and what to do.  Nothing here prints, exits or keeps
 * state between calls; different threads may work on different data.
 *
 *     struct inlay_image old = {0}, new = {0};
 *     struct inlay_profile device;
 *     struct inlay_diff_result result = {0};
 *     struct inlay_error err;
 *     if (inlay_image_load("old.elf", &old, &err) || inlay_image_load("new.elf", &new, &err) ||
 *         inlay_profile_load("nrf52840", &device, &err) ||
 *         inlay_diff(&old, &new, &device, NULL, &result, &err))
 *         puts(err.text);
 */
#ifndef INLAY_H
#define INLAY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "buffer.h"
#include "error.h"
#include "inlay_patch.h"
#include "profile.h"

/* ---- Images ---- */

enum inlay_image_kind {
    INLAY_IMAGE_RAW,      /* bytes as they are */
    INLAY_IMAGE_FIRMWARE, /* ELF for bare metal, laid out as in flash */
    INLAY_IMAGE_ELF,      /* ELF of an operating system: a file, its bytes as they are */
    INLAY_IMAGE_HEX,      /* Intel HEX */
    INLAY_IMAGE_SREC,     /* Motorola S-records */
    INLAY_IMAGE_UF2
};

struct inlay_image {
    uint8_t *data; /* owned; NULL if empty */
    size_t size;
    uint64_t base; /* address of byte 0, if base_known */
    int base_known;
    const char *arch; /* the processor's name, or NULL if the file does not say */
    enum inlay_image_kind kind;
};

/* The largest image, after laying it out. */
#define INLAY_IMAGE_MAX 0x7ffffff0u

/*
 * Reads an image from a file ("-": standard input).  The kind is recognised
 * by content.  Gaps between pieces are filled with 0xFF; gaps of more than
 * 4 MB are refused.  INLAY_EXIT_IO, or INLAY_EXIT_USAGE for a file that is
 * damaged or cannot be laid out (with its line, record or block).
 */
int inlay_image_load(const char *path, struct inlay_image *image, struct inlay_error *err);

/* The same from memory; where is what messages call it. */
int inlay_image_parse(const uint8_t *data, size_t len, const char *where, struct inlay_image *image,
                      struct inlay_error *err);

void inlay_image_free(struct inlay_image *image);

/* "raw", "elf firmware" and so on; never NULL. */
const char *inlay_image_kind_name(enum inlay_image_kind kind);

/* Something in an image that a differ can do little about. */
struct inlay_payload {
    const char *kind; /* "gzip", "xz", "squashfs", ..., or "high entropy" */
    size_t pos;
};

/*
 * Looks for compressed or encrypted data.  Fills at most max findings,
 * ascending, and returns how many there are.
 */
size_t inlay_image_payloads(const uint8_t *data, size_t size, struct inlay_payload *found,
                            size_t max);

/* Called now and then with done of total, from the calling thread. */
struct inlay_progress {
    void (*report)(void *ctx, const char *what, uint64_t done, uint64_t total);
    void *ctx;
};

/* ---- Making a patch ---- */

enum inlay_diff_mode { INLAY_DIFF_PROFILE, INLAY_DIFF_AB, INLAY_DIFF_IN_PLACE };

enum inlay_diff_codec {
    INLAY_DIFF_SMALLER, /* whichever makes the smaller patch, of those worth trying */
    INLAY_DIFF_MIX,     /* for microcontrollers: small, slow per byte */
    INLAY_DIFF_LZMA     /* for large images and megabytes of RAM: liblzma */
};

/* Everything may be left 0: the profile then decides. */
struct inlay_diff_options {
    enum inlay_diff_mode mode;
    enum inlay_diff_codec codec;
    const char *arch; /* a processor's name, "auto" or "none"; NULL: as the images or profile say */
    uint64_t base;    /* load address of byte 0, used if base_known */
    int base_known;
    const uint8_t *component;              /* id that the device compares, component_len bytes */
    uint8_t component_len;                 /* 0 to 32 */
    const char *old_version, *new_version; /* for people, at most 64 bytes; or NULL */
    uint32_t security_counter;
    int old_checks; /* 1: a device can tell where its image is not the old one; 2 bytes a block */
    unsigned jobs;  /* threads at most, up to 64; 0: one per processor online, up to 8 */
    const struct inlay_progress *progress; /* or NULL */
};

/* Where a patch's bytes go, in 1/256 of a bit; the sum is the payload. */
struct inlay_diff_split {
    uint64_t plan, control, addresses, corrections, new_data, checks;
};

struct inlay_diff_result {
    struct inlay_buffer patch; /* owned */
    struct inlay_needs needs;  /* what it asks of the device */
    struct inlay_diff_split split;
    const char *codec;       /* "mix" or "lzma" */
    size_t manifest_len;     /* bytes of manifest and signature block */
    size_t chain_len;        /* bytes of digests between chunks */
    uint32_t blocks;         /* in the slot, as far as the image reaches */
    uint32_t direct, staged; /* blocks rewritten */
    uint64_t lost;           /* copied bytes that became new data for want of pool */
    uint32_t groups;         /* commits */
};

/*
 * Compiles a patch for a device and applies it once with the real patcher.
 * A patch that the patcher could not apply there is never returned:
 * INLAY_EXIT_LIMIT with the number that is exceeded.  The same inputs make the
 * same bytes, whatever the number of threads; none is left behind at the end.
 * options may be NULL.  Free *result with inlay_diff_result_free().
 */
int inlay_diff(const struct inlay_image *old_image, const struct inlay_image *new_image,
               const struct inlay_profile *profile, const struct inlay_diff_options *options,
               struct inlay_diff_result *result, struct inlay_error *err);
void inlay_diff_result_free(struct inlay_diff_result *result);

/* ---- Applying one ---- */

/* SHA-256 and signatures (none known yet) from libsodium. */
const struct inlay_crypto *inlay_host_crypto(void);
/* Every codec of this library, for struct inlay_config. */
const struct inlay_codec *const *inlay_host_codecs(void);

/* Everything may be left 0. */
struct inlay_apply_options {
    const uint8_t *component;              /* the id that the patch must carry, or NULL */
    uint8_t component_len;                 /* 0 to 32 */
    uint32_t security_counter;             /* refuse patches with a smaller one */
    const struct inlay_progress *progress; /* or NULL */
};

/*
 * Makes the new image in memory; in-place patches are applied to a copy.
 * Sets *out, which inlay_buffer_free() frees.  options may be NULL.
 */
int inlay_apply(const uint8_t *old, size_t old_size, const uint8_t *patch, size_t patch_len,
                const struct inlay_apply_options *options, struct inlay_buffer *out,
                struct inlay_error *err);

/*
 * Feeds a patch that is in memory to the patcher until it is done: for flash
 * of the caller's own (cfg's callbacks), in place or A/B, fresh or resumed.
 * *already is set to 1 if there was nothing left to do.
 */
int inlay_apply_flash(const struct inlay_config *cfg, const uint8_t *patch, size_t patch_len,
                      int *already, struct inlay_error *err);

/*
 * Rewrites a file in place as a device would, under the geometry that the
 * patch asks for.  The work area is a file beside it, path.inlay-journal,
 * removed at the end; killed at any moment, the same call goes on.
 */
int inlay_apply_file(const char *path, const uint8_t *patch, size_t patch_len,
                     const struct inlay_apply_options *options, int *already,
                     struct inlay_error *err);

/* The exit code that fits a patcher's status. */
enum inlay_exit inlay_exit_of(enum inlay_status status);

#ifdef __cplusplus
}
#endif

#endif
