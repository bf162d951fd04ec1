# SPDX-License-Identifier: GPL-2.0
# In the guest: what the word do= says, for as many seconds as for= says.
word()
{
	sed -n "s/.*\<$1=\([a-z0-9]*\).*/\1/p" /proc/cmdline
}
echo "guest is up"
case $(word do) in
log) /clocks log "$(word each)" "$(word for)" ;;
idle) sleep "$(word for)" ;;
own)
	# As a program that disciplines the clock here: the kernel stands back.
	/clocks rate 50
	/clocks log 500 "$(word for)"
	/clocks ntp
	;;
cyclic) cyclictest -q -m -p 80 -t 1 -i 1000 -D "$(word for)" -h 10000 | grep '^#' ;;
esac
[ ! -e /sys/class/ptp/ptp0/clock_name ] || echo "ptp $(cat /sys/class/ptp/ptp0/clock_name)"
dmesg | grep -i 'colinux.*clock' | sed 's/^/said /'
