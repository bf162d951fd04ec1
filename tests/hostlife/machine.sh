# SPDX-License-Identifier: GPL-2.0
# In the lab host: what happens to the whole machine while guests run. $1 = sleep |
# hibernate | many | reboot | kexec | crash. The last three come back here in a
# second kernel; what they found until then is on /dev/vda.
. /check.sh
. /life.sh
sysctl -qw kernel.printk=1

disk()
{
	mkdir -p /mnt && mount -o sync /dev/vda /mnt
}

# A small system that runs this script again, for a second kernel.
second_system()
{
	cd /
	{
		printf '%s\n' dev proc sys run root tmp mnt out # empty in it
		find bin sbin lib usr lab init etc check.sh life.sh
	} | cpio -o -H newc >/second
	cd - >/dev/null
}

# Words for it: this kernel's without the memory that it keeps for the other.
words()
{
	sed 's/crashkernel=[^ ]*//; s/hung_task_panic=1//' /proc/cmdline
}

# Uptimes of the guest's beats on a processor never go back, nor jump by more than
# $2 seconds.
steady() # NAME SECONDS
{
	tr -d '\r' <"/tmp/console-$1" | grep '^beat' |
		awk -v most="$2" '$4 in last && ($2 < last[$4] || $2 > last[$4] + most) { bad = 1; print }
			{ last[$4] = $2 } END { exit bad }'
}

sleepers()
{
	busy life && busy pair cpus=2 && moves life && moves pair 2
	check "busy guests of one and of two processors start" $? "$(state_of life; state_of pair)"
}

asleep() # TEXT COMMAND...
{
	text=$1
	shift
	"$@" >/tmp/asleep 2>&1
	check "$text: the host sleeps and wakes" $? "$(cat /tmp/asleep; dmesg | tail -n 5)"
	well life && steady life 900
	check "$text: the guest goes on, its clocks are right" $? "$(state_of life)"
	well pair 2 && steady pair 900
	check "$text: one with two processors does so on both" $? "$(state_of pair)"
	! dmesg | grep "doesn't stop its clocks"
	check "$text: they were ready for it" $?
}

# A guest that can't answer isn't waited for: it's told of sleep and waking at once.
stopped_asleep()
{
	pid=$(daemon_of life)
	kill -STOP "$pid"
	rtcwake -m mem -s 8 >/tmp/asleep 2>&1
	slept=$?
	kill -CONT "$pid"
	[ $slept = 0 ] && well life && steady life 900
	check "a guest that was stopped while the host slept goes on" $? "$(cat /tmp/asleep; state_of life)"
}

woken()
{
	colinux stop life >/tmp/stop 2>&1 && colinux stop pair >>/tmp/stop 2>&1
	check "they power off when asked" $? "$(cat /tmp/stop; state_of life; state_of pair)"
}

# QEMU's clock chip wakes from suspend to RAM only. A key's release comes as long
# after its press as the monitor is told.
freeze()
{
	echo enabled >/sys/devices/platform/i8042/serio0/power/wakeup
	echo 'sendkey a 8000' >/dev/virtio-ports/lab.monitor
	echo freeze >/sys/power/state
}

hibernate()
{
	echo 0 >/sys/power/image_size
	echo shutdown >/sys/power/disk
	echo disk >/sys/power/state
}

# They share four processors: what takes one of them 3 s is no stall. Each is told
# of, so that nobody takes the lab for a hung one.
many()
{
	all=$(seq 16) failed=
	for n in $all; do
		busy "vm$n" mem=48 rcupdate.rcu_cpu_stall_timeout=60 && echo "# vm$n starts" || failed="$failed vm$n"
	done
	for n in $all; do
		moves_on "vm$n" 0 0 && echo "# vm$n runs" || failed="$failed vm$n"
	done
	colinux list >/tmp/list
	set --
	for n in $all; do
		set -- "$@" "$(beats "vm$n" 0)"
	done
	for n in $all; do
		moves_on "vm$n" 0 "$1" && content "vm$n" && echo "# vm$n goes on" || failed="$failed vm$n"
		shift
	done
	[ -z "$failed" ] && [ "$(grep -c 'vm.*running' /tmp/list)" = 16 ]
	check "16 guests run at once, each by its name" $? "$failed: $(cat /tmp/list)"
	failed=
	for n in $all; do
		colinux stop "vm$n" >/dev/null 2>/tmp/stop && echo "# vm$n is off" ||
			failed="$failed vm$n: $(cat /tmp/stop)"
	done
	[ -z "$failed" ]
	check "and power off when asked" $? "$failed"
}

# The guest's console is on the disk, where the second kernel finds it.
down() # COMMAND...
{
	busy life log=/mnt/console-life && ln -s /mnt/console-life /tmp/ && moves life
	check "a busy guest starts" $? "$(state_of life)"
	touch /mnt/second
	sync
	"$@"
	sleep 60
}

up_again()
{
	tr -d '\r' </mnt/console-life | grep -q 'guest: told to power off'
	check "$1: the guest powered off before" $? "$(tail -n 5 /mnt/console-life)"
	exit 0
}

crash()
{
	busy stuck act=spin-irqs-off watchdog=0
	busy life && moves life && colinux info stuck | grep -q 'rescues *[1-9]'
	check "a busy guest runs, and one with interrupts off" $? "$(state_of life; state_of stuck)"
	/kexec panic /boot/vmlinuz /second "$(words) nr_cpus=1 reset_devices"
	check "the crash kernel is there" $?
	touch /mnt/second
	sync
	umount /mnt
	echo c >/proc/sysrq-trigger
	sleep 60
}

dumped()
{
	mount -o remount,async /mnt
	while sleep 20; do echo "# $(du -m /mnt/vmcore | cut -f1) MB of the dump"; done &
	cp /proc/vmcore /mnt/vmcore && sync && [ "$(head -c 4 /mnt/vmcore | tail -c 3)" = ELF ] &&
		grep -aq 'sysrq: Trigger a crash' /mnt/vmcore
	check "crash: the crash kernel boots and the dump is written: $(du -m /mnt/vmcore | cut -f1) MB" $? "$(ls -l /proc/vmcore /mnt)"
	kill %1
	exit 0
}

case $1 in
reboot | kexec | crash) disk || exit 1 ;;
esac
if [ -e /mnt/second ]; then
	[ "$1" != crash ] || dumped
	up_again "$1"
fi
insmod /lib/colinux.ko || exit 1
case $1 in
sleep)
	sleepers
	asleep "suspend to idle" freeze
	asleep "suspend to RAM" rtcwake -m mem -s 8
	stopped_asleep
	woken
	;;
hibernate)
	sleepers
	asleep "hibernation" hibernate
	woken
	;;
many) many ;;
reboot) down reboot -f ;;
kexec)
	second_system && /kexec load /boot/vmlinuz /second "$(words)"
	check "the second kernel is there" $?
	down /kexec exec
	;;
crash)
	second_system
	crash
	;;
esac
exit 0
