# SPDX-License-Identifier: GPL-2.0
# In the lab host, sourced: a guest whose news are told as they come, since a lab that
# says nothing for long is taken for dead.

# follow VCPUS MIB WORDS: its console in /tmp/console, covm's words in /tmp/covm.
follow()
{
	local covm told=0 news
	/covm -c "$1" /guest/vmlinux "$2" "$3" /guest/initrd >/tmp/console 2>/tmp/covm &
	covm=$!
	while kill -0 $covm 2>/dev/null; do
		sleep 1
		news=$(grep -c 'smp: ' /tmp/console)
		[ "$news" = "$told" ] ||
			echo "# $1 vCPUs: $(tr -d '\r' </tmp/console | sed -n 's/.*smp: #* *//p' | tail -n 1)"
		told=$news
	done
	wait $covm
}
