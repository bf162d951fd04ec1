# SPDX-License-Identifier: GPL-2.0
# What an operating system has for the programs, for the makefiles that link them:
# OS=linux or nt. Paths are absolute; each list is what that part needs, others
# may be in it, too: they are linked once.
OS ?= linux
OS_DIR := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))/$(OS)
os_srcs = $(patsubst %,$(OS_DIR)/%.c,$(1))

# The configuration; and whatever reads files.
OS_CONFIG_SRCS_linux := $(call os_srcs,path host can place)
OS_CONFIG_SRCS_nt := $(call os_srcs,path host can place security wide posix)
# Devices.
OS_DEVICES_SRCS_linux := $(call os_srcs,bell process child path line local_socket disk_engine device_thread)
OS_SHARE_SRCS_linux := $(call os_srcs,errors share_file share_lock share_names share_node share_root share_xattr)
# The daemon alone, but for its driver's handle.
OS_DAEMON_SRCS_linux := $(call os_srcs,cpus guard fault lock background console_out)
OS_SERVICE_SRCS_linux := $(call os_srcs,service)
OS_SERVICE_SRCS_nt := $(call os_srcs,service service_install service_run scm driver_control ending \
	ending_window command_line beside windows_error)
OS_CLI_SRCS_linux := $(call os_srcs,doctor child process lock background peer)
OS_CLI_SRCS_nt := $(call os_srcs,main errors doctor facts facts_windows scm driver_control \
	command_line beside windows_error child spawn process lock background peer user_input)
OS_DRIVER_SRCS_linux := $(call os_srcs,driver)
OS_DRIVER_SRCS_nt := $(call os_srcs,driver driver_bells bell)
OS_DEVICES_SRCS_nt := $(call os_srcs,main errors bell process disk_open disk_volume disk_engine device_thread absent tap tap_adapter)
OS_SHARE_SRCS_nt := $(call os_srcs,errors share_file share_link share_names share_node share_root share_target)
OS_DAEMON_SRCS_nt := $(call os_srcs,cpus guard fault lock background spawn console_out serial serial_end)

OS_CONFIG_SRCS := $(OS_CONFIG_SRCS_$(OS))
OS_DRIVER_SRCS := $(OS_DRIVER_SRCS_$(OS)) $(dir $(OS_DIR))driver_version.c
OS_DEVICES_SRCS = $(OS_DEVICES_SRCS_$(OS))
OS_SHARE_SRCS = $(OS_SHARE_SRCS_$(OS))
OS_DAEMON_SRCS = $(OS_DAEMON_SRCS_$(OS)) $(OS_SERVICE_SRCS_$(OS))
OS_CLI_SRCS = $(OS_CLI_SRCS_$(OS))
