# SPDX-License-Identifier: GPL-2.0
#
# What ./run does inside the lab host: one VM with the Debian image on the lab's
# first disk. Arguments: what to run in it ('' = give the user its console), then
# configuration words.
command=$1
shift

insmod /lib/colinux.ko || exit 1

# What is known about a VM that doesn't do what it should.
explain()
{
	colinux info debian
	echo "the end of its console:"
	tail -n 30 /out/console | tr -d '\r' | sed 's/^/  | /'
} >&2

# A command may be silent for long; the host shows that it is alive.
show_life()
{
	while sleep 30; do
		echo "lab: alive" >/dev/kmsg
	done
}

pidfile=/run/debian.pid
colinux-daemon --background -p $pidfile name=debian kernel=/guest/vmlinux \
	cobd0=/dev/vda root=/dev/cobd0 log=/out/console "$@" >&2 || exit 1
if [ -z "$command" ]; then
	colinux attach debian
	status=$?
elif colinux exec --wait 240 debian -- /bin/true; then
	show_life &
	colinux exec debian -- /bin/sh -c "$command"
	status=$?
else
	explain
	status=1
fi

# A guest that powered itself off takes its daemon along, which needs a moment:
# its socket goes first, its pid file last.
leaving()
{
	n=0
	while [ -e $pidfile ] && [ $n -lt 20 ]; do
		sleep 1
		n=$((n + 1))
	done
	[ ! -e $pidfile ]
}

if [ -e $pidfile ] && ! colinux stop debian >/tmp/stop 2>&1 && ! leaving; then
	cat /tmp/stop >&2
	explain
	exit 1
fi
exit $status
