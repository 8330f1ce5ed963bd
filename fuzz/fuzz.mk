# SPDX-License-Identifier: Apache-2.0
# Fuzz targets, included by the Makefile.
#
# Every fuzz/fuzz_NAME.c is a target.  In an ordinary build it gets a main()
# that replays files; `make fuzz` builds everything again with libFuzzer.

FUZZ_SRC  = $(wildcard fuzz/fuzz_*.c)
FUZZ_T    = $(FUZZ_SRC:fuzz/fuzz_%.c=%)
FUZZ_BIN  = $(FUZZ_SRC:fuzz/%.c=$(BUILD)/fuzz/%)
FUZZ_MAIN = fuzz/replay.c
FUZZ_OPT  = -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_MAKE = $(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)/fuzzer CC=$(CLANG) \
            OPT="$(FUZZ_OPT)" FUZZ_MAIN= FUZZ_LINK=-fsanitize=fuzzer

# The search for an order takes most of a round trip, and which of its comparisons come
# out how tells the fuzzer nothing: it keeps the sanitizers but is not traced.
ifneq ($(FUZZ_LINK),)
$(BUILD)/diff/order_%.o: override OPT = -O1 -g -fsanitize=address,undefined \
                                        -fno-sanitize-recover=all
endif

$(FUZZ_BIN): $(BUILD)/fuzz/%: fuzz/%.c $(FUZZ_MAIN) $(BUILD)/libinlay.a
	$(Q)mkdir -p $(@D); echo "CC $<"; $(CC) -std=c11 -D_GNU_SOURCE $(WARN) -Ifuzz $(CFLAGS_ALL) \
	  -MF $@.d $(FUZZ_LINK) -o $@ $< $(FUZZ_MAIN) $(BUILD)/libinlay.a $(HOST_LIBS)

$(BUILD)/fuzz/seeds: fuzz/seeds.c $(BUILD)/libinlay.a
	$(Q)mkdir -p $(@D); echo "CC $<"; $(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(CFLAGS_ALL) \
	  -o $@ $< $(BUILD)/libinlay.a $(HOST_LIBS)

.PHONY: fuzz fuzz-smoke fuzz-targets fuzz-seeds
fuzz: ## one target with libFuzzer: T=name SECS=n (default 10); crashes go to fuzz/regress
	$(Q)test -n "$(T)" || { echo "which one?  make fuzz T=name, of: $(FUZZ_T)"; exit 1; }
	$(Q)$(FUZZ_MAKE) $(BUILD)/fuzzer/fuzz/fuzz_$(T) $(BUILD)/fuzzer/fuzz/seeds
	$(Q)BUILD=$(BUILD) fuzz/fuzz.sh $(SECS) $(T)

fuzz-smoke: ## every fuzz target for SECS seconds (default 10)
	$(Q)$(FUZZ_MAKE) fuzz-targets $(BUILD)/fuzzer/fuzz/seeds
	$(Q)BUILD=$(BUILD) fuzz/fuzz.sh $(SECS) $(FUZZ_T)

fuzz-targets: $(FUZZ_BIN)

fuzz-seeds: $(BUILD)/fuzz/seeds ## make fuzz/corpus anew, after a change of the format
	$(Q)rm -rf fuzz/corpus; $(BUILD)/fuzz/seeds corpus/images fuzz/corpus
