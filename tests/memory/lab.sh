# SPDX-License-Identifier: GPL-2.0
# In the lab host: $1 = flow MIB TIMES [noisy] | small | poisoned | large MIB | pressure | overhead
. /check.sh
vm=g
sysctl -qw kernel.printk=1
insmod /lib/colinux.ko || exit 1

start() # WORD...: a guest that does what in_guest says
{
	colinux start name=g kernel=/guest/vmlinux initrd=/guest/initrd "$@" >/tmp/start 2>&1 &&
		colinux exec --wait 300 g -c true >>/tmp/start 2>&1
}

stop()
{
	colinux stop --force g >/tmp/stop 2>&1
	for try in $(seq 100); do
		[ -z "$(pidof colinux-daemon)" ] && return 0
		sleep 0.1
	done
	check "the daemon ends within 10 s" 1 "$(cat /tmp/stop; ps)"
}

# A number of the driver's: stat NAME
stat()
{
	colinux stats --json g | tr -d ' ,"' | sed -n "s/^$1://p" | head -n 1
}

guest_mb()
{
	echo $(($(stat memory) >> 20))
}

# Waits until the host has so much free, in kB, at most ten seconds.
host_gets()
{
	for try in $(seq 50); do
		[ "$(free_kb)" -ge "$1" ] && return 0
		sleep 0.2
	done
	return 1
}

# Waits until 95 % of $1 MiB aren't the guest's any more, at most ten seconds. Beside
# others who take and free memory the host's free memory tells nothing.
gives_back()
{
	[ -n "$noisy" ] || { host_gets $((before - $1 * 1024 / 20)); return; }
	for try in $(seq 50); do
		[ "$(guest_mb)" -le $((idle + $1 / 20)) ] && return 0
		sleep 0.2
	done
	return 1
}

complaints() # [NAME]
{
	colinux log "${1:-g}" 2>/dev/null | grep -E 'WARNING|BUG|Oops|Out of memory|oom-kill|rcu.*stall|lockup|Bad page'
}

# What a guest can come down to, in MiB. A noisy host takes what went, so that
# other frames come back, and the guest has 16 MiB of struct pages for each GiB that it
# has ever seen.
least()
{
	[ -n "$noisy" ] && echo 192 || echo 96
}

# Touches $1 MiB again and again: they come, and 95 % of them go within 10 s. Of many
# rounds each tenth looks at all lines, the others at a word of each page.
flow()
{
	mb=$1 times=$2 noisy=$3 failed=0
	start mem=128 maxmem=$((mb + 256))
	check "a guest of 128 MiB starts that may have $((mb + 256))" $? "$(cat /tmp/start)"
	in_guest "free -m | awk '/Mem:/ { print \$2 }'"
	[ "$(cat /tmp/said)" -ge "$mb" ]
	check "it counts what it may have as its own" $? "$(cat /tmp/said)"
	sleep 3
	idle=$(guest_mb) before=$(free_kb)
	in_guest "touch-memory $mb 1 & sleep 1; wait; free -m"
	check "a burst of $mb MiB finds its memory" $? "$(cat /tmp/said; complaints)"
	[ -z "$noisy" ] || { /noise 20 >/tmp/noise 2>&1 & }
	i=1
	while [ $i -le "$times" ]; do
		step=64
		[ "$times" -lt 10 ] || [ $((i % 10)) = 1 ] || step=4096
		in_guest "touch-memory $mb 1 $step" || { failed=$((failed + 1)); cat /tmp/said; }
		held=$(free_kb)
		if ! gives_back "$mb"; then
			failed=$((failed + 1))
			echo "# round $i at $(cut -d' ' -f1 /proc/uptime) s: $((before - $(free_kb))) kB not back, guest has $(guest_mb) MiB, idle $idle"
		fi
		i=$((i + 1))
	done
	echo "# idle $idle MiB, now $(guest_mb); host had $before kB free, $held at the end of a touch, now $(free_kb)"
	[ $failed = 0 ]
	check "$times times $mb MiB: taken, and 95 % of it the host's within 10 s" $? "$failed failed; $(complaints)"
	if [ -n "$noisy" ]; then
		kill $! # fails if it has ended by itself
		[ $? = 0 ] && [ "$(grep -c done /tmp/noise)" -ge 5 ] && ! grep -v done /tmp/noise
		check "what else the host does found its memory, and in it what it had written" $? "$(sort /tmp/noise | uniq -c)"
	fi
	in_guest "touch-memory $mb 1"
	colinux set g mem="$(least)" >/tmp/set 2>&1 && sleep 2 && [ "$(guest_mb)" -le "$(least)" ]
	check "set mem= takes effect at once" $? "$(cat /tmp/set; guest_mb)"
	in_guest "touch-memory 300 1; true"
	[ "$(guest_mb)" -le "$(least)" ]
	check "no more than its limit while that stands" $? "$(guest_mb)"
	colinux set g mem=$((mb + 256)) >/tmp/set 2>&1 && in_guest "touch-memory $mb 1"
	check "all of it again when the limit is lifted" $? "$(cat /tmp/set /tmp/said; complaints)"
	[ -z "$(complaints)" ]
	check "no complaint in the guest's log" $? "$(complaints)"
	stop
}

