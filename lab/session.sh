# SPDX-License-Identifier: GPL-2.0
#
# What ./run does inside the lab host: one VM with the Debian image on the lab's
# first disk. Arguments: what to run in it ('' = give the user its console), then
# configuration words.
command=$1
shift

insmod /lib/colinux.ko || exit 1

# What the daemon and the kernel had to say, for the user who has to find out.
explain()
{
	echo "the VM's end, as 'colinux info' tells it:" >&2
	colinux info debian >&2
	cp -r /run/colinux /out/ 2>/dev/null
}

colinux-daemon --background name=debian kernel=/guest/vmlinux \
	cobd0=/dev/vda root=/dev/cobd0 "$@" >&2 || exit 1
if [ -n "$command" ]; then
	colinux exec debian -- /bin/sh -c "$command"
	status=$?
else
	colinux attach debian
	status=$?
fi
colinux stop debian >&2 || explain
exit $status
