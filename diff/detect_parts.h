/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of detection share; inlay_detect() in detect.h is the way in. */
#ifndef INLAY_DETECT_PARTS_H
#define INLAY_DETECT_PARTS_H

#include "detect.h"

/* 1 if what is at pos looks like the first instruction of a function. */
int inlay_detect_prologue(enum inlay_arch_id arch, const uint8_t *b, uint32_t n, uint32_t pos);

/*
 * The processor whose calls most often hit the start of a function;
 * INLAY_ARCH_NONE if there are too few.
 */
enum inlay_arch_id inlay_detect_arch(const uint8_t *b, uint32_t n);

/*
 * The address of byte 0 that most pointers to functions and strings agree on.
 * Returns how many do; 0: no idea, *base is not set.
 */
uint32_t inlay_detect_base(enum inlay_arch_id arch, const uint8_t *b, uint32_t n, uint32_t *base);

/* How many words of the image point at functions and strings if byte 0 is at base. */
uint32_t inlay_detect_agree(enum inlay_arch_id arch, const uint8_t *b, uint32_t n, uint32_t base);

/*
 * Spaces that the image's own header gives (ELF program headers, ESP32 and
 * ESP8266 segments), ascending and apart.  Returns how many, at most max.
 * *end is the address behind the last one in memory if they say all (ELF);
 * otherwise 0, and what they do not cover may have addresses too.
 */
unsigned inlay_detect_header(const uint8_t *b, uint32_t n, struct inlay_space *at, unsigned max,
                             uint32_t *end);

/* The processor an ELF header names; INLAY_ARCH_NONE if it is no ELF file or another processor. */
enum inlay_arch_id inlay_detect_elf_arch(const uint8_t *b, uint32_t n);

#define INLAY_DETECT_TABLES 6u

struct inlay_detect_table {
    uint8_t kind; /* enum inlay_table_kind */
    uint32_t addr, len;
};

/* Tables and data of an ELF file, INLAY_DETECT_TABLES at most.  Returns how many. */
unsigned inlay_detect_file_tables(const uint8_t *b, size_t size, struct inlay_detect_table *at);

/* Fills out->table from the tables of two ELF files. */
void inlay_detect_tables(const uint8_t *old, size_t old_size, const uint8_t *new, size_t new_size,
                         struct inlay_layout *out);

/*
 * Fills spaces and tables of two images that hold ELF files, with addresses
 * that are made up.  -1 if there are none that both hold.
 */
int inlay_detect_archive(const uint8_t *old, uint32_t old_size, const uint8_t *new,
                         uint32_t new_size, struct inlay_layout *out);

/* 1 for a WebAssembly module of version 1. */
int inlay_detect_is_wasm(const uint8_t *b, uint32_t n);

/*
 * Fills the spaces and data_lo, data_hi of two modules.  The last spaces are
 * behind the images: an address in them is an index.  -1 if one is no module.
 */
int inlay_detect_wasm(const uint8_t *old, uint32_t old_size, const uint8_t *new, uint32_t new_size,
                      struct inlay_layout *out);

#endif
