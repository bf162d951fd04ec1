# SPDX-License-Identifier: GPL-2.0
# In the lab host: module, rights, kernels, images, sizes.
. /input.sh

# ---- without the module, without rights, with tools of another version
refused "module not loaded" "/dev/colinux" "module colinux isn't loaded" "modprobe colinux" -- daemon
refused "module not loaded, in the background" "modprobe colinux" -- \
	colinux start name=bad kernel=/guest/trips mem=32
colinux doctor >/tmp/doctor
[ $? = 1 ] && grep -q 'insmod' /tmp/doctor && grep -q "can't run a guest now" /tmp/doctor
check "doctor tells that the module isn't loaded, and what to do" $? "$(cat /tmp/doctor)"
insmod /lib/colinux.ko || exit 1
normal
check "a normal start works" $? "$(cat /tmp/normal)"
before=$(free_kb)

mkdir -p /tmp/nobody && chown 65534 /tmp/nobody
as()
{
	who=$1
	shift
	COLINUX_RUNTIME_DIR=/tmp/nobody/run /requests as "$who" "$@"
}
nobody()
{
	as 65534 "$@"
}
unprivileged="name=bad kernel=/guest/trips mem=32"
refused "another user" "/dev/colinux: no permission" "run as root" -- nobody colinux-daemon $unprivileged
nobody colinux doctor >/tmp/doctor
[ $? = 1 ] && grep -q 'CAP_SYS_MODULE' /tmp/doctor
check "doctor tells another user so" $? "$(cat /tmp/doctor)"
chmod 666 /dev/colinux
refused "another user, though the device is open to all" "/dev/colinux: the driver refuses" "CAP_SYS_MODULE" -- \
	nobody colinux-daemon $unprivileged
chmod 600 /dev/colinux
rm -rf /tmp/nobody/run
refused "root without the right to load modules" "/dev/colinux: the driver refuses" "CAP_SYS_MODULE" -- \
	as powerless colinux-daemon $unprivileged

refused "tools of another version" "/dev/colinux" "ABI [0-9]+, these tools .* ABI 4711" "from one release" -- \
	/other/colinux-daemon $unprivileged
/other/colinux doctor >/tmp/doctor
[ $? = 1 ] && grep -q 'ABI 4711: install both from one release' /tmp/doctor
check "doctor of another version tells that" $? "$(cat /tmp/doctor)"

# ---- kernels
kernel() # NAME FILE REGEX...
{
	name=$1 file=$2
	shift 2
	refused "$name" "cannot start bad: kernel $file: " "$@" -- daemon kernel="$file"
}
refused "no kernel named" "kernel=PATH" -- colinux-daemon name=bad mem=32
refused "no such kernel" "kernel /none: No such file" "kernel=" -- daemon kernel=/none
refused "no such kernel, with a console" "cannot read kernel /none: No such file" -- \
	colinux run name=bad kernel=/none mem=32
refused "a kernel that is a directory" "kernel /tmp: Is a directory" "kernel=" -- daemon kernel=/tmp
refused "an empty kernel" "kernel /images/empty is empty" "build it again" -- daemon kernel=/images/empty
kernel "not an ELF" /images/not-elf "not an ELF file" "vmlinux"
kernel "a kernel for another machine" /images/wrong-machine "ELF machine 183" "guest kernel build"
kernel "a kernel without our note" /images/no-note "not a cooperative kernel" "guest/build"
kernel "a kernel of another ABI version" /images/wrong-abi "guest ABI [0-9]+, the driver has [0-9]+" "rebuild"
kernel "a kernel cut in half" /images/truncated "cut off \(segment 0\)" "build it again"
kernel "a kernel cut in its header" /images/truncated-header "cut off" "build it again"
kernel "a kernel with overlapping segments" /images/overlap "overlap \(segment 1\)" "build it again"
kernel "a kernel with a segment at the end of all addresses" /images/outside \
	"out of range \(segment 1\)" "build it again"
kernel "a kernel whose entry is outside" /images/entry-outside "entry .* out of range:" "build it again"
refused "a kernel with a segment beyond the memory" "mem=32: kernel /images/too-large .* need [0-9]+ MB" \
	"more memory" -- daemon kernel=/images/too-large
