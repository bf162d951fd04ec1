# SPDX-License-Identifier: GPL-2.0
# In the lab host, sourced: a busy guest in the background, and how it is.

# A guest of its own name that computes, 64 MB: busy NAME [WORD]...
busy()
{
	vm=$1
	shift
	colinux-daemon --background name="$vm" kernel=/guest/vmlinux initrd=/guest/initrd mem=64 \
		log="/tmp/console-$vm" rcupdate.rcu_cpu_stall_timeout=3 "$@" >"/tmp/daemon-$vm" 2>&1
}

beats() # NAME PROCESSOR
{
	{ tr -d '\r' <"/tmp/console-$1" | grep -c "^beat .* $2\$"; } 2>/dev/null
}

# Two more beats than now, or than the given number.
moves_on() # NAME PROCESSOR [BEATS]
{
	from=${3:-$(beats "$1" "$2")} tries=0
	until [ "$(beats "$1" "$2")" -gt $((from + 1)) ]; do
		usleep 200000
		tries=$((tries + 1))
		[ $tries -lt 200 ] || return 1
	done
}

# It makes progress on each of its processors; a busy machine is given its time.
moves() # NAME [PROCESSORS]
{
	on=0
	while [ $on -lt "${2:-1}" ]; do
		moves_on "$1" $on || return 1
		on=$((on + 1))
	done
}

# It makes none for a while: what was on its way may come before.
stands() # NAME
{
	for _ in 1 2 3 4 5; do
		from=$(beats "$1" 0)
		usleep 2500000
		[ "$(beats "$1" 0)" != "$from" ] || return 0
	done
	return 1
}

# The time that its last beat tells is now's. On a busy machine a beat may be long on
# its way: then the next one, but the beats of a wrong clock are all wrong.
clock_right() # NAME
{
	for _ in $(seq 40); do
		set -- "$1" $(tr -d '\r' <"/tmp/console-$1" | grep '^beat .* ' | tail -n 1) "$(date +%s)"
		off=$(($6 - $4))
		[ "${off#-}" -gt 2 ] || return 0
		usleep 500000
	done
	return 1
}

# Its kernel reports nothing.
content() # NAME
{
	! grep -E 'detected.* stall|self-detected|lockup|BUG|WARNING|Call Trace|blocked for' "/tmp/console-$1"
}

well() # NAME [PROCESSORS]
{
	moves "$@" && clock_right "$1" && content "$1" >/tmp/complaint
}

# For the reason of a failure; a daemon that is stopped doesn't answer.
state_of() # NAME
{
	cat /tmp/complaint 2>/dev/null
	tail -n 5 "/tmp/console-$1" "/tmp/daemon-$1"
	timeout 3 colinux info "$1" | grep -E '^(verdict|state)|rescues|switches'
}

daemon_of() # NAME: its process
{
	colinux info --json "$1" | grep -o '"pid": *[0-9]*' | grep -o '[0-9]*'
}

# The thread that has had the most guest time.
vcpu_thread() # PID
{
	for stat in /proc/"$1"/task/*/stat; do
		sed 's/(.*)/x/' "$stat"
	done | sort -n -k 43,43 | tail -n 1 | cut -d' ' -f1
}

# Percent of processor 1's ticks in $1 seconds that were a guest's. Emulation loses
# ticks: they tell shares, not times.
guest_share()
{
	set -- "$1" $(grep '^cpu1 ' /proc/stat)
	sleep "$1"
	echo "$* $(grep '^cpu1 ' /proc/stat)" |
		awk '{ for (i = 3; i <= 10; i++) all += $(i + 11) - $i
			printf "%d", ($22 - $11) * 100 / all }'
}

# Percent of one processor that a thread got, over $2 seconds.
share() # THREAD SECONDS
{
	set -- "$1" "$2" $(cut -d' ' -f1 "/proc/$1/schedstat") $(cut -d' ' -f1 /proc/uptime)
	sleep "$2"
	echo "$3 $(cut -d' ' -f1 "/proc/$1/schedstat") $4 $(cut -d' ' -f1 /proc/uptime)" |
		awk '{ printf "%d", ($2 - $1) / ($4 - $3) / 1e7 }'
}
