# SPDX-License-Identifier: GPL-2.0
# In the lab host: $1 rounds of each kind of I/O, on the host's own file and in the
# guest, in turns; measured lines for bench/report into /out/measured. The guest has
# the file as vda; its vdc is a qcow2 image, which the storage daemon serves.
. /check.sh
. /common.sh
mkdir -p /q && mount -t ext4 /dev/vda /q && qemu-img create -q -f qcow2 /q/disk.qcow2 64M && umount /q
check "a qcow2 image is made" $?
start_guest cobd2=/mnt/disk.qcow2,format=qcow2,cache=none
guest_fio --filename=/dev/vdc --rw=write --bs=1m --iodepth=4 --size=64m >/tmp/fio 2>&1
check "and filled" $? "$(cat /tmp/fio)"

# one ROUND SIDE NAME UNIT FIELD COMMAND...: a measured line
one()
{
	round=$1 side=$2 name=$3 unit=$4 field=$5
	shift 5
	sync
	echo 3 >/proc/sys/vm/drop_caches
	"$@" --time_based=1 --runtime=2 --size=64m >/tmp/fio 2>&1 ||
		check "$name, $side: fio" 1 "$(cat /tmp/fio)"
	awk -F';' -v head="$round $side $name $unit higher" -v f="$field" '$1 == 3 { print head, $f }' /tmp/fio >>/out/measured
}

# pair ROUND NAME UNIT FIELD DEVICE OPTION...
pair()
{
	round=$1 name=$2 unit=$3 field=$4 device=$5
	shift 5
	one "$round" native "$name" "$unit" "$field" host_fio --filename=/mnt/image "$@"
	one "$round" guest "$name" "$unit" "$field" guest_fio "--filename=/dev/$device" "$@"
}

# Terse fields: 7 and 8 are bandwidth and requests a second of reads, 48 and 49 of
# writes.
for round in $(seq "$1"); do
	pair "$round" read-128k KiB/s 7 vda --rw=read --bs=128k --iodepth=4
	pair "$round" read-1m KiB/s 7 vda --rw=read --bs=1m --iodepth=4
	pair "$round" write-128k KiB/s 48 vda --rw=write --bs=128k --iodepth=4
	pair "$round" write-1m KiB/s 48 vda --rw=write --bs=1m --iodepth=4
	pair "$round" randread-4k-1 IOPS 8 vda --rw=randread --bs=4k --iodepth=1
	pair "$round" randread-4k-32 IOPS 8 vda --rw=randread --bs=4k --iodepth=32
	pair "$round" randwrite-4k-1 IOPS 49 vda --rw=randwrite --bs=4k --iodepth=1
	pair "$round" randwrite-4k-32 IOPS 49 vda --rw=randwrite --bs=4k --iodepth=32
	pair "$round" qcow2-read-1m KiB/s 7 vdc --rw=read --bs=1m --iodepth=4
	pair "$round" qcow2-rand-32 IOPS 8 vdc --rw=randread --bs=4k --iodepth=32
done
[ "$(wc -l </out/measured)" = $((20 * $1)) ]
check "$1 rounds" $? "$(wc -l </out/measured)"
colinux info fio >/tmp/info
! grep -q 'I/O errors' /tmp/info
check "cobd met no I/O error" $? "$(cat /tmp/info)"
stop_guest
exit 0
