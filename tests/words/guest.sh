# SPDX-License-Identifier: GPL-2.0
# In the guest: says through the kernel's log what its command line did, for the
# first boots have no other console.
exec </dev/null >/dev/kmsg 2>&1
echo on >/proc/sys/kernel/printk_devkmsg
say()
{
	echo "says: $*"
}

say cmdline "$(cat /proc/cmdline)"
say memory "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)"
say clock "$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
say clocks "$(cat /sys/devices/system/clocksource/clocksource0/available_clocksource)"
say bogomips "$(awk '/^bogomips/ { print $3 }' /proc/cpuinfo)"
say consoles "$(awk '{ print $1 }' /proc/consoles | tr '\n' ' ')"
say up "$(cut -d' ' -f1 /proc/uptime)"
for disk in /sys/block/vd*; do
	[ ! -e "$disk" ] || say disk "${disk##*/}" "$(cat "$disk/size")"
done
