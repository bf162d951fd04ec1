/* SPDX-License-Identifier: GPL-2.0 */
#define _GNU_SOURCE
#include "rig_os.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul

uint8_t *rig_memory_map(uint64_t size, uint64_t hole, uint64_t hole_size)
{
	uint8_t *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED || mprotect(base + hole, hole_size, PROT_NONE))
		return NULL;
	return base;
}

void rig_memory_unmap(uint8_t *base, uint64_t size)
{
	munmap(base, size);
}

bool rig_bell_rang(int bell)
{
	struct pollfd p = { bell, POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

bool rig_folder_make(char path[RIG_PATH])
{
	strcpy(path, "/tmp/colinux-rig-XXXXXX");
	return mkdtemp(path);
}

bool rig_folder_remove(const char *path)
{
	char line[RIG_PATH + 16];

	snprintf(line, sizeof(line), "rm -rf '%s'", path);
	return !system(line);
}

/* ---- a page that goes ---------------------------------------------------------- */

static volatile sig_atomic_t faults;
static struct sigaction before;

static void on_fault(int number, siginfo_t *info, void *context)
{
	void *page = (void *)((uintptr_t)info->si_addr & ~(PAGE - 1));

	(void)number;
	(void)context;
	faults++;
	mmap(page, PAGE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* Of an empty file, so that it's SIGBUS as with the driver. */
bool rig_page_lose(void *page)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO };
	int fd = memfd_create("gone", MFD_CLOEXEC);
	void *p = mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);

	close(fd);
	faults = 0;
	action.sa_sigaction = on_fault;
	return p != MAP_FAILED && !sigaction(SIGBUS, &action, &before);
}

unsigned int rig_page_faults(void)
{
	sigaction(SIGBUS, &before, NULL);
	return (unsigned int)faults;
}
