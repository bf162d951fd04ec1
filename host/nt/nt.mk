# SPDX-License-Identifier: GPL-2.0
# colinux.sys out of the core's objects, as nt-core makes them, and this folder.
# Included by the top Makefile.
#
#	make nt-driver
#
# Subsystem 5.2 (Server 2003 x64) is the oldest that may load it. Not a DLL, so that
# there is no export table; unwind tables stay, for dumps and for guard.S.
NT_DRIVER := $(COLINUX_BUILD)/nt/colinux.sys
NT_DRIVER_SRCS := $(sort $(wildcard host/nt/*.c host/nt/*.S))
NT_DRIVER_OBJS := $(NT_DRIVER_SRCS:%=$(NT_OUT)/%.o)
NT_LDFLAGS := -nostdlib -nostartfiles -s -Wl,--entry,DriverEntry \
	-Wl,--subsystem,native:5.2 -Wl,--major-os-version,5 -Wl,--minor-os-version,2 \
	-Wl,--image-base,0x140000000 -Wl,--dynamicbase -Wl,--nxcompat \
	-Wl,--high-entropy-va -Wl,--no-insert-timestamp -Wl,--build-id=none \
	-Wl,--disable-auto-import -Wl,--exclude-all-symbols -Wl,--fatal-warnings

nt-driver: $(NT_DRIVER)
$(NT_DRIVER): $(NT_OBJS) $(NT_DRIVER_OBJS) host/nt/nt.mk
	@mkdir -p $(@D)
	$(NT_CC) $(NT_LDFLAGS) -o $@ $(sort $(NT_OBJS)) $(NT_DRIVER_OBJS) -lntoskrnl -lhal

$(NT_DRIVER_OBJS): $(NT_OUT)/%.o: % core/nt-core.mk VERSION
	@mkdir -p $(@D)
	$(NT_CC) $(NT_CFLAGS) -Wmissing-prototypes -MMD -MP -c $< -o $@
-include $(wildcard $(NT_OUT)/host/nt/*.d)

.PHONY: nt-driver
