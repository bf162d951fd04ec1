# SPDX-License-Identifier: GPL-2.0
# In the lab host, which has three processors: what a host does with its guests.
. /check.sh
. /life.sh
insmod /lib/colinux.ko || exit 1
sysctl -qw kernel.printk=1

busy life && moves life
check "a busy guest starts" $? "$(state_of life)"
pid=$(daemon_of life)
thread=$(vcpu_thread "$pid")
taskset -p 2 "$thread" >/dev/null

rmmod colinux 2>/tmp/rmmod
[ $? != 0 ] && [ -e /dev/colinux ] && well life
check "the module is not unloaded under a VM" $? "$(cat /tmp/rmmod; state_of life)"

alone=$(guest_share 3)
[ "$alone" -ge 60 ]
check "the guest's time is guest time on the host: $alone % of a busy processor" $? "$(cat "/proc/$pid/stat")"

kill -STOP "$pid"
stands life
check "SIGSTOP stops the guest" $? "$(state_of life)"
sleep 6
kill -CONT "$pid"
well life
check "SIGCONT lets it go on, its clock is right, it reports no stall" $? "$(state_of life)"

# A rival on the same processor.
alone=$(share "$thread" 3)
taskset 2 sh -c 'while :; do :; done' &
rival=$!
even=$(share "$thread" 3)
renice -n 15 -p "$thread" >/dev/null
nicer=$(share "$thread" 3)
renice -n -15 -p "$thread" >/dev/null
echo "# percent of a processor: $alone alone, $even beside a rival, $nicer beside it with nice 15"
kill $rival
wait $rival 2>/dev/null
[ "$even" -lt $((alone * 3 / 4)) ] && [ "$nicer" -lt $((even / 2)) ] && well life
check "nice works" $? "$(state_of life)"

group=/sys/fs/cgroup/vms
echo '+cpu' >/sys/fs/cgroup/cgroup.subtree_control
mkdir $group && echo "$pid" >$group/cgroup.procs
echo '20000 100000' >$group/cpu.max
limited=$(share "$thread" 4)
echo "# percent of a processor with a limit of 20: $limited"
[ "$limited" -ge 5 ] && [ "$limited" -le 30 ] && well life
check "a cgroup's limit of CPU time holds" $? "$(cat $group/cpu.stat; state_of life)"
echo max >$group/cpu.max

echo 1 >$group/cgroup.freeze
stands life && grep -q 'frozen 1' $group/cgroup.events
check "a frozen cgroup stands still" $? "$(cat $group/cgroup.events; state_of life)"
sleep 5
echo 0 >$group/cgroup.freeze
well life
check "thawed it goes on, its clock is right, it reports no stall" $? "$(state_of life)"

failed=
for _ in 1 2 3; do
	taskset -p 2 "$thread" >/dev/null
	usleep 300000
	echo 0 >/sys/devices/system/cpu/cpu1/online && well life || failed=yes
	echo 1 >/sys/devices/system/cpu/cpu1/online && well life || failed=yes
done
[ -z "$failed" ]
check "the processor under a guest goes offline and online" $? "$(state_of life)"

colinux stop life >/tmp/stop 2>&1
check "it powers off when asked" $? "$(cat /tmp/stop; state_of life)"

# ---- the watchdog ------------------------------------------------------------

# A host process on a processor: when it made a step, until the process $1 ends.
cat >/steps.sh <<'STEPS'
while kill -0 "$1" 2>/dev/null; do
	usleep 10000
	read -r now _ </proc/uptime
	echo "$now"
done
STEPS

# How many it made while the guest was stuck: the verdict came after 6 s of it, and
# the daemon's end, up to which the steps go, soon after the verdict.
steps() # PROCESSOR
{
	awk '{ at[NR] = $1 } END { for (i in at) n += at[i] > at[NR] - 5 && at[i] < at[NR] - 1; print n + 0 }' \
		"/tmp/steps.$1"
}

stuck() # PROCESSORS ACTION [WORD]...
{
	processors=$1 act=$2
	shift 2
	rm -f /tmp/console /tmp/steps.*
	begin=$(cut -d. -f1 /proc/uptime)
	colinux-daemon name=stuck kernel=/guest/vmlinux initrd=/guest/initrd mem=64 pin="$processors" \
		log=/tmp/console act="$act" "$@" >/tmp/daemon 2>&1 </dev/null &
	daemon=$!
	sleep 1
	for on in $(echo "$processors" | tr , ' '); do
		taskset -c "$on" sh /steps.sh $daemon >"/tmp/steps.$on" &
	done
	wait $daemon
	wait
	seconds=$(($(cut -d. -f1 /proc/uptime) - begin))
	colinux info stuck >/tmp/info 2>&1
	rescues=$(sed -n 's/.*rescues *//p' /tmp/info)
	echo "# $act: $seconds s, ${rescues:-no} NMIs"
}

# No NMI, no step: each needs one.
ends_stuck() # PROCESSORS ACTION [WORD]...
{
	stuck "$@" watchdog=6
	grep -Eq '^verdict: *stuck: vCPU [01] kept its processor for ([6-9]|..) s' /tmp/info &&
		! grep -q 'guest: over it' /tmp/console
	check "$act: ends with a verdict that says so" $? "$(cat /tmp/info /tmp/console)"
	for on in $(echo "$processors" | tr , ' '); do
		[ "${rescues:-0}" -ge 5 ] && [ "$(steps "$on")" -ge 1 ]
		check "$act: the host had processor $on meanwhile, for $(steps "$on") steps of a process" $? \
			"$(cat /tmp/info)"
	done
}

stuck 0 slow-irqs-off
grep -q 'guest: over it' /tmp/console && grep -q '^verdict: *poweroff' /tmp/info
check "a guest that was only slow goes on unharmed" $? "$(cat /tmp/info /tmp/console)"
[ "${rescues:-0}" -ge 1 ]
check "and the host had its processor meanwhile" $? "$(cat /tmp/info)"
ends_stuck 0 spin-irqs-off
ends_stuck 0 halt-irqs-off
ends_stuck 0,1 spin-all cpus=2
exit 0
