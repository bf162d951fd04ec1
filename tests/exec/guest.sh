# SPDX-License-Identifier: GPL-2.0
# In the guest: the agent, and a shell that waits for what it is told to do.
echo "guest: boot $(cut -d' ' -f1 /proc/uptime)"
exec /usr/sbin/colinux-agent
