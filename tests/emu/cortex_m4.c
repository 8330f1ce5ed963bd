/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Cortex-M4 as QEMU's mps2-an386 has it.  With -icount shift=0 an
 * instruction takes 1 ns of the machine's time, and SysTick, at 25 MHz, steps
 * once in 40 of them.
 */
#include "port.h"
#include "semihost.h"

#define SYSTICK ((volatile uint32_t *)0xE000E010u) /* control, reload, value */
#define TICKS   0x1000000u

void emu_start(void);

static void die(void)
{
    const intptr_t arguments[2] = {0x20023, 2}; /* a fault */
    semihost(SYS_EXIT, arguments);
    for (;;) {
    }
}

static void start(void)
{
    SYSTICK[1] = TICKS - 1;
    SYSTICK[2] = 0;
    SYSTICK[0] = 5; /* on, from the processor's clock, no interrupt */
    emu_start();
}

extern void (*const emu_vectors[16])(void);
__attribute__((section(".vectors"), used)) void (*const emu_vectors[16])(void) = {
    (void (*)(void))(uintptr_t)emu_stack,
    start,
    die,
    die,
    die,
    die,
    die,
    die,
    die,
    die,
    die,
    die,
    die,
    die,
    die,
    die};

__attribute__((naked)) intptr_t semihost(intptr_t call, const void *arguments)
{
    (void)call;
    (void)arguments;
    __asm__("bkpt 0xAB\n\tbx lr");
}

uint64_t emu_instructions(void)
{
    static uint64_t ticks;
    static uint32_t last = TICKS - 1;
    uint32_t now = SYSTICK[2];
    ticks += (last - now) & (TICKS - 1);
    last = now;
    return ticks * 40;
}

void emu_spin(void)
{
    uint32_t n = 1000000;
    __asm__ volatile("1: subs %0, #1\n\tbne 1b" : "+r"(n) : : "cc");
}
