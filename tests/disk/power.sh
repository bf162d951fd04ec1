# SPDX-License-Identifier: GPL-2.0
# In the lab host, whose power may be cut: $1 = job, $2 $3 = acknowledged records.
. /records.sh
setup || exit 1
[ "$1" = check ] || records "$@"
(records "$@") >/tmp/console
check "the guest ends well after the power cut" $?
results /tmp/console
umount /mnt
exit 0
