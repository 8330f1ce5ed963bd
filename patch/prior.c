/* SPDX-License-Identifier: Apache-2.0 */
#include "prior.h"
#include "model.h"

uint16_t inlay_prior(unsigned i)
{
    uint32_t p = inlay_squash(inlay_prior_table[i].odds * 24);
    return (uint16_t)((p > 65519u ? 65519u : p) & 0xfff0u) | (inlay_prior_table[i].count & 15u);
}
