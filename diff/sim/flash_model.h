/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of a device's flash that is nastier than flash.
 *
 * A model holds up to three areas that share one operation counter, one
 * power supply and one boot counter.  It keeps the rules of the areas'
 * profiles and remembers the first that was broken.  Power can be cut at any
 * erase or program; the operation that was under way is then torn in one of
 * the ways below.
 */
#ifndef INLAY_FLASH_MODEL_H
#define INLAY_FLASH_MODEL_H

#include "inlay_patch.h"
#include "profile.h"

#include <setjmp.h>

/* What a power cut leaves of the operation that was under way. */
enum inlay_torn {
    INLAY_TORN_BEFORE,      /* nothing happened yet */
    INLAY_TORN_AFTER,       /* all of it happened */
    INLAY_TORN_PREFIX,      /* its first bytes happened */
    INLAY_TORN_SUFFIX,      /* its last bytes happened */
    INLAY_TORN_RANDOM,      /* any of the bits that were to change did */
    INLAY_TORN_ONE_BIT,     /* a single bit did */
    INLAY_TORN_ALL_BUT_ONE, /* all bits but one did */
    INLAY_TORN_HALF_ERASED, /* erase: any of the granules read erased, none is */
    INLAY_TORN_WEAK,        /* erase: reads erased, but a later program fails */
    INLAY_TORN_NEIGHBOUR,   /* program: as RANDOM, and finished data in the page is damaged */
    INLAY_TORN_UNSTABLE,    /* happened, but some bits read differently on each boot */
    INLAY_TORN_COUNT
};

#define INLAY_TORN_ALL ((1u << INLAY_TORN_COUNT) - 1u)
/* Cuts between operations only: after one is before the next. */
#define INLAY_TORN_NONE (1u << INLAY_TORN_BEFORE)
/* With other bits: only one of these modes at each operation, drawn from the seed. */
#define INLAY_TORN_DRAWN (1u << 31)

const char *inlay_torn_name(enum inlay_torn torn);
/* The mode of that name, or INLAY_TORN_COUNT. */
enum inlay_torn inlay_torn_find(const char *name);
/* 1 if an operation of that kind can be torn like this. */
int inlay_torn_applies(enum inlay_torn torn, int is_erase);

/* A power cut at operation op, counted from 0 since the last reset. */
struct inlay_cut {
    uint64_t op;
    enum inlay_torn torn;
    uint32_t seed; /* decides which bits */
};

/* State of a granule; 0: erased and fit to be programmed. */
#define INLAY_CELL_WRITES 0x0Fu /* programs since the last erase, saturating */
#define INLAY_CELL_TORN   0x10u /* with ECC: faults when read */
#define INLAY_CELL_SHAKY  0x20u /* with ECC: faults on some boots */
#define INLAY_CELL_WEAK   0x40u /* reads erased, but will not hold what is programmed */
#define INLAY_CELL_DIRTY  0x80u /* neither erased nor programmed */

struct inlay_model_block {
    uint32_t pos, len;
    uint32_t erases;   /* wear */
    uint32_t erase_us; /* cost */
    uint64_t version;  /* equal versions: equal contents, in all copies of a model */
    uint8_t upset;     /* 1: some cell is not simply erased or programmed */
    uint8_t uneasy;    /* 1: what it reads or will hold depends on the boot; see sim_memo.c */
    uint64_t summed;   /* the version that sum is of */
    uint64_t sum[2];   /* of all but the wear */
};

struct inlay_model;

struct inlay_model_area {
    struct inlay_flash flash; /* what the device code gets; ctx is this area */
    struct inlay_model *model;
    char name[12];
    struct inlay_profile_area spec;
    uint8_t locked;  /* 1: erasing or writing breaks a rule */
    uint32_t len;    /* bytes */
    uint32_t blocks; /* number of blocks */
    struct inlay_model_block *block;
    uint8_t *data;
    uint8_t *noise;   /* bits that read differently on each boot */
    uint8_t *cell;    /* one per granule */
    uint32_t spoiled; /* position whose programs fail; see inlay_model_spoil() */
    uint32_t spoils_left;
};

/* What happened so far, all boots together. */
struct inlay_model_counts {
    uint64_t erases, writes;        /* operations */
    uint64_t erased, written, read; /* bytes */
    uint64_t rewrites;              /* granules programmed again without an erase */
    uint64_t busy_ns;               /* time spent erasing and programming */
    uint64_t read_ns;
    uint64_t busy_pj; /* energy of erasing and programming */
};

