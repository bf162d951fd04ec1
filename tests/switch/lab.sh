# SPDX-License-Identifier: GPL-2.0
# In the lab host: the world switch under load. Prints TAP without numbers.
# $1 = trips, nmi, forward, late, snapshot, xcr0, segments or count

. /check.sh

# Lines as they come: sed keeps them until it has 4 KiB, and the lab takes a long
# silence for a hang.
shown()
{
	while IFS= read -r line; do
		echo "# $line"
	done
}

insmod /lib/colinux.ko || exit 1
case $1 in
trips)
	/covm /trips 32 "calls=1000000" >/tmp/out 2>/tmp/err
	status=$?
	[ $status = 0 ] && [ "$(value calls /tmp/out)" = 1000000 ]
	check "1,000,000 hypercall round trips" $? "status $status: $(cat /tmp/out /tmp/err)"
	;;
nmi)
	# The next one is sent when the last was handled: what comes while one is
	# pending would be one with it, on any machine.
	handled()
	{
		awk '/NMI:/ { print $2 }' /proc/interrupts
	}
	before=$(handled)
	taskset 1 /covm /trips 32 "calls=900000" >/tmp/out 2>/tmp/err &
	pid=$!
	sent=0 got=0
	while [ $sent -lt 300 ] && [ $got = $sent ] && kill -0 $pid 2>/dev/null; do
		echo nmi >/dev/virtio-ports/lab.monitor
		sent=$((sent + 1))
		n=0
		while [ $((got = $(handled) - before)) -lt $sent ] && [ $n -lt 200 ]; do
			usleep 10000
			n=$((n + 1))
		done
	done
	wait $pid
	status=$?
	echo "# sent $sent, the host handled $got, $(grep -h nmis /tmp/err)"
	[ $status = 0 ] && [ "$(value calls /tmp/out)" = 900000 ]
	check "900,000 round trips end under NMIs" $? "status $status: $(cat /tmp/out /tmp/err)"
	[ $sent = 300 ] && [ "$got" = 300 ]
	check "300 NMIs during them, none lost" $? "sent $sent, the host handled $got"
	[ "$(value nmis_passage /tmp/err)" -gt 0 ]
	check "some of them hit the passage" $? "$(cat /tmp/err)"
	;;
late)
	# What it does on another CPU meanwhile: threads that want its own.
	taskset 1 /ticker 300 &
	ticker=$!
	(while :; do :; done) &
	busy=$!
	(while :; do :; done) &
	busy="$busy $!"
	/covm /trips 32 "forwards=300 late=1" 2>/tmp/err | tee /tmp/out | shown
	grep -q '^verdict 1 ' /tmp/err
	status=$?
	kill $ticker $busy
	echo "# $(tail -n 1 /tmp/err)"
	[ $status = 0 ] && [ "$(value forwarded /tmp/err)" -ge 300 ]
	check "300 interrupts forwarded after the host had another turn" $? "status $status: $(cat /tmp/out /tmp/err)"
	# Timer and interrupts between them work on all CPUs.
	for cpu in 1 2; do
		taskset $cpu timeout 20 usleep 50000
		check "a timer ends on the CPU of mask $cpu" $?
	done
	;;
forward)
	taskset 1 /ticker 300 &
	ticker=$!
	taskset 1 /covm /trips 32 "forwards=100000" 2>/tmp/err | tee /tmp/out | shown
	grep -q '^verdict 1 ' /tmp/err
	status=$?
	kill $ticker
	echo "# $(tail -n 1 /tmp/err)"
	[ $status = 0 ] && [ "$(value forwarded /tmp/err)" -ge 100000 ]
	check "100,000 forwarded interrupts" $? "status $status: $(cat /tmp/out /tmp/err)"
	;;
snapshot)
	insmod /lib/snapshot.ko || exit 1
	taskset 1 cat /sys/kernel/debug/colinux-snapshot >/tmp/before
	taskset 1 /covm /trips 32 "calls=20000 forwards=50" >/tmp/out 2>/tmp/err
	status=$?
	taskset 1 cat /sys/kernel/debug/colinux-snapshot >/tmp/after
	diff /tmp/before /tmp/after >/tmp/diff
	[ $? = 0 ] && [ $status = 0 ]
	check "$(wc -l </tmp/before) values of the host's state are what they were" $? "$(cat /tmp/diff /tmp/err | tr '\n' ';')"
	;;
count)
	# The clock is the instructions: a tick each (lab/lab --icount).
	/covm /trips 32 "calls=100000" >/tmp/out 2>/tmp/err
	status=$?
	echo "# instructions of 100 round trips: $(($(value ticks /tmp/out) / 1000))"
	[ $status = 0 ] && [ "$(value calls /tmp/out)" = 100000 ]
	check "100,000 hypercall round trips are counted" $? "status $status: $(cat /tmp/out /tmp/err)"
	;;
xcr0)
	/covm /xcr0 32 "rounds=1000" >/tmp/out 2>/tmp/err
	status=$?
	[ $status = 0 ] && [ "$(value rounds /tmp/out)" = 1000 ]
	check "a guest takes components out of XCR0 and puts them back, 1000 times" $? "status $status: $(cat /tmp/out /tmp/err)"
	;;
segments)
	/covm /segments 32 "" >/tmp/out 2>/tmp/err
	status=$?
	[ $status = 0 ] && [ "$(value segments /tmp/out)" = 5 ]
	check "a guest's segments that have lost their descriptors are null, the rest is kept" $? "status $status: $(cat /tmp/out /tmp/err)"
	;;
esac
exit 0
