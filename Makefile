# tiktok-shop-connector: `make run` shows it working, `make test` proves it. `make help` lists the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help

ifeq ($(origin CC),default)
CC := gcc
endif
# V=1 shows whole commands.
ifneq ($(V),1)
Q := @
endif
BUILD ?= build
BIN := $(BUILD)/tiktok-shop-connector
VERSION := 0.1.0

PKGS := libmicrohttpd libcurl jansson libcrypto libxml-2.0 libpq zlib
# Looked up when a recipe needs them, so that `make deps` works on a machine that lacks them.
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lxxhash -lpthread -lm

WARN := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
    -Wundef -Wwrite-strings -Werror
HARDEN := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
HARDEN_LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack
OPT ?= $(HARDEN)
OPT_LINK ?= $(HARDEN_LINK)
CFLAGS_ALL = -std=c17 -D_DEFAULT_SOURCE -g $(WARN) $(OPT) $(DEFS) -DVERSION='"$(VERSION)"' -Iinclude $(PKG_CFLAGS) -MMD -MP
LAYERS := core db outbound sync handlers server sandbox
SRC := $(sort $(foreach d,$(LAYERS),$(wildcard $(d)/*.c)))
OBJ := $(SRC:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/assets_table.o $(BUILD)/obj/assets.o
LIB_OBJ := $(filter-out $(BUILD)/obj/server/main.o,$(OBJ))
ASSET_FILES := $(sort $(wildcard db/migrations/*.sql) $(shell find web sandbox -type f ! -name '*.c' ! -name '*.h' 2>/dev/null))

UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
DB_SRC := $(sort $(wildcard tests/db/test_*.c))
UNIT_BIN := $(UNIT_SRC:%.c=$(BUILD)/%)
DB_BIN := $(DB_SRC:%.c=$(BUILD)/%)
TEST_LIB := $(BUILD)/libconnector.a

.PHONY: help
help: ## lists the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: $(BIN) ## builds build/tiktok-shop-connector

$(BIN): $(OBJ)
	@echo "  LD  $@"
	$(Q)$(CC) $(OPT) $(OPT_LINK) -o $@ $^ $(PKG_LIBS)

$(TEST_LIB): $(LIB_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(dir $@)
	@echo "  CC  $<"
	$(Q)$(CC) $(CFLAGS_ALL) -include include/banned.h -c -o $@ $<

$(BUILD)/obj/assets.S $(BUILD)/obj/assets_table.c &: $(ASSET_FILES) scripts/embed.sh
	@mkdir -p $(BUILD)/obj
	$(Q)scripts/embed.sh $(BUILD)/obj/assets.S $(BUILD)/obj/assets_table.c $(ASSET_FILES)

$(BUILD)/obj/assets.o: $(BUILD)/obj/assets.S
	$(Q)$(CC) -c -o $@ $<

$(BUILD)/obj/assets_table.o: $(BUILD)/obj/assets_table.c
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/tests/%: tests/%.c $(TEST_LIB) tests/check.h
	@mkdir -p $(dir $@)
	@echo "  CC  $<"
	$(Q)$(CC) $(CFLAGS_ALL) -Itests -o $@ $< $(TEST_LIB) $(OPT_LINK) $(PKG_LIBS)

# The binary that tests kill at named places (core/fault.c); the same sources with -DFAULT_POINTS.
FAULT_BUILD := $(BUILD)/fault
FAULT_BIN := $(FAULT_BUILD)/tiktok-shop-connector
.PHONY: build-fault
build-fault:
	@$(MAKE) --no-print-directory BUILD=$(FAULT_BUILD) DEFS=-DFAULT_POINTS build

.PHONY: deps deps-test deps-dev
deps: ## installs what a fresh Debian 12 lacks to build and run
	@scripts/deps.sh run
deps-test:
	@scripts/deps.sh test
deps-dev: ## installs what check, asan, tsan and fuzz need
	@scripts/deps.sh dev

tests/node_modules: tests/package-lock.json
	npm ci --prefix tests --ignore-scripts --no-audit --no-fund --silent
	@touch tests/node_modules

# Recipes that need the packages call make again, so that pkg-config is asked after they are there.
.PHONY: run demo
run: deps ## builds, starts a private PostgreSQL when DATABASE_URL is empty, runs; without TikTok settings on the sandbox
	@$(MAKE) --no-print-directory -j$$(nproc) build
	@scripts/run.sh
demo: deps ## walks the main job once on the sandbox and says whether all ended well
	@$(MAKE) --no-print-directory -j$$(nproc) build
	@scripts/run.sh --once

SCENARIOS := $(sort $(wildcard tests/scenario/test_*.mjs))
TESTS ?= $(SCENARIOS) $(DB_BIN) $(UNIT_BIN)
.PHONY: test
test: deps-test ## builds and runs the whole suite; the last line counts
	@$(MAKE) --no-print-directory -j$$(nproc) build build-fault test-programs tests/node_modules check-layers
	@BIN=$(BIN) FAULT_BIN=$(FAULT_BIN) tests/run.sh $(TESTS)

.PHONY: test-programs
test-programs: $(UNIT_BIN) $(DB_BIN)

C_FILES := $(SRC) $(sort $(wildcard include/*.h */*.h tests/*.h tests/*/*.[ch] tests/bench/*/*.[ch]))
.PHONY: check format-check check-layers check-size warnings tidy
check: deps-dev ## format, layers, sizes, no warning with gcc and clang
	@$(MAKE) --no-print-directory format-check check-layers check-size warnings
format-check:
	@clang-format --dry-run -Werror $(C_FILES)
check-layers: ## who may include whom
	@scripts/check-layers.sh
check-size: ## how long functions and files may be, words that have no place in code
	@scripts/check-size.sh
tidy: deps-dev ## clang-tidy: likely mistakes, functions that are hard to follow (.clang-tidy)
	@$(MAKE) --no-print-directory $(SRC:%.c=$(BUILD)/tidy/%.ok)
$(BUILD)/tidy/%.ok: %.c .clang-tidy
	@mkdir -p $(dir $@)
	@echo "  TIDY $<"
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $< -- -std=c17 -D_DEFAULT_SOURCE -DVERSION='""' -Iinclude \
	    $(PKG_CFLAGS) 2> $@.log || { cat $@.log >&2; exit 1; }
	@touch $@
warnings:
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=$(BUILD)/clang CC=clang build test-programs
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=$(BUILD)/clang/fault CC=clang DEFS=-DFAULT_POINTS build
	@$(MAKE) --no-print-directory -j$$(nproc) build build-fault test-programs
.PHONY: fmt
fmt: ## formats all C files
	clang-format -i $(C_FILES)

# The whole suite under a sanitizer, the binary that scenarios start too; TESTS names some programs instead of all.
# No _FORTIFY_SOURCE: its checked copies would hide the originals from the sanitizers.
SAN = TEST_SANITIZER=$@ $(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/$@ \
    OPT="-O1 -fno-omit-frame-pointer -fsanitize=$(1)" OPT_LINK="-fsanitize=$(1)" test
comma := ,
.PHONY: asan tsan
asan: deps-dev ## the suite with the address and undefined-behaviour sanitizers
	@ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1 \
	    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 $(call SAN,address$(comma)undefined)
tsan: deps-dev ## the suite with the thread sanitizer
	@TSAN_OPTIONS=second_deadlock_stack=1:history_size=4:suppressions=$(CURDIR)/tests/tsan.supp $(call SAN,thread)

.PHONY: bench
bench: deps-test ## measures beside peers, in one table of ratios and floors (BENCH_ROUNDS=3 BENCH_SECONDS=4)
	@$(MAKE) --no-print-directory -j$$(nproc) build $(TEST_LIB)
	@BUILD=$(BUILD) BIN=$(BIN) LIBRARY=$(TEST_LIB) tests/bench/run.sh

.PHONY: fuzz
fuzz: deps-dev ## fuzzes every parser of outside text (SECONDS_EACH=60)
	@tests/fuzz/run.sh $(SECONDS_EACH)
SECONDS_EACH ?= 60

.PHONY: clean
clean: ## removes what was built
	rm -rf $(BUILD)

-include $(OBJ:.o=.d)
