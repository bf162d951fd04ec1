# SPDX-License-Identifier: GPL-2.0
# In the guest: fails in the way that the word fail= names.
fail=$(sed -n 's/.*fail=\([a-z-]*\).*/\1/p' /proc/cmdline)
mount -t debugfs debugfs /sys/kernel/debug
echo "guest: fails now: $fail"
# What a guest holds when it dies: dirty pages, a sleeper, a spinning process.
head -c 8000000 /dev/urandom >/tmp/data
sleep 60 &
while :; do :; done &
case $fail in
none) ;;
sysrq) echo c >/proc/sysrq-trigger ;;
*) echo "$fail" >/sys/kernel/debug/colinux/action ;;
esac
# Only "none" gets here, and a failure that didn't happen.
echo "guest: still there after $fail"
