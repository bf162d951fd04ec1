# SPDX-License-Identifier: GPL-2.0
# Front door for developers. Users need only ./run and ./test. Everything is
# built into $(COLINUX_BUILD), by default build/; what is expensive is kept in
# $(COLINUX_CACHE), by default ~/.cache/colinux.
COLINUX_BUILD ?= $(CURDIR)/build
export COLINUX_BUILD

help:
	@echo 'make tools      colinux, colinux-daemon, colinux-agent'
	@echo 'make module     colinux.ko for the installed kernel headers'
	@echo 'make guest      the guest kernel, configuration lab (CONFIG=distro, lab@6.12: others)'
	@echo 'make guest-package  colinux-guest, the Debian package for guests'
	@echo 'make image      the guest'\''s Debian root image'
	@echo 'make installer  what colinux image create boots'
	@echo 'make nt         colinux-setup.exe, the installer for Windows x64'
	@echo 'make nt-tools   colinux.exe and colinux-daemon.exe for Windows'
	@echo 'make nt-core    the core, compiled for Windows NT'
	@echo 'make nt-driver  colinux.sys for Windows x64'
	@echo 'make check      the tests that need no lab, in seconds'
	@echo 'make lab        a shell in the lab host, module and tools at hand'
	@echo 'make lab-debug  the same on a kernel with lockdep and KASAN, with the gdb stub'
	@echo 'make bench      side-by-side measurements'
	@echo 'make test       everything that ./test runs'
	@echo 'make clean      removes the build folder, not the cache'

all: tools module guest image

CONFIG ?= lab
tools module image guest-package installer:
	lab/part $@
guest:
	lab/part guest $(CONFIG)

# The core as the NT driver will have it: same sources, NT's calling convention.
NT_CC ?= x86_64-w64-mingw32-gcc
NT_CFLAGS := -std=gnu11 -O2 -Wall -Wextra -Wno-unused-parameter -Werror -ffreestanding -mno-red-zone \
	-mgeneral-regs-only -mno-stack-arg-probe -fno-stack-protector -fno-ident -Wframe-larger-than=1024 \
	-DCO_VERSION='"$(shell cat VERSION)"' -I$(CURDIR)
NT_SRCS := $(filter-out core/x86/offsets.c,$(wildcard core/*.c core/x86/*.c core/x86/*.S))
NT_OBJS := $(NT_SRCS:%=$(COLINUX_BUILD)/nt-core/%.o)
NT_OFFSETS := $(COLINUX_BUILD)/nt-core/core/x86/offsets.h
nt-core: $(NT_OBJS)
$(NT_OBJS): $(COLINUX_BUILD)/nt-core/%.o: % $(NT_OFFSETS) Makefile VERSION $(wildcard abi/*.h core/*.h core/x86/*.h)
	@mkdir -p $(@D)
	$(NT_CC) $(NT_CFLAGS) -I$(dir $(NT_OFFSETS)) -c $< -o $@
$(NT_OFFSETS): core/x86/offsets.c $(wildcard abi/*.h core/*.h core/x86/*.h)
	@mkdir -p $(@D)
	@$(NT_CC) $(NT_CFLAGS) -S $< -o $@.s
	@sed -n 's/.*"->\([A-Z0-9_]*\) \([0-9]*\)".*/#define \1 \2/p' $@.s > $@

include host/nt/nt.mk

# The programs for Windows: build/nt/colinux.exe, colinux-daemon.exe.
nt-tools:
	$(MAKE) -s -C tools -f nt.mk

# The whole of it for Windows: build/nt/colinux-setup.exe.
nt: nt-driver nt-tools
	packaging/nt/installer

CHECKS := rules abi nt unit fuzz devices devfuzz tools conffuzz guestpkg patch
check:
	./test $(foreach group,$(CHECKS),$(if $(wildcard tests/$(group)/run),$(group)))

lab: tools module
	lab/shell
lab-debug: tools
	lab/shell --debug

bench:
	bench/run --quick
test:
	./test
clean:
	rm -rf $(COLINUX_BUILD)

.PHONY: help all tools module guest image guest-package installer nt nt-core nt-tools check lab lab-debug bench test clean
