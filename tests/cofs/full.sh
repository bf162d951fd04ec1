# SPDX-License-Identifier: GPL-2.0
# In the lab host, for the long group: more of what machine.sh does.
more()
{
	awake
	works "a longer run of one file" "work fsx /cofs $1 5000"
	works "a longer run of random operations" \
		"mkdir /cofs/stress2 /tmp/stress2 && work stress /cofs/stress2 /tmp/stress2 $1 30000"
	mount -t tmpfs apart /mnt/goes && echo t >/mnt/goes/file
	works "a directory that is a mount point" 'umount -l /goes; mount -t 9p cofs3 /goes && cat /goes/file'
	umount -l /mnt/goes
	sleep 1
	fails "is stale when it's unmounted" "Stale\|stale" 'ls /goes/file /goes'
	said "and the rest goes on" another 'cat /cofs/hello'
	kill $alive
}
