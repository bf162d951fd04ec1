# SPDX-License-Identifier: GPL-2.0
# In the guest, which has no console but the kernel's log.
echo 0 >/proc/sys/kernel/printk_ratelimit
echo on >/proc/sys/kernel/printk_devkmsg
sh /kselftest/runner.sh 2>&1 | while IFS= read -r line; do
	echo "kselftest: $line" >/dev/kmsg
done
