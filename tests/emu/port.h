/* SPDX-License-Identifier: Apache-2.0 */
/* What the test program needs of the machine it runs on. */
#ifndef EMU_PORT_H
#define EMU_PORT_H

#include <stddef.h>
#include <stdint.h>

/* Memory until the program ends, 8-aligned; NULL: none left. */
void *emu_alloc(size_t len);

/* Reads a whole file of the current directory into memory of its own.  0 or -1. */
int emu_load(const char *name, uint8_t **data, uint32_t *len);
int emu_save(const char *name, const void *data, size_t len);

/*
 * Instructions executed since some moment, to the unit in which the machine
 * counts them, 1 or 40; always 0 where nothing counts.  Ask at least once in
 * 600 million instructions.
 */
uint64_t emu_instructions(void);

/* Runs 1,000,000 rounds of a loop of two instructions, to try the counter on. */
void emu_spin(void);

/* Fills the stack below the caller; then: the most bytes used since.  0: not known. */
void emu_stack_fill(void);
uint32_t emu_stack_used(void);

/* The program itself; 0 for success. */
int emu_main(void);

#endif
