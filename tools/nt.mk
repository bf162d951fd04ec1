# SPDX-License-Identifier: GPL-2.0
# The programs for Windows x64: build/nt/{colinux,colinux-daemon}.exe, from the same
# sources as Linux's but for tools/os.
#
#	make -C tools -f nt.mk [all] [clean]

OS := nt
TOOLS := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
include $(TOOLS)/lib/lib.mk
include $(TOOLS)/devices/devices.mk

BUILD := $(abspath $(or $(COLINUX_BUILD),$(TOOLS)/../build))
OUT := $(BUILD)/nt
NT := x86_64-w64-mingw32
CC := $(NT)-gcc-win32
LIBRARIES := $(shell $(TOOLS)/../packaging/nt/libraries)
ifeq ($(LIBRARIES),)
$(error packaging/nt/libraries says why there are none)
endif

# Windows 7 on. Formats are checked by Linux's build: this compiler takes them for
# Microsoft's.
FLAGS := -std=gnu11 -D_GNU_SOURCE -D_WIN32_WINNT=0x0601 -DWIN32_LEAN_AND_MEAN \
	-D__USE_MINGW_ANSI_STDIO=1 -D_FILE_OFFSET_BITS=64 -DPROGRAM_SUFFIX='".exe"' \
	-DLIBSLIRP_STATIC -O2 -Wall -Wextra -Werror -Wno-format -fno-ident \
	-include $(OS_DIR)/posix.h -I$(OS_DIR)/include -isystem $(LIBRARIES)/include \
	-ffile-prefix-map=$(abspath $(TOOLS)/..)=. -MMD -MP
LDFLAGS := -static -Wl,--dynamicbase -Wl,--nxcompat -Wl,--high-entropy-va \
	-Wl,--no-insert-timestamp -Wl,--build-id=none -s
LIBS := -L$(LIBRARIES)/lib -lslirp -ljansson -luv -lpthread -lws2_32 -liphlpapi -lpsapi \
	-luserenv -luser32 -lshell32 -ladvapi32 -lntdll

objects = $(sort $(patsubst $(TOOLS)/%.c,$(OUT)/obj/%.o,$(abspath $(1))))
CLI := $(call objects,$(wildcard $(TOOLS)/cli/*.c) $(LIB_SRCS) $(OS_CLI_SRCS) $(OS_DRIVER_SRCS))
DAEMON := $(call objects,$(wildcard $(TOOLS)/daemon/*.c) $(LIB_SRCS) $(OS_DAEMON_SRCS) \
	$(OS_DRIVER_SRCS) $(DEVICES_SRCS))

all: $(OUT)/colinux.exe $(OUT)/colinux-daemon.exe
$(OUT)/colinux.exe: $(CLI)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(OUT)/colinux-daemon.exe: $(DAEMON)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(OUT)/obj/%.o: $(TOOLS)/%.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -c -o $@ $<
clean:
	rm -rf $(OUT)
.PHONY: all clean
-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
