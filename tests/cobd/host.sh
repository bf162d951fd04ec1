# SPDX-License-Identifier: GPL-2.0
# In the lab host. The guest's disks, vda and on:
#
#	cobd0 vda	whole.img, all of it, read-only
#	cobd1 vdb	whole.img, its logical partition, read-only
#	cobd2 vdc	disk.qcow2
#	cobd3 vdd	base.img with an overlay
#	cobd4 vde	a raw file that grows
#	cobd5 vdf	a sparse file of 32 MB in a tmpfs of 8
#	cobd6 vdg	a file that is cut off
#	cobd7 vdh	50 requests a second
#	cobd8 vdi	another overlay on base.img, whose helper is killed
. /check.sh
vm=cobd

# What `colinux info` says about one disk.
info()
{
	colinux info cobd | grep "$1"
}

kilobytes()
{
	sync
	du -k "$1" | cut -f1
}

insmod /lib/colinux.ko || exit 1
mkfs.ext4 -q /dev/vda && mount -t ext4 /dev/vda /mnt && cp /images/* /mnt && rm /images/* || exit 1
truncate -s 16M /mnt/grows && truncate -s 16M /mnt/cut && truncate -s 16M /mnt/slow || exit 1
mkdir /small && mount -t tmpfs -o size=8m small /small && truncate -s 32M /small/full || exit 1
before=$(md5sum </mnt/base.img)

colinux start name=cobd kernel=/guest/vmlinux initrd=/guest/initrd mem=256 quiet \
	cobd0=/mnt/whole.img,ro cobd1=/mnt/whole.img,ro,part=5 cobd2=/mnt/disk.qcow2,format=qcow2 \
	cobd3=/mnt/base.img,overlay=/mnt/changes cobd4=/mnt/grows cobd5=/small/full cobd6=/mnt/cut \
	cobd7=/mnt/slow,iops=50 cobd8=/mnt/base.img,overlay=/mnt/other >/tmp/start 2>&1
check "a guest with nine kinds of disks starts" $? "$(cat /tmp/start)"

said "each disk's serial is its name" "cobd0 cobd1 cobd2 cobd3 cobd4 cobd5 cobd6 cobd7 cobd8" \
	'for d in a b c d e f g h i; do cat /sys/block/vd$d/serial; echo; done | xargs'

# Partitions.
said "the guest finds the partitions of a whole disk" "vda1 vda2 vda5" 'cd /sys/block/vda && ls -d vda* | xargs'
said "one of them is mounted there" logical 'mkdir -p /m && mount -t ext4 -o ro,noload /dev/vda5 /m && cat /m/label; umount /m'
said "part=5 is the same one" logical 'mount -t ext4 -o ro,noload /dev/vdb /m && cat /m/label; umount /m'
said "and just as large" 16384 'cat /sys/block/vdb/size'

# qcow2, and an overlay.
for disk in "vdc qcow2" "vdd overlay"; do
	set -- $disk
	said "$2: its file system is mounted, written and read" "base new" \
		"mount -t ext4 /dev/$1 /m && echo new >/m/new && sync && echo 3 >/proc/sys/vm/drop_caches &&
		echo \$(cat /m/label /m/new); umount /m"
	said "$2: and it's whole" 0 "e2fsck -fn /dev/$1 >/tmp/fsck 2>&1; echo \$?"
done
[ "$(md5sum </mnt/base.img)" = "$before" ]
check "the overlay's base is as it was" $?
works "qcow2: 8 MB are written" 'dd if=/dev/urandom of=/dev/vdc bs=1M seek=4 count=8 conv=fsync 2>/dev/null'
full=$(kilobytes /mnt/disk.qcow2)
works "qcow2: and discarded" '/bin/blkdiscard -o 4194304 -l 8388608 /dev/vdc'
trimmed=$(kilobytes /mnt/disk.qcow2)
[ $((full - trimmed)) -ge 8000 ]
check "qcow2: the host's file gives the space back" $? "$full kB, then $trimmed kB"

# Another size.
colinux disk resize cobd cobd4 64M >/tmp/said 2>&1 && [ "$(cat /tmp/said)" = "cobd4: 64M (67108864 bytes)" ]
check "a file grows" $? "$(cat /tmp/said)"
said "the guest sees it" 131072 'for i in $(seq 100); do [ $(cat /sys/block/vde/size) = 131072 ] && break; sleep 0.1; done; cat /sys/block/vde/size'
said "and can use the new end" "the end" \
	"printf '%-512s' 'the end' | dd of=/dev/vde bs=512 seek=131071 2>/dev/null; sync; echo 3 >/proc/sys/vm/drop_caches
	tail -c 512 /dev/vde | sed 's/ *\$//'; echo"
[ "$(tail -c 512 /mnt/grows | sed 's/ *$//')" = "the end" ]
check "which the host sees, too" $?
colinux disk resize cobd cobd4 32M >/tmp/said 2>&1
[ $? = 1 ] && grep -q -e '--shrink' /tmp/said && [ "$(stat -c %s /mnt/grows)" = 67108864 ]
check "it doesn't shrink by accident" $? "$(cat /tmp/said)"

# Limits: it can't be faster, whatever the machine.
in_guest 'a=$(cut -d. -f1 /proc/uptime); dd if=/dev/vdh of=/dev/null bs=4k count=156 iflag=direct 2>/dev/null
	b=$(cut -d. -f1 /proc/uptime); echo $((b - a))'
[ "$(cat /tmp/said)" -ge 2 ]
check "156 requests take three seconds at 50 a second" $? "$(cat /tmp/said)"

# The host's faults, each an error of those requests alone.
said "image disk full: a write fails" 1 \
	'dd if=/dev/urandom of=/dev/vdf bs=64k count=256 oflag=direct 2>/dev/null; echo $?'
said "what has space is still read and written" 0 \
	'dd if=/dev/vdf of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null &&
	dd if=/dev/urandom of=/dev/vdf bs=64k count=16 oflag=direct 2>/dev/null; echo $?'
info cobd5 | grep -q 'No space left'
check "colinux info says why" $? "$(info cobd5)"
truncate -s 4M /mnt/cut
said "file cut off: a read behind its end fails" 1 \
	'dd if=/dev/vdg of=/dev/null bs=64k skip=128 count=1 iflag=direct 2>/dev/null; echo $?'
said "one before it doesn't" 0 'dd if=/dev/vdg of=/dev/null bs=64k count=64 iflag=direct 2>/dev/null; echo $?'
info cobd6 | grep -q 'I/O error'
check "colinux info says why" $? "$(info cobd6)"

works "the guest writes to an overlay in the background" \
	'dd if=/dev/vdi of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null || exit 1
	(while dd if=/dev/urandom of=/dev/vdi bs=256k count=8 oflag=direct; do :; done; echo failed >/ended) >/dev/null 2>&1 &'
helper=$(ps w | awk '/[q]emu-storage-daemon/ && /\/mnt\/other/ { print $1 }')
kill -9 "$helper"
said "helper killed: the guest's writer gets an error" failed \
	'for i in $(seq 300); do [ -e /ended ] && break; sleep 0.1; done; cat /ended'
info cobd8 | grep -q 'ended by signal 9.*I/O error'
check "colinux info says why" $? "$helper: $(info cobd8)"
said "the other disks go on" "base new" 'mount -t ext4 /dev/vdd /m && echo $(cat /m/label /m/new); umount /m'
colinux info cobd | grep -q 'needs a reset'
[ $? = 1 ]
check "no device has given up" $?

daemon=$(cat /run/colinux/cobd.lock)
colinux exec cobd -- poweroff -f 2>/tmp/errors
for i in $(seq 200); do
	kill -0 "$daemon" 2>/dev/null || break
	sleep 0.1
done
colinux info cobd | grep -q '^verdict: *poweroff'
check "the guest ends well" $? "$(colinux info cobd)"
! ps w | grep -q '[q]emu-storage-daemon'
check "no helper is left" $? "$(ps w | grep qemu)"

# Changes into the base, or away.
colinux disk commit cobd3 cobd3=/mnt/base.img,overlay=/mnt/changes >/tmp/said 2>&1
check "the overlay's changes go into the base" $? "$(cat /tmp/said)"
[ "$(md5sum </mnt/base.img)" != "$before" ] && mkdir /base && mount -o loop /mnt/base.img /base &&
	[ "$(cat /base/new)" = new ]
check "they are there" $?
umount /base
colinux disk discard cobd8 cobd8=/mnt/base.img,overlay=/mnt/other && [ ! -e /mnt/other ]
check "an overlay is dropped" $?
umount /small
umount /mnt
exit 0
