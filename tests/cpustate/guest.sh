# SPDX-License-Identifier: GPL-2.0
# In the guest, which has no console but the kernel's log: results as lines
# "cpustate: ".
echo 0 >/proc/sys/kernel/printk_ratelimit
echo on >/proc/sys/kernel/printk_devkmsg
say()
{
	echo "cpustate: $*" >/dev/kmsg
}
seconds=$(sed -n 's/.*seconds=\([0-9]*\).*/\1/p' /proc/cmdline)
say "starts"
say "$(grep -m1 '^flags' /proc/cpuinfo)"

work() # NAME COMMAND...
{
	name=$1
	shift
	"$@" >/tmp/$name 2>&1 || say "failed $*: status $?"
	say "$(tail -n 1 /tmp/$name)"
}

# Address spaces that come and go, and pages that are touched.
forks()
{
	n=0
	while [ $n -lt 100 ]; do
		busybox true || return 1
		n=$((n + 1))
	done
	dd if=/dev/zero of=/tmp/file bs=64k count=64 2>/dev/null && cmp -n 4194304 /tmp/file /dev/zero
	echo "forks done"
}

work vectors1 vectors "$seconds" 11 &
work vectors2 vectors "$seconds" 12 &
work hold1 hold "$seconds" 13 umip &
work hold2 hold "$seconds" 14 umip &
work breaks breaks 1 "$seconds" &
work segments segments "$seconds" &
work samples samples "$seconds" &
work forks forks &
wait
say "ends"
