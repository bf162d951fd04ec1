// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE /* memfd_create() */
#include "vhost_ring.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define USED_NO_NOTIFY 1

/* ---- the memory ------------------------------------------------------------- */

int vhost_memory_open(struct vhost_memory *m, const char *name, size_t size)
{
	int rc;

	*m = (struct vhost_memory){ .size = size };
	m->fd = memfd_create(name, MFD_CLOEXEC);
	if (m->fd < 0)
		return -errno;
	if (!ftruncate(m->fd, (off_t)size))
		m->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			       m->fd, 0);
	if (m->base && m->base != MAP_FAILED)
		return 0;
	rc = -errno;
	m->base = NULL;
	close(m->fd);
	return rc;
}

void vhost_memory_close(struct vhost_memory *m)
{
	if (!m->base)
		return;
	munmap(m->base, m->size);
	close(m->fd);
	m->base = NULL;
}

/* ---- the ring --------------------------------------------------------------- */

static uint64_t address(const struct vhost_ring *r, const void *p)
{
	return (uint64_t)((const char *)p - (const char *)r->memory->base);
}

int vhost_ring_open(struct vhost_ring *r, const struct vhost_memory *m,
		    struct vhost_ring_area *area)
{
	int rc;

	*r = (struct vhost_ring){ .memory = m, .area = area };
	r->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->kick >= 0 && r->call >= 0)
		return 0;
	rc = -errno;
	vhost_ring_close(r);
	return rc;
}

void vhost_ring_close(struct vhost_ring *r)
{
	if (!r->area)
		return;
	if (r->kick >= 0)
		close(r->kick);
	if (r->call >= 0)
		close(r->call);
	r->area = NULL;
}

static int start_one(const struct vhost_ring *r, uint32_t index,
		     struct vhost_user *vu)
{
	struct vhost_user_queue q = {
		.index = index,
		.size = VHOST_RING_SIZE,
		.desc = address(r, r->area->desc),
		.avail = address(r, &r->area->avail),
		.used = address(r, &r->area->used),
		.kick = r->kick,
		.call = r->call,
	};

	return vhost_user_start_queue(vu, &q);
}

int vhost_ring_start(const struct vhost_ring *r, unsigned int n,
		     struct vhost_user *vu)
{
	struct vhost_user_region region = { .size = r->memory->size,
					    .fd = r->memory->fd };
	int rc = vhost_user_memory(vu, &region, 1);
	unsigned int i;

	for (i = 0; i < n && !rc; i++)
		rc = start_one(&r[i], i, vu);
	return rc;
}

void vhost_ring_describe(struct vhost_ring *r, unsigned int i, const void *p,
			 uint64_t size, unsigned int flags)
{
	r->area->desc[i] = (struct vhost_ring_desc){
		address(r, p), (uint32_t)size, (uint16_t)flags,
		(uint16_t)(i + 1)
	};
}

void vhost_ring_push(struct vhost_ring *r, unsigned int head)
{
	r->area->avail.ring[r->avail++ % VHOST_RING_SIZE] = (uint16_t)head;
	__atomic_store_n(&r->area->avail.idx, r->avail, __ATOMIC_RELEASE);
}

void vhost_ring_kick(struct vhost_ring *r)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(__atomic_load_n(&r->area->used.flags, __ATOMIC_RELAXED) &
	      USED_NO_NOTIFY))
		(void)eventfd_write(r->kick, 1);
}

bool vhost_ring_pop(struct vhost_ring *r, uint32_t *head, uint32_t *written)
{
	unsigned int i = r->used % VHOST_RING_SIZE;

	if (__atomic_load_n(&r->area->used.idx, __ATOMIC_ACQUIRE) == r->used)
		return false;
	*head = __atomic_load_n(&r->area->used.ring[i].head, __ATOMIC_RELAXED);
	*written = __atomic_load_n(&r->area->used.ring[i].written,
				   __ATOMIC_RELAXED);
	r->used++;
	return true;
}
