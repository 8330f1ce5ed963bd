# Espressif ESP32 with a 4 MB SPI NOR (GD25Q32C), 520 KB of RAM.
# Layout: two application slots of 1.5 MB, 64 KB work area, the rest for data.
name = esp32
title = Espressif ESP32 with 4 MB of SPI NOR
source = ESP32 Technical Reference Manual (SPI controller); GD25Q32C datasheet
arch = xtensa
base = auto
mode = in-place

slot.blocks = 384 x 4096
slot.write_size = 4       # what the SPI flash driver writes without a bounce buffer
slot.page_len = 256
slot.erase_us = 50000
slot.program_len = 256
slot.program_us = 600
slot.read_ns = 50
slot.busy_mw = 66

second.blocks = 384 x 4096
work.blocks = 16 x 4096

ram = 48K
model_ram = 32K
chunk_len = 4096
check_len = 2

cpu_hz = 160000000
cpu_mw = 130
cpu_cycles = 1000
radio_us = 4
radio_nj = 600
