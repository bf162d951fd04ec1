# SPDX-License-Identifier: GPL-2.0
# In the lab host, whose colinux.ko is the shim with colinux.sys.
#
#	devices		guests with all devices, with one vCPU and two
#	memory		a guest whose host is short of memory, then one whose daemon is killed
#	starts N	they come and go N times
#	sweep		each allocation of the driver's fails once
#	old VERSION	what an older Windows has not is done without
. /check.sh

counter()
{
	sed -n "s/^$1 //p" /dev/ntshim
}

unloaded()
{
	rmmod colinux && [ ! -e /dev/colinux ] && ! dmesg | grep 'WARNING: ntshim'
	check "the driver is unloaded, and has left nothing" $? "$(dmesg | grep ntshim)"
}

devices() # VCPUS
{
	cpus="$1 vCPU(s)"
	vm=nt about="$cpus: "
	colinux start name=nt kernel=/guest/vmlinux initrd=/guest/initrd mem=128 cpus="$1" \
		quiet consoles=2 cobd0=/tmp/disk cofs0=/tmp/share,mount=/cofs eth0=slirp,,tcp:2222:80 >/tmp/start 2>&1
	check "$cpus: a guest with disk, share, network and consoles starts" $? "$(cat /tmp/start)"
	said "it has them" "$1" nproc
	works "it makes a file system on cobd" \
		'mke2fs /dev/vda >/dev/null 2>&1 && mount -t ext2 /dev/vda /mnt && head -c 3000000 /dev/urandom >/mnt/data && sync && md5sum </mnt/data'
	sum=$(cat /tmp/said)
	said "and reads what it wrote" "$sum" 'umount /mnt && echo 3 >/proc/sys/vm/drop_caches && mount -t ext2 /dev/vda /mnt && md5sum </mnt/data'
	works "cofs: the host's file is the guest's" 'cat /cofs/hello && echo "from the guest" >/cofs/back'
	[ "$(cat /tmp/said)$(cat /tmp/share/back)" = "from the hostfrom the guest" ]
	check "$cpus: and the guest's the host's" $? "$(cat /tmp/said /tmp/share/back)"
	works "conet: udhcpc gets an address" 'ip link set eth0 up && udhcpc -n -q -i eth0 -s /udhcpc.sh'
	said "what a server of the host has comes unchanged" "$(md5sum </tmp/www/data)" \
		'wget -q -O - http://10.0.2.2:8080/data | md5sum'
	in_guest 'mkdir -p /www && cp /mnt/data /www/ && httpd -h /www'
	[ "$(wget -q -O - http://127.0.0.1:2222/data | md5sum)" = "$sum" ]
	check "$cpus: and through a port of the host's" $?
	works "the consoles are there" 'echo hello >/dev/hvc0 && echo hello >/dev/hvc1'
	works "its kernel has no complaint" '! dmesg | grep -E "WARNING|BUG:|Oops|Call Trace"'
	colinux info nt | sed 's/^/# /'
	colinux stop nt >/tmp/stop 2>&1
	check "$cpus: it powers off" $? "$(cat /tmp/stop)"
}

guest_mb()
{
	echo $(($(colinux stats --json nt | tr -d ' ,"' | sed -n 's/^memory://p' | head -n 1) >> 20))
}

# At most 60 s until `TEST` is true.
until_true() # TEST
{
	end=$(($(cut -d. -f1 /proc/uptime) + 60))
	while [ "$(cut -d. -f1 /proc/uptime)" -lt $end ]; do
		eval "$1" && return 0
		usleep 200000
	done
	return 1
}

# A guest that has filled its caches, on a Windows that says it is short of memory. The
# disk stays open: what was read of one that nobody has open is forgotten.
low_memory()
{
	vm=nt about="low memory: "
	head -c 160m /dev/urandom >/tmp/disk
	colinux start name=nt kernel=/guest/vmlinux initrd=/guest/initrd mem=384 quiet cobd0=/tmp/disk >/tmp/start 2>&1
	check "a guest of 384 MiB starts" $? "$(cat /tmp/start)"
	works "it reads its disk" 'sleep 9999 </dev/vda >/dev/null 2>&1 & cat /dev/vda >/dev/null'
	sleep 3
	full=$(guest_mb)
	echo memory low >/dev/ntshim
	until_true '[ $(guest_mb) -le $((full - 128)) ]'
	check "it gives its caches, in steps" $? "$full MiB, now $(guest_mb)"
	sleep 5
	least=$(guest_mb)
	works "it works with what is left" 'head -c 1000000 /dev/vda | md5sum'
	echo memory enough >/dev/ntshim
	# For two seconds after the host's refusal it doesn't ask, and drops other caches.
	until_true 'in_guest "cat /dev/vda >/dev/null"; [ $(guest_mb) -ge $((least + 64)) ]'
	check "it has its caches again afterwards" $? "$least MiB, now $(guest_mb); $(cat /tmp/said)"
	echo "# $full MiB, $least when the host was short, now $(guest_mb)"
	works "its kernel has no complaint" '! dmesg | grep -E "WARNING|BUG:|Oops|Call Trace|oom"'
	colinux stop nt >/tmp/stop 2>&1
	check "it powers off" $? "$(cat /tmp/stop)"
	until_true '[ -z "$(pidof colinux-daemon)" ]'
	sleep 1
	kept=$(counter held)
	echo memory low >/dev/ntshim
	until_true '[ $(counter held) -le $((kept - 64)) ]'
	check "the piece that is kept for the next VM goes" $? "$kept things held, now $(counter held)"
	echo memory enough >/dev/ntshim
}

