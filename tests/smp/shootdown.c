// SPDX-License-Identifier: GPL-2.0
/*
 * shootdown SECONDS: does a remote TLB flush reach every processor, those of the
 * vCPUs that are out included? One thread puts a new page, with a higher number
 * in it, at the same address again and again, and then publishes the number. All
 * others look what is published, then at the page: an older number there came
 * through a stale translation. Status 0 if nobody ever saw one.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define PAGES_MIN   10
#define READERS_MAX 128

static volatile unsigned long *page;
static atomic_ulong published;
static atomic_bool finished;
static atomic_ulong looks, stale;

static void pause_us(long us)
{
	struct timespec t = { .tv_nsec = us * 1000 };

	nanosleep(&t, NULL);
}

/* Every other reader sleeps now and then: its processor is idle, with the old
 * translation still loaded. */
static void *reader(void *arg)
{
	unsigned long n, at_least, seen, mine = 0;

	for (n = 0; !atomic_load(&finished); n++) {
		at_least = atomic_load(&published);
		seen = *page;
		mine++;
		if (seen < at_least)
			atomic_fetch_add(&stale, 1);
		if (arg && n % 16 == 0)
			pause_us(200);
	}
	atomic_fetch_add(&looks, mine);
	return NULL;
}

static void map_page(unsigned long number)
{
	unsigned long *fresh = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fresh == MAP_FAILED)
		exit(2);
	*fresh = number;
	if (!page) {
		page = fresh;
		return;
	}
	if (mremap(fresh, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   (void *)page) == MAP_FAILED)
		exit(2);
}

int main(int argc, char **argv)
{
	long readers = sysconf(_SC_NPROCESSORS_ONLN) - 1, i;
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	pthread_t thread[READERS_MAX];
	unsigned long number = 1;

	/* One processor is the writer's. */
	readers = readers > READERS_MAX ? READERS_MAX : readers;
	map_page(number);
	for (i = 0; i < readers; i++)
		if (pthread_create(&thread[i], NULL, reader, (void *)(i % 2)))
			return 2;
	/* A busy machine may need longer for a number that tells something. */
	while (time(NULL) < end || number < PAGES_MIN) {
		map_page(++number);
		atomic_store(&published, number);
		if (number % 8 == 0)
			pause_us(500);
	}
	atomic_store(&finished, true);
	for (i = 0; i < readers; i++)
		pthread_join(thread[i], NULL);
	printf("%lu pages, %lu looks, %lu stale\n", number, atomic_load(&looks),
	       atomic_load(&stale));
	return atomic_load(&stale) != 0;
}
