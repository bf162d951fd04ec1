# SPDX-License-Identifier: GPL-2.0
# In the lab host: large trees in a shared directory of the host's ext4 (vda).
#
#	trees.sh git		a repository of 50,000 files, which the host made
#	trees.sh untar		a kernel's source, whose archive is vdb; vdc is room for a
#				file system of the guest's own
#
# GNU's tar names a file once, when it's made. BusyBox's names it and each folder
# above seventeen times, and without a cache each part of each name is three messages.
. /check.sh
vm=trees

# with_share WORD...: the guest, and /mnt/share at its /cofs
with_share()
{
	insmod /lib/colinux.ko && mkfs.ext4 -q /dev/vda && mount -t ext4 /dev/vda /mnt && mkdir /mnt/share /mnt/loose || exit 1
	colinux start name=$vm kernel=/guest/vmlinux initrd=/guest/initrd mem=256 quiet cofs0=/mnt/share,mount=/cofs "$@" >/tmp/start 2>&1
	check "a guest with a shared directory starts" $? "$(cat /tmp/start)"
}

# Seconds of COMMAND, by the host's clock: for the report, nothing depends on them.
seconds()
{
	read -r begin _ </proc/uptime
	"$@"
	read -r end _ </proc/uptime
	echo "# $1 $2: $(awk "BEGIN { print $end - $begin }") s"
}

# git's templates and helpers aren't in the lab. Packed, as any repository that is
# cloned often.
host_repository()
{
	HOME=/tmp
	export HOME
	git config --global user.name t && git config --global user.email t@t && git config --global gc.auto 0 &&
		mkdir /mnt/share/origin && cd /mnt/share/origin && git init -q . && work tree . 50000 && git add . && git commit -qm all &&
		git repack -adq && cd /
}

trees_git()
{
	with_share
	host_repository >/tmp/git 2>&1
	check "the host commits 50,000 files" $? "$(cat /tmp/git)"
	seconds works "git clone" 'ln -sf /usr/local/bin/git /usr/local/bin/git-upload-pack; git config --global gc.auto 0
		git config --global safe.directory "*"; git clone -q --no-local /cofs/origin /cofs/clone'
	seconds said "git status finds nothing" "" 'cd /cofs/clone && git status --porcelain'
	/usr/local/bin/diff -r -x .git /mnt/share/origin /mnt/share/clone >/tmp/difference 2>&1
	check "the host sees the same 50,000 files twice" $? "$(head -n 5 /tmp/difference)"
	echo changed >/mnt/share/clone/d7/f7-3
	seconds said "one file that the host changed" " M d7/f7-3" 'cd /cofs/clone && git status --porcelain'
	works "a commit" 'cd /cofs/clone && git config user.name t && git config user.email t@t && git commit -qam one'
	(cd /mnt/share/clone && git fsck --no-progress && git status --porcelain) >/tmp/fsck 2>&1 && [ ! -s /tmp/fsck ]
	check "the host's git agrees with it" $? "$(cat /tmp/fsck)"
}

# Seconds in the guest, by its own clock: untar FOLDER [FROM]
untar()
{
	in_guest "mkdir -p $1 && read -r a _ </proc/uptime && /usr/local/bin/tar x -C $1 <${2:-/dev/vda} && sync && read -r b _ </proc/uptime && echo \$a \$b" &&
		awk '{ print $2 - $1 }' /tmp/said
}

# The middle, the least and the most of three
middle()
{
	sort -n "$1" | xargs | awk '{ print $2, "(" $1 " to " $3 ")" }'
}

trees_untar()
{
	with_share cobd0=/dev/vdb,ro cobd1=/dev/vdc cofs1=/mnt/loose,mount=/loose,cache=loose
	works "a file system of the guest's own" 'mkdir /local && /usr/local/bin/mke2fs -q -t ext4 /dev/vdb && mount -t ext4 /dev/vdb /local'
	seconds works "the kernel's source, whole" 'mkdir /cofs/whole && /usr/local/bin/tar x -C /cofs/whole </dev/vda && sync'
	mkdir /mnt/own && /usr/local/bin/tar x -C /mnt/own </dev/vdb && /usr/local/bin/diff -r --no-dereference /mnt/own /mnt/share/whole >/tmp/difference 2>&1
	check "the host, which unpacks it itself, has the same" $? "$(head -n 5 /tmp/difference)"
	echo "# $(find /mnt/own | wc -l) files and folders"
	rm -rf /mnt/share/whole
	# A part of it in turns: the whole three times would take hours in emulation.
	/usr/local/bin/tar c -C /mnt/own/* net >/mnt/share/part.tar
	works "a part of it is on the guest's own disk" 'cp /cofs/part.tar /local/'
	for round in 1 2 3; do
		for way in cofs loose local; do
			untar /$way/part /local/part.tar >>/tmp/t-$way
			check "round $round: untar in /$way" $? "$(cat /tmp/said)"
		done
		for way in share loose; do
			/usr/local/bin/diff -r --no-dereference /mnt/own/*/net /mnt/$way/part/net >/tmp/difference 2>&1
			check "round $round: it is the same in /mnt/$way" $? "$(head -n 5 /tmp/difference)"
		done
		works "and then it's removed" 'rm -r /cofs/part /loose/part /local/part'
	done
	echo "# untar of $(find /mnt/own/*/net | wc -l) files: shared $(middle /tmp/t-cofs) s, with cache=loose $(middle /tmp/t-loose) s, the guest's own ext4 $(middle /tmp/t-local) s; goal: twice as long at most"
}

awake
trees_"$1"
kill $alive
colinux stop --force $vm >/tmp/stop 2>&1
exit 0
