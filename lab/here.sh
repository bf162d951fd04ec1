# SPDX-License-Identifier: GPL-2.0
#
# ./run --here: this machine's own kernel is the host. Sourced by ./run.

warn()
{
	cat >&2 <<-TEXT
		run: WARNING: the guest will run in ring 0 of THIS machine, beside its own kernel
		run: $(uname -r). A fault in the module or in the guest can crash the machine
		run: and lose what isn't saved.
	TEXT
	[ -t 0 ] || return 0
	read -r -p "Go on? Type yes: " answer && [ "$answer" = yes ] || die "nothing was done"
}

load_here()
{
	local tree
	tree=/lib/modules/$(uname -r)/build
	[ -d /sys/module/colinux ] && return 0
	[ -d "$tree" ] || die "no headers of this kernel: install linux-headers-$(uname -r)"
	logged "building the module for this kernel" "$build/log/module-here.log" \
		make -C "$root/host/linux" KDIR="$tree" OUT="$build/module-here" || exit 1
	as_root insmod "$build/module-here/colinux.ko" || die "the module cannot be loaded: see dmesg"
	loaded=yes
}

end_here()
{
	as_root "$build/tools/colinux" stop "$vm" >/dev/null 2>&1
	[ -z "${loaded:-}" ] || as_root rmmod colinux
	[ -n "$keep" ] || rm -f "$disk"
}

on_this_machine()
{
	local status
	warn
	disk=$image vm=run-$$
	trap end_here EXIT
	load_here
	as_root "$build/tools/colinux" doctor >&2 || die "this machine can't be the host, see above"
	if [ -z "$keep" ]; then
		disk=$build/run/here-$$.img
		mkdir -p "$build/run"
		cp --reflink=auto --sparse=always "$image" "$disk" || die "$disk: no room for the image"
	fi
	as_root "$build/tools/colinux-daemon" --background name="$vm" kernel="$guest" \
		cobd0="$disk" root=/dev/cobd0 "${words[@]}" >&2 || exit 1
	if [ -n "$command" ]; then
		as_root "$build/tools/colinux" exec "$vm" -- /bin/sh -c "$command"
	else
		as_root "$build/tools/colinux" attach "$vm"
	fi
	status=$?
	exit $status
}
