# SPDX-License-Identifier: GPL-2.0
# In the lab host: every kind of I/O on every kind of disk; $1 = bytes per fio job.
#
#	vda	the host's scratch ext4; the guest's vda is a file on it
#	vdb	guest's vdb
#	vdc	read-only here, fio is in it; guest's vdc
#	loop0	a host device that can neither discard nor zero; guest's vdd
#	loop1	a host device with blocks of 4096 bytes; guest's vde
#
# Shells of busybox prefer its own programs: those of Debian need a path.
. /check.sh
odd=$((64 * 1048576 + 512))
fio='fio() { LD_LIBRARY_PATH=/tools/lib /tools/fio "$@"; };'

# in_guest TEXT: its output in /tmp/said
in_guest()
{
	colinux exec --wait 200 disk -c "$fio $1" >/tmp/said 2>&1
}

# How much of a kind of request a device of the host had: requests DEVICE FIELD
# (12: discards, 14: discarded sectors, 16: flushes)
requests()
{
	awk "{ print \$$2 }" "/sys/block/$1/stat"
}

kilobytes()
{
	sync
	du -k "$1" | cut -f1
}

insmod /lib/colinux.ko || exit 1
mkfs.ext4 -q /dev/vda && mount -t ext4 /dev/vda /mnt || exit 1
truncate -s $odd /mnt/image
# A file of ramfs has no fallocate(), so neither has a loop device on it.
mkdir /ram && mount -t ramfs ram /ram
truncate -s 16M /ram/plain && losetup /dev/loop0 /ram/plain || exit 1
truncate -s 16M /mnt/large && /usr/local/bin/losetup -b 4096 /dev/loop1 /mnt/large || exit 1

colinux-daemon name=refused kernel=/guest/vmlinux cobd0=/dev/vdc 2>/tmp/errors
[ $? = 1 ] && grep -q '/dev/vdc: cannot be opened for writing' /tmp/errors
check "a read-only host device is not taken for writing" $? "$(cat /tmp/errors)"

colinux start name=disk kernel=/guest/vmlinux initrd=/guest/initrd mem=256 quiet job=agent \
	cobd0=/mnt/image cobd1=/dev/vdb cobd2=/dev/vdc,ro cobd3=/dev/loop0 cobd4=/dev/loop1 \
	>/tmp/start 2>&1
check "a guest with five disks starts" $? "$(cat /tmp/start)"

said "sizes are right" "$odd $(blockdev --getsize64 /dev/vdb) $(blockdev --getsize64 /dev/vdc) 16777216 16777216" \
	'for i in a b c d e; do blockdev --getsize64 /dev/vd$i; done | xargs'
said "so are block sizes" "512 512 512 512 4096" \
	'for i in a b c d e; do blockdev --getss /dev/vd$i; done | xargs'
said "only the read-only disk is read-only" "0 0 1 0 0" \
	'for i in a b c d e; do blockdev --getro /dev/vd$i; done | xargs'
said "a write to it fails" 1 'dd if=/dev/zero of=/dev/vdc bs=4k count=1 conv=fsync 2>/dev/null; echo $?'
said "it holds what the host sees" "$(md5sum </dev/vdc)" 'md5sum </dev/vdc'
works "the guest's programs are there" \
	'mkdir /tools && mount -o ro /dev/vdc /tools && fio --version'
said "the last sector of the odd size can be written and read" "end" \
	"printf '%-512s' end | dd of=/dev/vda bs=512 seek=$((odd / 512 - 1)) conv=notrunc 2>/dev/null
	sync; echo 3 >/proc/sys/vm/drop_caches; tail -c 512 /dev/vda | tr -d ' '; echo"
said "and nothing behind it" 1 \
	"dd if=/dev/zero of=/dev/vda bs=512 seek=$((odd / 512)) count=1 conv=notrunc 2>/dev/null; echo \$?"

echo "# fio, $1 bytes a job"
awake
in_guest "SIZE=$1 fio --output-format=terse --terse-version=3 /verify.fio"
status=$?
cp /tmp/said /tmp/fio
# One line for each job; the fifth field is its error.
[ $status = 0 ] && awk -F';' '$1 == 3 { n++; bad += $5 != 0 } END { exit !(n == 12 && !bad) }' /tmp/fio
check "fio finds what it wrote, 6 kinds on two disks at once" $? "status $status: $(cat /tmp/fio)"
works "the same again on a host device without discard, and on one with large blocks" \
	'fio --output-format=terse --rw=randwrite --verify=crc32c --verify_fatal=1 --ioengine=libaio \
		--direct=1 --thread=1 --iodepth=8 --size=2m --name=plain --filename=/dev/vdd --bs=4k \
		--name=large --filename=/dev/vde --bs=8k'
