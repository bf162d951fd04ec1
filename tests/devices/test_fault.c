/* SPDX-License-Identifier: GPL-2.0 */
/* A device that touches memory which the guest gave back (tools/os/linux/fault.c). */
#define _GNU_SOURCE
#include "../../tools/os/fault.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGE   4096
#define LOWEST (1ull << 30)

static struct co_req_vm_stop stopped;
static int stops;

/* Stands for the daemon's way to the driver. */
int driver_request(struct driver *drv, unsigned int nr, void *arg, size_t size)
{
	assert_int_equal(nr, CO_REQ_VM_STOP);
	assert_int_equal(size, sizeof(stopped));
	(void)drv;
	memcpy(&stopped, arg, sizeof(stopped));
	stops++;
	return 0;
}

/* Two pages, of which the second one is gone. */
static struct guest_memory half_gone(void)
{
	int fd = memfd_create("guest", 0);
	struct guest_memory mem = { .lowest = LOWEST, .highest = LOWEST + 2 * PAGE };

	assert_true(fd >= 0 && !ftruncate(fd, 2 * PAGE));
	mem.base = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(mem.base != MAP_FAILED);
	mem.base[0] = 1;
	mem.base[PAGE] = 2;
	assert_int_equal(ftruncate(fd, PAGE), 0);
	close(fd);
	return mem;
}

static void test_vm_ends(void **state)
{
	struct guest_memory mem = half_gone();
	volatile uint8_t *gone = mem.base + PAGE;

	(void)state;
	fault_guard(&mem, NULL);
	assert_int_equal(*gone, 0);
	*gone = 3;
	assert_int_equal(*gone, 3);
	assert_int_equal(mem.base[0], 1);
	fault_guard(NULL, NULL);
	assert_int_equal(stops, 1);
	assert_int_equal(stopped.verdict, CO_VERDICT_KILLED);
	assert_string_equal(stopped.text, "a device was to use memory that the guest gave back");
	munmap(mem.base, 2 * PAGE);
}

/* What isn't the guest's is a fault of ours, and ends as one. */
static void test_others_memory(void **state)
{
	struct guest_memory guest = half_gone(), ours = half_gone();
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (!pid) {
		fault_guard(&guest, NULL);
		_exit(*(volatile uint8_t *)(ours.base + PAGE));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	munmap(guest.base, 2 * PAGE);
	munmap(ours.base, 2 * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vm_ends),
		cmocka_unit_test(test_others_memory),
	};

	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
