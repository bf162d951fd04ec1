# SPDX-License-Identifier: GPL-2.0
# In the guest: says what a booted guest knows about itself.
echo "version $(cat /proc/version)"
echo "hypervisor $(cat /sys/hypervisor/type)"
echo "memory $(awk '/MemTotal/ { print $2 }' /proc/meminfo)"
echo "cmdline $(cat /proc/cmdline)"
echo "clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
echo "date $(date +%s)"
start=$(cut -d' ' -f1 /proc/uptime)
sleep 1
echo "slept $start $(cut -d' ' -f1 /proc/uptime)"
[ ! -e /dev/mem ] && [ ! -e /dev/port ] && echo "no doors"
dmesg | grep -E 'WARNING|BUG:|Oops|Call Trace' | sed 's/^/complaint /'
echo "guest is up"
exit 3
