// SPDX-License-Identifier: GPL-2.0
/* Kernel memory from the heap, guest memory from mmap at pretended machine
 * addresses. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sim.h"

#define RANGES_MAX 1024
#define CHUNKS_MAX 8192
#define PAGES_MAX  4096
#define PAGES_BASE 0x1000000000ULL /* machine address of the first host page */

struct range {
	co_u64 start, end;
};

struct chunk {
	co_u64 pa, size;
	char *va;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct range range[RANGES_MAX];
static size_t ranges;
static struct chunk chunk[CHUNKS_MAX];
static size_t chunks;
static void *page[PAGES_MAX];

/* ---- the host's own memory ---------------------------------------------------- */

void *host_alloc(co_size size)
{
	void *p;

	SIM_CONTEXT(SIM_SLEEP);
	if (sim_fails())
		return NULL;
	if (size >= CO_PAGE_SIZE)
		p = aligned_alloc(CO_PAGE_SIZE,
				  CO_ALIGN_UP(size, CO_PAGE_SIZE));
	else
		p = malloc(size);
	if (!p)
		sim_die("out of memory");
	memset(p, 0, size);
	sim_alive(1);
	return p;
}

void host_free(void *p)
{
	SIM_CONTEXT(SIM_SLEEP);
	if (p)
		sim_alive(-1);
	free(p);
}

void *host_page_alloc(co_u64 *pa)
{
	size_t i;

	SIM_CONTEXT(SIM_SLEEP);
	if (sim_fails())
		return NULL;
	pthread_mutex_lock(&mutex);
	for (i = 0; i < PAGES_MAX && page[i]; i++)
		;
	if (i == PAGES_MAX)
		sim_die("more than %d pages", PAGES_MAX);
	page[i] = aligned_alloc(CO_PAGE_SIZE, CO_PAGE_SIZE);
	if (!page[i])
		sim_die("out of memory");
	pthread_mutex_unlock(&mutex);
	memset(page[i], 0, CO_PAGE_SIZE);
	*pa = PAGES_BASE + i * CO_PAGE_SIZE;
	sim_alive(1);
	return page[i];
}

void host_page_free(void *va)
{
	size_t i;

	SIM_CONTEXT(SIM_SLEEP);
	pthread_mutex_lock(&mutex);
	for (i = 0; i < PAGES_MAX && page[i] != va; i++)
		;
	if (!va || i == PAGES_MAX)
		sim_die("host_page_free() of what is no page");
	page[i] = NULL;
	pthread_mutex_unlock(&mutex);
	free(va);
	sim_alive(-1);
}

void *sim_page_va(co_u64 pa)
{
	co_u64 i = (pa - PAGES_BASE) / CO_PAGE_SIZE;

	if (pa < PAGES_BASE || i >= PAGES_MAX)
		return NULL;
	return page[i];
}

/* ---- guest memory -------------------------------------------------------------- */

void sim_memory_none(void)
{
	ranges = 0;
}

void sim_memory_add(co_u64 pa, co_u64 size)
{
	if (ranges == RANGES_MAX)
		sim_die("more than %d ranges", RANGES_MAX);
	range[ranges++] = (struct range){ pa, pa + size };
}

static const struct chunk *chunk_in(co_u64 start, co_u64 end)
{
	size_t i;

	for (i = 0; i < chunks; i++)
		if (chunk[i].pa < end && start < chunk[i].pa + chunk[i].size)
			return &chunk[i];
	return NULL;
}

bool sim_memory_owned(co_u64 pa)
{
	return chunk_in(pa, pa + 1);
}

/* The highest free place in one range. */
static bool place_in(const struct range *r, co_u64 size, co_u64 align,
		     co_u64 *pa)
{
	const struct chunk *other;
	co_u64 end = r->end;

	while (end >= size) {
		co_u64 start = CO_ALIGN_DOWN(end - size, align);

		if (start < r->start)
			return false;
		other = chunk_in(start, start + size);
		if (!other) {
			*pa = start;
			return true;
		}
		end = other->pa;
	}
	return false;
}

static bool place(co_u64 size, co_u64 align, co_u64 *pa)
{
	size_t i;

	for (i = ranges; i > 0; i--)
		if (place_in(&range[i - 1], size, align, pa))
			return true;
	return false;
}

static void *map(co_u64 size)
{
	void *va = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (va == MAP_FAILED)
		sim_die("cannot map %llu bytes", size);
	return va;
}

/* Exactly there? */
static bool place_at(co_u64 pa, co_u64 size)
{
	size_t i;

	for (i = 0; i < ranges; i++)
		if (range[i].start <= pa && pa + size <= range[i].end)
			return !chunk_in(pa, pa + size);
	return false;
}

static void chunk_add(co_u64 pa, co_u64 size, char *va)
{
	if (chunks == CHUNKS_MAX)
		sim_die("more than %d chunks", CHUNKS_MAX);
	chunk[chunks++] = (struct chunk){ pa, size, va };
}

int host_chunk_alloc(co_u64 size, co_u64 align, co_u64 *pa)
{
	bool found;

	SIM_CONTEXT(SIM_SLEEP);
	if (!size || size % CO_LARGE_PAGE || align < CO_LARGE_PAGE ||
	    (align & (align - 1)) || *pa % align)
		sim_die("host_chunk_alloc(%llx, %llx)", size, align);
	if (sim_fails())
		return -CO_ENOMEM;
	pthread_mutex_lock(&mutex);
	found = *pa ? place_at(*pa, size) : place(size, align, pa);
	if (found)
		chunk_add(*pa, size, map(size));
	pthread_mutex_unlock(&mutex);
	if (!found)
		return -CO_ENOMEM;
	sim_alive((co_s64)(size / CO_LARGE_PAGE));
	co_fetch_add(&sim.chunk_bytes, size);
	return 0;
}

/* What is below the part and what is above it stay. */
static void chunk_cut(struct chunk *c, co_u64 pa, co_u64 size)
{
	struct chunk old = *c;
	co_u64 above = old.pa + old.size - (pa + size);

	munmap(old.va + (pa - old.pa), size);
	*c = chunk[--chunks];
	if (pa > old.pa)
		chunk_add(old.pa, pa - old.pa, old.va);
	if (above)
		chunk_add(pa + size, above, old.va + (pa + size - old.pa));
}

/* One block; it may lie in any chunk. */
static void block_free(co_u64 pa)
{
	size_t i;

	for (i = 0; i < chunks; i++)
		if (chunk[i].pa <= pa && pa < chunk[i].pa + chunk[i].size) {
			chunk_cut(&chunk[i], pa, CO_LARGE_PAGE);
			return;
		}
	sim_die("host_chunk_free(%llx): not a guest's", pa);
}

void host_chunk_free(struct co_file *file, co_u64 pa, co_u64 size)
{
	co_u64 at;

	SIM_CONTEXT(SIM_SLEEP);
	if (!size || pa % CO_LARGE_PAGE || size % CO_LARGE_PAGE)
		sim_die("host_chunk_free(%llx, %llx)", pa, size);
	if (sim.leaving)
		sim.leaving(file, pa, size);
	pthread_mutex_lock(&mutex);
	for (at = pa; at < pa + size; at += CO_LARGE_PAGE)
		block_free(at);
	pthread_mutex_unlock(&mutex);
	sim_alive(-(co_s64)(size / CO_LARGE_PAGE));
	co_fetch_add(&sim.chunk_bytes, -size);
}

void *host_chunk_va(co_u64 pa)
{
	const struct chunk *c;
	char *va;

	SIM_CONTEXT(SIM_ATOMIC);
	pthread_mutex_lock(&mutex);
	c = chunk_in(pa, pa + 1);
	if (!c)
		sim_die("host_chunk_va(%llx): not a guest's", pa);
	va = c->va + (pa - c->pa);
	pthread_mutex_unlock(&mutex);
	return va;
}

co_u64 host_memory(co_u64 *free, co_u64 *top)
{
	co_u64 taken = sim.memory_taken + co_load(&sim.chunk_bytes);
	size_t i;

	SIM_CONTEXT(SIM_ATOMIC);
	if (free)
		*free = taken < sim.memory_total ? sim.memory_total - taken : 0;
	for (i = 0; top && i < ranges; i++)
		*top = CO_MAX(i ? *top : 0, range[i].end);
	return sim.memory_total;
}

/* Any number that is neither 0 nor a page's of ours will do. */
co_u64 host_va_to_pa(const void *va)
{
	SIM_CONTEXT(SIM_SLEEP);
	return (co_uptr)va & 0x7fffffffffffULL;
}

/* ---- the requester's memory ------------------------------------------------------ */

static bool faults(co_u64 user, co_size n)
{
	if (n && user < CO_PAGE_SIZE)
		return true;
	return sim.copy_fault >= user && sim.copy_fault - user < n;
}

int host_copy_in(void *dst, co_u64 user, co_size n)
{
	SIM_CONTEXT(SIM_SLEEP);
	co_fetch_add(&sim.copies, 1);
	if (faults(user, n))
		return -CO_EFAULT;
	if (n)
		memcpy(dst, (const void *)(co_uptr)user, n);
	if (sim.copied_in)
		sim.copied_in();
	return 0;
}
