# SPDX-License-Identifier: GPL-2.0
# In the lab host: kill -9 of the daemon during synced writes, $1 times.
. /records.sh
setup || exit 1

# random MAX
random()
{
	echo $(($(od -An -N4 -tu4 /dev/urandom) % $1))
}

# Waits until both disks have new acknowledged records.
wait_acked()
{
	for i in $(seq 1200); do
		[ -n "$(last_acked file /tmp/console)" ] && [ -n "$(last_acked device /tmp/console)" ] && return
		kill -0 "$1" 2>/dev/null || return 1
		usleep 100000
	done
	return 1
}

# One start, one death. Every fourth death comes at any moment after the start,
# so also while the journal of the last one is replayed.
round()
{
	(records append "$file" "$device") >/tmp/console 2>/tmp/daemon &
	pid=$!
	results=4
	if [ $(($1 % 4)) = 3 ]; then
		usleep $(($(random 8000) * 1000))
		results=0
	else
		wait_acked $pid || echo "not ok - round $1: the guest writes"
		usleep $(($(random 1500) * 1000))
	fi
	kill -9 $pid
	wait $pid
	results /tmp/console >/tmp/results
	! grep -q '^not ok' /tmp/results && [ "$(grep -c '^ok' /tmp/results)" -ge $results ]
	check "round $1: all is there after $file and $device acknowledged records" $? \
		"$(cat /tmp/console /tmp/daemon)"
	acked=$(last_acked file /tmp/console)
	file=${acked:-$file}
	acked=$(last_acked device /tmp/console)
	device=${acked:-$device}
}

file=0 device=0
for n in $(seq "$1"); do
	round "$n"
done
(records check "$file" "$device") >/tmp/console 2>/tmp/daemon
check "the last guest ends well" $? "$(tail -n 3 /tmp/daemon)"
results /tmp/console
echo "# $file and $device records"
[ "$file" -gt 20 ] && [ "$device" -gt 20 ]
check "enough was written to mean something" $?
umount /mnt
exit 0
