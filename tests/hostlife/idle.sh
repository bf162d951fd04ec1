# SPDX-License-Identifier: GPL-2.0
# In the lab host: how often an idle guest wakes it up.
. /check.sh
insmod /lib/colinux.ko || exit 1

# What wakes the host for the guest, in $1 seconds: its timer and our look after it
# (which is armed from here on another processor); or others.
trace_wakes()
{
	trace=/sys/kernel/debug/tracing
	for event in timer/hrtimer_expire_entry timer/hrtimer_start sched/sched_wakeup; do
		echo 1 >$trace/events/$event/enable
	done
	echo >$trace/trace
	sleep "$1"
	echo 0 >$trace/events/enable
	timers=$(grep -c 'hrtimer_expire_entry.*timer_fired' $trace/trace)
	armed=$(grep -c 'hrtimer_start.*timer_fired.*mode=.*PINNED' $trace/trace)
	woken=$(grep -c 'sched_wakeup: comm=colinux-daemon' $trace/trace)
}

guest idle mem=64 rest=30 &
tries=0
until grep -q 'guest: rests' /tmp/console 2>/dev/null || [ $tries = 60 ]; do
	sleep 1
	tries=$((tries + 1))
done
sleep 5
trace_wakes 20
echo "# an idle guest in 20 s: $timers timers, looks armed $armed times, its threads woken $woken times"
[ "$armed" != 0 ] && [ $((timers + armed)) -le 60 ] && [ "$woken" -le 60 ]
check "an idle guest wakes the host at most 3 times a second" $? "$(grep -E 'timer_fired|colinux' $trace/trace)"
wait
exit 0
