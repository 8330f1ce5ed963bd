# ST STM32L476: 1 MB of flash in 2 KB pages, 64-bit granules with ECC, 128 KB of RAM.
# Layout: 32 KB bootloader, 960 KB slot, 32 KB work area.
# A/B: the second slot is a QSPI NOR (N25Q128A of the Discovery kit).
name = stm32l476
title = ST STM32L476, 1 MB flash with 8-byte ECC granules
source = RM0351 (embedded flash memory); STM32L476 datasheet DS10198; N25Q128A datasheet
arch = thumb2
base = auto
mode = in-place

slot.blocks = 480 x 2048
slot.write_size = 8
slot.ecc = yes
slot.page_len = 256       # one row of 32 double words
slot.erase_us = 22000
slot.program_len = 8
slot.program_us = 82
slot.read_ns = 13
slot.busy_mw = 11

work.blocks = 16 x 2048

second.blocks = 256 x 4096
second.write_size = 1
second.ecc = no
second.page_len = 256
second.erase_us = 250000
second.program_len = 256
second.program_us = 500
second.read_ns = 50
second.busy_mw = 66

ram = 16K
model_ram = 10K
chunk_len = 2048
check_len = 2

cpu_hz = 80000000
cpu_mw = 30
cpu_cycles = 1000
radio_us = 80
radio_nj = 1200
