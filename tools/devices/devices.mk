# SPDX-License-Identifier: GPL-2.0
# The virtio devices, for the makefile that links them (daemon, tests):
# DEVICES_SRCS are paths relative to where this fragment is included from.
DEVICES_DIR := $(dir $(lastword $(MAKEFILE_LIST)))
include $(DEVICES_DIR)../os/os.mk
DEVICES_SRCS := $(addprefix $(DEVICES_DIR),memory.c queue.c virtio.c registers.c machine.c \
	block.c block_request.c block_resize.c throttle.c console.c console_guest.c rng.c share.c \
	net.c net_queues.c net_control.c ../net/slirp.c ../net/slirp_ports.c) $(OS_DEVICES_SRCS)
# What only Linux has.
ifeq ($(OS),linux)
DEVICES_SRCS += $(addprefix $(DEVICES_DIR),block_image.c block_direct.c block_uring.c block_plain.c block_vhost.c \
	storage.c vhost_helper.c vhost_ring.c vhost_user.c virtiofs.c virtiofsd.c partition.c \
	vsock.c vsock_connection.c net_vhost.c ../net/tap.c ../net/switch.c)
endif
include $(DEVICES_DIR)../share/share.mk
DEVICES_SRCS += $(SHARE_SRCS)
DEVICES_LIBS := -luring -luv -lblkid -lslirp -lpthread
