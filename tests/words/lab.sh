# SPDX-License-Identifier: GPL-2.0
# In the lab host: guests with the words of the files in /words.
. /check.sh
insmod /lib/colinux.ko || exit 1
tab=$(printf '\t')

# has NAME TEXT: the guest's log has that text
has()
{
	grep -qF "$2" /tmp/log
	check "$1" $? "$(tail -n 20 /tmp/log)"
}

# What the guest says about itself: said WORD
said()
{
	sed -n "s/.*says: $1 //p" /tmp/log
}

# hasnt NAME REGEX: but for what it says about its words
hasnt()
{
	! grep -v 'colinux: command line:' /tmp/log | grep -E "$2" >/tmp/found
	check "$1" $? "$(cat /tmp/found)"
}

for file in /words/*; do
	boot=${file##*/}
	echo "# boot $boot: $(wc -l <"$file") words"
	words=$(cut -f2 "$file" | tr '\n' ' ')
	# Straight from the driver: the daemon would take mem= and others for its own.
	/covm /guest/vmlinux 96 "first=1 $words root=/dev/cobd9p1 last=1" /guest/initrd \
		>/tmp/out 2>/tmp/end
	check "boot $boot: the guest comes up and powers off" $? "$(tail -n 20 /tmp/out /tmp/end)"
	tr -d '\r' </tmp/out >/tmp/log
	while IFS=$tab read -r action word why; do
		has "$action: $word" "colinux: command line: '$word' $action: $why"
	done <"$file"
	# Before them come the words that are built in.
	[ "$(said cmdline | sed 's/^sysctl[^ ]* //')" = "first=1 root=/dev/cobd9p1 last=1" ]
	check "boot $boot: none of them is in /proc/cmdline, the others are" $? "$(said cmdline)"
	has "boot $boot: a disk that the VM hasn't is named" \
		"colinux: command line: the VM has no disk 'cobd9'"

	[ "$(said memory)" -gt 60000 ] && [ "$(said memory)" -le 98304 ]
	check "boot $boot: its memory is what the host gave" $? "$(said memory)"
	hasnt "boot $boot: no memory map of the user's" 'user-defined physical RAM map|user: \[mem|early_memtest'
	[ "$(said clock)" = tsc ]
	check "boot $boot: its clock is the TSC" $? "$(said clock) of $(said clocks)"
	[ "$(said bogomips | cut -d. -f1)" -gt 100 ]
	check "boot $boot: its loops are measured by the TSC" $? "bogomips $(said bogomips)"
	! said consoles | grep -qE 'tty|uart|early'
	check "boot $boot: no console on a port" $? "$(said consoles)"
	hasnt "boot $boot: nothing on ports, no polling, no other idle, PAT as it is" \
		'bootconsole \[(uart|early)|polling idle|0x80.*delay|PAT support disabled via|kgdb:|hpet.*force|lapic.*enabl'
	hasnt "boot $boot: its kernel has no complaint" 'WARNING:|BUG:|Oops|Call Trace|[Mm]alformed'
done

# Translated words need disks, so this one is the daemon's.
truncate -s 1M /tmp/one
truncate -s 2M /tmp/two
# Another word's value isn't one, nor what init gets. (The daemon eats one "--".) Our
# own words are the kernel's, so they stand before it.
guest words mem=96 cobd0=/tmp/one cobd3=/tmp/two ro nfsroot=/dev/cobd3 root=/dev/cobd3p2 rootwait \
	-- -- root=/dev/cobd0
check "a guest with disks comes up and powers off" $? "$(cat /tmp/daemon)"
tr -d '\r' </tmp/console >/tmp/log
case " $(said cmdline) " in
*" ro nfsroot=/dev/cobd3 root=/dev/vdb2 rootwait console=hvc0 -- root=/dev/cobd0 "*) true ;;
*) false ;;
esac
check "translated: root=/dev/cobd3p2 is the second disk's second partition" $? "$(said cmdline)"
[ "$(said disk | tr '\n' ' ')" = "vda 2048 vdb 4096 " ]
check "and that disk is the one so named" $? "$(said disk)"
exit 0
