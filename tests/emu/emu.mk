# SPDX-License-Identifier: Apache-2.0
# The patcher on emulated machines, included by the Makefile.

EMU        = $(BUILD)/emu
EMU_COMMON = $(sort $(PATCH_SRC)) tests/emu/run.c tests/emu/sha256.c
EMU_BARE   = tests/emu/bare.c -nostartfiles -Wl,--gc-sections
EMU_FLAGS  = -std=c11 $(WARN_PATCH) -Werror -ffunction-sections -fdata-sections -Ipatch -Itests/emu
EMU_M4     = -mcpu=cortex-m4 -mthumb -T tests/emu/cortex_m4.ld $(EMU_BARE) tests/emu/cortex_m4.c
EMU_RV32   = --specs=picolibc.specs -march=rv32imac -mabi=ilp32 -T tests/emu/rv32.ld $(EMU_BARE) \
            -Wl,--no-warn-rwx-segments tests/emu/rv32.c
EMU_ELF    = $(EMU)/cortex-m4-Os.elf $(EMU)/cortex-m4-O2.elf $(EMU)/rv32-Os.elf $(EMU)/rv32-O2.elf \
            $(EMU)/powerpc-O2.elf

$(EMU)/cortex-m4-%.elf: EMU_CC = arm-none-eabi-gcc $(EMU_M4)
$(EMU)/rv32-%.elf: EMU_CC = riscv64-unknown-elf-gcc $(EMU_RV32)
$(EMU)/powerpc-%.elf: EMU_CC = powerpc-linux-gnu-gcc -static tests/emu/hosted.c
$(EMU_ELF): $(PATCH_SRC) $(wildcard patch/*.h tests/emu/*.[ch] tests/emu/*.ld) tests/emu/emu.mk
	$(Q)mkdir -p $(@D); echo "CC $@"; $(EMU_CC) -$(lastword $(subst -, ,$(basename $(@F)))) \
	  $(EMU_FLAGS) $(EMU_COMMON) -o $@

.PHONY: emu emu-programs
emu-programs: $(EMU_ELF)

emu: ## the patcher on emulated Cortex-M4, RV32 and PowerPC: instructions per byte (PAIRS=dir for more)
	$(Q).ci/deps build check
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/inlay emu-programs
	$(Q)BUILD=$(BUILD) JOBS=$(JOBS) tests/emu/emu.sh table $(PAIRS)
