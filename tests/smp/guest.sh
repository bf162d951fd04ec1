# SPDX-License-Identifier: GPL-2.0
# In the guest, which has no console but the kernel's log: results as lines "smp: ".
echo 0 >/proc/sys/kernel/printk_ratelimit
echo on >/proc/sys/kernel/printk_devkmsg
say()
{
	echo "smp: $*" >/dev/kmsg
}
seconds=$(sed -n 's/.*seconds=\([0-9]*\).*/\1/p' /proc/cmdline)
cpus=$(nproc)
say "online $(cat /sys/devices/system/cpu/online)"

# Instances as there are vCPUs, each kind for so many seconds. One that waits for
# a wake-up that was lost never ends: that is what the limit finds.
for kind in cpu fork vm switch futex signal sem mmap; do
	more=
	[ $kind != vm ] || more='--vm-bytes 8m'
	[ $kind != mmap ] || more='--mmap-bytes 8m'
	if timeout $((seconds * 10 + 120)) stress-ng --quiet --$kind "$cpus" $more --timeout "$seconds" \
		>/tmp/stress 2>&1; then
		say "passed $kind"
	else
		say "failed $kind: status $?: $(tail -n 3 /tmp/stress | tr '\n' ' ')"
	fi
done

before=$(cut -d' ' -f1 /proc/uptime)
if timeout 600 hackbench -g 4 -l 200 >/tmp/hackbench 2>&1; then
	say "passed hackbench"
else
	say "failed hackbench: status $?"
fi
say "# hackbench on $cpus vCPUs: $(sed -n 's/^Time: //p' /tmp/hackbench) s, by the clock $before to $(cut -d' ' -f1 /proc/uptime)"
# Where CPUs come and go while others work.
if [ "$cpus" -gt 1 ]; then
	stress-ng --quiet --switch "$cpus" --timeout $((seconds + 3)) &
	bad=0
	for round in 1 2 3; do
		for cpu in $(seq 1 $((cpus - 1))); do
			echo 0 >/sys/devices/system/cpu/cpu$cpu/online || bad=1
		done
		[ "$(cat /sys/devices/system/cpu/online)" = 0 ] || bad=1
		for cpu in $(seq 1 $((cpus - 1))); do
			echo 1 >/sys/devices/system/cpu/cpu$cpu/online || bad=1
		done
	done
	wait
	[ $bad = 0 ] && say "passed hotplug" || say "failed hotplug: $(cat /sys/devices/system/cpu/online)"
fi
