# SPDX-License-Identifier: GPL-2.0
# In the lab host: $1 = starts COUNT | fragmented COUNT | signals ROUNDS
. /check.sh
ulimit -n 65536
sysctl -qw fs.pipe-user-pages-soft=0
sysctl -qw kernel.printk=1
insmod /lib/colinux.ko || exit 1

start()
{
	guest life mem="$1" && grep -q 'guest is up' /tmp/console
}

# A leak grows with every start; a cache that fills up does so once. Over "start
# used" lines: the median of the growth per start in windows of $2 starts, which
# a single step can't move, has to stay below $3 kB. Prints it.
growth()
{
	awk -v lag="$2" '{ used[NR] = $2 }
		END { for (i = 1; i + lag <= NR; i++) print (used[i + lag] - used[i]) / lag }' "$1" |
		sort -n | awk -v most="$3" -v lag="$2" '{ v[NR] = $1 }
		END {
			m = (v[int((NR + 1) / 2)] + v[int((NR + 2) / 2)]) / 2
			printf "# used memory grows by %.3f kB a start (median of %d windows of %d)\n", m, NR, lag
			exit !(NR > 0 && m < most)
		}'
}

case $1 in
starts)
	failed=0
	i=1
	while [ $i -le "$2" ]; do
		start 64 || { failed=$((failed + 1)); cat /tmp/daemon >&2; }
		[ $((i % 5)) != 0 ] || echo "# start $i"
		# The first ones fill caches that stay.
		[ $i -lt 25 ] || echo "$i $((-$(free_kb)))" >>/tmp/used
		i=$((i + 1))
	done
	[ $failed = 0 ]
	check "$2 starts and stops" $? "$failed failed"
	# A lost page a start is 4 kB; what is smaller needs more starts to be seen.
	growth /tmp/used $(($2 / 8)) $(($2 < 100 ? 3 : 1))
	check "the host's used memory does not grow over them" $? "$(cat /tmp/used)"
	;;
fragmented)
	/fragment 300 >/tmp/fragment &
	while ! grep -q ready /tmp/fragment; do sleep 1; done
	echo "# free blocks: $(grep Normal /proc/buddyinfo || grep DMA32 /proc/buddyinfo)"
	i=0 failed=0
	while [ $i -lt "$2" ]; do
		i=$((i + 1))
		start 96 || { failed=$((failed + 1)); cat /tmp/daemon >&2; }
		[ $((i % 5)) != 0 ] || echo "# start $i"
	done
	kill %1
	[ $failed = 0 ]
	check "$2 starts on a fragmented host" $? "$failed failed"
	;;
signals)
	before=$(free_kb)
	round=0
	for signal in $(for n in $(seq "$2"); do echo 9 11 6 3 4 5 7 8 10 12 13 14 16 24 25 31 34 64; done); do
		round=$((round + 1))
		colinux-daemon name=life kernel=/guest/vmlinux initrd=/guest/initrd mem=128 linger=60 >/tmp/daemon 2>&1 </dev/null &
		pid=$!
		# At any time: from before the driver is open to after the boot.
		usleep $((round * 137931 % 2500000))
		# SIGPIPE is ignored by those who talk to sockets.
		kill -"$signal" $pid 2>/dev/null
		[ "$signal" != 13 ] || kill -9 $pid
		wait $pid 2>/dev/null
		waited=0
		while [ $waited -lt 50 ] && [ $(($(free_kb) + 8192)) -lt "$before" ]; do
			usleep 100000
			waited=$((waited + 1))
		done
		[ $waited -lt 50 ] || { echo "# signal $signal: $((before - $(free_kb))) kB not back after 5 s" && lost=yes; }
	done
	[ -z "$lost" ]
	check "memory is back within 5 s of the daemon's death, $round deaths" $? "see above"
	start 64
	check "the next start works" $? "$(cat /tmp/daemon)"
	;;
esac
exit 0
