/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF.  Firmware is laid out as its segments are in flash, by physical
 * address.  Programs and libraries of an operating system are files that are
 * installed as they are, so their bytes are the image.
 */
#include "image.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

/* Addresses from here up are RAM, EEPROM and fuses in AVR's ELF files, not flash. */
#define AVR_DATA 0x800000u

int image_is_elf(const struct image_file *f)
{
    return f->len >= EI_NIDENT && !memcmp(f->data, ELFMAG, SELFMAG);
}

/* 1 if a note of this segment says which operating system the program is for. */
static int has_abi_note(const struct image_file *f, const GElf_Phdr *ph)
{
    if (ph->p_offset > f->len || ph->p_filesz > f->len - ph->p_offset)
        return 0;
    const uint8_t *note = f->data + ph->p_offset;
    /* Type 1, owner "GNU": the ABI tag; other notes may stand before it. */
    for (size_t i = 8; i + 8 <= ph->p_filesz && i < 512; i += 4)
        if (!memcmp(note + i, "\1\0\0\0GNU", 8))
            return 1;
    return 0;
}

/* 1 if what is in the file is what an operating system loads. */
static int is_hosted(Elf *elf, const GElf_Ehdr *eh, const struct image_file *f)
{
    size_t count = 0;
    if (eh->e_type != ET_EXEC || eh->e_machine == EM_386 || eh->e_machine == EM_X86_64)
        return 1;
    if (elf_getphdrnum(elf, &count) || !count)
        return 1;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr ph;
        if (!gelf_getphdr(elf, (int)i, &ph))
            return 1;
        if (ph.p_type == PT_INTERP || ph.p_type == PT_DYNAMIC || ph.p_type == PT_GNU_RELRO)
            return 1;
        if (ph.p_type == PT_NOTE && has_abi_note(f, &ph))
            return 1;
    }
    return 0;
}

/*
 * A linker may pull the ELF header into the first segment.  Tools that write
 * flash go by sections and leave it out; so do we.  Returns its bytes.
 */
static uint64_t header_len(Elf *elf, const GElf_Phdr *ph)
{
    uint64_t first = ph->p_filesz;
    Elf_Scn *section = NULL;
    if (ph->p_offset)
        return 0;
    while ((section = elf_nextscn(elf, section))) {
        GElf_Shdr sh;
        if (!gelf_getshdr(section, &sh) || !(sh.sh_flags & SHF_ALLOC) || sh.sh_type == SHT_NOBITS ||
            !sh.sh_size)
            continue;
        if (sh.sh_offset < first)
            first = sh.sh_offset;
    }
    return first < ph->p_filesz ? first : 0;
}

static int add_segment(Elf *elf, const GElf_Ehdr *eh, size_t index, const struct image_file *f,
                       struct image_pieces *pieces, struct inlay_error *err)
{
    GElf_Phdr ph;
    if (!gelf_getphdr(elf, (int)index, &ph))
        return inlay_fail(err, INLAY_EXIT_USAGE, "%s: ELF segment %zu cannot be read: %s", f->where,
                          index, elf_errmsg(-1));
    if (ph.p_type != PT_LOAD || !ph.p_filesz)
        return 0;
    if (eh->e_machine == EM_AVR && ph.p_paddr >= AVR_DATA)
        return 0;
    if (ph.p_offset > f->len || ph.p_filesz > f->len - ph.p_offset)
        return inlay_fail(err, INLAY_EXIT_USAGE,
                          "%s: ELF segment %zu reaches beyond the file; the file was cut off",
                          f->where, index);
    uint64_t skip = header_len(elf, &ph);
    if (image_pieces_add(pieces, ph.p_paddr + skip, f->data + ph.p_offset + skip,
                         (size_t)(ph.p_filesz - skip), index))
        return inlay_fail(err, INLAY_EXIT_FAILURE, "out of memory for %s", f->where);
    return 0;
}

/* The processor's name as --arch takes it, or NULL. */
static const char *arch_of(const GElf_Ehdr *eh)
{
    switch (eh->e_machine) {
    case EM_ARM:
        /* Thumb code has odd entry points, and Cortex-M runs nothing else. */
        return eh->e_entry & 1 ? "thumb2" : NULL;
    case EM_AARCH64:
        return "aarch64";
    case EM_RISCV:
        return "riscv";
    case EM_XTENSA:
        return "xtensa";
    case EM_AVR:
        return "avr";
    default:
        return NULL;
    }
}

static int read_firmware(Elf *elf, const GElf_Ehdr *eh, const struct image_file *f,
                         struct inlay_image *image, struct inlay_error *err)
{
    struct image_pieces pieces = {.unit = "segment"};
    size_t count = 0;
    int code = 0;
    elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count && !code; i++)
        code = add_segment(elf, eh, i, f, &pieces, err);
    if (!code)
        code = image_pieces_join(&pieces, f->where, image, err);
    image_pieces_free(&pieces);
    image->kind = INLAY_IMAGE_FIRMWARE;
    image->arch = arch_of(eh);
    return code;
}

int image_read_elf(const struct image_file *f, struct inlay_image *image, struct inlay_error *err)
{
    GElf_Ehdr eh;
    int code;
    elf_version(EV_CURRENT);
    /* libelf only reads through this pointer: no ELF_C_RDWR here. */
    Elf *elf = elf_memory((char *)(uintptr_t)f->data, f->len);
    /* What libelf cannot read may still be a file that somebody installs. */
    if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &eh) || is_hosted(elf, &eh, f))
        code = image_read_raw(f, image, err);
    else
        code = read_firmware(elf, &eh, f, image, err);
    elf_end(elf);
    return code;
}
