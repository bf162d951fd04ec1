# SPDX-License-Identifier: GPL-2.0
# In the lab host, sourced: a guest "fio" with the image as vda and fio on vdb.
#
# start_guest WORD...: more words of its configuration
start_guest()
{
	insmod /lib/colinux.ko && mount -t ext4 /dev/vda /mnt && mkdir -p /tools &&
		mount -t ext4 -o ro /dev/vdb /tools || exit 1
	mkdir -p /fio && cp -r /tools/. /fio && umount /tools
	colinux start name=fio kernel=/guest/vmlinux initrd=/guest/initrd mem=256 quiet \
		cobd0=/mnt/image,cache=none cobd1=/dev/vdb,ro "$@" >/tmp/start 2>&1 ||
		{ cat /tmp/start && exit 1; }
	colinux exec --wait 200 fio -c 'mkdir -p /fio && mount -o ro /dev/vdb /fio' || exit 1
}

fio_words='--name=job --ioengine=libaio --direct=1 --thread=1 --randrepeat=1 --output-format=terse --terse-version=3'

# fio OPTION...: on the host, in the guest
host_fio()
{
	LD_LIBRARY_PATH=/fio/lib /fio/fio $fio_words "$@"
}

guest_fio()
{
	colinux exec fio -c "LD_LIBRARY_PATH=/fio/lib /fio/fio $fio_words $*"
}

stop_guest()
{
	daemon=$(cat /run/colinux/fio.lock)
	colinux exec fio -- poweroff -f 2>/tmp/errors
	for i in $(seq 200); do
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.1
	done
	umount /mnt
}
