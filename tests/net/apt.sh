# SPDX-License-Identifier: GPL-2.0
# In the lab host, which has a way out: Debian as the guest, on vda, fetches and
# installs the packages of /packages through slirp.
. /check.sh
vm=debian

awake
packages=$(sed 's/#.*//' /packages | xargs)
apt="DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=2 -o Dpkg::Use-Pty=0"

insmod /lib/colinux.ko || exit 1
colinux start name=debian kernel=/guest/vmlinux cobd0=/dev/vda root=/dev/cobd0 mem=768 quiet \
	eth0=slirp >/tmp/start 2>&1
check "Debian starts" $? "$(cat /tmp/start)"
works "it has an address and a way out by itself" \
	'for i in $(seq 120); do ip route | grep -q "^default via 10.0.2.2" && exit 0; sleep 1; done; ip addr; exit 1'
works "apt-get update" "$apt update"
# What apt may leave out with a warning is no success.
! grep -q '^[WE]:' /tmp/said
check "without an error or a warning" $? "$(grep '^[WE]:' /tmp/said)"
in_guest "$apt install -y --download-only --no-install-recommends $packages"
check "apt-get fetches $(echo $packages | wc -w) packages" $? "$(tail -n 20 /tmp/said)"
grep '^Fetched' /tmp/said | sed 's/^/# /'
works "and installs them" "$apt install -y --no-install-recommends $packages"
in_guest "dpkg-query -W -f '\${db:Status-Status}\n' $packages | sort | uniq -c | xargs"
[ "$(cat /tmp/said)" = "$(echo $packages | wc -w) installed" ]
check "dpkg has all of them" $? "$(cat /tmp/said)"
in_guest "dpkg --verify $packages | grep -v ' /usr/share/\(doc\|man\|locale\)/'"
[ ! -s /tmp/said ]
check "each file is as its package says" $? "$(head -n 20 /tmp/said)"
colinux info debian | grep eth0 | sed 's/^/# /'
colinux info debian >/tmp/info && ! grep -q broken /tmp/info
check "no device broke" $?
colinux stop debian >/tmp/stop 2>&1
check "Debian ends" $? "$(cat /tmp/stop)"
kill $alive
exit 0