/* Operations in the order they were done, with what was written. */
struct inlay_model_op {
    uint8_t area, is_erase;
    uint32_t pos, len;
    uint32_t mark; /* what the model's mark was */
    size_t data;   /* offset of the bytes written */
};
struct inlay_model_log {
    struct inlay_model_op *op;
    size_t count, room;
    uint8_t *data;
    size_t data_len, data_room;
};
void inlay_model_log_free(struct inlay_model_log *log);

/* Is told of every block before it is read, erased or written. */
struct inlay_model_watch {
    void (*touch)(struct inlay_model_watch *watch, const struct inlay_model_area *a,
                  const struct inlay_model_block *b, int erased);
};

#define INLAY_MODEL_AREAS 3

struct inlay_model {
    struct inlay_model_area area[INLAY_MODEL_AREAS];
    unsigned areas;
    uint64_t ops;  /* erases and programs begun since the last reset */
    uint32_t boot; /* resets so far */
    uint32_t seed; /* decides how unstable bits read */
    int armed;     /* 1: power fails at cut */
    struct inlay_cut cut;
    jmp_buf *power;                  /* where a cut goes; must be set while armed */
    uint32_t mark;                   /* the device's, for the log */
    struct inlay_model_log *log;     /* gets every operation that completes, or NULL */
    struct inlay_model_watch *watch; /* or NULL */
    struct inlay_model_counts counts;
    char broken[160]; /* the first rule that was broken; "": none */
};

/* An empty model, or NULL if memory is out. */
struct inlay_model *inlay_model_new(void);
void inlay_model_free(struct inlay_model *m);

/*
 * Adds an area of one block of image_len bytes where spec has no regions.
 * content is what it holds from position 0; what is behind it, or all of it,
 * is stale data made from seed.  Returns its index, or -1 if memory is out.
 */
int inlay_model_add(struct inlay_model *m, const char *name, const struct inlay_profile_area *spec,
                    uint32_t image_len, const uint8_t *content, uint32_t content_len,
                    uint32_t seed);

/* Another model with the same areas and contents, or NULL if memory is out. */
struct inlay_model *inlay_model_copy(const struct inlay_model *m);
/* Makes `to`, once copied from `from` or one of its copies, equal to it; cheap if little differs.
 */
void inlay_model_restore(struct inlay_model *to, const struct inlay_model *from);

/* Power comes back: counts a boot and disarms the cut. */
void inlay_model_boot(struct inlay_model *m);
/* Power will fail at that operation of this boot. */
void inlay_model_arm(struct inlay_model *m, const struct inlay_cut *cut);
/* Does a logged operation as the device would. */
void inlay_model_redo(struct inlay_model *m, const struct inlay_model_log *log, size_t i);
/* Does as much of a logged operation as the cut allows. */
void inlay_model_redo_torn(struct inlay_model *m, const struct inlay_model_log *log, size_t i,
                           const struct inlay_cut *cut);

/* The next `times` programs of pos store a wrong bit. */
void inlay_model_spoil(struct inlay_model_area *a, uint32_t pos, uint32_t times);

/* 1 if the first len bytes are those at want, programmed properly, and will stay so. */
int inlay_model_holds(const struct inlay_model_area *a, const uint8_t *want, uint32_t len);

/* The block that holds pos. */
struct inlay_model_block *inlay_model_block_at(const struct inlay_model_area *a, uint32_t pos);

/* Notes that a rule was broken, if it is the first, and returns -1. */
int inlay_model_break(struct inlay_model *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For flash_torn.c: the operation itself, complete and without rules, and the torn one. */
void inlay_model_program(struct inlay_model_area *a, uint32_t pos, const uint8_t *buf,
                         uint32_t len);
void inlay_model_wipe(struct inlay_model_area *a, struct inlay_model_block *b);
/* Notes that the blocks of that range were changed by a torn operation. */
void inlay_model_touch(struct inlay_model_area *a, uint32_t pos, uint32_t len);
void inlay_model_tear(struct inlay_model_area *a, int is_erase, uint32_t pos, const uint8_t *buf,
                      uint32_t len, const struct inlay_cut *cut);

/* A number that depends on all bits of both, well mixed. */
static inline uint64_t inlay_model_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a * 0x9E3779B97F4A7C15u + b + 0x632BE59BD9B4E019u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

#endif
