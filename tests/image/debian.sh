# SPDX-License-Identifier: GPL-2.0
# In the lab host, which has a way out: Debian from its packages, booted.
. /check.sh
vm=debian
cd /tmp

awake
insmod /lib/colinux.ko || exit 1
colinux image create --kernel /guest/vmlinux --installer /guest/installer.gz --packages less debian.img 1500M >/tmp/create 2>&1
check "Debian from its packages" $? "$(tail -n 20 /tmp/create)"
du -k debian.img | sed 's/^/# kB on the host: /'
colinux start name=debian kernel=/guest/vmlinux cobd0=debian.img root=/dev/cobd0 mem=512 quiet eth0=slirp >/tmp/start 2>&1
check "it starts" $? "$(cat /tmp/start)"
works "all of its units do" 'systemctl is-system-running --wait || { systemctl --failed --no-pager; exit 1; }'
works "the disk has its name, and the file system its options" 'findmnt -no SOURCE,OPTIONS / && test -b /dev/cobd0'
works "it has an address" 'for i in $(seq 60); do ip route | grep -q "^default via 10.0.2.2" && exit 0; sleep 1; done; ip addr; exit 1'
said "the wanted package is there" "install ok installed" "dpkg-query -W -f '\${Status}' less"
said "no package is half installed" "" "dpkg --audit"
works "apt-get update, by its own lists of sources" 'apt-get -q -o Acquire::Retries=2 update'
! grep -q '^[WE]:' /tmp/said
check "without an error or a warning" $? "$(cat /tmp/said)"
colinux stop debian >/tmp/stop 2>&1
check "it powers off" $? "$(cat /tmp/stop)"
kill $alive
exit 0
