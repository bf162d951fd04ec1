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
# a wake-up that was lost never ends: that is what the limit finds. Where processors
# are few and slow an instance may come to its turn when the time is over: it has done
# nothing then, and calls that want of resources (status 3). So there is more time then.
# Of vm's methods one: some take 20 s and more for a single pass.
stress()
{
	local more='' status=3 time=$seconds
	case $1 in
	vm) more='--vm-bytes 8m --vm-method flip' ;;
	mmap) more='--mmap-bytes 8m' ;;
	esac
	while [ $status = 3 ] && [ "$time" -le 64 ]; do
		timeout $((time * 10 + 120)) stress-ng --quiet --"$1" "$cpus" $more --timeout "$time" \
			>/tmp/stress 2>&1
		status=$?
		time=$((time * 2))
	done
	if [ $status = 0 ]; then
		say "passed $1"
	else
		say "failed $1: status $status: $(tail -n 3 /tmp/stress | tr '\n' ' ')"
	fi
}

run_hackbench()
{
	if timeout 900 hackbench -g 4 -l 200 >/tmp/hackbench 2>&1; then
		say "passed hackbench"
	else
		say "failed hackbench: status $?"
	fi
	say "# hackbench on $cpus vCPUs: $(sed -n 's/^Time: //p' /tmp/hackbench) s"
}

# Where CPUs come and go while others work.
hotplug()
{
	local round cpu bad=0
	stress-ng --quiet --switch "$cpus" --timeout $((seconds + 3)) &
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
}

if grep -q only=hackbench /proc/cmdline; then
	run_hackbench
else
	for kind in cpu fork vm switch futex signal sem mmap; do
		stress $kind
	done
	run_hackbench
	if said=$(shootdown $((seconds + 3)) 2>&1); then
		say "passed shootdown"
	else
		say "failed shootdown: status $?"
	fi
	say "# shootdown: $said"
	[ "$cpus" = 1 ] || hotplug
fi