# Memory goes and comes under page poisoning while the disk is read into it.
poisoned()
{
	head -c 200m /dev/urandom >/tmp/disk
	start mem=128 maxmem=856 cobd0=/tmp/disk,ro
	check "a guest starts on a host that poisons what is free" $? "$(cat /tmp/start)"
	in_guest 'reads() {
			while [ ! -e /tmp/stop ]; do
				echo 3 >/proc/sys/vm/drop_caches
				md5sum </dev/vda
			done >/tmp/sums
		}
		reads & n=0
		while [ $n -lt 6 ]; do
			touch-memory 500 1 || exit 1
			sleep 4
			n=$((n + 1))
		done
		touch /tmp/stop; wait
		sort /tmp/sums | uniq -c'
	check "it finds its memory, six times, while it reads its disk" $? "$(cat /tmp/said; complaints)"
	sed 's/^/# /' /tmp/said
	sum=$(md5sum </tmp/disk)
	grep -q "${sum%% *}" /tmp/said && ! grep -v "${sum%% *}" /tmp/said | grep -v '^touch:' | grep -q .
	check "each read says what the disk has" $? "$(cat /tmp/said): $sum"
	[ "$(guest_mb)" -lt 400 ]
	check "and what it took went again" $? "$(colinux stats --json g)"
	stop
}

small()
{
	colinux-daemon name=s kernel=/guest/vmlinux cobd0=/guest/disk root=/dev/cobd0 init=/init mem=32 \
		log=/tmp/console >/tmp/daemon 2>&1 </dev/null
	grep -q 'guest is up' /tmp/console
	check "a guest of 32 MiB boots to a shell" $? "$(cat /tmp/daemon; tail -n 30 /tmp/console)"
	grep -E 'Memory:|guest is up' /tmp/console | sed 's/^/# /'
	ulimit -n 65536
	sysctl -qw fs.pipe-user-pages-soft=0
	/fragment 1000 >/tmp/fragment &
	while ! grep -q ready /tmp/fragment; do sleep 1; done
	start mem=400
	check "a guest starts on a fragmented host" $? "$(cat /tmp/start)"
	in_guest "touch-memory 320 1 && grep MemTotal /proc/meminfo"
	check "all of its pieces are used" $? "$(cat /tmp/said; complaints)"
	sed 's/^/# /' /tmp/said
	kill %1
	stop
	colinux-daemon name=s kernel=/guest/vmlinux initrd=/guest/shell mem=64 maxmem=9000000 >/tmp/daemon 2>&1 </dev/null
	[ $? = 1 ] && grep -q maxmem /tmp/daemon
	check "maxmem beyond the host is refused" $? "$(cat /tmp/daemon)"
}