kill $alive
for disk in "vda /mnt/image" "vdb /dev/vdb" "vdd /dev/loop0" "vde /dev/loop1"; do
	set -- $disk
	in_guest "sync; md5sum </dev/$1"
	[ "$(cat /tmp/said)" = "$(md5sum <"$2")" ]
	check "guest and host see the same in $2" $? "$(cat /tmp/said)"
done

before=$(requests vdb 16)
works "fsync of a block device" 'dd if=/dev/urandom of=/dev/vdb bs=4k count=4 conv=fsync'
[ "$(requests vdb 16)" -gt "$before" ]
check "it reaches the host's device as a flush" $?

# Discard: the file gives its space back, the device gets the request.
works "a file system in the image is filled and emptied" \
	'mkfs.ext4 -q -E nodiscard /dev/vda && mount -t ext4 /dev/vda /mnt &&
	dd if=/dev/urandom of=/mnt/fill bs=1M count=24 2>/dev/null && sync'
full=$(kilobytes /mnt/image)
works "fstrim" 'rm /mnt/fill && sync && fstrim /mnt && umount /mnt'
trimmed=$(kilobytes /mnt/image)
echo "# the image holds $full kB, $trimmed kB after fstrim"
[ "$full" -gt 24576 ] && [ $((full - trimmed)) -ge 24000 ]
check "fstrim shrinks the host's file" $?
said "the file system is whole" 0 'e2fsck -fn /dev/vda >/tmp/fsck 2>&1; echo $?'

# pattern DEVICE: 8 MiB that are not zero
pattern()
{
	works "a pattern goes to /dev/$1" \
		"tr '\\0' x </dev/zero | head -c 8388608 >/dev/$1 && sync"
}

# In the host's view, how many bytes are wrong: at 2 MiB, where zeroes should be
# for 2 MiB, and in the pattern before and behind
view()
{
	for part in 2 0 4; do
		dd if="$1" bs=1M skip=$part count=2 2>/dev/null | tr -d "\\$([ $part = 2 ] && echo 0 || echo 170)" | wc -c
	done | xargs
}

pattern vdb
before=$(requests vdb 14)
works "discard on a host device" '/bin/blkdiscard -o 2097152 -l 2097152 /dev/vdb'
[ $(($(requests vdb 14) - before)) = 4096 ]
check "exactly that range is discarded on the host" $? "$before $(requests vdb 14)"
[ "$(view /dev/vdb)" = "0 0 0" ]
check "it reads as zeroes, its neighbours are kept" $? "$(view /dev/vdb)"
for disk in "vda /mnt/image" "vdb /dev/vdb" "vdd /dev/loop0" "vde /dev/loop1"; do
	set -- $disk
	pattern "$1"
	works "zeroes by request in $2" "/bin/blkdiscard -z -o 2097152 -l 2097152 /dev/$1"
	[ "$(view "$2")" = "0 0 0" ]
	check "that range is zero on the host, its neighbours are kept" $? "$(view "$2")"
	said "and the guest sees it, too" 0 \
		"dd if=/dev/$1 bs=1M skip=2 count=2 2>/dev/null | tr -d '\\0' | wc -c"
done
pattern vdd
in_guest '/bin/blkdiscard -o 2097152 -l 2097152 /dev/vdd'
[ "$(dd if=/dev/loop0 bs=1M skip=4 count=4 2>/dev/null | tr -d x | wc -c)" = 0 ]
check "discard on a host device that can't leaves the neighbours alone" $? "$(cat /tmp/said)"
colinux info disk >/tmp/info
! grep -q 'I/O errors' /tmp/info
check "cobd met no I/O error" $? "$(cat /tmp/info)"

daemon=$(cat /run/colinux/disk.lock)
colinux exec disk -- poweroff -f 2>/tmp/errors
for i in $(seq 200); do
	kill -0 "$daemon" 2>/dev/null || break
	sleep 0.1
done
colinux info disk | grep -q '^verdict: *poweroff'
check "the guest ends well" $? "$(colinux info disk)"
losetup -d /dev/loop0
losetup -d /dev/loop1
umount /mnt
exit 0
