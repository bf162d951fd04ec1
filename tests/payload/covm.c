// SPDX-License-Identifier: GPL-2.0
/*
 * covm [-c VCPUS] KERNEL [MiB [WORDS [INITRD]]]: the least that runs a guest: no
 * devices, early console to stdout; verdict, counters and CR4 (of this processor,
 * of each vCPU when it last left) to stderr; status 0 for power-off.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../abi/driver.h"

static int device;

static int request(unsigned int nr, void *data, size_t size)
{
	return ioctl(device, _IOC(_IOC_READ | _IOC_WRITE, CO_IOC_MAGIC, nr, size),
		     data);
}

static void die(const char *what)
{
	fprintf(stderr, "covm: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void *map_file(const char *path, co_u64 *size)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	*size = (co_u64)st.st_size;
	p = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	return p;
}

static void load(const char *kernel, const char *words, const char *initrd)
{
	struct co_req_vm_load req = { 0 };

	req.kernel = (co_u64)(uintptr_t)map_file(kernel, &req.kernel_size);
	if (initrd)
		req.initrd = (co_u64)(uintptr_t)map_file(initrd,
							 &req.initrd_size);
	req.command_line = (co_u64)(uintptr_t)words;
	req.command_line_size = strlen(words);
	if (!request(CO_REQ_VM_LOAD, &req, sizeof(req)))
		return;
	fprintf(stderr, "covm: load: error %u detail %u: %s\n", req.error,
		req.detail, strerror(errno));
	exit(2);
}

/* Has the kernel protection keys on? */
static int has_pku(void)
{
	co_u32 a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && c >> 4 & 1;
}

/* A value of this thread's own, to have it back after each RUN. */
static co_u32 pkru_of(co_u32 vcpu)
{
	return (vcpu + 1) << 4; /* key 0, that of all memory, stays usable */
}

static void pkru_check(co_u32 vcpu)
{
	co_u32 value, high;

	__asm__ volatile("rdpkru" : "=a"(value), "=d"(high) : "c"(0));
	if (value == pkru_of(vcpu))
		return;
	fprintf(stderr, "covm: vCPU %u's thread has PKRU %#x, not its own %#x\n",
		vcpu, value, pkru_of(vcpu));
	exit(2);
}

static void *run(void *vcpu)
{
	struct co_req_vcpu_run req = { .vcpu = (co_u32)(uintptr_t)vcpu };
	int pku = has_pku();

	if (pku)
		__asm__ volatile("wrpkru" : : "a"(pkru_of(req.vcpu)), "c"(0),
				 "d"(0));
	for (;;) {
		if (request(CO_REQ_VCPU_RUN, &req, sizeof(req)))
			die("run");
		if (pku)
			pkru_check(req.vcpu);
		switch (req.exit) {
		case CO_EXIT_CONSOLE:
			fwrite(req.data, 1, req.size, stdout);
			fflush(stdout);
			break;
		case CO_EXIT_STOP:
			return NULL;
		case CO_EXIT_DEVICE_READ:
		case CO_EXIT_DEVICE_WRITE:
			req.result = CO_ERROR_DEVICE;
			break;
		}
	}
}

/* A thread per vCPU, this one's is number 0. */
static void run_all(co_u32 vcpus)
{
	pthread_t thread[CO_VCPUS_MAX];
	co_u32 i;

	for (i = 1; i < vcpus; i++)
		if (pthread_create(&thread[i], NULL, run, (void *)(uintptr_t)i))
			die("a vCPU's thread");
	run(NULL);
	for (i = 1; i < vcpus; i++)
		pthread_join(thread[i], NULL);
}

/* The vCPUs' areas, if they lie in this chunk: some page near its end begins with
 * the boot information's magic, and they are in one piece with it. */
static const struct co_vcpu_area *find_areas(const struct co_chunk *chunk)
{
	const char *memory = mmap(NULL, chunk->size, PROT_READ, MAP_SHARED, device,
				  (off_t)chunk->address);
	const struct co_boot_info *info;
	co_u64 at;

	if (memory == MAP_FAILED)
		die("a chunk of guest memory");
	for (at = chunk->size; at; at -= CO_PAGE_SIZE) {
		info = (const void *)(memory + at - CO_PAGE_SIZE);
		if (info->magic == CO_BOOT_MAGIC)
			return (const void *)(memory + info->areas -
					      chunk->address);
	}
	return NULL;
}

/* While all memory is there: a guest gives back what it doesn't need. */
static const struct co_vcpu_area *map_areas(co_u32 chunks)
{
	const struct co_vcpu_area *area = NULL;
	struct co_req_vm_chunk chunk = { 0 };

	for (; !area && chunk.index < chunks; chunk.index++) {
		if (request(CO_REQ_VM_CHUNK, &chunk, sizeof(chunk)))
			die("chunk");
		area = find_areas(&chunk.chunk);
	}
	if (!area)
		die("vCPU areas");
	return area;
}

static void report_cr4(const struct co_vcpu_area *area, co_u32 vcpus)
{
	struct co_req_check check = { 0 };
	co_u32 i;

	if (request(CO_REQ_CHECK, &check, sizeof(check)))
		die("check");
	fprintf(stderr, "cr4 %llx guest", check.cr4);
	for (i = 0; i < vcpus; i++)
		fprintf(stderr, " %llx", area[i].passage.save.cr4);
	fprintf(stderr, "\n");
}

static int report(void)
{
	struct co_req_vm_info info = { 0 };

	if (request(CO_REQ_VM_INFO, &info, sizeof(info)))
		die("info");
	fprintf(stderr,
		"verdict %u %s\nswitches %llu bursts %llu forwarded %llu "
		"nmis %llu nmis_passage %llu mces %llu idles %llu kicks %llu\n",
		info.verdict, (char *)info.text, info.switches, info.bursts,
		info.forwarded, info.nmis, info.nmis_passage, info.mces,
		info.idles, info.kicks);
	return info.verdict != CO_STOP_POWEROFF;
}

int main(int argc, char **argv)
{
	struct co_req_vm_create vm = { .driver_abi = CO_DRIVER_ABI_VERSION,
				       .vcpus = 1, .online = 1, .devices = 1,
				       .name = "covm" };
	const struct co_vcpu_area *areas;

	if (argc > 2 && !strcmp(argv[1], "-c")) {
		vm.vcpus = vm.online = (co_u32)atoi(argv[2]);
		argc -= 2;
		argv += 2;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: covm [-c VCPUS] KERNEL [MiB [WORDS [INITRD]]]\n");
		return 2;
	}
	device = open(CO_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (device < 0)
		die(CO_DEVICE_PATH);
	vm.memory = (co_u64)(argc > 2 ? atoi(argv[2]) : 32) << 20;
	vm.memory_max = vm.memory;
	if (request(CO_REQ_VM_CREATE, &vm, sizeof(vm)))
		die("create");
	load(argv[1], argc > 3 ? argv[3] : "", argc > 4 ? argv[4] : NULL);
	areas = map_areas(vm.chunks);
	run_all(vm.vcpus);
	report_cr4(areas, vm.vcpus);
	return report();
}
