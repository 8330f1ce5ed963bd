/* SPDX-License-Identifier: Apache-2.0 */
/* Arm's semihosting calls, which RISC-V took over; the emulator's only service used here. */
#ifndef EMU_SEMIHOST_H
#define EMU_SEMIHOST_H

#include <stdint.h>

enum { SYS_OPEN = 1, SYS_CLOSE = 2, SYS_WRITE = 5, SYS_READ = 6, SYS_FLEN = 12, SYS_EXIT = 0x20 };

intptr_t semihost(intptr_t call, const void *arguments);

/* Where linker script and start-up code put things. */
extern uint8_t emu_heap[], emu_heap_end[], emu_stack[];

#endif
