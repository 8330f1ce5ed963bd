# Raspberry Pi RP2040 with a 2 MB QSPI NOR (W25Q16JV of the Pico board), 264 KB of RAM.
# Layout: 64 KB bootloader and settings, two slots of 960 KB, 64 KB work area.
name = rp2040
title = Raspberry Pi RP2040 with 2 MB of QSPI NOR
source = RP2040 Datasheet (flash, SSI); W25Q16JV datasheet (AC electrical characteristics)
arch = thumb2
base = auto
mode = in-place

slot.blocks = 240 x 4096
slot.write_size = 256     # the boot ROM programs whole pages
slot.page_len = 256
slot.erase_us = 45000
slot.program_len = 256
slot.program_us = 400
slot.read_ns = 25
slot.busy_mw = 66

second.blocks = 240 x 4096
work.blocks = 16 x 4096

ram = 32K
model_ram = 24K
chunk_len = 4096
check_len = 2

cpu_hz = 125000000
cpu_mw = 80
cpu_cycles = 1300
radio_us = 8
radio_nj = 400
