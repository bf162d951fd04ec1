# SPDX-License-Identifier: GPL-2.0
# In the guest: computes for a while, then does nothing for a while.
echo "guest computes"
end=$(($(cut -d. -f1 /proc/uptime) + 10))
rounds=0
while [ "$(cut -d. -f1 /proc/uptime)" -lt $end ]; do
	i=0
	while [ $i -lt 2000 ]; do i=$((i + 1)); done
	rounds=$((rounds + 1))
done
echo "guest idles after $rounds rounds"
stamp
sleep 12
stamp
echo "guest is done"
