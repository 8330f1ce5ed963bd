# SPDX-License-Identifier: Apache-2.0
# Inlay: `make help` lists what can be made.  One file, not recursive.

BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= cc
CXX     ?= c++
CLANG   ?= clang
AR      ?= ar
V       ?= 0
OPT     ?= -O3 -g
WARN     = -Wall -Wextra -Wshadow -Wpedantic -Wstrict-prototypes -Wmissing-prototypes
WARN_PATCH = $(WARN) -Wconversion
VERSION := $(shell cat VERSION)
JOBS    ?= 2
SECS    ?= 10

Q_0 = @
Q   = $(Q_$(V))

HOST_LIBS = -ldivsufsort -llzma -lelf -lsodium -lpthread -lm

PATCH_SRC = $(wildcard patch/*.c)
LIB_SRC   = $(wildcard diff/*.c diff/image/*.c diff/sim/*.c)
CMD_SRC   = $(wildcard diff/cmd/*.c)
TEST_SRC  = $(wildcard tests/test_*.c)

PATCH_OBJ = $(PATCH_SRC:%.c=$(BUILD)/%.o)
LIB_OBJ   = $(LIB_SRC:%.c=$(BUILD)/%.o) $(BUILD)/gen/profiles.o
CMD_OBJ   = $(CMD_SRC:%.c=$(BUILD)/%.o)
PROFILES  = $(sort $(wildcard diff/profiles/*.profile))
TEST_BIN  = $(TEST_SRC:tests/%.c=$(BUILD)/tests/%)

INC = -Ipatch -Idiff
CFLAGS_ALL = $(OPT) -fPIC -fno-semantic-interposition -MMD -MP $(INC) $(CFLAGS) -DINLAY_VERSION='"$(VERSION)"'

.PHONY: all
all: $(BUILD)/inlay $(BUILD)/libinlay.a $(BUILD)/libinlay.so ## the command and the host library

# Says what to install before the first compiler error would.
$(BUILD)/.ready: .ci/deps
	$(Q)mkdir -p $(@D); .ci/deps build && touch $@

$(PATCH_OBJ) $(LIB_OBJ) $(CMD_OBJ): | $(BUILD)/.ready

.PHONY: deps
deps: ## install the Debian packages that demo and check need
	$(Q).ci/deps --install build demo check

$(BUILD)/inlay: $(CMD_OBJ) $(BUILD)/libinlay.a
	$(Q)echo "LD $@"; $(CC) $(OPT) $(LDFLAGS) -o $@ $^ $(HOST_LIBS)

$(BUILD)/libinlay.a: $(LIB_OBJ) $(PATCH_OBJ)
	$(Q)echo "AR $@"; rm -f $@; $(AR) rcs $@ $^

SONAME = libinlay.so.$(firstword $(subst ., ,$(VERSION)))

$(BUILD)/libinlay.so: $(LIB_OBJ) $(PATCH_OBJ) diff/libinlay.map
	$(Q)echo "LD $@"; $(CC) $(OPT) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,-z,defs \
	  -Wl,--version-script=diff/libinlay.map -o $@ $(LIB_OBJ) $(PATCH_OBJ) $(HOST_LIBS)

$(BUILD)/inlay.pc: diff/inlay.pc.in VERSION Makefile
	$(Q)mkdir -p $(@D); sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' $< > $@

$(BUILD)/patch/%.o: patch/%.c
	$(Q)mkdir -p $(@D); echo "CC $<"; $(CC) -std=c99 $(WARN_PATCH) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/diff/%.o: diff/%.c
	$(Q)mkdir -p $(@D); echo "CC $<"; $(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/gen/profiles.c: diff/profiles/embed.awk $(PROFILES)
	$(Q)mkdir -p $(@D); echo "GEN $@"; LC_ALL=C awk -f $^ > $@

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(Q)echo "CC $<"; $(CC) -std=c11 $(WARN) $(CFLAGS_ALL) -c -o $@ $<

$(TEST_BIN): $(BUILD)/tests/%: tests/%.c $(BUILD)/libinlay.a
	$(Q)mkdir -p $(@D); echo "CC $<"; $(CC) -std=c11 -D_GNU_SOURCE $(WARN) -Itests $(CFLAGS_ALL) \
	  -o $@ $< $(BUILD)/libinlay.a $(HOST_LIBS) -lcmocka

.PHONY: tests test check demo
tests: $(TEST_BIN)

test: tests ## the unit tests as they are, no sanitizers; T=name for one of them
	$(Q)BUILD=$(BUILD) tests/unit.sh $(BUILD) $(T)

check: deps ## everything that must hold before a commit; ends with "N passed, N failed"
	$(Q)BUILD=$(BUILD) JOBS=$(JOBS) MAKE="$(MAKE)" tests/check.sh $(T)

demo: ## a real update in place, its power cut at every operation, beside other differs
	$(Q).ci/deps --install build demo
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/inlay
	$(Q)bench/demo.sh $(BUILD)/inlay

.PHONY: soak
soak: ## fuzzing, histories of two and three power cuts, random ones; SECS=n (default 10)
	$(Q)BUILD=$(BUILD) SECS=$(SECS) JOBS=$(JOBS) MAKE="$(MAKE)" tests/soak.sh

.PHONY: amalgamation
amalgamation: ## the patcher as BUILD/inlay_patch.c and BUILD/inlay_patch.h
	$(Q)patch/amalgamate.sh $(BUILD)

.PHONY: size
size: ## code and RAM of the patcher on a Cortex-M4
	$(Q)BUILD=$(BUILD) tests/size.sh

include fuzz/fuzz.mk

.PHONY: cov
cov: ## lines executed by the unit tests, per file
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)/cov \
	  OPT="-O0 -g --coverage" V=$(V) tests >/dev/null
	$(Q)BUILD=$(BUILD)/cov tests/cov.sh

OURS = $(filter-out diff/profiles/%,$(wildcard patch/*.[ch] diff/*.[ch] diff/*/*.[ch] \
         tests/*.[ch] fuzz/*.[ch] bench/*.c bench/*.cc docs/examples/*.c))

.PHONY: fmt lint
fmt: ## format the sources
	clang-format -i $(OURS)

lint: ## cppcheck, clang-tidy and shellcheck
	$(Q).ci/deps build lint
	$(Q)BUILD=$(BUILD) tests/lint.sh

INSTALL_H  = diff/inlay.h diff/buffer.h diff/error.h diff/profile.h patch/inlay_patch.h
INSTALL_TO = $(DESTDIR)$(PREFIX)

.PHONY: install
install: all $(BUILD)/inlay.pc ## install under DESTDIR and PREFIX
	install -d $(INSTALL_TO)/bin $(INSTALL_TO)/lib/pkgconfig $(INSTALL_TO)/include/inlay \
	  $(INSTALL_TO)/share/man/man1 $(INSTALL_TO)/share/man/man3 \
	  $(INSTALL_TO)/share/bash-completion/completions $(INSTALL_TO)/share/zsh/site-functions \
	  $(INSTALL_TO)/share/fish/vendor_completions.d
	install -m 755 $(BUILD)/inlay $(INSTALL_TO)/bin
	install -m 644 $(BUILD)/libinlay.a $(INSTALL_TO)/lib
	install -m 755 $(BUILD)/libinlay.so $(INSTALL_TO)/lib/libinlay.so.$(VERSION)
	ln -sf libinlay.so.$(VERSION) $(INSTALL_TO)/lib/$(SONAME)
	ln -sf $(SONAME) $(INSTALL_TO)/lib/libinlay.so
	install -m 644 $(INSTALL_H) $(INSTALL_TO)/include/inlay
	install -m 644 $(BUILD)/inlay.pc $(INSTALL_TO)/lib/pkgconfig
	install -m 644 docs/man/*.1 $(INSTALL_TO)/share/man/man1
	install -m 644 docs/man/*.3 $(INSTALL_TO)/share/man/man3
	install -m 644 docs/completion/inlay.bash $(INSTALL_TO)/share/bash-completion/completions/inlay
	install -m 644 docs/completion/_inlay $(INSTALL_TO)/share/zsh/site-functions
	install -m 644 docs/completion/inlay.fish $(INSTALL_TO)/share/fish/vendor_completions.d

include corpus/corpus.mk
include bench/bench.mk
include tests/emu/emu.mk

.PHONY: golden
golden: $(BUILD)/inlay ## make the golden patches anew, after a change of the format
	$(Q)tests/golden/make.sh $(abspath $<)

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 18

-include $(PATCH_OBJ:.o=.d) $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(TEST_BIN:=.d) $(FUZZ_BIN:=.d)
