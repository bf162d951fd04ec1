# SPDX-License-Identifier: GPL-2.0
# In the lab host, one processor: what a request costs, in hundredths.
. /check.sh
. /common.sh
start_guest console=none

counter()
{
	sed -n "s/^ *\"$1\": *\([0-9]*\),*$/\1/p" "$2" | head -n 1
}

# Requests of cobd0, the first of the disks.
requests()
{
	grep -A 12 '"cobd0"' "$1" | sed -n 's/^ *"requests": *\([0-9]*\),*$/\1/p' | head -n 1
}

# count NAME SWITCHES NOTIFIES EVENTS FIO-OPTION...: at most so many a request
count()
{
	name=$1 switches=$2 notifies=$3 events=$4
	shift 4
	colinux stats --json fio >/tmp/before
	guest_fio --filename=/dev/vda "$@" >/tmp/fio 2>&1 || check "$name: fio" 1 "$(cat /tmp/fio)"
	colinux stats --json fio >/tmp/after
	n=$(($(requests /tmp/after) - $(requests /tmp/before)))
	for what in switches notifies events; do
		eval "$what=\"$(((100 * ($(counter $what /tmp/after) - $(counter $what /tmp/before)) + n / 2) / n)) \$$what\""
	done
	echo "# $name: $n requests, hundredths a request: switches ${switches% *}, notifies ${notifies% *}, events ${events% *}"
	[ "$n" -ge 400 ] && [ ${switches% *} -le ${switches#* } ] && [ ${notifies% *} -le ${notifies#* } ] &&
		[ ${events% *} -le ${events#* } ]
	check "$name: at most ${switches#* } switches, ${notifies#* } notifies, ${events#* } events for 100 requests" $?
}

# Programs and their pages come into the guest's memory.
guest_fio --filename=/dev/vda --rw=randread --bs=4k --number_ios=50 >/tmp/fio 2>&1
check "fio runs in the guest" $? "$(cat /tmp/fio)"
grep -q "^3;" /tmp/fio || { stop_guest; exit 1; }
count "4k read, one at a time" 300 120 150 --rw=randread --bs=4k --iodepth=1 --number_ios=1000
count "4k write, one at a time" 300 120 150 --rw=randwrite --bs=4k --iodepth=1 --number_ios=1000
count "4k read, 32 at a time" 100 50 50 --rw=randread --bs=4k --iodepth=32 --number_ios=4000
count "4k write, 32 at a time" 100 50 50 --rw=randwrite --bs=4k --iodepth=32 --number_ios=4000
stop_guest
exit 0
