# ST STM32H743: 2 MB of flash in 128 KB sectors, 256-bit flash words with ECC, 1 MB of RAM.
# Layout: one sector bootloader, 8 sectors slot, 7 sectors work area.
# A/B: the second slot is a QSPI NOR (MT25QL512 of the evaluation board).
name = stm32h743
title = ST STM32H743, 2 MB flash with 32-byte ECC words
source = RM0433 (embedded flash memory); STM32H743 datasheet DS12110; MT25QL512AB datasheet
arch = thumb2
base = auto
mode = in-place

slot.blocks = 8 x 128K
slot.write_size = 32
slot.ecc = yes
slot.page_len = 256       # not published; assumed
slot.erase_us = 1000000
slot.program_len = 32
slot.program_us = 150
slot.read_ns = 3
slot.busy_mw = 120

work.blocks = 7 x 128K

second.blocks = 512 x 4096
second.write_size = 1
second.ecc = no
second.page_len = 256
second.erase_us = 50000
second.program_len = 256
second.program_us = 120
second.read_ns = 20
second.busy_mw = 100

ram = 64K
model_ram = 48K
chunk_len = 8192
check_len = 2

cpu_hz = 400000000
cpu_mw = 300
cpu_cycles = 800
radio_us = 8
radio_nj = 400
