# SPDX-License-Identifier: GPL-2.0
# In the lab host: lab.sh SECONDS VCPUS...: one guest after the other, each stressor
# for so many seconds.
. /check.sh
. /follow.sh
insmod /lib/colinux.ko || exit 1
seconds=$1
shift
for vcpus in "$@"; do
	follow "$vcpus" 768 "seconds=$seconds"
	check "$vcpus vCPUs on $(nproc) processors: the guest ends by itself" $? "$(tail -n 20 /tmp/console; cat /tmp/covm)"
	tr -d '\r' </tmp/console | sed -n 's/.*smp: //p' >/tmp/said
	grep '^#' /tmp/said
	grep -qx "online 0-$((vcpus - 1))" /tmp/said
	check "$vcpus vCPUs: all are online" $? "$(cat /tmp/said)"
	[ "$(grep -c '^passed' /tmp/said)" = 11 ] && ! grep -q '^failed' /tmp/said
	check "$vcpus vCPUs: each stressor passes" $? "$(cat /tmp/said)"
	! grep -E 'rcu.*stall|soft lockup|hung task|WARNING|BUG:|Oops|blocked for more' /tmp/console
	check "$vcpus vCPUs: no complaint in the guest's log" $? "$(grep -E -A5 'stall|lockup|WARNING|BUG' /tmp/console)"
	echo "# $(tail -n 1 /tmp/covm)"
done
exit 0
