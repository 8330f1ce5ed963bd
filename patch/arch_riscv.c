/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RISC-V, 32 and 64 bits with compressed instructions (The RISC-V Instruction
 * Set Manual, volume I, chapters 2 and 16).
 *
 * Addresses come in two parts: LUI or AUIPC and, later, something that adds
 * 12 signed bits.  At the first we look ahead for the second; after it,
 * value[r] is what register r holds, with bit 0 set if it came from AUIPC.
 * Its low 12 bits are then those of the AUIPC's own address.
 */
#include "arch.h"
#include "bits.h"

enum {
    RV_JAL,
    RV_COND,       /* branches */
    RV_CJUMP,      /* C.J */
    RV_CCALL,      /* C.JAL, which on 64 bits is C.ADDIW */
    RV_CCOND,      /* C.BEQZ, C.BNEZ */
    RV_LOW,        /* ADDI, loads, JALR: low 12 bits in the upper bits */
    RV_LOW_STORE,  /* stores: in two pieces; rv_shapes ends here */
    RV_HIGH,       /* LUI with its other part in sight */
    RV_HIGH_PC,    /* AUIPC with its other part in sight */
    RV_DISTANT,    /* LUI without */
    RV_DISTANT_PC, /* AUIPC without */
    RV_PLAIN16,
    RV_PLAIN32,
    RV_BYTE
};

static void rv_set(struct inlay_unit *u, uint8_t type, uint32_t target)
{
    u->type = type;
    u->has_target = 1;
    u->target = target;
}

/* Immediates come in pieces: `bits` bits at `at` in the instruction, at `off` in the value. */
struct rv_piece {
    uint8_t bits, at, off;
};

static const struct rv_piece rv_pieces[] = {
    {1, 31, 20}, {8, 12, 12}, {1, 20, 11}, {10, 21, 1},            /* 0: JAL */
    {1, 31, 12}, {1, 7, 11},  {6, 25, 5},  {4, 8, 1},              /* 4: COND */
    {1, 12, 11}, {1, 11, 4},  {2, 9, 8},   {1, 8, 10},             /* 8: CJUMP */
    {1, 7, 6},   {1, 6, 7},   {3, 3, 1},   {1, 2, 5},              /* 12 */
    {1, 12, 8},  {2, 10, 3},  {2, 5, 6},   {2, 3, 1},   {1, 2, 5}, /* 16: CCOND */
    {12, 20, 0}, {7, 25, 5},  {5, 7, 0},                           /* 21: LOW */
};

/* By type: where the pieces are, and how many bits the value has with its sign. */
static const struct rv_shape {
    uint8_t first, end, bits;
} rv_shapes[] = {{0, 4, 21},  {4, 8, 13},   {8, 16, 12}, {8, 16, 12},
                 {16, 21, 9}, {21, 22, 12}, {22, 24, 12}};

/* The signed immediate of an instruction. */
static uint32_t rv_gather(uint8_t type, uint32_t w)
{
    struct rv_shape shape = rv_shapes[type];
    uint32_t v = 0;
    for (unsigned i = shape.first; i < shape.end; i++) {
        const struct rv_piece *p = &rv_pieces[i];
        v |= (w >> p->at & (((uint32_t)1 << p->bits) - 1u)) << p->off;
    }
    return inlay_sign(v, shape.bits);
}

static uint32_t rv_scatter(uint8_t type, uint32_t w, uint32_t v)
{
    struct rv_shape shape = rv_shapes[type];
    for (unsigned i = shape.first; i < shape.end; i++) {
        const struct rv_piece *p = &rv_pieces[i];
        uint32_t mask = ((uint32_t)1 << p->bits) - 1u;
        w = (w & ~(mask << p->at)) | (v >> p->off & mask) << p->at;
    }
    return w;
}

/* RV_LOW or RV_LOW_STORE if an instruction adds 12 bits to rs1, otherwise RV_PLAIN32. */
static uint8_t rv_low_type(uint32_t w)
{
    switch (w & 0x7fu) {
    case 0x03: /* loads */
    case 0x07:
        return RV_LOW;
    case 0x13: /* ADDI, ADDIW, JALR */
    case 0x1b:
    case 0x67:
        return w & 0x7000u ? RV_PLAIN32 : RV_LOW;
    case 0x23: /* stores */
    case 0x27:
        return RV_LOW_STORE;
    default:
        return RV_PLAIN32;
    }
}

/* The register that an instruction changes; 0 if none or none that matters. */
static uint32_t rv_written(uint32_t w)
{
    uint32_t rd = w >> 7 & 31u, funct = w >> 13 & 7u;
    if ((w & 3u) == 3u) {
        uint32_t op = w & 0x7fu; /* not branches, stores, floating point */
        return op == 0x63u || op == 0x23u || op == 0x27u || op == 0x07u || op == 0x53u ? 0 : rd;
    }
    if ((w & 3u) == 0)
        return funct == 2u || funct == 3u ? 8u + (w >> 2 & 7u) : 0;
    if ((w & 3u) == 1u)
        return funct == 4u ? 8u + (rd & 7u) : funct == 0 || funct == 2u || funct == 3u ? rd : 0;
    if (funct == 4u)
        return w & 0x7cu ? rd : 0;
    return funct < 4u ? rd : 0;
}

