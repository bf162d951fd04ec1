# SPDX-License-Identifier: GPL-2.0
# In the lab host: boots the image on the first disk once; $1 = seconds to wait.
insmod /lib/colinux.ko || exit 1
colinux-daemon name=boot kernel=/guest/vmlinux cobd0=/dev/vda root=/dev/cobd0 mem=1024 \
	log=/out/console >/out/daemon 2>&1 </dev/null &
waited=0
until grep -q 'boot: login prompt' /out/console 2>/dev/null || [ $waited -ge "$1" ]; do
	sleep 1
	waited=$((waited + 1))
done
colinux stop --force boot
wait
exit 0