large()
{
	start mem="$1"
	check "a guest of $1 MiB starts" $? "$(cat /tmp/start)"
	in_guest "touch-memory $(($1 - 300)) 2"
	check "patterns over all of it" $? "$(cat /tmp/said; complaints)"
	stop
}

# Guests hold what they have read when the host needs memory: they give it up.
# A guest reads its disk until it has 300 MiB: reclaim of its own may be faster than the
# host, and drop some of what it has read. Somebody has the disk open all the time: the
# kernel forgets what it has read of one that nobody has open any more.
reads_on() # VM
{
	colinux exec --wait 300 "$1" -c 'sleep 99999 </dev/vda >/dev/null 2>&1 &' || return 1
	for try in 1 2 3 4 5 6; do
		colinux exec --wait 300 "$1" -c 'cat /dev/vda >/dev/null' || return 1
		[ "$(mb_of "$1")" -lt 300 ] || break
	done
}

mb_of() # VM
{
	echo $(($(colinux stats --json "$1" | tr -d ' ,"' | sed -n 's/^memory://p' | head -n 1) >> 20))
}

pressure()
{
	for one in a b; do
		truncate -s 400M /tmp/disk-$one
		colinux start name=$one kernel=/guest/vmlinux initrd=/guest/initrd mem=128 maxmem=600 \
			cobd0=/tmp/disk-$one,ro >/tmp/start 2>&1 &&
			reads_on $one >>/tmp/start 2>&1 || return 1
	done
	held=$(held_mb)
	[ "$held" -ge 600 ]
	check "two guests keep what they have read" $? "$held MiB"
	mb=$(($(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo) / 1024 + 200))
	/touch $mb 1 >/tmp/said 2>&1
	check "the host finds 200 MiB more than it had available ($mb)" $? "$(cat /tmp/said; held_mb; dmesg | tail -n 20)"
	now=$(held_mb)
	echo "# the guests had $held MiB and have $now"
	[ "$now" -le $((held - 150)) ]
	check "they gave it up" $? "$now MiB"
	for one in a b; do
		colinux exec --wait 300 $one -c 'cat /dev/vda | md5sum' >/tmp/said 2>&1 &&
			grep -q "$(md5sum </tmp/disk-$one)" /tmp/said && [ -z "$(complaints $one)" ]
		check "guest $one reads on" $? "$(cat /tmp/said; complaints $one)"
		colinux stop --force $one >/tmp/stop 2>&1
	done
}

# All guests' memory.
held_mb()
{
	echo $(($(mb_of a) + $(mb_of b)))
}

# A guest just started gives back what it doesn't need: until that is over.
settled()
{
	for try in $(seq 20); do
		has=$(guest_mb)
		sleep 3
		[ "$(guest_mb)" != "$has" ] || return 0
	done
}

# What a VM of $1 MiB costs the host beyond its memory, in kB. Dropping the host's caches
# asks its guests for memory, too.
overhead_of()
{
	before=$(free_kb)
	start mem="$1" maxmem="$1" || return 1
	for try in $(seq 10); do
		settled
		free=$(free_kb)
		[ "$(guest_mb)" != "$has" ] || break
	done
	used=$((before - free - has * 1024))
	echo "# a VM of $1 MiB: $used kB beyond its memory, daemon PSS $(awk '/^Pss:/ { s += $2 } END { print s }' /proc/$(pidof colinux-daemon)/smaps) kB of which guest memory is part"
	stop
}

case $1 in
flow) flow "$2" "$3" "$4" ;;
poisoned) poisoned ;;
small) small ;;
large) large "$2" ;;
pressure) pressure || cat /tmp/start ;;
overhead)
	for mb in 64 256 1024 3072; do
		overhead_of $mb || cat /tmp/start
		[ $mb = 256 ] && at256=$used
	done
	[ "${at256:-99999}" -le 5120 ]
	check "a VM of 256 MiB costs at most 5 MiB beyond its memory" $? "$at256 kB"
	;;
esac
exit 0
