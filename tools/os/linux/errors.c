// SPDX-License-Identifier: GPL-2.0
#include "../errors.h"

int errno_to_linux(int host)
{
	return host;
}

int errno_from_linux(int number)
{
	return number;
}
