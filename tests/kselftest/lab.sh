# SPDX-License-Identifier: GPL-2.0
# In the lab host: lab.sh guest VCPUS MIB, or lab.sh bare: the same files, run by
# this kernel itself. The results go to /out/results.
. /check.sh

# A machine that works for an hour without a word looks dead from outside.
show()
{
	: >"$1"
	tail -f "$1" | while IFS= read -r line; do
		case $line in
		"# "*) echo "$line" ;;
		*"kselftest: # "*) echo "# ${line#*kselftest: # }" ;;
		esac
	done &
}

in_guest()
{
	insmod /lib/colinux.ko || exit 1
	show /out/console
	/covm -c "$1" /guest/vmlinux "$2" "secretmem.enable=y" /guest/initrd >/out/console 2>/tmp/covm
	check "the guest ends by itself" $? "$(tail -n 20 /out/console; cat /tmp/covm)"
	tr -d '\r' </out/console | sed -n 's/.*kselftest: //p' >/out/results
	! grep -E 'rcu.*stall|soft lockup|hung task|WARNING|BUG:|Oops|blocked for more' /out/console
	check "no complaint in the guest's log" $? \
		"$(grep -E -A15 'stall|lockup|WARNING|BUG:|Oops' /out/console | head -n 60)"
}

on_bare()
{
	mkdir /bare
	(cd /bare && zcat /guest/initrd | cpio -i) 2>/dev/null
	for kind in devtmpfs:dev proc:proc sysfs:sys tmpfs:tmp; do
		mount -t ${kind%:*} none /bare/${kind#*:}
	done
	mkdir -p /bare/dev/pts /bare/dev/shm
	mount -t devpts none /bare/dev/pts
	show /out/results
	HOME=/root TERM=linux chroot /bare sh /kselftest/runner.sh >/out/results 2>&1
	check "the tests end" $? "$(tail -n 20 /out/results)"
}

case $1 in
guest) in_guest "$2" "$3" ;;
bare) on_bare ;;
esac
killall tail
exit 0
