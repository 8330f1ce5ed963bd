/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inlay patcher: streams a patch into a device and rewrites its flash.
 *
 * This is the patcher's only public header.  It needs a C99 compiler and
 * memcpy, memmove, memset and memcmp; no heap, no recursion, no floating
 * point, no stdio.  The caller owns all memory and all hardware: the patcher
 * reaches flash and cryptography through the callbacks below and keeps its
 * whole state in one workspace.
 *
 * Life of an update:
 *
 *     inlay_begin()            resumes by itself if the journal says so
 *     loop:
 *         ask your transport for bytes from inlay_next_offset()
 *         inlay_feed()         copies at most one chunk, verifies it
 *         inlay_step()         bounded work, until it wants more bytes
 *     inlay_step() == INLAY_DONE: the new image is whole and was read back
 *
 * Power may fail at any instant.  After the reset call inlay_begin() again.
 */
#ifndef INLAY_PATCH_H
#define INLAY_PATCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define INLAY_DIGEST_LEN   32u   /* SHA-256, FIPS 180-4 */
#define INLAY_MANIFEST_MAX 1024u /* bytes of manifest and signature block */
#define INLAY_REGIONS_MAX  8u    /* runs of equal erase blocks in one area */
#define INLAY_BOOTS_MAX    100u  /* boots without a commit, where the integrator does not say */

/*
 * Every call returns one of these.  0 and above: go on.  Below 0: final and
 * sticky until the next inlay_begin(); grouped by who has to act.
 */
enum inlay_status {
    INLAY_OK = 0,
    INLAY_MORE = 1,    /* your move: feed bytes from inlay_next_offset() */
    INLAY_AGAIN = 2,   /* your move: call inlay_step() again */
    INLAY_DONE = 3,    /* the new image is in place and verified */
    INLAY_ALREADY = 4, /* this very patch was applied before: nothing done */

    INLAY_E_USAGE = -1,        /* a bad argument or configuration */
    INLAY_E_WORKSPACE = -2,    /* the workspace is too small: see inlay_needs */
    INLAY_E_OLD = -10,         /* the installed image is not this patch's old image */
    INLAY_E_CORRUPT = -20,     /* the patch contradicts itself */
    INLAY_E_CHAIN = -21,       /* a chunk is damaged, or with the first an unsigned manifest */
    INLAY_E_RESULT = -22,      /* what was decoded is wrong; A/B, all of it: the update is over */
    INLAY_E_UNSUPPORTED = -30, /* format level or codec this build lacks */
    INLAY_E_LIMIT = -40,       /* does not fit the slot, work area or geometry */
    INLAY_E_FLASH = -50,       /* flash failed to read, erase or hold its data */
    INLAY_E_SIGNATURE = -60,   /* no valid signature */
    INLAY_E_POLICY = -70,      /* for another device, or older than allowed */
    INLAY_E_BUSY = -80,        /* another patch is half applied: see inlay_abort() */
    INLAY_E_JOURNAL = -81,     /* the journal is from another version */
    INLAY_E_PROGRESS = -82     /* too many boots without a commit: see boots_max */
};

/* A run of equal erase blocks. */
struct inlay_region {
    uint32_t count;     /* number of blocks, 1 or more */
    uint32_t block_len; /* bytes in each, a multiple of the write size */
};

/*
 * One area of flash, addressed from 0.  Callbacks return 0 for success and
 * anything else for a failure; they may block and may kick a watchdog.
 */
struct inlay_flash {
    void *ctx;
    /* Reads len bytes.  Must report an uncorrectable ECC error as a failure. */
    int (*read)(void *ctx, uint32_t pos, void *buf, uint32_t len);
    /* Erases the one block that starts at pos and is len bytes long. */
    int (*erase)(void *ctx, uint32_t pos, uint32_t len);
    /* Programs len bytes, both pos and len multiples of write_size, erased before. */
    int (*write)(void *ctx, uint32_t pos, const void *buf, uint32_t len);
    uint32_t write_size; /* bytes, a power of two from 1 to 256 */
    uint32_t page_len;   /* bytes that a torn write may disturb, a power of two; 0: 512 */
    uint8_t erased;      /* what an erased byte reads: 0xFF or 0x00 */
    uint8_t regions;     /* 1 to INLAY_REGIONS_MAX */
    struct inlay_region region[INLAY_REGIONS_MAX];
};

