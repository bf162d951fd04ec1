# SPDX-License-Identifier: GPL-2.0
# In the lab host: images out of the archives of /archives.
. /check.sh
cd /tmp

insmod /lib/colinux.ko || exit 1

# create FILE WORD...: what it says is in /tmp/said
create()
{
	colinux image create --kernel /guest/vmlinux --installer /guest/installer.gz --mem 192 "$@" >/tmp/said 2>&1
}

# boots NAME FILE: the image's init tells what it finds
boots()
{
	colinux run name=small kernel=/guest/vmlinux "cobd0=$2" root=/dev/cobd0 mem=64 quiet >/tmp/boot 2>&1 </dev/null
	check "$1" $? "$(cat /tmp/boot)"
	grep -q 'small root: 1234 4321 4750 2 1' /tmp/boot
	check "$1: owners, modes and hard links are the archive's" $? "$(cat /tmp/boot)"
}

# refuses NAME TEXT FILE WORD...: no image, no half of one, and the reason
refuses()
{
	name=$1 text=$2 file=$3
	shift 2
	create "$@"
	[ $? = 1 ] && grep -q "^colinux: .*$text" /tmp/said
	check "$name: status 1 and the reason" $? "$(cat /tmp/said)"
	[ ! -e "$file" ] && [ ! -e "$file.new" ]
	check "$name: nothing is left" $? "$(ls)"
}

create small.img 100M /archives/small.tar.xz
check "an image out of a .tar.xz" $? "$(cat /tmp/said)"
grep -q "^small.img: made" /tmp/said
check "how to start it is said" $? "$(cat /tmp/said)"
mkdir -p /mnt && mount -t ext4 -o loop,ro small.img /mnt &&
	/usr/local/bin/tar --xattrs --xattrs-include='*' -cf /tmp/attributes.tar -C /mnt srv 2>/tmp/said && grep -aq 'SCHILY.xattr.user.colour=blue' /tmp/attributes.tar
check "extended attributes are the archive's" $? "$(mount | tail -n 1; cat /tmp/said)"
umount /mnt
boots "it boots" small.img
create folder.img 100M /archives/folder.tar.gz
check "an image out of a .tar.gz that holds one directory" $? "$(cat /tmp/said)"
boots "that boots, too" folder.img
rm -f *.img
create plain.img 100M '/archives/plain ä,"b".tar'
check "a .tar with an odd name" $? "$(cat /tmp/said)"
boots "and that boots" plain.img
[ "$(du -k plain.img | cut -f1)" -lt 60000 ]
check "the image is sparse" $? "$(du -k plain.img)"
create plain.img 100M /archives/small.tar.xz
[ $? = 1 ] && grep -q 'is there already' /tmp/said
check "an image that's there is left as it is" $? "$(cat /tmp/said)"
boots "it still boots" plain.img
rm -f plain.img

refuses "half an archive" "x.img: not made: cut.tar.xz: can't be unpacked" x.img 100M /archives/cut.tar.xz
refuses "an archive that's too large" "is the image large enough" x.img 24M '/archives/plain ä,"b".tar'
refuses "an archive without a root" "no root file system" x.img 100M /archives/no-root.tar
refuses "no archive at all" "can't be unpacked" x.img 100M /lib/colinux.ko
refuses "a host without a way to the mirror" "can't be installed from http://127.0.0.1:1/debian" x.img 300M \
	--mirror http://127.0.0.1:1/debian

# The image's holes are more than the host's disk has.
mkdir -p /small && mount -t tmpfs -o size=16m small /small && cd /small
refuses "a host's disk that gets full" "x.img: not made" x.img 100M '/archives/plain ä,"b".tar'
cd /tmp && umount /small
check "the full disk is left alone" $?

# The user changes their mind.
colinux image create --kernel /guest/vmlinux --installer /guest/installer.gz --mem 192 y.img 100M \
	/archives/small.tar.xz >/tmp/said 2>&1 &
creator=$!
for i in $(seq 200); do
	grep -q '^installer: ' /tmp/said && break
	sleep 0.1
done
kill -INT $creator
wait $creator
[ $? = 1 ] && [ ! -e y.img ] && [ ! -e y.img.new ]
check "Ctrl-C ends it, and nothing is left" $? "$(ls; cat /tmp/said)"
! colinux list | grep -q running
check "no VM is left" $? "$(colinux list)"
exit 0
