# SPDX-License-Identifier: GPL-2.0
# In the lab host: compare.sh ROUNDS FEW MANY: the same work in guests of FEW and of
# MANY vCPUs, alternating; by the host's clock, since a guest's own may be what fails.
. /check.sh
. /follow.sh
insmod /lib/colinux.ko || exit 1

# Adds the seconds that hackbench takes in a guest of $1 vCPUs to the file $2.
work()
{
	follow "$1" 512 "only=hackbench" || return 1
	tr -d '\r' </tmp/console | sed -n 's/.*smp: # hackbench .*: \([0-9.]*\) s.*/\1/p' >>"$2"
}

median()
{
	sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

round=0 failed=0
while [ $round -lt "$1" ]; do
	round=$((round + 1))
	work "$2" /tmp/few || failed=$((failed + 1))
	work "$3" /tmp/many || failed=$((failed + 1))
done
echo "# $2 vCPUs: $(tr '\n' ' ' </tmp/few)s"
echo "# $3 vCPUs: $(tr '\n' ' ' </tmp/many)s"
[ $failed = 0 ] && [ "$(cat /tmp/few /tmp/many | wc -l)" = $(($1 * 2)) ]
check "$3 and $2 vCPUs on $(nproc) processors: the work ends" $? "$(tail -n 20 /tmp/console; cat /tmp/covm)"
few=$(median /tmp/few) many=$(median /tmp/many)
echo "# $3 against $2 vCPUs: $(awk "BEGIN { printf \"%.2f\", $many / $few }") times as long"
awk "BEGIN { exit !($many <= 3 * $few) }"
check "$3 vCPUs take at most three times as long as $2" $? "$few s, $many s"
exit 0