/* Cryptography is the integrator's: PSA, mbedTLS, libsodium, a hardware block. */
struct inlay_crypto {
    void *ctx;
    /* SHA-256 over a state of at most INLAY_SHA_STATE_MAX bytes, 8-aligned. */
    void (*sha256_init)(void *ctx, void *state);
    void (*sha256_update)(void *ctx, void *state, const void *data, size_t len);
    void (*sha256_final)(void *ctx, void *state, uint8_t digest[32]);
    /*
     * Checks the signature block against the manifest bytes before it.
     * Returns 0 to accept.  NULL accepts only patches without a signature.
     */
    int (*verify)(void *ctx, const uint8_t *manifest, size_t manifest_len, const uint8_t *sig,
                  size_t sig_len);
};
#ifndef INLAY_SHA_STATE_MAX
#define INLAY_SHA_STATE_MAX                                                                        \
    256u /* bytes; may be set lower, to a multiple of 8, for the whole build */
#endif

/* A codec the build offers; inlay_codec_*.h or codec.h declare them. */
struct inlay_codec;

/* What the patcher tells a fleet's log.  a and b are described per event. */
enum inlay_event {
    INLAY_EVENT_RESUMED,  /* a: byte of the patch wanted next, b: boots without a commit */
    INLAY_EVENT_BLOCK,    /* a: bytes of the new image decoded, b: bytes in all */
    INLAY_EVENT_MOVED,    /* a: staged blocks that were moved to their place, perhaps once more,
                             b: decoded ones of the group that are still to be made by recipe */
    INLAY_EVENT_RETRY,    /* a: position whose read-back differed, b: tries left */
    INLAY_EVENT_VERIFIED, /* the whole new image was read back and matches */
    INLAY_EVENT_FAILED    /* a: the negated status, b: patch offset or block */
};

/*
 * A dry run decodes against the intact old image and checks old image, chunks,
 * groups and the digest of the new image.  That digest needs the blocks as they
 * lie in the image; the patch has them as they can be written.  So the patch is
 * asked for again from its start until every block had its turn, at most once
 * per block.  INLAY_DRY_ONCE takes the patch once, and if its blocks are not in
 * order leaves that digest out: INLAY_DONE without INLAY_EVENT_VERIFIED.
 */
enum inlay_dry_run { INLAY_DRY_NOT, INLAY_DRY_WHOLE, INLAY_DRY_ONCE };

struct inlay_config {
    const struct inlay_flash *old;  /* the installed image, from position 0 */
    const struct inlay_flash *slot; /* the new image goes here; old itself: in place */
    const struct inlay_flash *work; /* journal, pool, stage; NULL: A/B without resume */
    const struct inlay_crypto *crypto;
    const struct inlay_codec *const *codecs; /* ends with NULL */
    const uint8_t *component;                /* id the manifest must carry; NULL: not checked */
    uint8_t component_len;                   /* 0 to 32 bytes */
    uint32_t security_counter;               /* refuse a manifest with a smaller one */
    uint8_t dry_run;                         /* enum inlay_dry_run; not 0: write nothing */
    /*
     * INLAY_E_PROGRESS after so many boots without a commit; 0: INLAY_BOOTS_MAX.
     * The way on: begin again with more, once boots last longer.
     */
    uint32_t boots_max;
    uint32_t boots_lost; /* boots since the last INLAY_EVENT_RESUMED, if you count them; else 0 */
    void (*event)(void *ctx, enum inlay_event event, uint32_t a, uint32_t b); /* or NULL */
    void *event_ctx;
};

/* What a patch asks of a device; filled by inlay_probe(). */
struct inlay_needs {
    uint32_t workspace;    /* bytes of RAM for inlay_begin() */
    uint32_t old_size;     /* bytes of the installed image it was made against */
    uint32_t new_size;     /* bytes of the image it makes */
    uint32_t patch_size;   /* bytes of the whole patch file */
    uint32_t chunk_len;    /* bytes per chunk, the most inlay_feed() takes at once */
    uint32_t head_len;     /* bytes saved in the work area before the first commit */
    uint32_t pool_len;     /* bytes of old content saved there too */
    uint32_t recipe_len;   /* bytes of recipes that one group stages, 0: whole blocks */
    uint32_t stage_blocks; /* the slot's longest blocks that the stage must have room for, at least,
                              behind the erase blocks with the recipes */
    uint8_t in_place;      /* 1: rewrites the slot that it reads */
    uint8_t level;         /* format level */
    uint8_t codec;         /* codec id */
};

