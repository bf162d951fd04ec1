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

NT_OUT := $(COLINUX_BUILD)/nt-core
include core/nt-core.mk
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
