# SPDX-License-Identifier: GPL-2.0
# In the lab host: nothing more in the short group.
