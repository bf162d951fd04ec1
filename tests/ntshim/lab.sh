# SPDX-License-Identifier: GPL-2.0
# In the lab host: the shim with the driver of its own test.
. /check.sh

shim()
{
	insmod /lib/ntshim.ko driver=/lib/selftest.sys node=selftest "$@"
}

complaints()
{
	sed -n 's/^complaints //p' /dev/ntshim
}

# What the log says since the last time.
log_new()
{
	dmesg | tail -n +$((seen + 1))
}
log_mark()
{
	seen=$(dmesg | wc -l)
}

log_mark
! insmod /lib/ntshim.ko driver=/lib/missing.sys 2>/tmp/err
check "a driver whose imports are missing isn't loaded" $?
log_new | grep -q 'no IoReportResourceForDetection in' && log_new | grep -q 'no KeBugCheck in'
check "and each is named" $? "$(log_new)"

shim
check "the test's driver is loaded" $? "$(log_new)"
/drive all
[ "$(complaints)" = 0 ]
check "no rule was broken" $? "$(log_new | grep complain)"
/drive sweep
[ "$(complaints)" = 0 ]
check "nor with failures" $? "$(log_new | tail -n 30)"

# NMIs: one is sent when the last one has come.
nmis()
{
	sed -n 's/^nmis //p' /dev/ntshim
}
sent=0
while [ $sent -lt 20 ]; do
	before=$(nmis)
	echo nmi >/dev/virtio-ports/lab.monitor
	sent=$((sent + 1))
	n=0
	while [ "$(nmis)" = "$before" ] && [ $n -lt 200 ]; do
		usleep 10000
		n=$((n + 1))
	done
done
[ "$(nmis)" -ge 20 ]
check "20 NMIs come to the driver's callback" $? "$(nmis)"

# Mistakes: the shim's word for each.
mistake()
{
	log_mark
	before=$(complaints)
	/drive ask "$1" >/dev/null
	[ "$(complaints)" -gt "$before" ] && log_new | grep -q "ntshim: colinux.sys+0x.*$2"
	check "the shim notices: $3" $? "$(log_new)"
}
mistake 64 'a wait() at IRQL 2' "a wait at DISPATCH_LEVEL"
mistake 65 'paged pool() at IRQL 2' "paged pool there"
mistake 66 'ends at IRQL 2 instead of 0' "a request that leaves the IRQL raised"
mistake 67 "gives back a pool that it doesn't have" "memory that is freed twice"
mistake 68 'has written behind them' "a byte behind the end"
mistake 70 'ends with interrupts off' "interrupts that stay off"
/drive ask 69 >/dev/null
/drive ask 71 >/dev/null
log_mark
rmmod ntshim
check "the driver is unloaded" $?
log_new | grep -q 'colinux.sys+0x[0-9a-f]*: leaked: pool of 40 bytes'
check "what it has left is named, with the place" $? "$(log_new)"
log_new | grep -q 'a thread runs, and its driver is gone'
check "so is a thread of its that still runs" $? "$(log_new)"

# Each allocation of DriverEntry's fails once.
n=1
log_mark
while ! shim fail=nth,$n 2>/tmp/err && [ $n -lt 100 ]; do
	n=$((n + 1))
done
echo "# DriverEntry has $((n - 1)) allocations"
[ $n -gt 5 ] && [ $n -lt 100 ] && ! log_new | grep 'WARNING: ntshim'
check "a DriverEntry that fails leaves nothing" $? "$(log_new)"
rmmod ntshim

# An old Windows, and one with a name less.
shim nt=0x601 && [ "$(/drive ask 8)" = 0 ] && [ "$(/drive has ExSetTimer)" = 0 ] &&
	[ "$(/drive has KeSetEvent)" = 1 ]
check "as Windows 7 it has no timers of Windows 8.1" $?
rmmod ntshim
shim hide=KeSetEvent,ExAllocateTimer && [ "$(/drive has KeSetEvent)" = 0 ] &&
	[ "$(/drive has KeClearEvent)" = 1 ]
check "names can be hidden" $?
rmmod ntshim
log_mark
shim nt=0x502 2>/tmp/err
log_new | grep -q 'no KeQueryActiveProcessorCountEx in the Windows 5.2'
check "what is too new for a Windows can't be imported there" $? "$(log_new)"
exit 0
