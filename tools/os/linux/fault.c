// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that has a device use memory which it has given back: the access faults.
 * That guest is broken or lies, and ends with a verdict; the daemon, its log and
 * whoever is attached live on. The thread goes on with a page of zeroes in the
 * place of what isn't there.
 */
#include "../fault.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096ul

/* One VM per process. Read in the handler, written while no device runs. */
static const struct guest_memory *memory;
static struct driver *vm_driver;

static bool is_guests(const uint8_t *at)
{
	return memory && at >= memory->base &&
	       at < memory->base + (memory->highest - memory->lowest);
}

/* System calls only: this is a signal handler. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	struct co_req_vm_stop stop = {
		.verdict = CO_VERDICT_KILLED,
		.text = "a device was to use memory that the guest gave back",
	};
	uint8_t *page = (uint8_t *)((uintptr_t)info->si_addr & ~(PAGE - 1));

	(void)context;
	if (info->si_code > 0 && is_guests(page) &&
	    mmap(page, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page) {
		driver_request(vm_driver, CO_REQ_VM_STOP, &stop, sizeof(stop));
		return;
	}
	signal(number, SIG_DFL);
	raise(number);
}

void fault_guard(const struct guest_memory *mem, struct driver *driver)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO };

	vm_driver = driver;
	memory = mem;
	action.sa_sigaction = on_fault;
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}