refused "no such initrd" "initrd /none: No such file" "initrd=" -- daemon initrd=/none
truncate -s 40M /tmp/large
refused "an initrd larger than the memory" "mem=32: .* need [0-9]+ MB" "more memory" -- daemon initrd=/tmp/large
rm /tmp/large

# ---- words
long=$(head -c 2100 /dev/zero | tr '\0' x)
refused "a command line that is too long" "21[0-9][0-9] bytes" "can hold 2047" "remove words" -- daemon "$long"
refused "no memory" "mem: 0 is too little" "at least 32" -- daemon mem=0
refused "too little memory" "mem: 31 is too little" "at least 32" -- daemon mem=31
refused "negative memory" "mem: '-1' is no size" "megabytes" -- daemon mem=-1
refused "memory that no machine has" "mem: 99999999G is more than any machine has: ask for less" -- daemon mem=99999999G
refused "memory beyond 64 bits" "mem: '99999999999999999999' is no size" -- daemon mem=99999999999999999999
refused "more memory than the host can spare" "mem=900: the host can't spare that much" "colinux doctor" -- \
	daemon mem=900
refused "more memory than the host has" "mem=2097152: the host can't spare that much" "colinux doctor" -- \
	daemon mem=2048G
refused "no processor" "cpus: '0' is no number from 1 to 64" -- daemon cpus=0
refused "a processor too many" "cpus: '65' is no number from 1 to 64" -- daemon cpus=65
refused "a watchdog too patient" "watchdog: '86401' is no number of seconds" -- daemon watchdog=86401
refused "more processors than there may be" "cpus=3 is more than maxcpus=2" "raise maxcpus=" -- \
	daemon cpus=3 maxcpus=2
refused "more memory than it may have" "mem=128M is more than maxmem=64M" "raise maxmem=" -- \
	daemon mem=128 maxmem=64
refused "memory that may grow beyond the host" "maxmem=2097152M: the host has [0-9]+M, and [0-9]+M of it stay" \
	"ask for less" -- daemon maxmem=2048G
online=$(cat /sys/devices/system/cpu/online)
refused "a processor that the host lacks" "pin: the host has no CPU 63, or it is offline: choose from $online" -- \
	daemon pin=0,63
refused "no list of processors" "pin: '0-' is neither none nor a list of CPUs" -- daemon pin=0-
refused "a name that is none" "name: '\.\./x' is no name" -- daemon name=../x

# ---- images
image() # NAME FILE REGEX...
{
	name=$1 file=$2
	shift 2
	refused "$name" "cannot start bad: cobd0: $file: " "$@" -- daemon cobd0="$file"
}
head -c 1000000 /dev/urandom >/tmp/odd
sum=$(md5sum </tmp/odd)
image "no such image" /none "No such file" "check the path"
image "an image that is a directory" /tmp "is a directory" "a file or a block device"
image "an image that is no multiple of 512" /tmp/odd "1000000 bytes is not a multiple of 512" "truncate -s %512"
touch /tmp/empty
image "an empty image" /tmp/empty "is empty" "truncate"
mkdir -p /tmp/fixed && mount -t tmpfs fixed /tmp/fixed && truncate -s 1M /tmp/fixed/image &&
	mount -o remount,ro /tmp/fixed
image "an image on a read-only file system" /tmp/fixed/image "cannot be opened for writing" "',ro'" "Read-only"
colinux-daemon name=bad kernel=/guest/trips mem=32 cobd0=/tmp/fixed/image,ro >/tmp/said 2>&1 </dev/null
check "that one works with ,ro" $? "$(cat /tmp/said)"
truncate -s 1M /tmp/image
refused "one image twice in a VM" "cobd1: /tmp/image: already in use by another device of this VM" -- \
	daemon cobd0=/tmp/image cobd1=/tmp/image
refused "one disk too many" "no such device 'cobd32'" "cobd0 to cobd31" -- daemon cobd32=/tmp/image
[ "$sum" = "$(md5sum </tmp/odd)" ] && [ "$(stat -c %s /tmp/empty)" = 0 ]
check "the refused images are as they were" $?

now=$(free_kb)
echo "# $((before - now)) kB less free than before"
[ $((now + 8192)) -ge "$before" ]
check "the host has its memory after all that" $? "$((before - now)) kB less"
exit 0
