# SPDX-License-Identifier: GPL-2.0
# In the guest: one line, or as long as the word linger= says.
echo "guest is up"
linger=$(sed -n 's/.*linger=\([0-9]*\).*/\1/p' /proc/cmdline)
[ -z "$linger" ] || sleep "$linger"
