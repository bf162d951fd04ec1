# SPDX-License-Identifier: GPL-2.0
#
# The installer guest of `colinux image create`: makes a root file system on /dev/vda,
# out of an archive in the shared directory cofs0, or of Debian's packages by way of
# eth0. Words of the kernel's command line:
#
#	installer.archive=HEX		the archive's name, two hexadecimal digits a byte
#	installer.suite=NAME		without an archive: which Debian,
#	installer.mirror=URL		where from,
#	installer.packages=A,B		and what more
#
# It says "installer: done" if, and only if, the image is whole. Errors begin
# with "installer: error: ".
root=/mnt
package=/colinux-guest.deb
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# What a machine needs beyond the smallest set, and what colinux-guest works with.
base=systemd-sysv,udev,dbus,kmod,iproute2,procps,e2fsprogs,login,systemd-resolved,ca-certificates

say()
{
	printf 'installer: %s\n' "$(printf %s "$*" | tr '[:cntrl:]' '?')"
}

die()
{
	say "error: $*"
	exit 1
}

# The value of a word of the command line, or the default behind it.
word()
{
	local one
	for one in $(cat /proc/cmdline); do
		case $one in "installer.$1="*) echo "${one#*=}" && return ;; esac
	done
	echo "${2:-}"
}

format()
{
	say "making the file system"
	mke2fs -q -F -t ext4 -L root -E root_owner=0:0 /dev/vda || die "mke2fs failed"
	mount -t ext4 /dev/vda $root || die "the new file system can't be mounted"
}

# ---- from an archive ----------------------------------------------------------

# Owners by number and attributes (capabilities of ping and others) as they were. tar
# finds out itself how it's packed, for what is in $PATH here.
unpack()
{
	local name
	name=$(busybox printf "$(echo "$archive" | sed 's/../\\x&/g')x")
	name=${name%x}
	mkdir /archive
	mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144 cofs0 /archive ||
		die "the archive's directory can't be mounted"
	say "unpacking $name"
	tar -x -p --numeric-owner --xattrs --xattrs-include='*' --warning=no-timestamp \
		-C $root -f "/archive/$name" || die "$name: can't be unpacked; is the image large enough (SIZE), and is it a tar archive, plain or by gzip, bzip2, xz or zstd?"
	umount /archive
	lift
	[ -e $root/sbin/init ] || [ -L $root/sbin/init ] ||
		say "warning: the archive has no /sbin/init: the guest needs init= to start"
}

# An archive that holds one directory, with the root file system in it. What is in it
# may have the directory's own name.
lift()
{
	local only
	[ ! -e $root/etc ] && [ ! -e $root/usr ] || return 0
	only=$(ls -A $root | grep -vx lost+found)
	[ -d "$root/$only/etc" ] || die "the archive holds no root file system: there's no /etc in it"
	say "the root file system is in $only/"
	mv "$root/$only" $root/.only && find $root/.only -mindepth 1 -maxdepth 1 -exec mv {} $root/ \; &&
		rmdir $root/.only ||
		die "$only/ can't be moved up"
}

# ---- from Debian's packages ---------------------------------------------------

address()
{
	cat >/dhcp <<'TEXT'
#!/bin/sh
[ "$1" = bound ] || exit 0
ifconfig "$interface" "$ip" netmask "$subnet"
route add default gw "${router%% *}"
for one in $dns; do echo "nameserver $one"; done >/etc/resolv.conf
TEXT
	chmod 755 /dhcp
	ifconfig lo 127.0.0.1 && ifconfig eth0 up &&
		udhcpc -q -n -t 10 -T 2 -s /dhcp -i eth0 >/dev/null 2>&1 ||
		die "eth0 gets no address"
}

# Its standard error is mostly wget's progress.
bootstrap()
{
	case $suite in
	buster | bullseye | oldoldstable) die "Debian $suite is too old for colinux-guest: bookworm is the first; an older one can come in an archive" ;;
	esac
	say "fetching Debian $suite from $mirror"
	debootstrap --arch=amd64 --variant=minbase --keyring=$keyring --include="$base${packages:+,$packages}" \
		"$suite" $root "$mirror" 2>/tmp/errors || {
		tail -n 20 /tmp/errors $root/debootstrap/debootstrap.log
		die "Debian $suite can't be installed from $mirror; is the image large enough (SIZE), and are suite, mirror and packages right?"
	}
}

sources()
{
	echo "deb $mirror $suite main"
	case $suite in
	sid | unstable) ;;
	*)
		echo "deb $mirror $suite-updates main"
		echo "deb http://deb.debian.org/debian-security $suite-security main"
		;;
	esac
}

# Nobody knows a password of root's yet: the console is the host administrator's, who
# reads and writes the image anyway.
settle()
{
	sources >$root/etc/apt/sources.list
	echo "/dev/cobd0 / ext4 errors=remount-ro 0 1" >$root/etc/fstab
	echo colinux >$root/etc/hostname
	printf '127.0.0.1\tlocalhost\n127.0.1.1\tcolinux\n::1\tlocalhost\n' >$root/etc/hosts
	: >$root/etc/machine-id # made anew at the first start
	ln -sfn ../run/systemd/resolve/stub-resolv.conf $root/etc/resolv.conf
	in_root passwd -d root >/dev/null || die "passwd failed"
	rm -rf $root/var/cache/apt/archives/*.deb $root/var/lib/apt/lists/*_*
}

# ---- both ----------------------------------------------------------------------

in_root()
{
	DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot $root "$@"
}

# Not every archive is a Debian with systemd.
can_have_package()
{
	[ -x $root/usr/bin/dpkg ] && in_root dpkg-query -W systemd udev >/dev/null 2>&1
}

guest_package()
{
	say "installing colinux-guest"
	mount -t proc proc $root/proc && mount -o bind /dev $root/dev &&
		cp $package $root/tmp/ && in_root dpkg --force-confdef --force-confold -i "/tmp/${package##*/}" </dev/null
	status=$?
	rm -f "$root/tmp/${package##*/}"
	umount $root/dev $root/proc
	return $status
}

# What was removed again needs no place on the host's disk. What was written, is it
# there? The kernel goes on after an error, and umount doesn't tell.
finish()
{
	fstrim $root 2>/dev/null
	sync -f $root || die "the image can't be written: see the host's disk"
	umount $root || die "the file system can't be unmounted"
	e2fsck -f -n /dev/vda >/e2fsck 2>&1 || {
		cat /e2fsck
		die "the new file system has errors: see the host's disk"
	}
	say "done"
}

archive=$(word archive)
suite=$(word suite bookworm)
mirror=$(word mirror http://deb.debian.org/debian)
packages=$(word packages)
[ -n "$archive" ] || address
format
if [ -n "$archive" ]; then
	unpack
	if can_have_package; then
		guest_package || say "warning: colinux-guest can't be installed"
	else
		say "colinux-guest isn't installed: it wants dpkg, systemd and udev"
	fi
else
	bootstrap
	settle
	guest_package || die "colinux-guest can't be installed"
fi
finish
