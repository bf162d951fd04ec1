# SPDX-License-Identifier: GPL-2.0
# In the guest: whatever comes on a line goes back; a shell at the second console.
peer echo file:/dev/hvc2 2>/tmp/echo.0 &
peer echo file:/dev/hvc3 2>/tmp/echo.1 &
peer echo file:/dev/virtio-ports/ttyS2 2>/tmp/echo.2 &
peer echo vsock-listen:22 2>/tmp/echo.22 &
sh </dev/hvc1 >/dev/hvc1 2>&1 &
exec /usr/sbin/colinux-agent
