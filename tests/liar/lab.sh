# SPDX-License-Identifier: GPL-2.0
# In the lab host: a guest that lies to the devices of a real daemon.
#	SEED ROUNDS
. /check.sh

# What the guest says goes by calls of its own into the kernel's log, once: on the
# console it stands only as long as the garbage there hasn't the word.
told()
{
	colinux info --json l 2>/dev/null | sed -n '/"kernel_log"/,/\]/p' |
		sed -n 's/^ *"\(liar: .*\)",\{0,1\}$/\1/p' | tee /tmp/told
}

# said TEXT: waits for it, and passes on what is said before. A guest that says
# nothing more is the lab's to notice.
said()
{
	local seen=0 lines
	until told | grep -q "$1"; do
		sleep 1
		lines=$(wc -l </tmp/told)
		[ "$lines" = "$seen" ] || tail -n 1 /tmp/told | sed 's/^/# /'
		seen=$lines
		colinux info l 2>/dev/null | grep -q '^state: *ended' && return 1
	done
	return 0
}

insmod /lib/colinux.ko
truncate -s 8M /tmp/disk /tmp/other
echo "# seed $1, $2 rounds"
colinux start name=l kernel=/guest/liar mem=64 log=/tmp/console cobd0=/tmp/disk cobd1=/tmp/other,ro \
	consoles=2 ttys0=pty ttys1=unix:/tmp/line,port vsock=on seed="$1" rounds="$2" >/tmp/start 2>&1
check "a guest that lies starts" $? "$(cat /tmp/start)"
said 'liar: done'
check "it gets through its $2 rounds" $? "$(tail -n 5 /tmp/told; colinux info l)"
told >/dev/null
colinux info --json l >/tmp/info
devices=$(sed -n '/"devices"/,/^ *\]/p' /tmp/info | grep -o '"name": "[^"]*"' | cut -d'"' -f4)
[ "$(echo "$devices" | wc -l)" -ge 5 ]
check "the daemon has its devices: $(echo $devices)" $? "$(cat /tmp/info)"
for name in $devices; do
	grep -q "liar: $name broke in [1-9]" /tmp/told
	check "$name was put into the error state by garbage" $? "$(cat /tmp/told)"
	if [ "$name" != corng ]; then
		grep -q "entropy flows while $name is broken" /tmp/told
		check "corng goes on while $name is broken" $? "$(cat /tmp/told)"
	fi
	colinux info l | grep "$name (.*broken: ." >/tmp/said
	check "info says that $name is broken, and why" $? "$(colinux info l)"
done
colinux info l | grep 'broken: ' | sed 's/^/# /'
colinux info l >/tmp/said
grep -q '^state: *running' /tmp/said
check "the daemon and the VM live" $? "$(colinux info l)"
colinux stop --timeout 60 l >/tmp/stop 2>&1
colinux info l | grep -q '^verdict: *poweroff'
check "the VM ends when the guest asks for it" $? "$(cat /tmp/stop; colinux info l)"
