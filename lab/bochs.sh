# SPDX-License-Identifier: GPL-2.0
#
# The lab host in Bochs instead of QEMU, for what QEMU's emulation lacks: PCID,
# AVX-512. Sourced by lab/lab. Bochs is an interpreter, ten to fifty times slower,
# with one processor; it has no virtio, so that four serial ports are the channels
# and a disk with a boot loader holds kernel and initramfs.

# bochs_needs REFUSED: the options that don't go with it, as far as given.
bochs_needs()
{
	local one
	for one in bochs syslinux mformat mcopy python3; do
		command -v $one >/dev/null || die "--bochs: $one is missing: run packaging/need"
	done
	[ -z "$1" ] ||
		die "--bochs goes without --disk, --out, --interactive, --icount, --gdb and --monitor"
}

# bochs_disk CYLINDERS WORDS: 16 heads, 63 sectors, one FAT over all of it.
bochs_disk()
{
	local disk=$run/disk
	truncate -s $(($1 * 16 * 63 * 512)) "$disk" &&
		mformat -i "$disk" -t "$1" -h 16 -n 63 -H 0 :: &&
		syslinux -i "$disk" &&
		printf 'DEFAULT lab\nLABEL lab\nKERNEL /vmlinuz\nINITRD /initrd\nAPPEND %s\n' "$2" >"$run/syslinux.cfg" &&
		mcopy -i "$disk" "$kernel" ::/vmlinuz &&
		mcopy -i "$disk" "$run/initramfs" ::/initrd &&
		mcopy -i "$disk" "$run/syslinux.cfg" ::/syslinux.cfg ||
		die "$disk: the boot disk cannot be made; is there space?"
}

# Instructions a second, which the time stamp counter counts. CPUID claims a
# frequency of its own in some models, so the kernel is told.
bochs_ips=50000000

bochs_compose() # KERNEL-WORDS
{
	local size cylinders port=0 file
	size=$(($(stat -c %s "$kernel") + $(stat -c %s "$run/initramfs")))
	cylinders=$((size / (16 * 63 * 512) + 20))
	bochs_disk $cylinders "$1 lab.serial"
	cat >"$run/bochsrc" <<-CONFIG || die "$run/bochsrc: cannot be written"
		display_library: term
		plugin_ctrl: speaker=false
		romimage: file=/usr/share/bochs/BIOS-bochs-latest
		vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
		memory: host=$mem, guest=$mem
		cpu: model=$cpu, count=1, ips=$bochs_ips, reset_on_triple_fault=0, ignore_bad_msrs=1
		ata0-master: type=disk, path="$run/disk", mode=flat, cylinders=$cylinders, heads=16, spt=63
		boot: disk
		clock: sync=none, time0=utc
		log: "$run/bochs.log"
		panic: action=fatal
		error: action=ignore
		info: action=ignore
		debug: action=ignore
	CONFIG
	for file in console.log out.pipe err.pipe verdict; do
		port=$((port + 1))
		echo "com$port: enabled=1, mode=file, dev=\"$run/$file\"" >>"$run/bochsrc"
	done
	# Debian's has the debugger, which waits for a command.
	echo c >"$run/bochs.start"
}
