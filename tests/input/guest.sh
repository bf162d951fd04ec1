# SPDX-License-Identifier: GPL-2.0
# In the guest: answers what is typed at its console, until "end".
stty -echo
echo "guest listens"
while read -r line; do
	[ "$line" != end ] || break
	echo "guest heard $line"
done
