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

.PHONY: deps deps-test
deps: ## installs what a fresh Debian 12 lacks to build and run
	@scripts/deps.sh run
deps-test:
	@scripts/deps.sh test

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
.PHONY: test test-all
test: deps-test ## builds and runs the whole suite; the last line counts
	@$(MAKE) --no-print-directory -j$$(nproc) build build-fault test-programs tests/node_modules check-layers
	@BIN=$(BIN) FAULT_BIN=$(FAULT_BIN) tests/run.sh $(UNIT_BIN) $(DB_BIN) $(SCENARIOS)

.PHONY: test-programs
test-programs: $(UNIT_BIN) $(DB_BIN)

.PHONY: check format-check check-layers warnings
check: format-check check-layers warnings ## format, layers, no warning with gcc and clang
format-check:
	@clang-format --dry-run -Werror $(SRC) $(wildcard include/*.h */*.h tests/*.h tests/*/*.c)
check-layers: ## who may include whom
	@scripts/check-layers.sh
warnings:
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=$(BUILD)/clang CC=clang build
	@$(MAKE) --no-print-directory -j$$(nproc) build
.PHONY: fmt
fmt: ## formats all C files
	clang-format -i $(SRC) $(wildcard include/*.h */*.h tests/*.h tests/*/*.c)

# The whole suite under a sanitizer; the binary that scenarios start is built the same way.
SAN = $(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/$@ OPT="-O1 -fno-omit-frame-pointer -fsanitize=$(1)" OPT_LINK="-fsanitize=$(1)"
.PHONY: asan tsan
asan: ## the suite with the address and undefined-behaviour sanitizers
	@ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 $(call SAN,address$(comma)undefined) test
tsan: ## the suite with the thread sanitizer
	@$(call SAN,thread) test
comma := ,

.PHONY: fuzz
fuzz: ## fuzzes every parser of outside text (SECONDS_EACH=60)
	@tests/fuzz/run.sh $(SECONDS_EACH)
SECONDS_EACH ?= 60

.PHONY: clean
clean: ## removes what was built
	rm -rf $(BUILD)

-include $(OBJ:.o=.d)
