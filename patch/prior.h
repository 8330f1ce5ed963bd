/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What models start with: probabilities trained on other firmware
 * (prior_table.c is made by `make prior`).
 */
#ifndef INLAY_PRIOR_H
#define INLAY_PRIOR_H

#include <stdint.h>

#define INLAY_PRIORS 920u

/* Log-odds in 1/16 of a binary order of magnitude, and how sure they are. */
struct inlay_prior {
    int8_t odds;
    uint8_t count;
};
extern const struct inlay_prior inlay_prior_table[INLAY_PRIORS];

/* The starting value of counter i. */
uint16_t inlay_prior(unsigned i);

#endif