/* Where and why the last call stopped; for messages and logs. */
struct inlay_report {
    enum inlay_status status;
    uint32_t patch_pos; /* byte of the patch that was being read */
    /*
     * Byte of the image that was being read or written.  INLAY_E_OLD: where the
     * first piece starts that is not the old image's, if the patch has checks of
     * pieces (inlay diff --old-checks), or else the old image's size.
     */
    uint32_t image_pos;
};

/* The patcher's whole state lives in the caller's workspace, 8-aligned. */
struct inlay_patcher;

/*
 * Reads the manifest at the head of a patch; touches nothing.
 * head: the first head_len bytes of the patch.
 * Returns INLAY_OK and fills *needs; INLAY_MORE if the manifest is longer
 * than head_len (INLAY_MANIFEST_MAX bytes are always enough);
 * INLAY_E_CORRUPT or INLAY_E_UNSUPPORTED.
 */
enum inlay_status inlay_probe(const struct inlay_codec *const *codecs, const uint8_t *head,
                              size_t head_len, struct inlay_needs *needs);

/* Bytes of workspace that are enough to begin and to feed a manifest. */
size_t inlay_patcher_size(void);

/*
 * Starts, or resumes by itself if the work area's journal holds an unfinished
 * update.  cfg must stay valid; workspace is 8-aligned and stays the
 * patcher's until the update ends.  *patcher points into it.
 * Returns INLAY_MORE, INLAY_AGAIN, or an error.
 */
enum inlay_status inlay_begin(struct inlay_patcher **patcher, const struct inlay_config *cfg,
                              void *workspace, size_t workspace_len);

/* The next byte of the patch that is wanted: an HTTP Range or CoAP block offset. */
uint32_t inlay_next_offset(const struct inlay_patcher *p);

/*
 * Is this patch the one that is under way?  head: its first head_len bytes.
 * Ask after inlay_begin() resumed by itself and before feeding; a chunk that
 * does not match then means damage, INLAY_E_CHAIN, and not INLAY_E_BUSY.
 * Returns INLAY_OK (it is, or none is under way), INLAY_MORE (head_len is too
 * short), INLAY_E_BUSY (another one is: finish that, or see inlay_abort()), or
 * an error in the head.  The update goes on as if this had not been called.
 */
enum inlay_status inlay_match(struct inlay_patcher *p, const uint8_t *head, size_t head_len);

/*
 * Takes patch bytes that start at inlay_next_offset(), any number of them.
 * *used tells how many were taken; nothing is kept of the others.  The offset
 * can go back, if a block did not hold its data and its group is done again:
 * always ask for it.
 * Returns INLAY_MORE, INLAY_AGAIN (call inlay_step() before feeding on),
 * INLAY_ALREADY, or an error.  INLAY_E_BUSY: the first chunk after a resume is
 * not from the patch that is under way, or was damaged; call inlay_begin() and
 * let inlay_match() tell which.
 */
enum inlay_status inlay_feed(struct inlay_patcher *p, const uint8_t *data, size_t len,
                             size_t *used);

/*
 * Does a bounded amount of work: at most one flash operation of each kind, or
 * a few KB of decoding or hashing.  Returns INLAY_AGAIN, INLAY_MORE,
 * INLAY_DONE, INLAY_ALREADY, or an error.
 */
enum inlay_status inlay_step(struct inlay_patcher *p);

/* Where and why; valid after every call. */
struct inlay_report inlay_report(const struct inlay_patcher *p);

/*
 * Gives an update up.  Allowed while the old image is still whole (nothing was
 * committed in place; always for A/B): INLAY_OK, the journal is cleared.
 * Otherwise INLAY_E_BUSY: the only way out is to finish that patch.  Before the
 * first commit in place this reads the whole old image.  After INLAY_OK the
 * patcher is over; call inlay_begin() for another patch.
 */
enum inlay_status inlay_abort(struct inlay_patcher *p);

/* A short English sentence for a status; never NULL. */
const char *inlay_status_text(enum inlay_status status);

#ifdef __cplusplus
}
#endif

#endif
