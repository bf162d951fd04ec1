# SPDX-License-Identifier: GPL-2.0
# In the guest: does what `colinux exec` says.
echo "guest is up"
exec /usr/sbin/colinux-agent
