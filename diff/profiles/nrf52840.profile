# Nordic nRF52840: 1 MB of flash in 4 KB pages, 256 KB of RAM.
# Layout: 64 KB bootloader and settings, 928 KB slot, 32 KB work area.
# A/B: the second slot is a QSPI NOR (MX25R6435F of the development kit).
name = nrf52840
title = Nordic nRF52840, 1 MB flash, second slot in QSPI NOR
source = nRF52840 Product Specification v1.7 (NVMC, electrical specification); MX25R6435F datasheet
arch = thumb2
base = auto
mode = in-place

slot.blocks = 232 x 4096
slot.write_size = 4
slot.max_writes = 2
slot.page_len = 512       # not published; assumed
slot.erase_us = 85000
slot.program_len = 4
slot.program_us = 41
slot.read_ns = 16
slot.busy_mw = 20

work.blocks = 8 x 4096

second.blocks = 256 x 4096
second.write_size = 4     # QSPI transfers are word aligned
second.max_writes = 1
second.page_len = 256
second.erase_us = 58000
second.program_len = 256
second.program_us = 850
second.read_ns = 130
second.busy_mw = 12

ram = 16K
model_ram = 13K
chunk_len = 1024
check_len = 2

cpu_hz = 64000000
cpu_mw = 11
cpu_cycles = 1000
radio_us = 80
radio_nj = 1200
