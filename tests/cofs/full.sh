# SPDX-License-Identifier: GPL-2.0
# In the lab host, for the long group: vdb holds a tar archive of a kernel's source,
# vdc is room for a file system of the guest's own.
disks="cobd0=/dev/vdb,ro cobd1=/dev/vdc"

# Seconds in the guest, by its own clock: untar FOLDER
untar()
{
	in_guest "mkdir -p $1 && read -r a _ </proc/uptime && tar x -C $1 </dev/vda && sync && read -r b _ </proc/uptime && echo \$a \$b" &&
		awk '{ print $2 - $1 }' /tmp/said
}

# The middle, the least and the most of three
middle()
{
	sort -n "$1" | xargs | awk '{ print $2, "(" $1 " to " $3 ")" }'
}

more()
{
	awake
	works "a longer run of one file" "work fsx /cofs $1 5000"
	works "a longer run of random operations" \
		"mkdir /cofs/stress2 /tmp/stress2 && work stress /cofs/stress2 /tmp/stress2 $1 30000"

	works "git: 50,000 files are added" \
		'ln -s /usr/local/bin/git /usr/local/bin/git-upload-pack; git config --global user.name t; git config --global user.email t@t; git config --global gc.auto 0
		mkdir /cofs/origin && cd /cofs/origin && git init -q . && work tree . 50000 && git add . && git commit -qm all'
	works "git clone" 'git clone -q --no-local /cofs/origin /cofs/clone'
	said "git status finds nothing" "" 'cd /cofs/clone && git status --porcelain'
	echo changed >/mnt/share/clone/d7/f7-3
	said "one file that the host changed" " M d7/f7-3" 'cd /cofs/clone && git status --porcelain'
	said "git fsck" "" 'cd /cofs/clone && git fsck --no-progress 2>&1'

	works "a file system of the guest's own" 'mkdir /local && /usr/local/bin/mke2fs -q -t ext4 /dev/vdb && mount -t ext4 /dev/vdb /local'
	: >/tmp/t-cofs; : >/tmp/t-local
	for round in 1 2 3; do
		untar "/cofs/untar" >>/tmp/t-cofs
		untar "/local/untar" >>/tmp/t-local
		in_guest 'cd /cofs/untar && find . -type f -print0 | sort -z | xargs -0 md5sum | md5sum; cd /local/untar &&
			find . -type f -print0 | sort -z | xargs -0 md5sum | md5sum; rm -rf /cofs/untar /local/untar'
		[ "$(sort -u /tmp/said | wc -l)" = 1 ] && [ "$(wc -l </tmp/said)" = 2 ]
		check "round $round: both trees hold the same" $? "$(cat /tmp/said)"
	done
	echo "# untar: shared $(middle /tmp/t-cofs) s, the guest's own ext4 $(middle /tmp/t-local) s; goal: twice as long at most"

	mount -t tmpfs apart /mnt/goes && echo t >/mnt/goes/file
	works "a directory that is a mount point" 'umount -l /goes; mount -t 9p cofs3 /goes && cat /goes/file'
	umount -l /mnt/goes
	sleep 1
	fails "is stale when it's unmounted" "Stale\|stale" 'ls /goes/file /goes'
	said "and the rest goes on" another 'cat /cofs/hello'
	kill $alive
}
