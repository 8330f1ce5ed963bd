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

-include $(BENCH_BIN:=.d)
