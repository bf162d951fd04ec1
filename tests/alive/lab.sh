# SPDX-License-Identifier: GPL-2.0
# In the lab host, which has one processor for both kernels.
. /check.sh
insmod /lib/colinux.ko || exit 1

# Steps of 100 ms that this loop makes in $1 seconds.
pace()
{
	steps=0
	end=$(($(cut -d. -f1 /proc/uptime) + $1))
	while [ "$(cut -d. -f1 /proc/uptime)" -lt $end ]; do
		usleep 100000
		steps=$((steps + 1))
	done
	echo $steps
}

# Per mille of the processors' time without work, over $1 seconds.
idle()
{
	set -- "$1" $(grep '^cpu ' /proc/stat)
	before=$6
	all=$(($3 + $4 + $5 + $6 + $7 + $8 + $9))
	sleep "$1"
	set -- "$1" $(grep '^cpu ' /proc/stat)
	echo $((($6 - before) * 1000 / ($3 + $4 + $5 + $6 + $7 + $8 + $9 - all)))
}

wait_for()
{
	n=0
	until grep -q "$1" /tmp/console 2>/dev/null; do
		sleep 1
		n=$((n + 1))
		[ $n -lt 120 ] || return 1
	done
}

/stamp >/tmp/first
alone=$(pace 6)
alone_idle=$(idle 6)
guest alive mem=96 &
wait_for "guest computes"
check "the guest starts to compute" $? "$(cat /tmp/daemon /tmp/console)"
beside=$(pace 6)
echo "# steps in 6 s: $alone alone, $beside beside a guest that computes"
[ "$beside" -ge $((alone / 2)) ]
check "the host keeps its pace beside a busy guest" $? "$beside steps against $alone"
wait_for "guest idles"
check "the guest made progress meanwhile" $? "$(tail -n 3 /tmp/console)"
beside_idle=$(idle 6)
echo "# idle per mille of the host: $alone_idle alone, $beside_idle beside an idle guest"
[ "$beside_idle" -ge $((alone_idle - 50)) ]
check "an idle guest leaves the host idle" $? "$beside_idle against $alone_idle"
wait
grep -q "guest is done" /tmp/console
check "the guest ends by itself" $? "$(cat /tmp/daemon)"

# The guest's wall clock against ours, by the TSC that both read: first and last
# stamp of the host give the TSC's frequency.
/stamp >/tmp/last
for n in 1 2; do
	tr -d '\r' </tmp/console | grep '^stamp ' | sed -n ${n}p | cat /tmp/first - /tmp/last >/tmp/stamps
	set -- $(cat /tmp/stamps)
	off=$(awk "BEGIN { rate = $(($8 - $2)) / $(($9 - $3))
		printf \"%d\", ($(($5 - $2)) - $(($6 - $3)) * rate) / 1000 }")
	[ "$(wc -l </tmp/stamps)" = 3 ] && [ "${off#-}" -lt 10000 ]
	check "the guest's wall clock is right within 10 ms, stamp $n: $off us off" $? "$(cat /tmp/stamps)"
done
exit 0
