# SPDX-License-Identifier: GPL-2.0
# In the lab host: a guest with shared directories of the host's ext4 (vda).
#
#	/mnt/share	cofs0, mounted by itself at /cofs
#	/mnt/fixed	cofs1, read-only
#	/mnt/user	cofs2, as user 1000
#	/mnt/goes	cofs3, which goes away
. /check.sh
. /steps.sh
. /more.sh

insmod /lib/colinux.ko || exit 1
mkfs.ext4 -q /dev/vda && mount -t ext4 /dev/vda /mnt || exit 1
mkdir -p /mnt/share /mnt/fixed /mnt/user /mnt/goes && chown 1000 /mnt/user || exit 1
echo "from the host" >/mnt/share/hello
echo fixed >/mnt/fixed/file
echo goes >/mnt/goes/file
echo secret >/mnt/canary

colinux start name=cofs kernel=/guest/vmlinux initrd=/guest/initrd mem=192 quiet \
	cofs0=/mnt/share,mount=/cofs cofs1=/mnt/fixed,ro,tag=fixed cofs2=/mnt/user,uid=1000 cofs3=/mnt/goes $disks \
	>/tmp/start 2>&1
check "a guest with four shared directories starts" $? "$(cat /tmp/start)"

said "one is mounted by itself" "from the host" 'cat /cofs/hello'
works "the others by their tags" \
	'mkdir /fixed /user /goes && mount -t 9p fixed /fixed && mount -t 9p cofs2 /user && mount -t 9p cofs3 /goes'
echo "another" >/mnt/share/hello
said "what the host changes is seen" another 'cat /cofs/hello'
works "the guest writes, with fsync" \
	'echo "from the guest" >/cofs/back && dd if=/dev/urandom of=/cofs/data bs=100k count=30 conv=fsync && md5sum </cofs/data'
[ "$(cat /mnt/share/back)" = "from the guest" ] && [ "$(tail -n 1 /tmp/said)" = "$(md5sum </mnt/share/data)" ]
check "the host has it" $? "$(cat /tmp/said; md5sum /mnt/share/data)"

said "a read-only one can be read" fixed 'cat /fixed/file'
fails "not written" "Read-only file system" 'echo x >/fixed/new'
fails "not changed" "Read-only file system" 'chmod 700 /fixed/file'
fails "not emptied" "Read-only file system" 'rm /fixed/file'

works "as a user: what is his" 'echo x >/user/his && mkdir /user/dir'
[ "$(stat -c %u /mnt/user/his)$(stat -c %g /mnt/user/dir)" = 10001000 ]
check "new files are his" $? "$(ls -ln /mnt/user)"
chmod 700 /mnt/user/dir && chown 0 /mnt/user/dir
fails "what isn't is refused" "Permission denied\|Operation not permitted" 'echo x >/user/dir/file'

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
works "and comes out again" "$tree"'
	mkdir /tmp/out && tar c -C /cofs/tree . | tar x -C /tmp/out && tree /tmp/out | grep -v " \.$" | diff /tmp/one -'

works "files that are open while their names go" 'work open /cofs'
works "extended attributes" 'work xattr /cofs'
works "locks between two processes" 'work locks /cofs'
mkdir /mnt/share/many && (cd /mnt/share/many && for i in $(seq 0 4999); do : >entry-$i; done)
works "a directory with 5,000 entries, and 200 more" 'work many /cofs/many 5000 5200'
[ "$(ls /mnt/share/many | wc -l)" = 5100 ]
check "the host counts them, too" $? "$(ls /mnt/share/many | wc -l)"
works "one file against a copy in memory" "work fsx /cofs $1 400"
works "random operations against a tmpfs" \
	"mkdir /cofs/stress /tmp/stress && work stress /cofs/stress /tmp/stress $1 1500"
works "cache=loose and a large message" \
	'mkdir /loose && umount /cofs && mount -t 9p -o cache=loose,msize=512000 cofs0 /loose && md5sum </loose/data &&
	work fsx /loose 3 150 && umount /loose && mount -t 9p -o msize=512000 cofs0 /cofs'
said "statfs tells the host's size" "$(stat -f -c %b /mnt)" 'stat -f -c %b /cofs'

ln -s /mnt/canary /mnt/share/absolute && ln -s ../canary /mnt/share/relative
fails "a link out of it leads nowhere" "No such file" 'cat /cofs/relative /cofs/absolute'

colinux share cofs >/tmp/shares
grep -q '^cofs0 *cofs0 *rw *in use */cofs */mnt/share$' /tmp/shares &&
	grep -q '^cofs1 *fixed *ro *in use */mnt/fixed$' /tmp/shares
check "colinux share lists them" $? "$(cat /tmp/shares)"
colinux stats cofs >/tmp/stats
awk '$1 == "cofs0" { exit !($2 > 10000 && $3 > 3000000 && $4 > 3000000) }' /tmp/stats
check "colinux stats counts" $? "$(cat /tmp/stats)"

said "a file of one that will go is opened" goes 'exec 5</goes/file; (sleep 2; read -r line <&5; echo "$line" >/tmp/late) & cat /goes/file'
mv /mnt/goes /mnt/gone
sleep 1
fails "a directory that goes is stale" "Stale\|stale" 'ls /goes/file /goes'
colinux info cofs >/tmp/info
grep -q 'cofs3.*gone: the directory was moved, deleted or unmounted' /tmp/info
check "colinux info tells what happened" $? "$(cat /tmp/info)"
said "the others go on" another 'cat /cofs/hello'
mkdir /mnt/goes && echo again >/mnt/goes/file
# The tag is busy until the last of the old mount's files is closed.
said "when it's there again it can be mounted again" again \
	'umount -l /goes; for try in $(seq 20); do mount -t 9p cofs3 /goes 2>/tmp/busy && break; sleep 0.5; done; cat /goes/file'

more "$1"

daemon=$(cat /run/colinux/cofs.lock)
colinux exec cofs -- poweroff -f 2>/tmp/errors
for i in $(seq 200); do
	kill -0 "$daemon" 2>/dev/null || break
	sleep 0.1
done
colinux info cofs | grep -q '^verdict: *poweroff'
check "the guest ends well" $? "$(colinux info cofs)"
[ "$(cat /mnt/canary)" = secret ]
check "nothing outside was touched" $?
umount /mnt
check "the host's disk is let go" $?
exit 0
