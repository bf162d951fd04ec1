# SPDX-License-Identifier: GPL-2.0
#
# What the scripts of the lab, ./run and ./test share. Sourced, not run, with
# `root` set to the top of the tree. Sets: build, cache, host_version, module_dir.

build=${COLINUX_BUILD:-$root/build}
cache=${COLINUX_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/colinux}
case $build in /*) ;; *) build=$PWD/$build ;; esac
case $cache in /*) ;; *) cache=$PWD/$cache ;; esac
# Which of Debian's kernels is the lab's host: 6.1 or 6.12. Its module is built in
# a folder of its own.
host_version=${COLINUX_HOST:-6.1}
module_dir=$build/module
[ "$host_version" = 6.1 ] || module_dir=$build/module-$host_version
# COLINUX_DRIVER=nt: what loads as colinux.ko is the shim for the driver of Windows.
[ "${COLINUX_DRIVER:-linux}" = linux ] || module_dir=$build/module-$COLINUX_DRIVER
PATH=$PATH:/usr/sbin:/sbin # mke2fs, depmod: not in a plain user's PATH
me=${0##*/}

say()
{
	echo "$me: $*" >&2
}

die()
{
	say "$*"
	exit 1
}

# One hash over the contents and names of files and folders, and over words:
# hash_of WORD... -- PATH...
hash_of()
{
	{
		while [ $# -gt 0 ] && [ "$1" != -- ]; do
			printf '%s\n' "$1"
			shift
		done
		[ $# -gt 0 ] && shift
		for path in "$@"; do
			find "$path" -type f -print0 | LC_ALL=C sort -z |
				xargs -0 -r sha256sum
		done
	} | sha256sum | cut -c1-20
}

# While something long runs: every 20 s how long, and what it does.
heartbeat()
{
	seconds=0
	while sleep 20; do
		seconds=$((seconds + 20))
		say "  $((seconds / 60)) min $((seconds % 60)) s: $(tail -n 1 "$1" | cut -c1-60)"
	done
}

# Runs a command with its output in a log; when it fails the log's end is shown.
# logged NAME LOG COMMAND...
logged()
{
	what=$1 log=$2
	shift 2
	mkdir -p "${log%/*}"
	: >"$log"
	heartbeat "$log" &
	beat=$!
	"$@" >"$log" 2>&1 </dev/null
	result=$?
	kill $beat
	wait $beat 2>/dev/null
	[ $result = 0 ] && return 0
	say "$what failed; the end of $log:"
	tail -n 30 "$log" | sed 's/^/  | /' >&2
	return 1
}

# Puts a finished folder in its place in the cache. Two that build the same thing
# at once both get there: the second finds the first one's. Readers only ever
# see finished folders.
publish()
{
	mkdir -p "${2%/*}"
	mv -T "$1" "$2" 2>/dev/null && return 0
	[ -d "$2" ] || die "$2: cannot be made, check the rights and the space there"
	rm -rf "$1"
}

# Only root may do some things (install packages, make a root image).
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "$1 needs root: run this as root or install sudo"
	fi
}

# A program of this machine, and the shared libraries that it names, into a tree
# where its loader finds them: stage_program TREE NAME
stage_program()
{
	local tree=$1 path library
	path=$(command -v "$2") || die "--program $2: no such program on this machine"
	install -D -m 755 "$path" "$tree/usr/local/bin/${2##*/}"
	ldd "$path" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
		[ -e "$tree$library" ] || install -D -m 755 "$library" "$tree$library"
	done
}
