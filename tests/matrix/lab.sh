# SPDX-License-Identifier: GPL-2.0
# In the lab host: two workers here and two in the guest at once.
. /check.sh
insmod /lib/colinux.ko || exit 1
(while vectors 2 $$ >/dev/null; do :; done; touch /tmp/lost) &
one=$!
(while vectors 2 99 >/dev/null; do :; done; touch /tmp/lost) &
two=$!
guest matrix mem=96
status=$?
kill $one $two
[ $status = 0 ] && grep -q 'Linux version' /tmp/console
check "$1: boots" $? "status $status: $(tail -n 5 /tmp/daemon /tmp/console)"
grep -q 'guest vectors kept' /tmp/console && [ ! -e /tmp/lost ]
check "$1: vector registers are kept on both sides" $? "$(tail -n 5 /tmp/console)"
exit 0
