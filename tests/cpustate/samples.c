// SPDX-License-Identifier: GPL-2.0
/*
 * samples SECONDS [PROCESS]: perf's software clock on all processors for so long;
 * prints "samples N of PROCESS M lost L", where M are those that hit the process.
 */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE	 4096
#define DATA	 (64 * PAGE)
#define CPUS_MAX 64

struct sample {
	struct perf_event_header header;
	uint64_t ip;
	uint32_t pid, tid;
};

struct lost {
	struct perf_event_header header;
	uint64_t id, lost;
};

static unsigned long all, hits, lost;
static uint32_t process;

static struct perf_event_mmap_page *open_ring(int cpu)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr), .type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK, .freq = 1,
		.sample_freq = 250,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0);
	void *ring;

	if (fd < 0) {
		perror("samples: perf_event_open");
		exit(1);
	}
	ring = mmap(NULL, PAGE + DATA, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED) {
		perror("samples: mmap");
		exit(1);
	}
	return ring;
}

static void count(const char *record)
{
	struct perf_event_header header;
	struct sample sample;
	struct lost gone;

	memcpy(&header, record, sizeof(header));
	if (header.type == PERF_RECORD_SAMPLE) {
		memcpy(&sample, record, sizeof(sample));
		all++;
		hits += sample.pid == process;
	} else if (header.type == PERF_RECORD_LOST) {
		memcpy(&gone, record, sizeof(gone));
		lost += gone.lost;
	}
}

static void drain(struct perf_event_mmap_page *ring)
{
	const char *data = (const char *)ring + PAGE;
	uint64_t head = __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE);
	uint64_t at = ring->data_tail;
	char record[64];
	struct perf_event_header header;
	size_t i;

	while (at < head) {
		for (i = 0; i < sizeof(record); i++)
			record[i] = data[(at + i) % DATA];
		memcpy(&header, record, sizeof(header));
		count(record);
		at += header.size;
	}
	__atomic_store_n(&ring->data_tail, at, __ATOMIC_RELEASE);
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	struct perf_event_mmap_page *rings[CPUS_MAX];
	struct timespec nap = { 0, 100000000 };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), cpu;

	process = argc > 2 ? (uint32_t)atoi(argv[2]) : 0;
	if (cpus > CPUS_MAX)
		cpus = CPUS_MAX;
	for (cpu = 0; cpu < cpus; cpu++)
		rings[cpu] = open_ring((int)cpu);
	while (time(NULL) < end) {
		nanosleep(&nap, NULL);
		for (cpu = 0; cpu < cpus; cpu++)
			drain(rings[cpu]);
	}
	printf("samples %lu of process %lu lost %lu\n", all, hits, lost);
	return 0;
}
