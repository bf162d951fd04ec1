# SPDX-License-Identifier: GPL-2.0
# The virtio devices, for the makefile that links them (daemon, tests):
# DEVICES_SRCS are paths relative to where this fragment is included from.
DEVICES_DIR := $(dir $(lastword $(MAKEFILE_LIST)))
DEVICES_SRCS := $(addprefix $(DEVICES_DIR),memory.c queue.c virtio.c registers.c machine.c \
	block.c block_request.c block_image.c block_uring.c block_plain.c \
	console.c console_guest.c rng.c vsock.c vsock_connection.c) \
	$(addprefix $(DEVICES_DIR)../os/linux/,line.c local_socket.c)
DEVICES_LIBS := -luring -luv -lpthread
