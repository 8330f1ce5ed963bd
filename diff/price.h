/* SPDX-License-Identifier: Apache-2.0 */
/* What each byte of the new image would cost as new data. */
#ifndef INLAY_PRICE_H
#define INLAY_PRICE_H

#include <stddef.h>
#include <stdint.h>

/*
 * For Thumb code and a codec whose models learn from the old image.  Returns a
 * price in 1/16 bit for each byte of new, to be freed, or NULL if memory is out.
 */
uint8_t *inlay_price_halfwords(const uint8_t *old_image, size_t old_size, const uint8_t *new_image,
                               size_t new_size);

#endif
