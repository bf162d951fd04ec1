# SPDX-License-Identifier: GPL-2.0
# In a guest: the agent, which does what the lab host wants. udhcpc calls this with
# a word to set what it got.
case ${1:-} in
bound | renew)
	ip -4 addr flush dev "$interface"
	ip addr add "$ip/${mask:-24}" dev "$interface"
	ip route add default via "$router" dev "$interface"
	echo "nameserver $dns" >/etc/resolv.conf
	exit ;;
?*) exit ;;
esac
cp /script /udhcpc.sh
sed -i '1i #!/bin/sh' /udhcpc.sh
chmod 755 /udhcpc.sh
ip link set lo up
exec /usr/sbin/colinux-agent
