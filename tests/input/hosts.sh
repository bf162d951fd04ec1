# SPDX-License-Identifier: GPL-2.0
# In a lab host that can't run guests: $1 = tsc | cpu | lockdown
. /input.sh
blocked=yes

# doctor REGEX...: its report on this host has them all, and ends with 1
doctor()
{
	colinux doctor >/tmp/doctor
	good=$?
	for regex; do
		grep -qE "$regex" /tmp/doctor || good="$good, lacks '$regex'"
	done
	[ "$good" = 1 ]
	check "$kind: doctor tells what is missing and what to do" $? "status $good: $(cat /tmp/doctor)"
	sed 's/^/#   /' /tmp/doctor
}

kind=$1
mount -t securityfs security /sys/kernel/security
case $kind in
lockdown)
	! insmod /lib/colinux.ko 2>/tmp/error
	check "lockdown: the host's kernel refuses the module" $? "$(cat /tmp/error)"
	doctor '^blocker +lockdown +the host kernel is locked down' 'Secure Boot off .*lockdown='
	refused "lockdown: a start is refused" "module colinux isn't loaded" "colinux doctor" -- daemon
	;;
*)
	insmod /lib/colinux.ko || exit 1
	case $kind in
	tsc) doctor '^blocker +tsc +the TSC is unstable' 'invariant TSC' ;;
	cpu) doctor '^blocker +cpu +the processor lacks NX' 'choose another CPU model' ;;
	esac
	refused "$kind: a start is refused" "cannot start bad: this host can't run a guest" "colinux doctor" -- daemon
	;;
esac
exit 0
