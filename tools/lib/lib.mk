# SPDX-License-Identifier: GPL-2.0
# The tools' library, for the makefiles that link it: LIB_SRCS, and the part of it
# that reads configurations: CONFIG_SRCS.
LIB_DIR := $(dir $(lastword $(MAKEFILE_LIST)))
include $(LIB_DIR)../os/os.mk
CONFIG_SRCS := $(addprefix $(LIB_DIR),error.c text.c guest_line.c paths.c cpus.c config.c config_keys.c config_disk.c config_share.c) \
	$(addprefix $(LIB_DIR),config_serial.c config_vsock.c config_net.c address.c forward.c) \
	$(addprefix $(LIB_DIR),config_message.c config_alias.c config_program.c config_terminal.c config_print.c) \
	$(OS_CONFIG_SRCS)
LIB_SRCS := $(CONFIG_SRCS) $(LIB_DIR)frame.c $(LIB_DIR)json_text.c
