/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device profiles: what a patch is made for.
 *
 * A profile is a small text file of `key = value` lines (docs in
 * diff/profiles/README.md).  It gives the differ its bounds and costs, and
 * the simulator the flash to model.
 */
#ifndef INLAY_PROFILE_H
#define INLAY_PROFILE_H

#include "error.h"
#include "inlay_patch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One area of flash, as it is on the device. */
struct inlay_profile_area {
    uint8_t present;     /* 0: the profile has no such area, all else is 0 */
    uint8_t erased;      /* what an erased byte reads: 0xFF or 0x00 */
    uint8_t ecc;         /* 1: reading a torn granule faults */
    uint8_t regions;     /* 0: one block as large as the image, else 1 to INLAY_REGIONS_MAX */
    uint32_t max_writes; /* programs of one granule between two erases, 1 or more */
    uint32_t write_size; /* bytes in a granule, a power of two from 1 to 256 */
    uint32_t page_len;   /* bytes that a torn program may disturb, a power of two >= write_size */
    struct inlay_region region[INLAY_REGIONS_MAX];
    /* Rough costs; 0 where they do not matter. */
    uint32_t erase_us[INLAY_REGIONS_MAX]; /* per block of that region */
    uint32_t program_len;                 /* bytes programmed at once, write_size or more */
    uint32_t program_us;                  /* for up to program_len bytes */
    uint32_t read_ns;                     /* per byte */
    uint32_t busy_mw;                     /* power drawn while erasing or programming */
};

struct inlay_profile {
    char name[32];
    char title[128];                  /* what it is, in a few words */
    char source[256];                 /* where the figures come from */
    char arch[16];                    /* the processor's name, "auto" or "none" */
    uint8_t base_known;               /* 0: the load address is found in the images */
    uint64_t base;                    /* load address of byte 0 of the slot */
    uint8_t in_place;                 /* the default mode: 1 in place, 0 A/B */
    struct inlay_profile_area slot;   /* the installed image */
    struct inlay_profile_area second; /* A/B: the new image; may be absent */
    struct inlay_profile_area work;   /* journal, pool and stage; may be absent */
    uint32_t ram;                     /* bytes of RAM for the patcher, codec included */
    uint32_t model_ram;               /* of these, bytes for the codec's state */
    uint32_t chunk_len;               /* bytes of payload per chunk of the patch */
    uint32_t check_len;               /* bytes of digest per group, 0 to 15 */
    uint32_t redo;                    /* most bytes of image that a cut costs to make anew */
    uint8_t recipes;                  /* 1: in place, blocks may be staged as recipes (default) */
    uint32_t cpu_hz, cpu_mw;
    uint32_t cpu_cycles;         /* rough decoding cost per byte of new image */
    uint32_t radio_us, radio_nj; /* per byte received */
};

/* One profile that ships with Inlay. */
struct inlay_profile_file {
    const char *name;
    const char *text;
};

/* The shipped profiles, ascending by name. */
const struct inlay_profile_file *inlay_profile_list(size_t *count);

/* The text of a shipped profile, or NULL. */
const char *inlay_profile_text(const char *name);

/*
 * Loads a shipped profile by name, or else a file.  Returns 0;
 * INLAY_EXIT_USAGE with FILE:LINE in the sentence if it is not valid or not
 * known; INLAY_EXIT_IO if the file cannot be read.
 */
int inlay_profile_load(const char *name, struct inlay_profile *profile, struct inlay_error *err);

/* The same from memory; where is what messages call it. */
int inlay_profile_parse(const char *text, size_t len, const char *where,
                        struct inlay_profile *profile, struct inlay_error *err);

/* Bytes in an area, 0 if it is absent or as large as the image. */
uint32_t inlay_profile_area_len(const struct inlay_profile_area *area);
/* Blocks in an area, 1 if it is as large as the image. */
uint32_t inlay_profile_area_blocks(const struct inlay_profile_area *area);

/* The area that the new image goes to: slot in place, second for A/B; NULL if there is none. */
const struct inlay_profile_area *inlay_profile_target(const struct inlay_profile *profile,
                                                      int in_place);

#ifdef __cplusplus
}
#endif

#endif
