# SPDX-License-Identifier: GPL-2.0
# The 9P server with its host half, for the makefiles that link it: SHARE_SRCS.
SHARE_DIR := $(dir $(lastword $(MAKEFILE_LIST)))
include $(SHARE_DIR)../os/os.mk
SHARE_SRCS := $(addprefix $(SHARE_DIR),codec.c span.c fid.c server.c walk.c file.c attr.c names.c xattr.c) \
	$(OS_SHARE_SRCS)
