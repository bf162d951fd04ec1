# SPDX-License-Identifier: GPL-2.0
#
# For groups that run in the lab; sourced by bash with `root` set. The script in
# the lab prints TAP lines without numbers (tests/lib/check.sh), they get theirs
# here; that the lab host itself ends well is a test of its own each time.
. "$root/lab/lib.sh"
export COLINUX_BUILD=$build COLINUX_CACHE=$cache
group=$(basename "$(dirname "$0")")
out=$build/$group
mkdir -p "$out"
tap_count=0 tap_failed=0

tap() # ok|"not ok" NAME
{
	tap_count=$((tap_count + 1))
	[ "$1" = ok ] || tap_failed=$((tap_failed + 1))
	echo "$1 $tap_count - $2"
}

tap_end()
{
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}

# Runs one lab and its results: lab_part NAME LAB-OPTION... -- SCRIPT [ARGUMENT]...
lab_part()
{
	local name=$1 line status before=$tap_count
	shift
	"$root/lab/lab" --name "$group-$name" --add "$root/tests/lib/check.sh:/check.sh" "$@" \
		>"$out/$name.tap" 2>"$out/$name.err"
	status=$?
	while IFS= read -r line; do
		case $line in
		"ok - "*) tap ok "${line#ok - }" ;;
		"not ok - "*) tap "not ok" "${line#not ok - }" ;;
		*) echo "# ${line#\# }" ;;
		esac
	done <"$out/$name.tap"
	[ $tap_count != "$before" ] || tap "not ok" "$name: its script told no result"
	if [ $status = 0 ]; then
		tap ok "the lab host is well after: $name"
	else
		tap "not ok" "the lab host is well after: $name"
		sed 's/^/# /' "$out/$name.err"
	fi
}

# A guest initramfs for the group: guest_initramfs NAME SCRIPT [SRC:/DST]...
guest_initramfs()
{
	local name=$1
	shift
	"$root/lab/guest-initramfs" "$out/$name.cpio.gz" "$@" || exit 1
	echo "$out/$name.cpio.gz"
}

guest_kernel()
{
	[ -n "${COLINUX_GUEST:-}" ] || COLINUX_GUEST=$("$root/lab/part" guest) || exit 1
	echo "$COLINUX_GUEST"
}

# build_static NAME SOURCE...: a static test program in $out
build_static()
{
	local name=$1
	shift
	logged "$name" "$out/$name.log" cc -O2 -Wall -Wextra -Werror -static -o "$out/$name" "$@" -pthread ||
		exit 1
}
