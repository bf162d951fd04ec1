# SPDX-License-Identifier: GPL-2.0
#
# TAP for groups written in shell. Sourced with `root` set to the top of the
# tree; makes `work`, a folder that is removed at the end. A group ends with
# `finish_tests`.
. "$root/lab/lib.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
tests=0
bad_tests=0

# The result of the last command, under a name; a failure shows the given files.
# result STATUS NAME [FILE]...
result()
{
	local status=$1 name=$2 file
	shift 2
	tests=$((tests + 1))
	if [ "$status" = 0 ]; then
		echo "ok $tests - $name"
		return 0
	fi
	bad_tests=$((bad_tests + 1))
	echo "not ok $tests - $name"
	for file in "$@"; do
		[ -s "$file" ] && tail -n 40 "$file" | tr -d '\r' | sed 's/^/# /'
	done
	return 0
}

finish_tests()
{
	echo "1..$tests"
	[ $bad_tests = 0 ]
	exit
}
