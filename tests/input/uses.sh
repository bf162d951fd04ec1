# SPDX-License-Identifier: GPL-2.0
# In the lab host: two of what there is one of, beside a guest that runs.
. /input.sh
insmod /lib/colinux.ko || exit 1

# A terminal that isn't one: its input is a pipe that stays open.
attach() # LETTER
{
	mkfifo "/tmp/in.$1"
	colinux attach first <"/tmp/in.$1" >"/tmp/out.$1" 2>/dev/null &
	eval "attached_$1=$!"
}

# saw FILE TEXT: within ten seconds
saw()
{
	for i in $(seq 100); do
		grep -qF "$2" "$1" && return 0
		usleep 100000
	done
	return 1
}

/requests driver /guest/trips
normal
check "after those requests a normal start works" $? "$(cat /tmp/normal)"

truncate -s 4M /tmp/disk
colinux start name=first kernel=/guest/vmlinux initrd=/guest/initrd mem=96 maxcpus=4 cobd0=/tmp/disk \
	log=/tmp/console >/tmp/start 2>&1
check "a guest starts" $? "$(cat /tmp/start)"
saw /tmp/console "guest listens"
check "and comes up" $? "$(tail -n 5 /tmp/console)"
pid=$(cat /run/colinux/first.lock)

refused "two VMs of the same name" "a VM named first runs already \(pid $pid, lock /run/colinux/first.lock\)" \
	"colinux stop first" -- colinux-daemon name=first kernel=/guest/trips mem=32
refused "the same in the background" "named first runs already" -- \
	colinux start name=first kernel=/guest/trips mem=32
refused "an image that another VM has" "cobd0: /tmp/disk: locked by process $pid" "image of its own" -- \
	daemon cobd0=/tmp/disk
refused "the same for reading" "cobd0: /tmp/disk: locked by process $pid" -- daemon cobd0=/tmp/disk,ro
refused "a VM that doesn't run" "no VM named none runs" "colinux list" -- colinux attach none

# ---- set
colinux set --json first >/tmp/settings
unchanged() # NAME: the last set was refused, and did nothing
{
	colinux set --json first >/tmp/settings.now
	cmp -s /tmp/settings /tmp/settings.now
	check "$1: nothing has changed" $? "$(cat /tmp/settings.now)"
}
refused "its last processor" "cpus=0: the last vCPU can't be removed" "colinux stop" -- colinux set first cpus=0
unchanged "its last processor"
refused "more processors than it may have" "first: cpus=5: this VM can have at most 4" "maxcpus" -- \
	colinux set first cpus=5
refused "more memory than it may have" "first: mem=128M: this VM can have at most 96M" "maxmem" -- \
	colinux set first mem=128
refused "less memory than it needs" "mem: 31 is too little: at least 32" -- colinux set first mem=31
refused "a processor that the host lacks" "first: pin: the host has no CPU 63" "choose from" -- \
	colinux set first pin=all:0,63
refused "a good word and a bad one" "cpus=9: this VM can have at most 4" -- colinux set first pin=0 cpus=9
refused "what can't be changed" "set: 'kernel=x' is nothing that can be changed" "cpus=N, mem=SIZE" -- \
	colinux set first kernel=x
refused "set of a VM that doesn't run" "no VM named none runs" "colinux list" -- colinux set none cpus=1
unchanged "wrong words for set"

attach a
exec 7>/tmp/in.a
attach b
exec 8>/tmp/in.b
saw /tmp/out.a "guest listens" && saw /tmp/out.b "guest listens"
check "two attach to a console and get what it said" $? "$(tail -n 3 /tmp/out.a /tmp/out.b)"
echo one >&7
saw /tmp/out.a "guest heard one" && saw /tmp/out.b "guest heard one"
check "both see the answer to what the first types" $? "$(tail -n 3 /tmp/out.a /tmp/out.b)"
echo two >&8
saw /tmp/out.a "guest heard two" && saw /tmp/out.b "guest heard two"
check "both see the answer to what the second types" $? "$(tail -n 3 /tmp/out.a /tmp/out.b)"
kill -HUP $attached_a
wait $attached_a
echo three >&8
saw /tmp/out.b "guest heard three" && ! grep -q three /tmp/out.a
check "one leaves, the other stays" $? "$(tail -n 3 /tmp/out.a /tmp/out.b)"
colinux info first | grep -q '^state: *running'
check "the guest ran through all that" $? "$(colinux info first)"
echo end >&8
wait $attached_b
check "it powers off, and who is attached ends with 0" $? "$(tail -n 3 /tmp/out.b)"
exec 7>&- 8>&-
for i in $(seq 50); do
	colinux info first | grep -q '^verdict: *poweroff' && break
	usleep 100000
done
daemon cobd0=/tmp/disk >/tmp/said 2>&1 </dev/null
check "its image is free again" $? "$(cat /tmp/said)"
exit 0
