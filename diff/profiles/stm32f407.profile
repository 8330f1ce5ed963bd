# ST STM32F407: 1 MB of flash in sectors of 4 x 16, 1 x 64 and 7 x 128 KB, 192 KB of RAM.
# Layout: sector 0 bootloader; sectors 1-3 journal and pool; slot from sector 4 to 10
# (832 KB, mixed sizes); sector 11 stage.  The work area is sectors 1-3 and 11 as one.
name = stm32f407
title = ST STM32F407, 1 MB flash in mixed sectors of 16 to 128 KB
source = RM0090 (embedded flash memory interface); STM32F407 datasheet DS8626
arch = thumb2
base = auto
mode = in-place

slot.blocks = 1 x 64K, 6 x 128K
slot.write_size = 4
slot.page_len = 256       # not published; assumed
slot.erase_us = 550000, 1000000
slot.program_len = 4
slot.program_us = 16
slot.read_ns = 6
slot.busy_mw = 80

work.blocks = 3 x 16K, 1 x 128K
work.erase_us = 250000, 1000000

ram = 24K
model_ram = 16K
chunk_len = 4096
check_len = 2

cpu_hz = 168000000
cpu_mw = 130
cpu_cycles = 1000
radio_us = 8
radio_nj = 400
