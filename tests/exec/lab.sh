# SPDX-License-Identifier: GPL-2.0
# In the lab host: commands in a guest, and its ends.
. /check.sh

start()
{
	colinux start name=g kernel=/guest/vmlinux initrd=/guest/initrd mem=128 >/tmp/start 2>&1
}

# in_guest TEXT: a shell command there, its output in /tmp/said
in_guest()
{
	colinux exec --wait 200 g -c "$1" >/tmp/said 2>/tmp/errors
}

ended()
{
	for i in $(seq 300); do
		colinux info g | grep -q '^state: *ended' && return 0
		sleep 0.1
	done
	return 1
}

insmod /lib/colinux.ko
colinux doctor >/tmp/doctor
check "doctor finds that this host can" $? "$(cat /tmp/doctor)"
start
check "a guest starts in the background" $? "$(cat /tmp/start)"
in_guest 'uname -r; echo mistake >&2; exit 7'
[ $? = 7 ] && grep -q colinux /tmp/said && [ "$(cat /tmp/errors)" = mistake ]
check "a command's output, errors and status come apart" $? "$(cat /tmp/said /tmp/errors)"
head -c 4000000 /dev/urandom >/tmp/data
colinux exec g -- cat </tmp/data >/tmp/copy && cmp /tmp/data /tmp/copy
check "four megabytes go through a command unchanged" $?
for i in 1 2 3 4 5 6; do
	colinux exec g -c "sleep 1; seq $i 20000 | md5sum" >/tmp/job.$i &
	jobs="$jobs $!"
done
good=0
for job in $jobs; do
	wait $job || good=1
done
for i in 1 2 3 4 5 6; do
	[ "$(cat /tmp/job.$i)" = "$(seq $i 20000 | md5sum)" ] || good=1
done
check "six commands run at once" $good "$(cat /tmp/job.*)"
colinux-daemon name=g kernel=/guest/vmlinux 2>/tmp/errors
[ $? = 1 ] && grep -q 'runs already' /tmp/errors
check "a second VM of that name is refused" $? "$(cat /tmp/errors)"

colinux exec g -- reboot -f 2>/tmp/errors
grep -q 'started anew\|has gone' /tmp/errors
check "a command ends with an error when its guest reboots" $? "$(cat /tmp/errors)"
in_guest 'cut -d. -f1 /proc/uptime'
[ $? = 0 ] && [ "$(cat /tmp/said)" -lt 60 ] && colinux info --json g | grep -q '"reboots": 1'
check "the guest is back after its reboot" $? "$(cat /tmp/said /tmp/errors; colinux info g)"
colinux exec g -- poweroff -f 2>/tmp/errors
ended && colinux info g | grep -q '^verdict: *poweroff'
check "a power-off in the guest ends the VM" $? "$(colinux info g)"

start
in_guest 'sleep 0.3; echo c >/proc/sysrq-trigger'
[ $? = 1 ] && ended && colinux info g >/tmp/info
grep -q '^verdict: *panic: sysrq triggered crash' /tmp/info &&
	grep -q 'Kernel panic - not syncing: sysrq triggered crash' /tmp/info
check "info tells a panic's cause and last lines" $? "$(cat /tmp/info)"

start
in_guest 'trap "" TERM INT; echo spins; while :; do :; done' &
for try in $(seq 600); do
	grep -q spins /tmp/said && break
	sleep 0.1
done
colinux stop --timeout 1 g >/tmp/stopped
grep -q 'g: killed' /tmp/stopped && colinux info g | grep -q "didn't in time"
check "a guest that doesn't power off in time is stopped" $? "$(cat /tmp/stopped; colinux info g)"
start
check "and the next one starts at once" $? "$(cat /tmp/start)"
kill -9 "$(cat /run/colinux/g.lock)"
sleep 0.5
colinux list | grep -q '^g *lost'
check "a daemon killed by force is told as lost" $? "$(colinux list)"
