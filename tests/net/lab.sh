# SPDX-License-Identifier: GPL-2.0
# In the lab host: two guests and all kinds of networks.
. /check.sh

# in VM TEXT: a shell command there, its output in /tmp/said
in_guest()
{
	colinux exec --wait 200 "$1" -c "$2" >/tmp/said 2>&1
}

# works NAME VM COMMAND
works()
{
	in_guest "$2" "$3"
	check "$1" $? "$(cat /tmp/said)"
}

# said NAME TEXT VM COMMAND: it says exactly this
said()
{
	in_guest "$3" "$4" && [ "$(cat /tmp/said)" = "$2" ]
	check "$1" $? "$(cat /tmp/said)"
}

# Waits until a command succeeds.
soon()
{
	for _ in $(seq 100); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}

info_says()
{
	colinux info "$1" | grep -q "$2"
}

carrier()
{
	in_guest a "cat /sys/class/net/$1/carrier" && [ "$(cat /tmp/said)" = "$2" ]
}

insmod /lib/colinux.ko || exit 1
modprobe vhost_net && modprobe bridge || exit 1
brctl addbr br0 && ip addr add 192.168.39.1/24 dev br0 && ip link set br0 up || exit 1
ip link set lo up
mkdir /www && head -c 3000000 /dev/urandom >/www/data
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
names &
httpd -p 127.0.0.1:8080 -h /www

words='kernel=/guest/vmlinux initrd=/guest/initrd mem=128 quiet'
colinux start name=a $words eth0=slirp,,tcp:2222:80 eth1=tuntap,tap0,,192.168.37.1 \
	eth2=switch,lan >/tmp/start 2>&1
check "a guest with three network devices starts" $? "$(cat /tmp/start)"
colinux start name=b $words eth0=switch,lan,02:00:00:00:00:0b eth1=bridge,br0 >>/tmp/start 2>&1
check "a second one, too" $? "$(cat /tmp/start)"

# ---- slirp

said "devices have the names of the configuration, MACs of our own" "02:c0 02:c0 02:c0" a \
	'for i in 0 1 2; do cut -c1-5 /sys/class/net/eth$i/address; done | xargs'
works "udhcpc gets an address" a 'ip link set eth0 up && udhcpc -n -q -i eth0 -s /udhcpc.sh'
said "it's that of the original" 10.0.2.15/24 a "ip addr show eth0 | awk '\$1 == \"inet\" { print \$2 }'"
works "a name is resolved" a 'nslookup lab.test | grep -q "Address.*10.0.2.2$"'
said "what a server of the host has comes unchanged" "$(md5sum </www/data)" a \
	'wget -q -O - http://lab.test:8080/data | md5sum'
works "IPv6: an address by router advertisement, and the gateway answers" a \
	'for i in $(seq 50); do ip -6 addr show eth0 | grep -q "fec0:" && break; sleep 0.2; done
	ping -6 -c 1 -W 5 fec0::2'
in_guest a 'mkdir -p /www && head -c 2000000 /dev/urandom >/www/data && httpd -h /www && md5sum </www/data'
sum=$(cat /tmp/said)
[ "$(wget -q -O - http://127.0.0.1:2222/data | md5sum)" = "$sum" ]
check "a port of the host leads into the guest" $?
colinux port a add tcp:3333:80:2 >/tmp/ports && [ "$(wget -q -O - http://127.0.0.1:3333/data | md5sum)" = "$sum" ]
check "one that is added while it runs, too" $? "$(cat /tmp/ports)"
colinux port a remove tcp:3333 >/tmp/ports && ! wget -q -O /dev/null http://127.0.0.1:3333/data 2>/dev/null
check "and not when it's removed" $? "$(cat /tmp/ports)"

# ---- tap

in_guest a 'ip addr add 192.168.37.2/24 dev eth1 && ip link set eth1 up'
ping -c 3 -W 5 192.168.37.2 >/tmp/ping
check "a tap: the host pings the guest" $? "$(cat /tmp/ping)"
works "and the guest the host" a 'ping -c 3 -W 5 192.168.37.1'
info_says a 'eth1.*tap tap0.*, vhost-net,'
check "vhost-net serves it" $? "$(colinux info a | grep eth1)"
httpd -p 192.168.37.1:8080 -h /www
said "what comes over it is unchanged" "$(md5sum </www/data)" a \
	'wget -q -O - http://192.168.37.1:8080/data | md5sum'
[ "$(wget -q -O - http://192.168.37.2/data | md5sum)" = "$sum" ]
check "in the other direction, too" $?

colinux capture a eth1 /tmp/frames &
capture=$!
soon test -s /tmp/frames
info_says a 'eth1.*vhost-net waits'
check "while somebody looks, the daemon serves it" $? "$(colinux info a | grep eth1)"
ping -c 2 -W 5 192.168.37.2 >/tmp/ping
check "and it goes on" $? "$(cat /tmp/ping)"
said "with large segments as well" "$(md5sum </www/data)" a \
	'wget -q -O - http://192.168.37.1:8080/data | md5sum'
kill $capture
/usr/local/bin/tcpdump -Z root -n -r /tmp/frames >/tmp/dump 2>/tmp/errors
[ "$(grep -c 'ICMP echo' /tmp/dump)" = 4 ] && grep -q '192.168.37.1.8080 > 192.168.37.2' /tmp/dump
check "tcpdump reads what was captured" $? "$(head -n 5 /tmp/dump) $(cat /tmp/errors)"
soon info_says a 'eth1.*, vhost-net,' && ping -c 2 -W 5 192.168.37.2 >/tmp/ping
check "then vhost-net has it again" $? "$(colinux info a | grep eth1; cat /tmp/ping)"