/* Looks for the instruction that completes the address in rd; its low bits, or 0x1000. */
static uint32_t rv_find_low(const uint8_t *b, uint32_t n, uint32_t rd)
{
    uint32_t i = 4;
    while (i + 4u <= n) {
        uint32_t w = inlay_get32(b + i);
        uint8_t type = rv_low_type(w);
        if (type != RV_PLAIN32 && (w >> 15 & 31u) == rd)
            return rv_gather(type, w);
        if (rv_written(w) == rd)
            break;
        i += (w & 3u) == 3u ? 4u : 2u;
    }
    return 0x1000u;
}

static void rv_parse_high(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                          struct inlay_unit *u)
{
    uint32_t w = inlay_get32(b), rd = w >> 7 & 31u;
    uint32_t from_pc = (w & 0x7fu) == 0x17u;
    uint32_t value = (w & 0xfffff000u) + (from_pc ? addr : 0u);
    st->value[rd] = value | from_pc;
    st->valid |= (uint32_t)1 << rd;
    if (n < 8) /* nothing to look at */
        return;
    uint32_t low = rv_find_low(b, n, rd);
    if (low != 0x1000u)
        rv_set(u, from_pc ? RV_HIGH_PC : RV_HIGH, value + low);
    else
        rv_set(u, from_pc ? RV_DISTANT_PC : RV_DISTANT, value);
}

static void rv_parse32(struct inlay_arch_state *st, uint32_t w, uint32_t addr, struct inlay_unit *u)
{
    uint32_t rs1 = w >> 15 & 31u;
    uint8_t type = rv_low_type(w);
    if ((w & 0x7fu) == 0x6fu) {
        rv_set(u, RV_JAL, addr + rv_gather(RV_JAL, w));
    } else if ((w & 0x7fu) == 0x63u) {
        rv_set(u, RV_COND, addr + rv_gather(RV_COND, w));
    } else if (type != RV_PLAIN32 && (st->valid >> rs1 & 1u)) {
        st->value[0] = st->value[rs1]; /* for aim(), as the register may change now */
        rv_set(u, type, (st->value[rs1] & ~1u) + rv_gather(type, w));
    }
}

static void rv_parse16(uint32_t op, uint32_t addr, struct inlay_unit *u)
{
    static const uint8_t types[8] = {RV_PLAIN16, RV_CCALL, RV_PLAIN16, RV_PLAIN16,
                                     RV_PLAIN16, RV_CJUMP, RV_CCOND,   RV_CCOND};
    uint8_t type = types[op >> 13];
    if ((op & 3u) == 1u && type != RV_PLAIN16)
        rv_set(u, type, addr + rv_gather(type, op));
}

static void rv_parse(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                     struct inlay_unit *u)
{
    u->has_target = 0;
    u->target = 0;
    if (n < 2 || ((b[0] & 3u) == 3u && n < 4)) {
        u->len = 1;
        u->type = RV_BYTE;
        return;
    }
    int wide = (b[0] & 3u) == 3u;
    uint32_t w = wide ? inlay_get32(b) : inlay_get16(b);
    u->len = wide ? 4 : 2;
    u->type = wide ? RV_PLAIN32 : RV_PLAIN16;
    if ((w & 0x5fu) == 0x17u) {
        rv_parse_high(st, b, n, addr, u);
    } else {
        if (wide)
            rv_parse32(st, w, addr, u);
        else
            rv_parse16(w, addr, u);
        st->valid &= ~((uint32_t)1 << rv_written(w));
    }
    st->valid &= ~1u;
}

static int rv_aim(const struct inlay_arch_state *st, const struct inlay_unit *u, uint8_t *b,
                  uint32_t old_addr, uint32_t new_addr, uint32_t target)
{
    uint32_t w = u->len == 4 ? inlay_get32(b) : inlay_get16(b);
    uint32_t v = target - new_addr;
    switch (u->type) {
    case RV_HIGH:
    case RV_DISTANT:
        v = target;
        /* fall through */
    case RV_HIGH_PC:
    case RV_DISTANT_PC:
        w = (w & 0xfffu) | ((v + 0x800u) & 0xfffff000u);
        break;
    case RV_LOW:
    case RV_LOW_STORE:
        /* The AUIPC that this belongs to is taken to have moved as far as this. */
        v = st->value[0] & 1u ? target - (st->value[0] & ~1u) - (new_addr - old_addr) : target;
        w = rv_scatter(u->type, w, v);
        break;
    default:
        if (!inlay_fits(v, rv_shapes[u->type].bits) || (v & 1u))
            return 0;
        w = rv_scatter(u->type, w, v);
        break;
    }
    if (u->len == 4)
        inlay_put32(b, w);
    else
        inlay_put16(b, w);
    return 1;
}

/* A LUI or AUIPC whose register is used next. */
static int rv_is_code(const uint8_t *b, uint32_t n, uint32_t addr)
{
    uint32_t w = inlay_get32(b);
    (void)addr;
    return (w & 0x5fu) == 0x17u && (w & 0xf80u) && rv_find_low(b, n, w >> 7 & 31u) != 0x1000u;
}

const struct inlay_arch inlay_arch_riscv = {
    .id = INLAY_ARCH_RISCV,
    .granule = 2,
    .pointer_len = 4,
    .literal_kind = INLAY_LITERAL_PARCELS,
    .parse = rv_parse,
    .aim = rv_aim,
    .is_code = rv_is_code,
};
