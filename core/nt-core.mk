# SPDX-License-Identifier: GPL-2.0
# The core as the NT driver has it: same sources, NT's calling convention. One set of
# flags for the driver and for those who test its core. Includers set NT_OUT, the
# folder for the objects, and ROOT if they don't stand in the top folder; they get
# NT_OBJS, named by their sources: $(NT_OUT)/core/x86/passage.c.o.
#
#	make nt-core

NT_ROOT := $(if $(ROOT),$(ROOT)/)
NT_CC ?= x86_64-w64-mingw32-gcc
NT_CFLAGS := -std=gnu11 -O2 -Wall -Wextra -Wno-unused-parameter -Werror -ffreestanding -mno-red-zone \
	-mgeneral-regs-only -mno-stack-arg-probe -fno-stack-protector -fno-ident -Wframe-larger-than=1024 \
	-DCO_VERSION='"$(shell cat $(NT_ROOT)VERSION)"' -I$(or $(NT_ROOT),.)
# offsets.c becomes offsets.h, which switch.S includes.
NT_SRCS := $(filter-out %/offsets.c,$(wildcard $(addprefix $(NT_ROOT),core/*.c core/x86/*.c core/x86/*.S)))
NT_OBJS := $(NT_SRCS:$(NT_ROOT)%=$(NT_OUT)/%.o)
NT_OFFSETS := $(NT_OUT)/core/x86/offsets.h

.PHONY: nt-core
nt-core: $(NT_OBJS)
$(NT_OBJS): $(NT_OUT)/%.o: $(NT_ROOT)% $(NT_OFFSETS) $(NT_ROOT)core/nt-core.mk $(NT_ROOT)VERSION
	@mkdir -p $(@D)
	$(NT_CC) $(NT_CFLAGS) -I$(dir $(NT_OFFSETS)) -MMD -MP -c $< -o $@
$(NT_OFFSETS): $(NT_ROOT)core/x86/offsets.c $(NT_ROOT)core/nt-core.mk
	@mkdir -p $(@D)
	@$(NT_CC) $(NT_CFLAGS) -MMD -MP -MT $@ -MF $(@:.h=.d) -S $< -o $@.s
	@sed -n 's/.*"->\([A-Z0-9_]*\) \([0-9]*\)".*/#define \1 \2/p' $@.s > $@

-include $(wildcard $(NT_OUT)/core/*.d $(NT_OUT)/core/x86/*.d)
