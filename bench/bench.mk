# SPDX-License-Identifier: Apache-2.0
# Benchmarks, included by the Makefile.

BENCH_SRC  = $(wildcard bench/bench_*.cc)
BENCH_BIN  = $(BENCH_SRC:bench/%.cc=$(BUILD)/bench/%)
BENCH_ARGS ?=

$(BUILD)/bench/measure: bench/measure.c
	$(Q)mkdir -p $(@D); echo "CC $<"; $(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(OPT) -o $@ $<

$(BUILD)/bench/%: bench/%.cc $(BUILD)/libinlay.a
	$(Q)mkdir -p $(@D); echo "CXX $<"; $(CXX) -std=c++17 -Wall -Wextra $(CFLAGS_ALL) \
	  -o $@ $< $(BUILD)/libinlay.a -lbenchmark $(HOST_LIBS)

.PHONY: bench bench-loops bench-table
bench: bench-loops bench-table ## hot loops, then a table beside other differs (BENCH_ARGS='--runs 1')

bench-loops: $(BENCH_BIN)
	$(Q)for b in $(BENCH_BIN); do $$b || exit 1; done

bench-table: $(BUILD)/inlay $(BUILD)/bench/measure
	$(Q)bench/table.py --inlay $(BUILD)/inlay --measure $(BUILD)/bench/measure \
	  --fetched $(BUILD)/corpus $(BENCH_ARGS) >$(BUILD)/bench/table.md; \
	  status=$$?; cat $(BUILD)/bench/table.md; exit $$status

.PHONY: bench-in-place
bench-in-place: $(BUILD)/inlay corpus ## what updates in place cost against A/B: the tables in docs/DESIGN.md
	$(Q)bench/in_place.py $< $(BUILD)/corpus

.PHONY: bench-codec
bench-codec: $(BUILD)/inlay corpus ## what each part of the small codec is worth: the table in docs/CODEC.md
	$(Q)bench/codec.py $(BUILD)

# What starting values are trained on; results on these pairs are a little flattered.
PRIOR_FETCHED = cortex-m/cityhub-7.27-7.28 cortex-m/essentialhub-7.22-7.28 \
                cortex-m/movehub-7.27-7.28 cortex-m/technichub-7.22-7.27 arm/nxt-7.27-7.28
PRIOR_OWN = $(shell awk -F'\t' 'NR > 1 {print "corpus/" $$2, "corpus/" $$3}' corpus/PAIRS.tsv)

$(BUILD)/bench/train_prior: bench/train_prior.c $(BUILD)/libinlay.a
	$(Q)mkdir -p $(@D); echo "CC $<"; $(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(CFLAGS_ALL) \
	  -o $@ $< $(BUILD)/libinlay.a $(HOST_LIBS)

.PHONY: prior
prior: $(BUILD)/bench/train_prior corpus ## train the models' starting values: writes patch/prior_table.c
	$(Q)$< $(PRIOR_OWN) \
	  $(foreach p,$(PRIOR_FETCHED),$(BUILD)/corpus/$(p)/old $(BUILD)/corpus/$(p)/new) \
	  >$(BUILD)/bench/prior_table.c && mv $(BUILD)/bench/prior_table.c patch/prior_table.c

$(BUILD)/bench/make_states: bench/make_states.c patch/model.c patch/model.h
	$(Q)mkdir -p $(@D); echo "CC $<"; $(CC) -std=c11 $(WARN) $(OPT) -Ipatch -o $@ $< patch/model.c

.PHONY: states
states: $(BUILD)/bench/make_states ## work out what states of models become: writes patch/state_table.c
	$(Q)$< >$(BUILD)/bench/states.c && mv $(BUILD)/bench/states.c patch/state_table.c

# The C library that most firmware for Cortex-M has, as Debian's libnewlib-arm-none-eabi has it.
NEWLIB = /usr/lib/arm-none-eabi/newlib/thumb/v7-m/nofp

$(BUILD)/bench/newlib.bin: bench/code.ld
	$(Q)mkdir -p $(@D); echo "LD $@"; arm-none-eabi-ld -r -z muldefs -T $< -o $(@:.bin=.o) \
	  --whole-archive $(NEWLIB)/libc_nano.a $(NEWLIB)/libm.a && \
	  arm-none-eabi-objcopy -O binary -j .text $(@:.bin=.o) $@

$(BUILD)/bench/train_usual: bench/train_usual.c patch/usual.h
	$(Q)mkdir -p $(@D); echo "CC $<"; $(CC) -std=c11 $(WARN) $(OPT) -Ipatch -o $@ $< -lm

.PHONY: usual
usual: $(BUILD)/bench/train_usual $(BUILD)/bench/newlib.bin ## train what Thumb-2 code usually is: writes patch/usual_thumb2.c
	$(Q)$^ >$(BUILD)/bench/usual.c && mv $(BUILD)/bench/usual.c patch/usual_thumb2.c

-include $(BENCH_BIN:=.d)
