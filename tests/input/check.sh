# SPDX-License-Identifier: GPL-2.0
# In the lab host: what a refusal must be.
. /check.sh

# A guest of one page that is gone at once: the shortest normal start.
normal()
{
	colinux-daemon name=normal kernel=/guest/trips mem=32 calls=10 >/tmp/normal 2>&1 </dev/null
}

# refused NAME REGEX... -- COMMAND...: status 1, one line that says it all, and
# where there is a driver the next start works.
refused()
{
	what=$1 missing=
	shift
	rm -f /tmp/wanted
	while [ "$1" != -- ]; do
		echo "$1" >>/tmp/wanted
		shift
	done
	shift
	"$@" >/tmp/said 2>/tmp/error </dev/null
	status=$?
	while read -r regex; do
		grep -qE -- "$regex" /tmp/error || missing="$missing '$regex'"
	done </tmp/wanted
	[ "$(wc -l </tmp/error)" = 1 ] || missing="$missing: more than one line, or none"
	[ $status = 1 ] && [ -z "$missing" ]
	check "$what" $? "status $status, lacks$missing: $(cat /tmp/error)"
	echo "#   $(cut -c1-230 /tmp/error)"
	[ ! -c /dev/colinux ] || [ -n "$blocked" ] || normal ||
		check "after '$what' a normal start works" 1 "$(cat /tmp/normal)"
}

# daemon WORD...: a small guest, were it not for the words
daemon()
{
	colinux-daemon name=bad kernel=/guest/trips mem=32 "$@"
}
