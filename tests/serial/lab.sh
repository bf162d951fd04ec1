# SPDX-License-Identifier: GPL-2.0
# In the lab host: serial lines, a second console and sockets of a real guest.
. /check.sh
megabyte=1048576

# carried BYTES END [SECONDS]: a pattern there and back, and how long that took
carried()
{
	begin=$(cut -d. -f1 /proc/uptime)
	peer pattern "$2" "$1" $3 2>/tmp/errors
	status=$?
	echo "# $2: $1 bytes each way in $(($(cut -d. -f1 /proc/uptime) - begin)) s"
	return $status
}

vm=s
insmod /lib/colinux.ko
colinux start name=s kernel=/guest/vmlinux initrd=/guest/initrd mem=128 consoles=2 \
	ttys0=pty:/tmp/line0 ttys1=unix:/tmp/line1 ttys2=unix:/tmp/line2,port vsock=on >/tmp/start 2>&1
check "a guest with lines and sockets starts" $? "$(cat /tmp/start)"
in_guest 'cat /sys/class/virtio-ports/*/name | sort | xargs'
[ "$(cat /tmp/said)" = "console1 org.colinux.agent ttyS0.hvc2 ttyS1.hvc3 ttyS2" ]
check "the guest's ports have the names that udev makes links of" $? "$(cat /tmp/said)"

carried $megabyte file:/tmp/line0
check "a megabyte each way through a pseudo terminal and the guest's hvc2" $? "$(cat /tmp/errors; colinux info s)"
carried $megabyte unix:/tmp/line1
check "a megabyte each way through a socket and the guest's hvc3" $? "$(cat /tmp/errors; colinux info s)"
carried $((2 * megabyte)) unix:/tmp/line2 3
check "two megabytes through a plain port, whose reader comes late" $? "$(cat /tmp/errors; colinux info s)"
colinux info s | grep 'ttys[12] ' >/tmp/said
! grep lost /tmp/said
check "nothing was lost there" $? "$(cat /tmp/said)"

# Nobody reads: the guest goes on, and info tells what that cost.
in_guest 'timeout 60 head -c 200000 /dev/zero >/dev/hvc3'
sleep 1
colinux info s | grep -q 'ttys1.*nobody there.*bytes from the guest lost'
check "output for a line with nobody there is lost, counted, and stops nothing" $? "$(cat /tmp/said; colinux info s)"
peer pattern unix:/tmp/line1 10000 2>/tmp/errors
check "the line works again" $? "$(cat /tmp/errors)"

echo 'echo sum $((40 + 2))' >/tmp/typed
timeout -s HUP 10 colinux attach --console 1 s </tmp/typed >/tmp/said 2>/tmp/errors
grep -q 'sum 42' /tmp/said
check "a shell at the second console answers" $? "$(cat /tmp/said /tmp/errors)"
colinux log --console 1 s | grep -q 'sum 42' && ! colinux log s | grep -q 'sum 42'
check "each console has a log of its own" $? "$(colinux log --console 1 s)"

socket=$(colinux info s | sed -n 's/.*CID [0-9]*, //p')
carried $megabyte "guest:$socket:22"
check "a megabyte each way from the host to a guest's port" $? "$(cat /tmp/errors; colinux info s)"
peer echo "listen:${socket}_7" &
sleep 0.5
in_guest "peer pattern vsock:2:7 $megabyte"
check "a megabyte each way from the guest to a host's socket" $? "$(cat /tmp/said; colinux info s)"
for i in 1 2 3 4 5 6; do
	peer pattern "guest:$socket:22" 200000 2>/tmp/errors.$i &
	jobs="$jobs $!"
done
good=0
for job in $jobs; do
	wait $job || good=1
done
check "six connections at once" $good "$(cat /tmp/errors.*)"
in_guest 'peer wait vsock:2:99'
grep -q 'Connection reset\|Connection refused' /tmp/said
check "a port where nobody listens refuses" $? "$(cat /tmp/said)"

peer wait "listen:${socket}_8" &
holder=$!
sleep 0.5
(in_guest 'peer wait vsock:2:8') &
waiter=$!
sleep 3
kill -9 $holder
wait $waiter
grep -q '^end: ' /tmp/said
check "a program of the host is killed: the guest's end sees it" $? "$(cat /tmp/said)"
peer pattern "guest:$socket:22" 100000 2>/tmp/errors && colinux info s | grep -q '^state: *running'
check "the daemon and the others live" $? "$(cat /tmp/errors; colinux info s)"
colinux info s | grep -A4 '^lines:\|^consoles:' | sed 's/^/# /'
colinux stop --force s >/dev/null
[ ! -e /tmp/line0 ] && [ ! -e /tmp/line1 ] && [ ! -e "$socket" ]
check "links and sockets go with the VM" $? "$(ls -l /tmp/line* "$socket")"
