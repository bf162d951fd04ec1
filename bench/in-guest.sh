# SPDX-License-Identifier: GPL-2.0
#
# Runs in the measured guest, as root: serves the commands of in-lab.sh.
mount -t debugfs debugfs /sys/kernel/debug
exec colinux-agent
