# SPDX-License-Identifier: GPL-2.0
# In the guest: says which processors are online whenever that changes, with one
# busy process on each; a power-off that the host asks for is done at once.
echo '/bin/busybox poweroff -f' >/proc/sys/kernel/poweroff_cmd
before=
while :; do
	now=$(cat /sys/devices/system/cpu/online)
	[ "$now" = "$before" ] || echo "guest has cpus $now"
	before=$now
	(
		i=0
		while [ $i -lt 2000 ]; do i=$((i + 1)); done
	) &
	usleep 100000
done
