/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The oracle: a slow decoder written from docs/FORMAT.md and nothing else.
 *
 * It shares no code with patch/ and diff/; only the table of starting values
 * is theirs.  Everything is in memory, nothing is clever, and the first thing
 * that is wrong ends the program.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stddef.h>
#include <stdint.h>

/* What the program returns. */
enum {
    EXIT_WRONG = 1,
    EXIT_USAGE = 2,
    EXIT_OLD = 3,
    EXIT_CORRUPT = 4,
    EXIT_LIMIT = 5,
    EXIT_IO = 8,
    EXIT_NO_PROCESSOR = 10, /* valid, but not covered here */
    EXIT_NO_CODEC = 11
};

void die(int code, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
void *need(size_t len); /* zeroed memory */

/* ---- container.c ---- */

struct region {
    uint32_t count, block_len;
};

struct patch {
    int in_place;
    uint32_t old_size, new_size, payload_len, plan_len;
    unsigned chunk_log, old_digest_len, check_len, codec, params_len, regions;
    uint8_t old_digest[32], new_digest[32], params[31];
    unsigned new_digest_len;
    struct region region[8];
    uint32_t stage_blocks, pool_len;
    int recipes; /* blocks are staged as recipes */
    uint8_t *payload; /* without links, checked */
};

void read_patch(struct patch *p, const uint8_t *data, size_t len);
/* A block of the slot as far as the new image reaches. */
void find_block(const struct patch *p, uint32_t block, uint32_t *start, uint32_t *end);
void sha256(const uint8_t *data, size_t len, uint8_t digest[32]);

/* ---- numbers.c ---- */

struct bytes {
    const uint8_t *at, *end;
};

unsigned take_byte(struct bytes *b);
uint32_t take_uvarint(struct bytes *b);
const uint8_t *take_bytes(struct bytes *b, size_t len);
uint32_t get16(const uint8_t *b);
uint32_t get32(const uint8_t *b);
void put16(uint8_t *b, uint32_t v);
void put32(uint8_t *b, uint32_t v);
uint32_t sign_extend(uint32_t v, unsigned bits);
int fits(uint32_t v, unsigned bits); /* v is a two's complement number of so many bits */

/* ---- model.c ---- */

struct counter {
    int32_t p; /* of 4096; or a state's step */
    unsigned n;
};

int64_t floor_shift(int64_t v, unsigned n);
int32_t stretch(uint32_t p);
uint32_t squash(int32_t odds);
uint32_t counter_p(const struct counter *c);
void learn_counter(struct counter *c, unsigned bit, unsigned limit);
int32_t state_odds(const struct counter *c);
void learn_state(struct counter *c, unsigned bit);
struct counter prior(unsigned i);

struct mixer {
    int32_t in[32];
    unsigned n;
    int32_t *weight[2];
    int32_t said[2]; /* by each list of weights */
};

void mix_add(struct mixer *m, uint32_t p);
void mix_add_odds(struct mixer *m, int32_t odds);
uint32_t mix(struct mixer *m);
void mix_learn(struct mixer *m, unsigned bit, int rate);

/* ---- cpu.c and its neighbours ---- */

enum {
    CPU_NONE,
    CPU_THUMB2,
    CPU_ARM,
    CPU_AARCH64,
    CPU_RISCV,
    CPU_XTENSA,
    CPU_AVR,
    CPU_X86_64,
    CPU_WASM
};

struct unit {
    unsigned len, type;
    int has_target;
    uint32_t target;
};

struct registers {
    uint32_t value[32];
    uint32_t valid;
};

struct cpu {
    unsigned granule, pointer_len;
    int cuts; /* a unit ends where an aligned word looks like a pointer */
    enum { BY_BYTES, BY_HALVES, BY_PARCELS } fresh; /* how new data is coded */
};

const struct cpu *cpu_of(unsigned id); /* NULL: not covered */
void cpu_parse(unsigned id, struct registers *r, const uint8_t *b, uint32_t n, uint32_t addr,
               struct unit *u);
int cpu_aim(unsigned id, const struct registers *r, const struct unit *u, uint8_t *b,
            uint32_t old_addr, uint32_t new_addr, uint32_t target);
int cpu_is_code(unsigned id, const uint8_t *b, uint32_t n, uint32_t addr);

/* For the processors whose addresses come in two instructions. */
int pair_parse(unsigned id, struct registers *r, const uint8_t *b, uint32_t n, uint32_t addr,
               struct unit *u);
int pair_aim(unsigned id, const struct registers *r, const struct unit *u, uint8_t *b,
             uint32_t old_addr, uint32_t new_addr, uint32_t target, int *reached);
void pair_after(unsigned id, struct registers *r, const uint8_t *b, const struct unit *u);
int riscv_is_code(const uint8_t *b, uint32_t n);
void x86_parse(struct registers *r, const uint8_t *b, uint32_t n, uint32_t addr, struct unit *u);
int x86_aim(const struct registers *r, const struct unit *u, uint8_t *b, uint32_t new_addr,
            uint32_t target);
void wasm_parse(struct registers *r, const uint8_t *b, uint32_t n, uint32_t addr, struct unit *u);
int wasm_aim(const struct unit *u, uint8_t *b, uint32_t new_addr, uint32_t target);

/* ---- scene.c ---- */

#define UNIT_MAX   8
#define WINDOW     32
#define TYPE_WORDS 24 /* types from here on are the scene's */
#define SPACES_MAX 16
#define TABLES_MAX 40
enum {
    TYPE_POINTER = TYPE_WORDS,
    TYPE_DATA_POINTER,
    TYPE_EDGE,
    TYPE_FROM_HERE,
    TYPE_FROM_BASE,
    TYPE_FROM_HERE31,
    TYPE_BACK,
    TYPE_FRAME
};
enum { TRUST_INSIDE, TRUST_NEAR, TRUST_FAR, TRUST_EMPTY };

struct space {
    uint32_t addr, pos, len;
};

struct table {
    unsigned kind;
    uint32_t old_addr, new_addr, len;
};

void x86_parse_data(struct registers *r, const struct table *t, const uint8_t *b, uint32_t n,
                    uint32_t addr, struct unit *u);

struct move {
    uint32_t new_pos, old_pos, len;
};

struct scene {
    unsigned cpu_id;
    const struct cpu *cpu;
    unsigned old_spaces, new_spaces, tables;
    struct space old_space[SPACES_MAX], new_space[SPACES_MAX];
    struct table table[TABLES_MAX];
    uint32_t data_lo, data_hi;
    struct move *move;
    uint32_t moves;
    uint32_t *by_old; /* the moves by old_pos */
};

uint32_t old_addr_of(const struct scene *sc, uint32_t pos);
uint32_t new_addr_of(const struct scene *sc, uint32_t pos);
int old_pos_of(const struct scene *sc, uint32_t addr, uint32_t *pos);
void sort_moves(struct scene *sc);
uint32_t map_pos(const struct scene *sc, uint32_t old_pos, int *trust);
void parse_unit(const struct scene *sc, struct registers *r, const uint8_t *b, uint32_t n,
                uint32_t addr, struct unit *u);
int aim_unit(const struct scene *sc, const struct registers *r, const struct unit *u, uint8_t *b,
             uint32_t old_addr, uint32_t new_addr, uint32_t target);
uint32_t word_target(const struct scene *sc, const struct unit *u, const uint8_t *b,
                     uint32_t old_addr, uint32_t new_addr);

/* The first four bytes of a unit as a number. */
uint32_t value_of(const struct scene *sc, const uint8_t *b, unsigned len);
void put_value(const struct scene *sc, uint8_t *b, unsigned len, uint32_t v);

/* ---- small.c: codec 1 ---- */

void decode_small(const struct patch *p, const uint8_t *old, uint8_t *out);

/* ---- large.c: codec 2 ---- */

void decode_large(const struct patch *p, const uint8_t *old, uint8_t *out);

#endif
