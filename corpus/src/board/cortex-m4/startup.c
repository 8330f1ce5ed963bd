/* SPDX-License-Identifier: Apache-2.0 */
/* Reset, vector table and faults. */
#include "board/board.h"

#include <stdio.h>
#include <string.h>

extern uint8_t data_image[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];

int main(void);
void tick_handler(void);
void uart_handler(void);
void reset_handler(void);

#define SCB_VTOR  (*(volatile uint32_t *)0xe000ed08u)
#define SCB_CFSR  (*(volatile uint32_t *)0xe000ed28u)
#define SCB_BFAR  (*(volatile uint32_t *)0xe000ed38u)
#define SCB_CPACR (*(volatile uint32_t *)0xe000ed88u)

struct fault_frame {
    uint32_t r0, r1, r2, r3, r12, lr, pc, psr;
};

static void __attribute__((used)) report_fault(const struct fault_frame *f)
{
    printf("fault: pc %08lx lr %08lx cfsr %08lx bfar %08lx\n", (unsigned long)f->pc,
           (unsigned long)f->lr, (unsigned long)SCB_CFSR, (unsigned long)SCB_BFAR);
    board_reset();
}

static void __attribute__((naked)) fault_handler(void)
{
    __asm__ volatile("tst lr, #4\n ite eq\n mrseq r0, msp\n mrsne r0, psp\n b report_fault");
}

static void spurious_handler(void)
{
    for (;;)
        board_idle();
}

typedef void handler(void);

static handler *const vectors[64] __attribute__((used, section(".vectors"))) = {
    [0] = (handler *)stack_top,     [1] = reset_handler, [2 ... 6] = fault_handler,
    [7 ... 14] = spurious_handler,  [15] = tick_handler, [16] = uart_handler,
    [17 ... 63] = spurious_handler,
};

void reset_handler(void)
{
    SCB_VTOR = (uint32_t)vectors;
    SCB_CPACR |= 0xfu << 20;
    __asm__ volatile("dsb\n isb");
    memcpy(data_start, data_image, (size_t)(data_end - data_start));
    memset(bss_start, 0, (size_t)(bss_end - bss_start));
    board_init();
    main();
    board_reset();
}
