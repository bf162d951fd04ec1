// SPDX-License-Identifier: GPL-2.0
/*
 * calls=N: N empty round trips. forwards=N: spins in ring 0 with interrupts on
 * until N hardware interrupts were forwarded; with late=1 each only after the
 * host has had another turn. Both count what they see, and the
 * registers that a call must keep are checked on the way.
 */
#include "payload.h"

static void check_registers(co_u64 i)
{
	co_u64 result;

	__asm__ volatile("movq %1, %%r12; movq %1, %%r13; movq %1, %%r14\n\t"
			 "movq %1, %%rbx\n\t"
			 "movq %2, %%rdi; xorl %%esi, %%esi; xorl %%edx, %%edx\n\t"
			 "xorl %%ecx, %%ecx; xorl %%r8d, %%r8d\n\t"
			 "call call\n\t"
			 "cmpq %%r12, %%r13; jne 1f\n\t"
			 "cmpq %%r12, %%r14; jne 1f\n\t"
			 "cmpq %%r12, %%rbx; jne 1f\n\t"
			 "jmp 2f\n\t1: movl $1, %%eax\n\t2:"
			 : "=&a"(result)
			 : "r"(i), "i"((co_u64)CO_CALL_NOP)
			 : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
			   "r11", "r12", "r13", "r14", "memory", "cc");
	if (result)
		fail("call %llu: answer %llu or a register was lost", i, result);
}

void program(const char *words)
{
	co_u64 calls = word(words, "calls", 0), start;
	co_u64 forwards = word(words, "forwards", 0), i;

	late = word(words, "late", 0);
	irq_on();
	start = tsc();
	for (i = 0; i < calls; i++)
		check_registers(i);
	say("calls %llu ticks %llu forwarded %llu nmis %llu", calls,
	    tsc() - start, forwarded, nmis);
	/* A word now and then shows whoever waits that we live. */
	for (i = 10000; forwarded < forwards; i += 10000) {
		while (forwarded < forwards && forwarded < i)
			__asm__ volatile("pause");
		say("so far %llu", forwarded);
	}
	say("forwarded %llu nmis %llu", forwarded, nmis);
}
