# SPDX-License-Identifier: GPL-2.0
# The core as the NT driver's compiler takes it: objects only, so that nothing in
# it grows to depend on Linux. Includers set BUILD, and ROOT if they don't stand
# in the top folder.
#
#	make nt-core

NT_ROOT := $(if $(ROOT),$(ROOT),.)
NT_CC := x86_64-w64-mingw32-gcc
NT_CFLAGS := -std=gnu11 -O2 -ffreestanding -mgeneral-regs-only -mno-red-zone \
	     -Wall -Wextra -Werror -Wframe-larger-than=1024 \
	     -DCO_VERSION='"compile check"'
NT_OUT := $(BUILD)/nt-core
# offsets.c becomes offsets.h, which switch.S includes.
NT_SOURCES := $(wildcard $(NT_ROOT)/core/*.c) \
	      $(filter-out %/offsets.c,$(wildcard $(NT_ROOT)/core/x86/*.c))
NT_OBJECTS := $(NT_SOURCES:$(NT_ROOT)/core/%.c=$(NT_OUT)/%.o) $(NT_OUT)/x86/switch.o

.PHONY: nt-core
nt-core: $(NT_OBJECTS)

$(NT_OUT)/%.o: $(NT_ROOT)/core/%.c
	@mkdir -p $(@D)
	$(NT_CC) $(NT_CFLAGS) -MMD -MP -c $< -o $@

$(NT_OUT)/x86/offsets.s: $(NT_ROOT)/core/x86/offsets.c
	@mkdir -p $(@D)
	$(NT_CC) $(NT_CFLAGS) -S $< -o $@

$(NT_OUT)/x86/offsets.h: $(NT_OUT)/x86/offsets.s
	sed -n 's/.*"->\([A-Z0-9_]*\) \(.*\)".*/#define \1 \2/p' $< >$@

$(NT_OUT)/x86/switch.o: $(NT_ROOT)/core/x86/switch.S $(NT_OUT)/x86/offsets.h
	$(NT_CC) -I$(NT_OUT)/x86 -MMD -MP -c $< -o $@

-include $(wildcard $(NT_OUT)/*.d $(NT_OUT)/x86/*.d)
