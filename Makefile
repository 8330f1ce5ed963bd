# SPDX-License-Identifier: Apache-2.0
# Inlay: `make help` lists what can be made.  One file, not recursive.

BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= cc
CXX     ?= c++
CLANG   ?= clang
AR      ?= ar
V       ?= 0
OPT     ?= -O2 -g
WARN     = -Wall -Wextra -Wshadow -Wpedantic -Wstrict-prototypes -Wmissing-prototypes
WARN_PATCH = $(WARN) -Wconversion
VERSION := $(shell cat VERSION)

Q_0 = @
Q   = $(Q_$(V))

HOST_LIBS = -ldivsufsort -llzma -lelf -lsodium -lpthread

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
CFLAGS_ALL = $(OPT) -fPIC -MMD -MP $(INC) $(CFLAGS) -DINLAY_VERSION='"$(VERSION)"'

.PHONY: all
all: $(BUILD)/inlay ## the command and the host library

$(BUILD)/inlay: $(CMD_OBJ) $(BUILD)/libinlay.a
	$(Q)echo "LD $@"; $(CC) $(OPT) $(LDFLAGS) -o $@ $^ $(HOST_LIBS)

$(BUILD)/libinlay.a: $(LIB_OBJ) $(PATCH_OBJ)
	$(Q)echo "AR $@"; rm -f $@; $(AR) rcs $@ $^

$(BUILD)/patch/%.o: patch/%.c
	$(Q)mkdir -p $(@D); echo "CC $<"; $(CC) -std=c99 $(WARN_PATCH) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/diff/%.o: diff/%.c
	$(Q)mkdir -p $(@D); echo "CC $<"; $(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/gen/profiles.c: diff/profiles/embed.awk $(PROFILES)
	$(Q)mkdir -p $(@D); echo "GEN $@"; LC_ALL=C awk -f $^ > $@

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(Q)echo "CC $<"; $(CC) -std=c11 $(WARN) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/tests/%: tests/%.c $(BUILD)/libinlay.a
	$(Q)mkdir -p $(@D); echo "CC $<"; $(CC) -std=c11 -D_GNU_SOURCE $(WARN) -Itests $(CFLAGS_ALL) \
	  -o $@ $< $(BUILD)/libinlay.a $(HOST_LIBS) -lcmocka

.PHONY: test
test: $(TEST_BIN) all ## unit tests only, no sanitizers
	$(Q)for t in $(TEST_BIN); do echo "== $$t"; $$t || exit 1; done

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 18

-include $(PATCH_OBJ:.o=.d) $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d)
