/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the codec knows about processors.
 *
 * A copied stretch of old code is taken apart into units: instructions,
 * aligned pointers, plain bytes.  A unit that refers to an address says so;
 * the codec maps that address from the old image to the new one and the
 * processor's aim() writes it into the unit again.  The result is the
 * prediction of the new unit; it may be wrong, never harmful.
 *
 * Addresses are absolute, modulo 2^32.  Nothing here may depend on anything
 * but its arguments: differ and patcher must agree bit for bit.
 */
#ifndef INLAY_ARCH_H
#define INLAY_ARCH_H

#include <stddef.h>
#include <stdint.h>

#define INLAY_UNIT_MAX   8u  /* bytes in the longest unit */
#define INLAY_WINDOW     32u /* bytes of old image that parse() may look ahead */
#define INLAY_UNIT_TYPES 32u
#define INLAY_SPACES_MAX 16u /* address spaces of one image */

/*
 * A stretch that is more than code, most often aligned words that hold
 * addresses in a form of their own, such as exception tables (Linux Standard
 * Base Core 5.0, 10.6; Exception Handling ABI for the Arm Architecture, 6).
 */
enum inlay_table_kind {
    INLAY_TABLE_FROM_HERE,
    INLAY_TABLE_FROM_BASE,
    INLAY_TABLE_FROM_HERE31,
    INLAY_TABLE_DATA, /* for processors with parse_data: anything but code */
    INLAY_TABLE_INDEX /* the same, with indices into the table before it, which has symbols */
};
#define INLAY_TABLES_MAX 40u

struct inlay_table {
    uint8_t kind;     /* enum inlay_table_kind */
    uint32_t addr[2]; /* in the old and the new image */
    uint32_t len[2];  /* bytes; the patcher knows that of the old one only */
};

enum inlay_arch_id {
    INLAY_ARCH_NONE = 0,
    INLAY_ARCH_THUMB2 = 1,
    INLAY_ARCH_ARM = 2,
    INLAY_ARCH_AARCH64 = 3,
    INLAY_ARCH_RISCV = 4,
    INLAY_ARCH_XTENSA = 5,
    INLAY_ARCH_AVR = 6,
    INLAY_ARCH_X86_64 = 7,
    INLAY_ARCH_WASM = 8
};

/* Bytes [pos, pos + len) of an image are at addresses addr and up when the processor runs it. */
struct inlay_space {
    uint32_t addr;
    uint32_t pos;
    uint32_t len;
};

/* One unit of old code, as parse() found it. */
struct inlay_unit {
    uint8_t len;        /* bytes, 1 to INLAY_UNIT_MAX, at most what was available */
    uint8_t type;       /* below INLAY_UNIT_TYPES - 8; a context for the models */
    uint8_t has_target; /* 1: target is an address that this unit refers to */
    uint32_t target;
};

/* What a processor remembers from unit to unit (pages in registers and the like). */
struct inlay_arch_state {
    uint32_t value[32]; /* by register: what it was last loaded with */
    uint32_t valid;     /* bit r: value[r] holds */
};

struct inlay_usual;

struct inlay_arch {
    uint8_t id;
    uint8_t granule;                 /* a unit starts at addresses that this divides: 1, 2 or 4 */
    uint8_t pointer_len;             /* bytes of an aligned pointer, 4 or 8; 0: looks for none */
    uint8_t cut_at_pointer;          /* 1: a unit ends where an aligned word looks like a pointer */
    uint8_t literal_kind;            /* enum inlay_literal_kind: how new data is modelled */
    const struct inlay_usual *usual; /* what new code usually is, or NULL */
    /*
     * Takes the unit at b apart.  b holds n bytes of the old image, 1 to
     * INLAY_WINDOW, that start at address addr (a multiple of granule).
     * Bytes behind the unit are only there to look ahead.
     */
    void (*parse)(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                  struct inlay_unit *u);
    /*
     * Rewrites the unit in b (u->len bytes, as parsed at old_addr) so that at
     * new_addr it refers to target.  Returns 1, or 0 if it cannot reach it: b
     * is then as it was.  st as parse() left it.
     */
    int (*aim)(const struct inlay_arch_state *st, const struct inlay_unit *u, uint8_t *b,
               uint32_t old_addr, uint32_t new_addr, uint32_t target);
    /*
     * The same in table t, of enum inlay_side `side`, for what is no pointer
     * and nothing that the table's kind knows; NULL: parse() does it.
     */
    void (*parse_data)(struct inlay_arch_state *st, const struct inlay_table *t, unsigned side,
                       const uint8_t *b, uint32_t n, uint32_t addr, struct inlay_unit *u);
    /* 1 if the aligned word at b, at addr, is likely to be no pointer but code; may be NULL. */
    int (*is_code)(const uint8_t *b, uint32_t n, uint32_t addr);
};

/* What is at WebAssembly's addresses, by their top four bits: what indices mean, then sections. */
enum inlay_wasm_area {
    INLAY_WASM_FUNC = 4, /* below it data, at the address that it is loaded to */
    INLAY_WASM_TABLE,
    INLAY_WASM_TYPE,
    INLAY_WASM_GLOBAL,
    INLAY_WASM_CODE,
    INLAY_WASM_ELEMENTS,
    INLAY_WASM_SIGNATURES, /* the function section: a type for each */
    INLAY_WASM_EXPORTS,
    INLAY_WASM_EXPRESSIONS,
    INLAY_WASM_LOCAL /* by function: 18 bits for that, 10 for the local */
};

enum inlay_literal_kind {
    INLAY_LITERAL_BYTES,  /* no structure known */
    INLAY_LITERAL_HALVES, /* little-endian halfwords, high byte says more: Thumb, AVR */
    INLAY_LITERAL_PARCELS /* instructions of 2 and 3 or 4 bytes: RISC-V, Xtensa */
};

extern const struct inlay_arch inlay_arch_none;
extern const struct inlay_arch inlay_arch_thumb2;
extern const struct inlay_arch inlay_arch_arm;
extern const struct inlay_arch inlay_arch_aarch64;
extern const struct inlay_arch inlay_arch_riscv;
extern const struct inlay_arch inlay_arch_xtensa;
extern const struct inlay_arch inlay_arch_avr;
extern const struct inlay_arch inlay_arch_x86_64;
extern const struct inlay_arch inlay_arch_wasm;

#endif
