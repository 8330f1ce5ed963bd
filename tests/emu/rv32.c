/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 32-bit RISC-V as QEMU's virt has it, in machine mode.  With -icount
 * shift=0 instret counts instructions one by one.
 */
#include "port.h"
#include "semihost.h"

/* Calls of semihosting are told from other breakpoints by what is around them. */
__asm__(".section .start, \"ax\"\n"
        ".globl emu_reset\n"
        "emu_reset: la sp, emu_stack\n"
        "la t0, trap\n"
        ".option push\n"
        ".option arch, +zicsr\n"
        "csrw mtvec, t0\n"
        ".option pop\n"
        "call emu_start\n"
        ".balign 4\n"
        "trap: li a0, 0x20\n"
        "la a1, fault\n"
        "call semihost\n"
        "j trap\n"
        "fault: .word 0x20023, 2\n"
        ".text\n"
        ".balign 16\n"
        ".globl semihost\n"
        "semihost: .option push\n"
        ".option norvc\n"
        "slli x0, x0, 0x1f\n"
        "ebreak\n"
        "srai x0, x0, 7\n"
        "ret\n"
        ".option pop\n");

uint64_t emu_instructions(void)
{
    static uint64_t total;
    static uint32_t last;
    uint32_t now;
    __asm__ volatile(".option push\n\t.option arch, +zicsr\n\tcsrr %0, instret\n\t.option pop"
                     : "=r"(now));
    total += now - last;
    last = now;
    return total;
}

void emu_spin(void)
{
    uint32_t n = 1000000;
    __asm__ volatile("1: addi %0, %0, -1\n\tbnez %0, 1b" : "+r"(n));
}
