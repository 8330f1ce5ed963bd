# ST STM32L072: 192 KB of flash in 128-byte pages that erase to 0x00, 20 KB of RAM.
# Layout: 16 KB bootloader, 160 KB slot, 16 KB work area.
name = stm32l072
title = ST STM32L072, 192 KB flash, erased to 0x00, 20 KB RAM
source = RM0376 (flash program memory and data EEPROM); STM32L072 datasheet DS10685
arch = thumb2
base = auto
mode = in-place

slot.blocks = 1280 x 128
slot.write_size = 4
slot.erased = 0x00
slot.page_len = 64        # a half page
slot.erase_us = 3200
slot.program_len = 64
slot.program_us = 3200
slot.read_ns = 32
slot.busy_mw = 6

work.blocks = 128 x 128

ram = 12K
model_ram = 4096
chunk_len = 512
check_len = 2

cpu_hz = 32000000
cpu_mw = 9
cpu_cycles = 1300
radio_us = 1500
radio_nj = 60000
