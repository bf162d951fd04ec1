# SPDX-License-Identifier: GPL-2.0
# In the guest. The kernel hands its unknown words on as variables:
#
#	job=agent	does what colinux exec says
#	job=append	tells whether the acknowledged records are there, then
#			appends more until somebody pulls the plug
#	job=check	only tells
#	acked_file=N acked_device=N	acknowledged before, on vda and on vdb
. /check.sh

# inspect NAME DEVICE ACKNOWLEDGED
inspect()
{
	mkdir -p "/mnt/$1"
	# The mount replays the journal.
	said=$(mount -t ext4 "$2" "/mnt/$1" 2>&1 && writer check "/mnt/$1/records" "$3" 2>&1)
	check "$1: acknowledged records are there" $? "$said"
	umount "/mnt/$1"
	said=$(e2fsck -fn "$2" 2>&1)
	check "$1: the file system is whole after its journal" $? "$said"
}

append()
{
	mount -t ext4 "$2" "/mnt/$1" && writer append "/mnt/$1/records" "$1"
}

if [ "$job" = agent ]; then
	exec /usr/sbin/colinux-agent
fi
inspect file /dev/vda "$acked_file"
inspect device /dev/vdb "$acked_device"
echo "guest: inspected"
[ "$job" = append ] || exit 0
append file /dev/vda &
append device /dev/vdb
