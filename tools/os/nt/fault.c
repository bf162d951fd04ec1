// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that has a device use memory which it has given back: the driver has taken
 * it out of this process, and the access faults. That guest ends with a verdict; the
 * thread goes on with zeroes in the place of what isn't there. Windows reserves
 * 64 KiB at least, of which only one page is made: the rest faults in its turn.
 */
#include "../fault.h"

#include <windows.h>

#define GRANULE 0x10000ull
#define PAGE	0x1000ull

/* One VM per process. Read in the handler, written while no device runs. */
static const struct guest_memory *memory;
static struct driver *vm_driver;

static bool is_guests(uintptr_t at)
{
	uintptr_t base = memory ? (uintptr_t)memory->base : 0;

	return memory && at >= base &&
	       at < base + (memory->highest - memory->lowest);
}

static bool put_zeroes(uintptr_t at)
{
	uintptr_t page = at & ~(uintptr_t)(PAGE - 1);

	/* Reserved already if a page beside it was asked for before. */
	VirtualAlloc((void *)(at & ~(uintptr_t)(GRANULE - 1)), GRANULE,
		     MEM_RESERVE, PAGE_READWRITE);
	return VirtualAlloc((void *)page, PAGE, MEM_COMMIT, PAGE_READWRITE);
}

static LONG CALLBACK on_fault(EXCEPTION_POINTERS *e)
{
	const EXCEPTION_RECORD *r = e->ExceptionRecord;
	struct co_req_vm_stop stop = {
		.verdict = CO_VERDICT_KILLED,
		.text = "a device was to use memory that the guest gave back",
	};

	/* The second word is the address (EXCEPTION_RECORD's documentation). */
	if (r->ExceptionCode != EXCEPTION_ACCESS_VIOLATION ||
	    r->NumberParameters < 2 || !is_guests(r->ExceptionInformation[1]) ||
	    !put_zeroes(r->ExceptionInformation[1]))
		return EXCEPTION_CONTINUE_SEARCH;
	driver_request(vm_driver, CO_REQ_VM_STOP, &stop, sizeof(stop));
	return EXCEPTION_CONTINUE_EXECUTION;
}

void fault_guard(const struct guest_memory *mem, struct driver *driver)
{
	static PVOID handler;

	vm_driver = driver;
	memory = mem;
	if (!handler)
		handler = AddVectoredExceptionHandler(1, on_fault);
}
