# SPDX-License-Identifier: GPL-2.0
# In the lab host: the short group has nothing more.
disks=

more()
{
	:
}
