# SPDX-License-Identifier: GPL-2.0
# In the lab host: $1 rounds of each way to fail.
. /check.sh
insmod /lib/colinux.ko || exit 1
sysctl -qw kernel.printk=1

# The kinds: what the guest is told, and what the verdict then says.
kinds='sysrq panic: sysrq triggered crash$
panic panic: colinux selftest$
oops panic: Fatal exception: page fault at (do_oops|action_write)\+.*, address 0($|x0)
bug panic: Fatal exception: invalid opcode at (do_bug|action_write)\+
oops-irq panic: Fatal exception in interrupt: page fault at (do_oops|colinux_selftest_irq)\+.*, address 0($|x0)
double-fault panic: .*double fault at co_double_fault\+
nested panic: Fatal exception: page fault at (do_oops|fault_in_panic)\+'

fail() # KIND
{
	guest faults mem=96 fail="$1"
	status=$?
	colinux info faults >/tmp/info 2>&1
	tr -d '\r' </tmp/console >/tmp/said
}

# The host has its memory again within 5 s of the daemon's end.
memory_back()
{
	tries=0
	while now=$(free_kb) && [ $((now + 8192)) -lt "$before" ]; do
		tries=$((tries + 1))
		[ $tries -lt 50 ] || return 1
		usleep 100000
	done
}

# The console's last words, of which the log file is the witness, are in the info.
console_end()
{
	colinux info --json faults >/tmp/json
	tail -n 3 /tmp/said | cut -c1-60 | while read -r line; do
		grep -qF "$line" /tmp/json || return 1
	done
}

one() # KIND VERDICT
{
	fail "$1"
	memory_back || lost="$lost $1: $((before - now)) kB of $before are not back;"
	[ $status = 1 ] || verdicts="$verdicts $1: the daemon's status is $status;"
	grep -qE "^verdict: +$2" /tmp/info ||
		verdicts="$verdicts $1: $(grep '^verdict:' /tmp/info);"
	# The daemon says it, too, to whoever started it.
	grep -qE "faults ended: $2" /tmp/daemon || verdicts="$verdicts $1: daemon: $(cat /tmp/daemon);"
	grep -qE '^  .*(Kernel panic - not syncing|end Kernel panic)' /tmp/info &&
		console_end || lines="$lines $1: $(sed -n '/^last/,$p' /tmp/info | tail -n 12)"
	grep -q "guest: fails now: $1" /tmp/said && ! grep -q 'still there' /tmp/said ||
		verdicts="$verdicts $1: did not fail as told;"
}

# A failed guest's name, kernel, memory are free for the next start. In a single
# round the next one that fails is that start, but for the last.
next()
{
	fail none
	[ $status = 0 ] && grep -q 'still there after none' /tmp/said &&
		grep -q '^verdict: *poweroff' /tmp/info ||
		next="$next after $1: status $status: $(tail -n 5 /tmp/daemon /tmp/said)"
}

fail none
[ $status = 0 ] && grep -q 'still there after none' /tmp/said
check "a guest that does not fail powers off" $? "$(tail -n 15 /tmp/daemon /tmp/said)"
before=$(free_kb)
echo "$kinds" >/tmp/kinds
last=$(tail -n 1 /tmp/kinds | cut -d' ' -f1)
while read -r kind verdict; do
	verdicts= lines= lost= next= round=0
	while [ $round -lt "$1" ]; do
		round=$((round + 1))
		one "$kind" "$verdict"
		[ "$1" = 1 ] && [ "$kind" != "$last" ] || next "$kind"
		echo "# $kind, round $round: $((before - $(free_kb))) kB less free than before"
	done </dev/null
	[ -z "$verdicts" ]
	check "$kind: the verdict tells the cause" $? "$verdicts"
	[ -z "$lines" ]
	check "$kind: info has the last lines" $? "$lines"
	[ -z "$lost" ]
	check "$kind: the host has its memory back" $? "$lost"
	[ "$1" = 1 ] && [ "$kind" != "$last" ] && continue
	[ -z "$next" ]
	check "$kind: the next start works" $? "$next"
done </tmp/kinds
exit 0
