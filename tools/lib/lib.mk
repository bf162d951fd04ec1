# SPDX-License-Identifier: GPL-2.0
# The tools' library, for the makefiles that link it: LIB_SRCS, and the part of it
# that reads configurations: CONFIG_SRCS.
LIB_DIR := $(dir $(lastword $(MAKEFILE_LIST)))
CONFIG_SRCS := $(addprefix $(LIB_DIR),error.c text.c paths.c cpus.c config.c config_keys.c config_disk.c config_net.c forward.c)
LIB_SRCS := $(CONFIG_SRCS) $(LIB_DIR)frame.c