# Its daemon is killed while somebody else has its handle, too: what was mapped in it goes
# with it, and the VM with the handle. A disk of the daemon's might still be reading, so
# none of the memory is kept.
killed()
{
	before=$(counter held)
	colinux start name=nt kernel=/guest/vmlinux initrd=/guest/initrd mem=128 quiet >/tmp/start 2>&1
	check "another guest starts" $? "$(cat /tmp/start)"
	daemon=$(pidof colinux-daemon)
	/keeper "$daemon" >/tmp/keeper 2>&1 &
	keeper=$!
	until_true 'grep -q kept /tmp/keeper'
	check "a process has a duplicate of its daemon's handle" $? "$(cat /tmp/keeper)"
	held=$(counter held)
	kill -9 "$daemon"
	until_true '[ ! -e /proc/$daemon ]'
	sleep 1
	[ "$(counter complaints)" = 0 ] && [ "$(counter held)" -le $((held - 64)) ] && [ "$(counter held)" -gt "$before" ]
	check "its daemon is killed: nothing is mapped there any more, the VM is" $? \
		"$before, $held, $(counter held) held; $(dmesg | grep ntshim)"
	kill $keeper
	settled "$before"
	check "with the duplicate the VM goes, and all of its memory" $? "$before things held before, $(counter held) now"
}

load() # [PARAMETER]...
{
	insmod /lib/colinux.ko "$@" || exit 1
}

start()
{
	guest nt mem=64 && grep -q 'guest: script ended' /tmp/console
}

# A guest that is no kernel, and ends at once: what it says is no matter.
short()
{
	timeout 100 colinux-daemon name=nt kernel=/trips mem=32 calls=100 >/tmp/daemon 2>&1 </dev/null
}

# Memory of a thread or file that has just ended goes a moment later.
settled() # HELD
{
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(counter held)" = "$1" ] && return 0
		usleep 100000
	done
	return 1
}

sweep()
{
	n=0 leaks= failed=1
	# Some it can do without.
	while [ "$failed" != 0 ] && [ $n -lt 200 ]; do
		n=$((n + 1))
		insmod /lib/colinux.ko fail=nth,$n 2>/dev/null || continue
		failed=$(counter failed)
		rmmod colinux
	done
	[ $n -gt 5 ] && [ $n -lt 200 ] && ! dmesg | grep 'WARNING: ntshim'
	check "DriverEntry: each of $((n - 1)) allocations fails once, and nothing is left" $? "$(dmesg | tail -n 20)"
	load
	short
	pool=$(counter held)
	settled "$pool"
	n=0
	failed=$(counter failed)
	while :; do
		n=$((n + 1))
		echo "fail nth $n" >/dev/ntshim
		short
		echo "fail off" >/dev/ntshim
		[ "$(counter failed)" != "$failed" ] || break
		failed=$(counter failed)
		[ "$(counter held)" -le "$pool" ] || settled "$pool" || leaks="$leaks $n:$(counter held)"
		[ $((n % 20)) != 0 ] || echo "# allocation $n: $(cat /tmp/daemon | head -n 1)"
	done
	[ $n -gt 20 ] && [ "$(counter complaints)" = 0 ]
	check "a guest's life: each of $((n - 1)) allocations fails once" $? "$(dmesg | tail -n 20)"
	[ -z "$leaks" ]
	check "and none of them leaves anything" $? "$pool held before; $leaks"
	for seed in 1 2 3 4 5 6 7 8 9 10; do
		echo "fail random $seed 20" >/dev/ntshim
		short
	done
	echo "fail off" >/dev/ntshim
	[ "$(counter complaints)" = 0 ]
	check "nor random ones" $? "$(dmesg | tail -n 20)"
	start
	check "a guest boots after them" $? "$(cat /tmp/daemon)"
}

case $1 in
devices)
	mkdir -p /tmp/share /tmp/www
	echo "from the host" >/tmp/share/hello
	head -c 1000000 /dev/urandom >/tmp/www/data
	truncate -s 16M /tmp/disk
	ip link set lo up
	httpd -p 127.0.0.1:8080 -h /tmp/www
	load
	devices 1
	devices 2
	;;
memory)
	load
	low_memory
	killed
	;;
starts)
	load
	i=0 failed=0
	while [ $i -lt "$2" ]; do
		i=$((i + 1))
		start || { failed=$((failed + 1)); cat /tmp/daemon >&2; }
		[ $i != 2 ] || held=$(counter held)
		[ $((i % 5)) != 0 ] || echo "# start $i, $(counter held) held"
	done
	[ $failed = 0 ]
	check "$2 starts and stops" $? "$failed failed"
	settled "$held"
	check "the driver holds as much as after the second one" $? "$held and $(counter held)"
	;;
old)
	load nt="$2"
	start
	check "a guest boots on Windows $2" $? "$(cat /tmp/daemon)"
	;;
sweep)
	sweep
	;;
esac
unloaded
exit 0
