# SPDX-License-Identifier: GPL-2.0
# In the lab host.
. /check.sh
insmod /lib/colinux.ko || exit 1

# saw TEXT: the guest says so, within 20 seconds
saw()
{
	for i in $(seq 200); do
		grep -qF "$1" /tmp/console && return 0
		usleep 100000
	done
	return 1
}

# says COMMAND...: it ends well and silently
says_nothing()
{
	"$@" >/tmp/said 2>&1 && [ ! -s /tmp/said ]
}

# where THREAD: the CPUs on which it may run
where()
{
	for task in /proc/$pid/task/*; do
		[ "$(cat $task/comm)" != "$1" ] || awk '/^Cpus_allowed_list/ { print $2 }' $task/status
	done
}

colinux start name=g kernel=/guest/vmlinux initrd=/guest/initrd mem=96 cpus=1 maxcpus=4 pin=1 \
	log=/tmp/console >/tmp/start 2>&1
check "a guest with one vCPU of four starts" $? "$(cat /tmp/start)"
pid=$(cat /run/colinux/g.lock)
saw "guest has cpus 0"
check "it comes up with that one" $? "$(tail -n 5 /tmp/console)"
[ "$(where vcpu0)" = 1 ] && [ "$(where vcpu3)" = 1 ]
check "all vCPUs are pinned to CPU 1" $? "$(where vcpu0) $(where vcpu3)"

for cpus in 4 2 3 1 4; do
	: >/tmp/console
	says_nothing colinux set g cpus=$cpus
	check "set cpus=$cpus is followed" $? "$(cat /tmp/said; tail -n 5 /tmp/console)"
	[ $cpus = 1 ] && list=0 || list=0-$((cpus - 1))
	saw "guest has cpus $list"
	check "the guest has $list" $? "$(tail -n 5 /tmp/console)"
	colinux list | grep -qE "^g +running +$pid +$cpus +"
	check "list shows $cpus" $? "$(colinux list)"
done

says_nothing colinux set g pin=1,0
check "set pin=1,0 on the running guest" $? "$(cat /tmp/said)"
[ "$(where vcpu0) $(where vcpu1) $(where vcpu2) $(where vcpu3)" = "1 0 1 0" ]
check "the vCPUs are where they shall be" $? "$(where vcpu0) $(where vcpu1) $(where vcpu2) $(where vcpu3)"
echo 0 >/sys/devices/system/cpu/cpu1/online
check "CPU 1 of the host goes offline below two vCPUs" $?
! colinux set g pin=0,1 2>/tmp/said
check "pinning to it is refused" $? "$(cat /tmp/said)"
grep -q 'pin: the host has no CPU 1, or it is offline: choose from 0$' /tmp/said
check "and why" $? "$(cat /tmp/said)"
says_nothing colinux set g cpus=1
check "the guest follows on the host's one CPU" $? "$(cat /tmp/said)"
says_nothing colinux set g cpus=4
check "and back" $? "$(cat /tmp/said)"
echo 1 >/sys/devices/system/cpu/cpu1/online
says_nothing colinux set g pin=none
check "set pin=none" $? "$(cat /tmp/said)"
[ "$(where vcpu2)" = 0-1 ]
check "lets them run everywhere" $? "$(where vcpu2)"

colinux stats g >/tmp/stats
awk 'NR == 2 { good = $1 == "g" && $2 == "4/4" && $3 == "96M" && $9 > 0 } $1 == "cocon" { good += $2 > 0 && $4 > 0 }
	END { exit good != 2 }' /tmp/stats
check "stats shows the guest at work" $? "$(cat /tmp/stats)"
sed 's/^/# /' /tmp/stats
colinux stats --watch --json g >/tmp/watch &
watch=$!
for i in $(seq 100); do
	[ "$(wc -l </tmp/watch)" -lt 3 ] || break
	usleep 100000
done
kill $watch
[ "$(grep -c '"switches":[1-9]' /tmp/watch)" -ge 3 ]
check "stats --watch looks again and again" $? "$(cat /tmp/watch)"

kill -TERM "$pid"
for i in $(seq 300); do
	[ -d /proc/$pid ] || break
	usleep 100000
done
colinux info g >/tmp/info
grep -q '^verdict: *poweroff' /tmp/info
check "SIGTERM to the daemon is an orderly power-off" $? "$(cat /tmp/info)"
exit 0
