# SPDX-License-Identifier: GPL-2.0
# In the lab host: what the long group does more.
