# SPDX-License-Identifier: GPL-2.0
# In the lab host, whose colinux.ko is the shim: Debian, on vda, as the guest of
# Windows' driver. $1 = vCPUs, $2 = what the machine is, for the names
. /check.sh

# /dev/tcp is bash's.
in_guest()
{
	colinux exec --wait 300 debian -- /bin/bash -c "$1" >/tmp/said 2>&1
}

awake
cpus=$1 name="$2, $1 vCPU(s)"
about="$name: "
mkdir -p /tmp/share /tmp/www
echo "from the host" >/tmp/share/hello
head -c 500000 /dev/urandom >/tmp/www/data
ip link set lo up
httpd -p 127.0.0.1:8080 -h /tmp/www

insmod /lib/colinux.ko || exit 1
colinux start name=debian kernel=/guest/vmlinux cobd0=/dev/vda root=/dev/cobd0 mem=384 cpus="$cpus" quiet \
	consoles=2 cofs0=/tmp/share,mount=/mnt eth0=slirp >/tmp/start 2>&1
check "$name: Debian starts" $? "$(cat /tmp/start)"
said "all of its units run" running 'systemctl is-system-running --wait'
said "it has its processors" "$cpus" nproc
said "its root is cobd0" vda 'readlink /dev/cobd0'
works "cobd: what it writes is there when it reads the disk again" \
	'head -c 3000000 /dev/urandom >/root/data && cp /root/data /dev/shm/data && sync &&
	echo 3 >/proc/sys/vm/drop_caches && cmp /root/data /dev/shm/data'
works "cofs: the share is mounted, both sides see the other's file" \
	'grep -qx "from the host" /mnt/hello && echo "from the guest" >/mnt/back'
grep -qx "from the guest" /tmp/share/back
check "$name: and the host has it" $?
said "conet: what a server of the host has comes unchanged" "$(md5sum </tmp/www/data)" \
	'for i in $(seq 60); do ip route | grep -q "^default via 10.0.2.2" && break; sleep 1; done
	exec 3<>/dev/tcp/10.0.2.2/8080 && printf "GET /data HTTP/1.0\r\n\r\n" >&3 && sed "1,/^\r*$/d" <&3 | md5sum'
works "consoles: a login waits at the first, the second takes text" \
	'systemctl is-active --quiet getty.target && pgrep -f agetty >/dev/null && echo hello >/dev/hvc1'
# The kernel tells of this processor what the host's does, with that word.
works "its kernel has no complaint" '! dmesg | grep -v "RETBleed: WARNING" | grep -E "WARNING|BUG:|Oops|Call Trace"'
colinux info debian >/tmp/info && ! grep -q broken /tmp/info
check "$name: no device broke" $?
colinux stop debian >/tmp/stop 2>&1
check "$name: it powers off" $? "$(cat /tmp/stop)"
kill $alive
rmmod colinux && [ ! -e /dev/colinux ] && ! dmesg | grep 'WARNING: ntshim'
check "$name: the driver is unloaded, and has left nothing" $? "$(dmesg | grep ntshim)"
exit 0
