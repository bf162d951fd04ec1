// SPDX-License-Identifier: GPL-2.0
/*
 * Compiled to assembler only: the build turns each "->" line into a #define of
 * offsets.h, which switch.S includes. No offset is written by hand.
 */
#include "../../abi/guest.h"

#define CO_OFFSET(symbol, type, member)                         \
	__asm__ volatile("\n.ascii \"->" #symbol " %c0\"\n"     \
			 : : "i"(__builtin_offsetof(type, member)));

void co_offsets(void);
void co_offsets(void)
{
#include "../../abi/passage_offsets.h"
}
