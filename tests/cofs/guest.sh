# SPDX-License-Identifier: GPL-2.0
# In the guest: mounts what the command line wants mounted, then does what
# colinux exec says.
colinux-mounts --now
exec /usr/sbin/colinux-agent
