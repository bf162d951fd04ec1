# SPDX-License-Identifier: GPL-2.0
# In the lab host: the module comes and goes, a guest comes and goes.
. /check.sh

insmod /lib/colinux.ko
check "the module loads" $?
[ "$(stat -c %a /dev/colinux)" = 600 ]
check "/dev/colinux belongs to root alone" $?
rmmod colinux && [ ! -e /dev/colinux ]
check "the module goes" $?
insmod /lib/colinux.ko
check "the module loads again" $?

before=$(date +%s)
guest boot mem=128 quick=yes
status=$?
after=$(date +%s)
tr -d '\r' </tmp/console >/tmp/said
check "the guest powers off and its daemon ends with 0" $status "$(cat /tmp/daemon)"

# said NAME REGEX: a line of the guest's console
said()
{
	grep -qE "$2" /tmp/said
	check "$1" $? "$(tail -n 30 /tmp/said)"
}

said "its kernel speaks before its devices do" 'Linux version 6\.[0-9.]*-colinux'
said "its init runs a script to the end" '^guest: script ended with 3'
said "it knows what it is" '^hypervisor colinux'
said "its clock is the TSC" '^clock tsc'
said "words go to its command line" '^cmdline .*quick=yes'
said "it has no door to the machine's memory and ports" '^no doors'
memory=$(awk '$1 == "memory" { print $2 }' /tmp/said)
[ "${memory:-0}" -gt 80000 ] && [ "$memory" -le 131072 ]
check "it has the memory it was given" $? "MemTotal $memory kB of 131072"
date=$(awk '$1 == "date" { print $2 }' /tmp/said)
[ "${date:-0}" -ge "$before" ] && [ "$date" -le "$after" ]
check "its wall clock is the host's" $? "$before <= $date <= $after"
awk '$1 == "slept" && $3 - $2 >= 1 && $3 - $2 < 3 { good = 1 } END { exit !good }' /tmp/said
check "it sleeps for a second in a second" $? "$(grep slept /tmp/said)"
! grep '^complaint' /tmp/said >/tmp/complaints
check "its kernel has no complaint" $? "$(cat /tmp/complaints)"

guest boot mem=128
check "it starts a second time" $? "$(cat /tmp/daemon)"
cp /tmp/console /out/
exit 0
