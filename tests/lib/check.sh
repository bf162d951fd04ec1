# SPDX-License-Identifier: GPL-2.0
# In the lab host: results as TAP lines; their numbers come outside.

# check NAME STATUS [REASON]: passed if STATUS is 0
check()
{
	if [ "$2" = 0 ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		echo "$3" | tail -n 15 | sed 's/^/# /'
	fi
}

# The lab counts a long silence as death: from here until `kill $alive` the host says
# that it's there.
awake()
{
	while sleep 30; do
		echo "lab: alive" >/dev/kmsg
	done &
	alive=$!
}

# The number behind a word: value WORD FILE
value()
{
	tr ' ' '\n' <"$2" | grep -A1 -x "$1" | tail -n 1
}

# Memory that the host has free once its caches are dropped, in kB. Each processor
# keeps freed pages for its next need, up to some 25 MB here; MemFree lacks those.
free_kb()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '$1 == "MemFree:" { kb += $2 } $1 == "count:" { kb += 4 * $2 } END { print kb }' \
		/proc/meminfo /proc/zoneinfo
}

# in_guest COMMAND: by a shell of guest $vm; what it says is in /tmp/said
in_guest()
{
	colinux exec --wait 300 "$vm" -c "$1" >/tmp/said 2>&1
}

# works NAME COMMAND: one of the guest; $about stands before the name
works()
{
	in_guest "$2"
	check "${about:-}$1" $? "$(cat /tmp/said)"
}

# said NAME TEXT COMMAND: it says exactly this
said()
{
	in_guest "$3" && [ "$(cat /tmp/said)" = "$2" ]
	check "${about:-}$1" $? "$(cat /tmp/said)"
}

# Runs a guest from an initramfs until it ends; its console in /tmp/console.
# guest NAME [WORD]...
guest()
{
	vm=$1
	shift
	rm -f /tmp/console
	colinux-daemon name="$vm" kernel=/guest/vmlinux initrd=/guest/initrd \
		log=/tmp/console "$@" >/tmp/daemon 2>&1 </dev/null
}
