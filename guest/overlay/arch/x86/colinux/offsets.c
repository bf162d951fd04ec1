// SPDX-License-Identifier: GPL-2.0
/* The offsets of abi/passage_offsets.h, as kbuild makes a header of them. */
#define COMPILE_OFFSETS

#include <linux/kbuild.h>
#include "abi/guest.h"

#define CO_OFFSET(symbol, structure, member) \
	DEFINE(symbol, __builtin_offsetof(structure, member));

static void __used offsets(void)
{
#include "abi/passage_offsets.h"
}
