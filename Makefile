# The commands people type. Meson and Ninja do the building.
#   make run | build | test [SAN=address,undefined|thread] | lint | fuzz | bench | format | install | clean

SAN ?=
comma := ,
dir := build/$(if $(SAN),san-$(subst $(comma),-,$(SAN)),release)
export PKG_CONFIG_PATH := $(CURDIR)/build/prefix/usr/lib/$(shell uname -m)-linux-gnu/pkgconfig:$(PKG_CONFIG_PATH)
flags := $(if $(SAN),-Db_sanitize=$(SAN) -Db_lundef=false --buildtype=debug,--buildtype=debugoptimized -Doptimization=2)

.PHONY: run build test lint fuzz bench format clean install deps deps-test

deps:
	@tools/deps build
deps-test:
	@tools/deps test

# The list of source files is part of the configuration: a new file reconfigures.
build: deps
	@mkdir -p build
	@find src models \( -name '*.c' -o -name 'records.json' -o -name '*.json' \) | LC_ALL=C sort > build/files.new
	@if [ ! -f $(dir)/build.ninja ]; then meson setup $(flags) $(dir) >/dev/null || { cat $(dir)/meson-logs/meson-log.txt | tail -20; exit 1; }; \
	 elif ! cmp -s build/files.new $(dir)/files.txt; then meson setup --reconfigure $(dir) >/dev/null; fi
	@cp build/files.new $(dir)/files.txt
	@ninja -C $(dir) $(if $(V),-v,--quiet)
	@tools/runtimes $(dir)

run: build
	@tools/run $(dir)/wolke

test: deps-test
	@tools/test $(if $(SAN),--san "$(SAN)")

lint: deps-test build
	@tools/lint $(dir)

fuzz: deps-test
	@tools/fuzz

bench: deps-test build
	@tools/bench $(dir)/wolke

format:
	@find src -name '*.c' -o -name '*.h' | xargs clang-format-14 -i

install: build
	@meson install -C $(dir) --quiet

clean:
	rm -rf build/release build/san-* build/fuzz
