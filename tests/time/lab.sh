# SPDX-License-Identifier: GPL-2.0
# In the lab host: steps | rates SECONDS MS PPM... | own | idle | cyclic SECONDS. The
# clocks' logs go out and are judged there (judge.py): comparing them needs all.
. /check.sh
insmod /lib/colinux.ko || exit 1

# begin SECONDS WORD...: a guest that runs meanwhile; all logged as $name
begin()
{
	length=$1
	shift
	(guest time mem=64 for="$length" "$@"; echo $? >/tmp/status) &
	until grep -q 'guest is up' /tmp/console 2>/dev/null; do usleep 100000; done
	/clocks log 20 "$length" >"/out/$name.host" &
	sleep 2
}

end()
{
	while [ ! -e /tmp/status ]; do sleep 1; done
	tr -d '\r' </tmp/console | grep -E '^(clock|rate|ntp|ptp|said|#) ' >"/out/$name.guest"
	[ "$(cat /tmp/status)" = 0 ]
	check "$name: the guest ends by itself" $? "$(cat /tmp/daemon; tail -n 20 /tmp/console)"
	! grep -E 'rcu.*stall|soft lockup|WARNING|BUG:|Oops' /tmp/console
	check "$name: no complaint in the guest's log" $? "$(grep -E -A5 'rcu.*stall|lockup|WARNING|BUG:|Oops' /tmp/console)"
	rm -f /tmp/status
}

# wait_for SECONDS: with a word now and then, for a silent lab is given up.
wait_for()
{
	left=$1
	while [ "$left" -gt 0 ]; do
		sleep $((left < 20 ? left : 20))
		left=$((left - 20))
		[ "$left" -le 0 ] || echo "# $left s left"
	done
}

# The voluntary switches of the daemon's threads: each ends a sleep.
sleeps()
{
	for task in /proc/$(pidof colinux-daemon)/task/*; do
		echo "$(cat "$task/comm") ${task##*/} $(sed -n 's/^voluntary_ctxt_switches:\t*//p' "$task/status")"
	done
}

counters()
{
	colinux info time | grep -E '^ +(bursts|events|idles|kicks|forwarded|notifies) '
}

name=$1
mkdir -p /out
case $1 in
steps)
	begin 40 do=log each=20
	# Forward and back, large and small, and over each other.
	for ns in 3600500000000 -7200250000000 200000000 -200000000 15000000 -15000000 86400000000000; do
		/clocks step $ns >>/out/steps.changes
		sleep 3
	done
	for ns in 1000000000 -2000000000 500000000; do
		/clocks step $ns >>/out/steps.changes
	done
	end
	;;
rates)
	seconds=$2 each=$3
	shift 3
	begin $((seconds * $# + 8)) do=log each="$each"
	for ppm in "$@"; do
		/clocks rate "$ppm" >>/out/rates.changes
		wait_for "$seconds"
	done
	/clocks rate 0 >>/out/rates.changes
	end
	;;
own)
	begin 20 do=own
	/clocks step 5000000000 >>/out/own.changes
	end
	;;
idle)
	seconds=30
	(guest time mem=64 do=idle for=$((seconds + 20)); echo $? >/tmp/status) &
	until grep -q 'guest is up' /tmp/console 2>/dev/null; do usleep 100000; done
	sleep 10
	counters >/tmp/before
	sleeps >/tmp/slept
	sleep $seconds
	sleeps >/tmp/sleeps
	counters >/tmp/after
	paste /tmp/slept /tmp/sleeps | awk -v s=$seconds '{ printf "# thread %s: %d wake-ups in %d s\n", $1, $6 - $3, s }'
	paste /tmp/before /tmp/after | awk '{ printf "# %s %d\n", $1, $4 - $2 }'
	paste /tmp/slept /tmp/sleeps | awk -v s=$seconds '{ n += $6 - $3 } END { exit !(NR > 1 && n <= 3 * s) }'
	check "an idle guest wakes the host up at most 3 times a second" $? "see above"
	name=idle end
	;;
cyclic)
	cyclictest -q -m -p 80 -t 1 -i 1000 -D "$2" -h 10000 | grep '^# M\|^# A' | sed 's/^/# host alone: /'
	guest time mem=64 do=cyclic for="$2"
	check "cyclictest ends in the guest" $? "$(cat /tmp/daemon)"
	tr -d '\r' </tmp/console | grep '^# M\|^# A' | sed 's/^/# guest: /'
	;;
esac
exit 0
