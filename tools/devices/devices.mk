# SPDX-License-Identifier: GPL-2.0
# The virtio devices, for the makefile that links them (daemon, tests):
# DEVICES_SRCS are paths relative to where this fragment is included from.
DEVICES_DIR := $(dir $(lastword $(MAKEFILE_LIST)))
include $(DEVICES_DIR)../os/os.mk
DEVICES_SRCS := $(addprefix $(DEVICES_DIR),memory.c queue.c virtio.c registers.c machine.c \
	block.c block_request.c block_image.c block_resize.c block_uring.c block_plain.c \
	block_vhost.c storage.c vhost_user.c partition.c throttle.c \
	console.c console_guest.c rng.c share.c vsock.c vsock_connection.c \
	net.c net_queues.c net_control.c net_vhost.c ../net/slirp.c ../net/tap.c ../net/switch.c) \
	$(OS_DEVICES_SRCS)
include $(DEVICES_DIR)../share/share.mk
DEVICES_SRCS += $(SHARE_SRCS)
DEVICES_LIBS := -luring -luv -lblkid -lslirp -lpthread
