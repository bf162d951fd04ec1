# SPDX-License-Identifier: GPL-2.0
# In the guest: busy on each processor, with a beat there each half second that
# tells the time; or it rests (rest=); or fails in the way that the word act=
# names, and tells whether it's over it.
word()
{
	tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p"
}

mount -t debugfs debugfs /sys/kernel/debug
echo /bin/told >/proc/sys/kernel/poweroff_cmd
printf '#!/bin/sh\necho "guest: told to power off" >/dev/console\nsync\npoweroff -f\n' >/bin/told
chmod 755 /bin/told

act=$(word act)
if [ -n "$act" ]; then
	echo "guest: $act"
	usleep 300000 # for the console
	echo "$act" >/sys/kernel/debug/colinux/action
	usleep 300000
	echo "guest: over it"
	exit 0
fi

if [ -n "$(word rest)" ]; then
	echo "guest: rests"
	sleep "$(word rest)"
	exit 0
fi

# A process that computes and one that makes others.
on=0
while [ $on -lt "$(nproc)" ]; do
	taskset -c $on sh -c 'while :; do :; done' &
	taskset -c $on sh -c 'while :; do
		echo "beat $(cut -d" " -f1 /proc/uptime) $(date +%s) $0"
		usleep 500000
	done' $on &
	on=$((on + 1))
done
wait
