# SPDX-License-Identifier: GPL-2.0
# In the lab host: a guest that lies to the devices of a real daemon.
#	SEED ROUNDS
. /check.sh

# said TEXT: waits for it in the console's log, and passes on what is said before. A
# guest that says nothing more is the lab's to notice.
said()
{
	local told=0 lines
	until grep -q "$1" /tmp/console 2>/dev/null; do
		sleep 1
		lines=$(grep -c 'liar: ' /tmp/console)
		[ "$lines" = "$told" ] || tr -d '\r' </tmp/console | grep 'liar: ' | tail -n 1 | sed 's/^/# /'
		told=$lines
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
check "it gets through its $2 rounds" $? "$(tail -n 5 /tmp/console; colinux info l)"
colinux info --json l >/tmp/info
devices=$(sed -n '/"devices"/,/^ *\]/p' /tmp/info | grep -o '"name": "[^"]*"' | cut -d'"' -f4)
[ "$(echo "$devices" | wc -l)" -ge 5 ]
check "the daemon has its devices: $(echo $devices)" $? "$(cat /tmp/info)"
for name in $devices; do
	tr -d '\r' </tmp/console | grep "liar: $name broke in [1-9]" >/dev/null
	check "$name was put into the error state by garbage" $? "$(grep liar: /tmp/console)"
	if [ "$name" != corng ]; then
		grep -q "entropy flows while $name is broken" /tmp/console
		check "corng goes on while $name is broken" $? "$(grep liar: /tmp/console)"
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
