/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trains what new Thumb-2 code usually looks like (patch/usual.h) on code from
 * files, and writes patch/usual_thumb2.c to stdout.
 *
 * usage: train_usual FILE...
 *
 * Every place and byte before it starts as a kind of its own.  The two kinds
 * that it costs the fewest bits to tell no more apart become one, over and over.
 */
#include "usual.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXTS 512u
#define RARE     30.0 /* of bytes: what is seen less often gets no kind */
#define DOUBT    0.4  /* added to each count */

struct kind {
    double count[256][2]; /* by node of the byte */
    int lives;
    unsigned nearest; /* the later kind that it costs least to join, or itself */
    double cost;      /* of that */
};

static struct kind kind[CONTEXTS];
static unsigned kind_of[CONTEXTS];

/* ---- counting ---- */

static void count_byte(unsigned place, unsigned before, unsigned byte)
{
    unsigned node = 1;
    for (unsigned i = 8; i-- > 0;) {
        unsigned bit = byte >> i & 1u;
        kind[place * 256u + before].count[node][bit]++;
        node = node << 1 | bit;
    }
}

/* As the text has it: those with far targets by what they are.  Low bytes of loads come as turns.
 */
static void count_code(const uint8_t *b, size_t len)
{
    unsigned before = 0;
    for (size_t i = 0; i + 4 <= len;) {
        unsigned lo = b[i], hi = b[i + 1], wide = hi >= 0xe8u, end = b[i + 3] & 0xd0u;
        int far = (hi & 0xf8u) == 0xf0u && (end == 0xd0u || end == 0x90u);
        unsigned first = !far ? hi : end == 0xd0u ? 0xb8u : 0xb7u;
        count_byte(0, before, first);
        if (!far && (hi & 0xf8u) != 0x48u)
            count_byte(1, hi, lo);
        before = wide && !far ? b[i + 3] : first;
        i += wide ? 4 : 2;
    }
}

static void count_file(const char *path)
{
    static uint8_t data[1u << 22];
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "train_usual: cannot open %s\n", path);
        exit(1);
    }
    count_code(data, fread(data, 1, sizeof data, f));
    fclose(f);
}

/* ---- joining ---- */

static double bits(double n0, double n1)
{
    n0 += DOUBT;
    n1 += DOUBT;
    return n0 * log2((n0 + n1) / n0) + n1 * log2((n0 + n1) / n1);
}

/* Bits that the bytes of two kinds take more if they are one. */
static double join_cost(const struct kind *a, const struct kind *b)
{
    double sum = 0;
    for (unsigned i = 1; i < 256; i++) {
        const double *x = a->count[i], *y = b->count[i];
        if (x[0] + x[1] > 0 && y[0] + y[1] > 0)
            sum += bits(x[0] + y[0], x[1] + y[1]) - bits(x[0], x[1]) - bits(y[0], y[1]);
    }
    return sum;
}

static void compare(unsigned i, unsigned k)
{
    double cost = join_cost(&kind[i], &kind[k]);
    if (kind[i].nearest == i || cost < kind[i].cost) {
        kind[i].nearest = k;
        kind[i].cost = cost;
    }
}

static void find_nearest(unsigned i)
{
    kind[i].nearest = i;
    for (unsigned k = i + 1; k < CONTEXTS; k++)
        if (kind[k].lives)
            compare(i, k);
}

static void join(unsigned a, unsigned b)
{
    kind[b].lives = 0;
    for (unsigned i = 1; i < 256; i++)
        for (unsigned bit = 0; bit < 2; bit++)
            kind[a].count[i][bit] += kind[b].count[i][bit];
    for (unsigned i = 0; i < CONTEXTS; i++) {
        kind_of[i] = kind_of[i] == b ? a : kind_of[i];
        if (!kind[i].lives)
            continue;
        if (i == a || kind[i].nearest == a || kind[i].nearest == b)
            find_nearest(i);
        else if (i < a)
            compare(i, a);
    }
}

static unsigned start(void)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < CONTEXTS; i++) {
        kind_of[i] = i;
        kind[i].lives = kind[i].count[1][0] + kind[i].count[1][1] >= RARE;
        alive += (unsigned)kind[i].lives;
    }
    for (unsigned i = 0; i < CONTEXTS; i++)
        if (kind[i].lives)
            find_nearest(i);
    return alive;
}

static void join_all(void)
{
    for (unsigned alive = start(); alive > INLAY_USUAL_KINDS; alive--) {
        unsigned best = CONTEXTS;
        for (unsigned i = 0; i < CONTEXTS; i++)
            if (kind[i].lives && kind[i].nearest != i &&
                (best == CONTEXTS || kind[i].cost < kind[best].cost))
                best = i;
        join(best, kind[best].nearest);
    }
}

/* ---- the table ---- */

static unsigned step_of(const double *n)
{
    double odds = 256.0 * log2((n[1] + DOUBT) / (n[0] + DOUBT));
    long step = lround((odds - INLAY_USUAL_LOW) / INLAY_USUAL_STEP);
    return step < 0 ? 0 : step > 15 ? 15 : (unsigned)step;
}

static void print_list(const unsigned *value)
{
    printf("{");
    for (unsigned i = 0; i < 128; i++)
        printf("%s%u,", i % 20 ? " " : "\n         ", value[2 * i] | value[2 * i + 1] << 4);
    printf("},\n        ");
}

static void print_all(void)
{
    unsigned number[CONTEXTS], value[CONTEXTS], n = 0;
    for (unsigned i = 0; i < CONTEXTS; i++)
        number[i] = kind[i].lives ? n++ : INLAY_USUAL_KINDS;
    for (unsigned i = 0; i < CONTEXTS; i++)
        value[i] = number[kind_of[i]];
    printf("/* SPDX-License-Identifier: Apache-2.0 */\n"
           "/* Written by `make usual`; see bench/train_usual.c. */\n"
           "#include \"usual.h\"\n\nconst struct inlay_usual inlay_usual_thumb2 = {\n    {");
    print_list(value);
    print_list(value + 256);
    printf("},\n    {");
    for (unsigned i = 0; i < CONTEXTS; i++) {
        if (!kind[i].lives)
            continue;
        for (unsigned k = 0; k < 256; k++)
            value[k] = step_of(kind[i].count[k]);
        print_list(value);
    }
    printf("},\n};\n");
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        count_file(argv[i]);
    join_all();
    print_all();
    return 0;
}
