# SPDX-License-Identifier: GPL-2.0
# In the lab host: what the tests of acknowledged records share. The guest has
# two disks: a file on the host's ext4, and a block device of the host.
. /check.sh

setup()
{
	insmod /lib/colinux.ko && mount -t ext4 /dev/vda /mnt
}

# Becomes the daemon, its console on stdout: (records JOB ACKED-FILE ACKED-DEVICE)
records()
{
	exec colinux-daemon name=disk kernel=/guest/vmlinux initrd=/guest/initrd mem=128 quiet \
		cobd0=/mnt/image cobd1=/dev/vdb job="$1" acked_file="$2" acked_device="$3" </dev/null
}

# The last acknowledged number in a console's text: last_acked NAME FILE
last_acked()
{
	tr -d '\r' <"$2" | sed -n "s/^acked $1 \([0-9]*\)$/\1/p" | tail -n 1
}

# The guest's own results, without its other lines.
results()
{
	tr -d '\r' <"$1" | grep -E '^(ok|not ok) - |^# '
}
