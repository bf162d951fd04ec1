# SPDX-License-Identifier: GPL-2.0
# In the guest: two workers, as on the host at the same time.
vectors 8 11 &
first=$!
vectors 8 12
second=$?
wait $first
first=$?
cat /proc/version
[ $first = 0 ] && [ $second = 0 ] && echo "guest vectors kept"
