# SPDX-License-Identifier: GPL-2.0
# In the lab host: a guest with directories of the host's ext4 (vda) that virtiofsd
# serves.
#
#	/mnt/share	cofs0, mounted by itself at /cofs
#	/mnt/fresh	cofs1, cache=none
#	/mnt/9p		cofs2, by our own server beside them
. /check.sh
. /steps.sh

# virtiofsd_of FOLDER: the process that serves it
virtiofsd_of()
{
	for process in /proc/[0-9]*; do
		tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q "^[^ ]*virtiofsd .*source=$1," &&
			echo "${process#/proc/}"
	done
}

# The directory becomes virtiofsd's root by pivot_root(), but the lab's root is an
# initramfs, which can't be exchanged. /lab/bin is the first folder in PATH.
mkdir -p /lab/bin && cat >/lab/bin/virtiofsd <<'SCRIPT' && chmod 755 /lab/bin/virtiofsd || exit 1
#!/bin/sh
exec /usr/local/bin/virtiofsd "$@" -o sandbox=chroot
SCRIPT

insmod /lib/colinux.ko || exit 1
mkfs.ext4 -q /dev/vda && mount -t ext4 /dev/vda /mnt || exit 1
mkdir -p /mnt/share /mnt/fresh /mnt/9p || exit 1
echo "from the host" | tee /mnt/share/hello /mnt/fresh/hello >/mnt/9p/hello
echo secret >/mnt/canary

colinux start name=cofs kernel=/guest/vmlinux initrd=/guest/initrd mem=192 quiet \
	cofs0=/mnt/share,virtiofs,mount=/cofs cofs1=/mnt/fresh,virtiofs,cache=none,tag=fresh cofs2=/mnt/9p,mount=/9p \
	>/tmp/start 2>&1
check "a guest with two directories by virtiofsd starts" $? "$(cat /tmp/start)"

said "one is mounted by itself" "from the host" 'grep -q " /cofs virtiofs " /proc/mounts && cat /cofs/hello'
said "one by 9P beside it" "from the host" 'grep -q " /9p 9p " /proc/mounts && cat /9p/hello'
works "the other by its tag" 'mkdir /fresh && mount -t virtiofs fresh /fresh && cat /fresh/hello'
works "the guest writes, with fsync" \
	'echo "from the guest" >/cofs/back && dd if=/dev/urandom of=/cofs/data bs=100k count=30 conv=fsync && md5sum </cofs/data'
[ "$(cat /mnt/share/back)" = "from the guest" ] && [ "$(tail -n 1 /tmp/said)" = "$(md5sum </mnt/share/data)" ]
check "the host has it" $? "$(cat /tmp/said; md5sum /mnt/share/data)"
works "it renames files" 'mv /cofs/back /cofs/moved && mkdir /cofs/dir && mv /cofs/moved /cofs/dir/there && mv /cofs/dir /cofs/folder'
[ "$(cat /mnt/share/folder/there)" = "from the guest" ] && [ ! -e /mnt/share/back ] && [ ! -e /mnt/share/dir ]
check "the host sees them there" $? "$(find /mnt/share)"
echo another | tee /mnt/share/hello >/mnt/fresh/hello
said "what the host changes is seen, with cache=none" another 'cat /fresh/hello'
said "and within a second or two without that" another 'sleep 3; cat /cofs/hello'

works "a tree goes in by tar" "$tree"'
	mkdir /tmp/tree && cd /tmp/tree && mkdir -p a/b/c "a/with space" && cp /bin/busybox a/b/program && chmod 4751 a/b/program &&
	ln a/b/program a/twin && ln -s ../b/program a/link && ln -s nowhere a/dangling && mkfifo a/pipe && mknod a/null c 1 3 &&
	head -c 300000 /dev/urandom >a/b/c/data && chown 12:34 a/b/c/data && chmod 2775 a/b/c && touch "a/with space/x" &&
	mkdir /cofs/tree && tar c -C /tmp/tree . | tar x -C /cofs/tree && tree /tmp/tree | grep -v " \.$" >/tmp/one && tree /cofs/tree | grep -v " \.$" >/tmp/two &&
	diff /tmp/one /tmp/two && cat /tmp/one'
eval "$tree"
(tree /mnt/share/tree) | grep -v ' \.$' >/tmp/tree-host
diff /tmp/said /tmp/tree-host >/tmp/difference
check "the host sees the same tree" $? "$(cat /tmp/difference)"
works "files that are open while their names go" 'work open /cofs'
works "one file against a copy in memory" "work fsx /cofs $1 400"
works "random operations against a tmpfs" \
	"mkdir /cofs/stress /tmp/stress && work stress /cofs/stress /tmp/stress $1 1500"
works "files of a megabyte at once" \
	'dd if=/cofs/data of=/cofs/copy bs=3M && cmp /cofs/data /cofs/copy && dd if=/fresh/hello of=/fresh/copy bs=1M && cmp /fresh/hello /fresh/copy'

ln -s /mnt/canary /mnt/share/absolute && ln -s ../canary /mnt/share/relative
fails "a link out of it leads nowhere" "No such file" 'cat /cofs/relative /cofs/absolute'
colinux share cofs >/tmp/shares
grep -q '^cofs0 *cofs0 *rw *in use */cofs */mnt/share$' /tmp/shares &&
	grep -q '^cofs1 *fresh *rw *in use */mnt/fresh$' /tmp/shares
check "colinux share lists them" $? "$(cat /tmp/shares)"

kill -9 $(virtiofsd_of /mnt/share)
fails "one whose virtiofsd is killed gives errors" "not connected" 'ls /cofs'
colinux info cofs >/tmp/info
grep -q 'cofs0.*gone: virtiofsd ended by signal 9' /tmp/info
check "colinux info tells why" $? "$(cat /tmp/info)"
said "the others go on" another 'cat /fresh/hello'
works "a reboot begins" 'touch /tmp/before; (sleep 1; reboot -f) >/dev/null 2>&1 &'
sleep 5
said "after it all are there again" another '[ ! -e /tmp/before ] && cat /cofs/hello'

daemon=$(cat /run/colinux/cofs.lock)
colinux exec cofs -- poweroff -f 2>/tmp/errors
for i in $(seq 200); do
	kill -0 "$daemon" 2>/dev/null || break
	sleep 0.1
done
colinux info cofs | grep -q '^verdict: *poweroff'
check "the guest ends well" $? "$(colinux info cofs)"
[ -z "$(virtiofsd_of '[^ ]*')" ]
check "no virtiofsd is left" $? "$(ps)"
[ "$(cat /mnt/canary)" = secret ]
check "nothing outside was touched" $?
umount /mnt
check "the host's disk is let go" $?
exit 0
