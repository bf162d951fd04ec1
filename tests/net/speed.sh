# SPDX-License-Identifier: GPL-2.0
# In the lab host: how fast, beside what the host itself does in the same run.
#
#	speed.sh ROUNDS SECONDS
#
# A tap with vhost-net, guest <-> host, against a veth pair between the host and a
# namespace of it, in turns; slirp against QEMU's own user network, which serves a
# namespace by a tap (a QEMU without a machine: emulation inside emulation would
# say nothing); 24 connections at once for five minutes.
. /check.sh
rounds=$1
seconds=$2

# Bits per second of an iperf3 report on standard input.
rate()
{
	tr -d '\t' | awk -F'[:,]' '/"sum_received"/ { here = 1 }
		here && /bits_per_second/ { printf "%.0f\n", $2; exit }'
}

# in a guest, or in a namespace: the client of the host's server at an address
from_guest()
{
	name=$1
	shift
	colinux exec --wait 200 "$name" -- iperf3 -J -t 3 -c "$@" | rate
}
from_namespace()
{
	name=$1
	shift
	/usr/local/bin/ip netns exec "$name" /usr/local/bin/iperf3 -J -t 3 -c "$@" | rate
}

# note NAME VALUE: one result of a series
note()
{
	echo "# $1: $((${2:-0} / 1000000)) Mbit/s"
	echo "${2:-0}" >>/tmp/series."$1"
}

# Of a series: the middle one; the range in Mbit/s.
median()
{
	sort -n /tmp/series."$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
spread()
{
	sort -n /tmp/series."$1" | awk '{ v[NR] = $1 } END { printf "%d to %d", v[1] / 1000000, v[NR] / 1000000 }'
}

# compare NAME OURS THEIRS GOAL: below half of the goal is a defect
compare()
{
	ours=$(median "$2") theirs=$(median "$3")
	percent=$((ours * 100 / (theirs > 0 ? theirs : 1)))
	echo "# $1: $((ours / 1000000)) Mbit/s ($(spread "$2")) against $((theirs / 1000000)) ($(spread "$3")): $percent %, goal $4 %"
	[ "$ours" -gt 0 ] && [ "$theirs" -gt 0 ] && [ $((percent * 2)) -ge "$4" ]
	check "$1: at least half of its goal" $?
}

insmod /lib/colinux.ko || exit 1
modprobe vhost_net && modprobe veth || exit 1
ip link set lo up
ip=/usr/local/bin/ip
mkdir -p /run/netns
$ip netns add peer && $ip link add veth0 type veth peer name veth1 netns peer || exit 1
$ip addr add 192.168.38.1/24 dev veth0 && $ip link set veth0 up
$ip -n peer addr add 192.168.38.2/24 dev veth1 && $ip -n peer link set veth1 up
/usr/local/bin/iperf3 -s -D >/dev/null

qemu-system-x86_64 -M none -nodefaults -display none -monitor none -netdev user,id=user \
	-netdev tap,id=tap,ifname=qemu,script=no,downscript=no -netdev hubport,hubid=0,id=a,netdev=user \
	-netdev hubport,hubid=0,id=b,netdev=tap >/tmp/qemu 2>&1 &
qemu=$!
$ip netns add user
for _ in $(seq 100); do
	$ip link set qemu netns user 2>/dev/null && break
	sleep 0.2
done
$ip -n user addr add 10.0.2.15/24 dev qemu && $ip -n user link set qemu up
check "QEMU's user network serves a namespace" $? "$(cat /tmp/qemu)"
# start NAME DEVICE COMMAND: a guest with one network device, and its address by COMMAND
start()
{
	colinux start name="$1" kernel=/guest/vmlinux initrd=/guest/initrd mem=256 quiet eth0="$2" >/tmp/start 2>&1
	check "a guest with $2 starts" $? "$(cat /tmp/start)"
	colinux exec --wait 200 "$1" -c "ip link set eth0 up && $3" >/tmp/said 2>&1
	check "with its address" $? "$(cat /tmp/said)"
}

start slirp slirp 'udhcpc -n -q -i eth0 -s /udhcpc.sh'
start tap tuntap,tap0,,192.168.37.1 'ip addr add 192.168.37.2/24 dev eth0'
colinux info tap | grep -q 'eth0.*, vhost-net,'
check "vhost-net serves the tap" $?

for _ in $(seq "$rounds"); do
	note veth-out "$(from_namespace peer 192.168.38.1)"
	note tap-out "$(from_guest tap 192.168.37.1)"
	note veth-in "$(from_namespace peer 192.168.38.1 -R)"
	note tap-in "$(from_guest tap 192.168.37.1 -R)"
	note slirp-out "$(from_guest slirp 10.0.2.2)"
	note qemu-out "$(from_namespace user 10.0.2.2)"
	note slirp-in "$(from_guest slirp 10.0.2.2 -R)"
	note qemu-in "$(from_namespace user 10.0.2.2 -R)"
done
kill $qemu
compare "tap with vhost-net, guest to host" tap-out veth-out 60
compare "tap with vhost-net, host to guest" tap-in veth-in 60
compare "slirp beside QEMU's, guest to host" slirp-out qemu-out 100
compare "slirp beside QEMU's, host to guest" slirp-in qemu-in 100
colinux stats --json tap >/tmp/before
from_guest tap 192.168.37.1 >/tmp/rate
colinux stats --json tap >/tmp/after
counter()
{
	awk -F'[:,]' "/\"$1\"/ { print \$2; exit }" "$2"
}
for name in switches notifies kicks; do
	echo "# tap, guest to host, 3 s at $(($(cat /tmp/rate) / 1000000)) Mbit/s: $(($(counter $name /tmp/after) - $(counter $name /tmp/before))) $name"
done

awake
# many NAME ADDRESS
many()
{
	colinux exec "$1" -- iperf3 -J -P 24 -t "$seconds" -c "$2" >/tmp/many 2>&1
	status=$?
	streams=$(grep -c '"sender":.*{' /tmp/many)
	echo "# $1: $(rate </tmp/many) bit/s over 24 connections"
	sent=$(tr -d '\t' </tmp/many | awk -F'[:,]' '/"sum_sent"/ { here = 1 } here && /"bytes"/ { print $2; exit }')
	got=$(tr -d '\t' </tmp/many | awk -F'[:,]' '/"sum_received"/ { here = 1 } here && /"bytes"/ { print $2; exit }')
	echo "# sent $sent, received $got bytes"
	[ $status = 0 ] && [ "$streams" = 24 ] && [ "${got:-0}" -gt 0 ]
	check "24 connections for $seconds seconds by $1, none lost" $? "$(tail -n 5 /tmp/many)"
	colinux info "$1" >/tmp/info && grep eth0 /tmp/info && ! grep -q broken /tmp/info
	check "no device broke" $? "$(cat /tmp/info)"
	colinux stop --force "$1" >/dev/null 2>&1
}

many slirp 10.0.2.2
many tap 192.168.37.1
kill $alive
killall iperf3
exit 0