colinux link a eth1 down >/tmp/link && soon carrier eth1 0 && ! ping -c 1 -W 1 192.168.37.2 >/dev/null
check "a cable that is pulled" $? "$(cat /tmp/link)"
colinux link a eth1 up >/tmp/link && soon carrier eth1 1 && ping -c 2 -W 5 192.168.37.2 >/tmp/ping
check "and put in again" $? "$(cat /tmp/link /tmp/ping)"

# ---- switch

in_guest a 'ip addr add 10.9.0.1/24 dev eth2 && ip link set eth2 up'
in_guest b 'ip addr add 10.9.0.2/24 dev eth0 && ip link set eth0 up'
works "a switch: one guest pings the other" a 'ping -c 3 -W 5 10.9.0.2'
works "and is pinged" b 'ping -c 3 -W 5 10.9.0.1'
said "what one has comes unchanged to the other" "$sum" b 'wget -q -O - http://10.9.0.1/data | md5sum'

# ---- bridge

in_guest b 'ip addr add 192.168.39.2/24 dev eth1 && ip link set eth1 up'
works "a bridge of the host: the guest pings who is behind it" b 'ping -c 3 -W 30 192.168.39.1'
info_says b 'eth1.*tap conet0 in bridge br0.*, vhost-net,'
check "and vhost-net serves that, too" $? "$(colinux info b | grep eth1)"

# ---- several queues: each has its processor

colinux start name=c $words cpus=2 eth0=tuntap,tap2,,192.168.40.1,queues=2 >/tmp/start 2>&1
check "a guest with two pairs of queues starts" $? "$(cat /tmp/start)"
in_guest c 'ip addr add 192.168.40.2/24 dev eth0 && ip link set eth0 up
	mkdir -p /www && head -c 2000000 /dev/urandom >/www/data && httpd -h /www && md5sum </www/data'
sum_c=$(cat /tmp/said)
httpd -p 192.168.40.1:8080 -h /www
said "its card has them" "rx-0 rx-1 tx-0 tx-1" c 'ls /sys/class/net/eth0/queues | xargs'
soon info_says c 'eth0.*, vhost-net, 2 of 2 pairs of queues,'
check "vhost-net serves both" $? "$(colinux info c | grep eth0)"
# heard CPU: how often processor CPU of the guest was interrupted for frames
heard()
{
	in_guest c "awk '\$1 == \"NET_RX:\" { print \$($1 + 2) }' /proc/softirqs" && cat /tmp/said
}
for cpu in 0 1; do
	before=$(heard $cpu)
	said "what a program on processor $cpu fetches is unchanged" "$(md5sum </www/data)" c \
		"taskset -c $cpu wget -q -O - http://192.168.40.1:8080/data | md5sum"
	after=$(heard $cpu)
	[ $((after - before)) -ge 20 ]
	check "and that processor hears of it" $? "from $before to $after"
done
colinux capture c eth0 /tmp/frames &
capture=$!
soon info_says c 'eth0.*vhost-net waits'
said "while somebody looks, the daemon serves both" "$(md5sum </www/data)" c \
	'taskset -c 1 wget -q -O - http://192.168.40.1:8080/data | md5sum'
kill $capture
soon info_says c 'eth0.*, vhost-net,'
[ "$(wget -q -O - http://192.168.40.2/data | md5sum)" = "$sum_c" ]
check "and then the other direction" $? "$(colinux info c | grep eth0)"
colinux set c cpus=1 >/tmp/set 2>&1
[ "$(wget -q -O - http://192.168.40.2/data | md5sum)" = "$sum_c" ]
check "nothing is lost with a processor that goes" $? "$(cat /tmp/set; colinux info c | grep eth0)"
colinux set c cpus=2 >/tmp/set 2>&1
[ "$(wget -q -O - http://192.168.40.2/data | md5sum)" = "$sum_c" ]
check "nor with one that comes" $? "$(cat /tmp/set; colinux info c | grep eth0)"
ip link del tap2
soon info_says c 'eth0.*tap tap2, which was removed.*link down'
check "a tap with two queues is taken away" $? "$(colinux info c | grep eth0)"
colinux stop --force c >/tmp/stop 2>&1

# ---- faults

ip link del tap0
soon carrier eth1 0
check "a tap that the host takes away is a pulled cable" $? "$(cat /tmp/said)"
info_says a 'eth1.*tap tap0, which was removed.*link down'
check "colinux info says what happened" $? "$(colinux info a | grep eth1)"
said "and the guest goes on" "$(md5sum </www/data)" a 'wget -q -O - http://10.0.2.2:8080/data | md5sum'
pid=$(colinux info b | awk '$1 == "pid:" { print $2 }')
kill -9 "$pid"
soon test ! -e "/proc/$pid" # its memory takes a while
works "a dead member of the switch disturbs nobody" a \
	'ip neigh flush dev eth2; ping -c 1 -W 1 10.9.0.2; ping -c 1 -W 5 10.0.2.2'
[ "$(ls /run/colinux/switch-lan | wc -l)" = 1 ]
check "and its socket is cleared away" $? "$(ls /run/colinux/switch-lan)"
colinux stop --force a >/tmp/stop 2>&1
killall httpd names
exit 0
