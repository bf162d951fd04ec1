# SPDX-License-Identifier: GPL-2.0
# In the guest: does what colinux exec says.
exec /usr/sbin/colinux-agent
