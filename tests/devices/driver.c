/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../tools/os/bell.h"
#include "rig_os.h"

#define PATIENCE_MS 5000

static void must(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "test driver: %s\n", what);
	abort();
}

/* ---- the rig ---------------------------------------------------------------- */

static int on_raise(void *context, uint32_t vcpu, uint32_t events,
		    uint64_t value)
{
	struct rig *rig = context;

	if (atomic_load(&rig->fail_raise))
		return -atomic_load(&rig->fail_raise);
	must(vcpu < RIG_VCPUS, "a vCPU that isn't there was told");
	atomic_store(&rig->told, vcpu);
	if (events == CO_EVENT_QUEUE && rig->on_queue)
		rig->on_queue(rig, value);
	if (events == CO_EVENT_QUEUE)
		atomic_fetch_add(&rig->raised[value], 1);
	else if (events == CO_EVENT_CONFIG)
		atomic_fetch_add(&rig->configs[value], 1);
	else
		must(false, "an unknown event was raised");
	atomic_fetch_add(&rig->raises, 1);
	bell_ring(rig->event);
	return 0;
}

static int on_doorbell_set(void *context, uint32_t queue, int fd)
{
	struct rig *rig = context;

	must(queue < CO_QUEUES_MAX, "a doorbell for a queue out of range");
	if (atomic_load(&rig->fail_doorbell))
		return -atomic_load(&rig->fail_doorbell);
	atomic_store(&rig->doorbell[queue], fd);
	return 0;
}

static bool on_owned(void *context, uint64_t pa, uint64_t size)
{
	struct rig *rig = context;
	unsigned int i;

	atomic_fetch_add(&rig->asked, 1);
	for (i = 0; i < 3; i++)
		if (pa >= rig->chunk[i].address &&
		    pa + size <= rig->chunk[i].address + rig->chunk[i].size)
			return true;
	return false;
}

#define MAPPED (RIG_MEMORY + RIG_HOLE + CO_LARGE_PAGE)

static void init_memory(struct rig *rig)
{
	uint64_t half = RIG_MEMORY / 2, end = RIG_LOWEST + RIG_MEMORY;

	rig->chunk[0] = (struct co_chunk){ RIG_LOWEST, half };
	rig->chunk[1] = (struct co_chunk){ RIG_LOWEST + half, half };
	rig->chunk[2] = (struct co_chunk){ end + RIG_HOLE, CO_LARGE_PAGE };
	rig->mem.base = rig_memory_map(MAPPED, RIG_MEMORY, RIG_HOLE);
	must(rig->mem.base, "no memory");
	rig->mem.lowest = RIG_LOWEST;
	rig->mem.highest = RIG_LOWEST + MAPPED;
	rig->mem.owned = on_owned;
	rig->mem.context = rig;
	must(guest_memory_init(&rig->mem), "no memory");
	rig->next = RIG_LOWEST;
}

void rig_init(struct rig *rig)
{
	unsigned int i;

	memset(rig, 0, sizeof(*rig));
	uv_loop_init(&rig->loop);
	init_memory(rig);
	for (i = 0; i < CO_QUEUES_MAX; i++)
		atomic_store(&rig->doorbell[i], -1);
	rig->event = bell_open();
	rig->never = bell_open();
	must(rig->event >= 0 && rig->never >= 0, "no bell");
	rig->driver.context = rig;
	rig->driver.vcpus = RIG_VCPUS;
	rig->driver.raise = on_raise;
	rig->driver.doorbell = on_doorbell_set;
	rig->m = machine_create(&rig->mem, &rig->driver, &rig->loop);
	must(rig->m, "no machine");
}

void rig_free(struct rig *rig)
{
	unsigned int i;

	machine_free(rig->m);
	uv_run(&rig->loop, UV_RUN_DEFAULT);
	must(!uv_loop_close(&rig->loop), "the loop still has handles");
	for (i = 0; i < CO_QUEUES_MAX; i++)
		must(atomic_load(&rig->doorbell[i]) == -1 ||
			     atomic_load(&rig->fail_doorbell),
		     "a doorbell is left registered");
	bell_close(rig->event);
	bell_close(rig->never);
	guest_memory_free(&rig->mem);
	rig_memory_unmap(rig->mem.base, MAPPED);
}

int rig_setup_rng(void **state)
{
	static struct rig rig;
	struct error *err = NULL;

	rig_init(&rig);
	must(rng_create(rig.m, "corng", &err), "no corng");
	*state = &rig;
	return 0;
}

int rig_teardown(void **state)
{
	rig_free(*state);
	return 0;
}

uint64_t rig_alloc(struct rig *rig, uint64_t size, uint64_t align)
{
	uint64_t pa = (rig->next + align - 1) / align * align;

	must(pa + size <= RIG_LOWEST + RIG_MEMORY, "guest memory is used up");
	rig->next = pa + size;
	memset(rig_at(rig, pa), 0, size);
	return pa;
}

void *rig_at(struct rig *rig, uint64_t pa)
{
	return rig->mem.base + (pa - RIG_LOWEST);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool rig_turn(struct rig *rig, bool (*done)(void *arg), void *arg)
{
	uint64_t end = now_ms() + PATIENCE_MS;

	while (!done(arg)) {
		if (now_ms() > end)
			return false;
		if (!uv_run(&rig->loop, UV_RUN_NOWAIT))
			return done(arg);
	}
	return true;
}

static bool unheard_doorbell(struct rig *rig)
{
	unsigned int i;
	int bell;

	for (i = 0; i < CO_QUEUES_MAX; i++) {
		bell = atomic_load(&rig->doorbell[i]);
		if (bell >= 0 && rig_bell_rang(bell))
			return true;
	}
	return false;
}

/* On NT a ring comes to the loop by a thread of its own. */
void rig_settle(struct rig *rig)
{
	uint64_t end = now_ms() + PATIENCE_MS;
	unsigned int i;

	do {
		for (i = 0; i < 20; i++)
			uv_run(&rig->loop, UV_RUN_NOWAIT);
	} while (unheard_doorbell(rig) && now_ms() < end);
}

bool rig_wait(struct rig *rig)
{
	const int bells[2] = { rig->event, rig->never };
	uint64_t end = now_ms() + PATIENCE_MS, now;

	while (atomic_load(&rig->raises) == rig->heard) {
		now = now_ms();
		if (now >= end)
			return false;
		bell_wait(bells, (int)(end - now));
		bell_hush(rig->event);
	}
	rig->heard = atomic_load(&rig->raises);
	return true;
}

/* ---- registers -------------------------------------------------------------- */

uint64_t reg_read(struct rig *rig, uint32_t dev, uint32_t reg, uint32_t index)
{
	uint64_t arg[4] = { dev, reg, index, 8 };

	return machine_access(rig->m, false, arg);
}

uint64_t reg_write(struct rig *rig, uint32_t dev, uint32_t reg, uint32_t index,
		   uint64_t value)
{
	uint64_t arg[4] = { dev, reg, index | 8ull << 32, value };

	return machine_access(rig->m, true, arg);
}

uint64_t config_read(struct rig *rig, uint32_t dev, uint32_t offset,
		     uint32_t bytes)
{
	uint64_t arg[4] = { dev, CO_DEV_CONFIG, offset, bytes };

	return machine_access(rig->m, false, arg);
}

static void add_status(struct rig *rig, uint32_t dev, uint64_t bits)
{
	uint64_t status = reg_read(rig, dev, CO_DEV_STATUS, 0);

	reg_write(rig, dev, CO_DEV_STATUS, 0, status | bits);
}

void negotiate(struct rig *rig, uint32_t dev, uint64_t features)
{
	reg_write(rig, dev, CO_DEV_STATUS, 0, 0);
	add_status(rig, dev, STATUS_ACKNOWLEDGE);
	add_status(rig, dev, STATUS_DRIVER);
	reg_write(rig, dev, CO_DEV_DRIVER_FEATURES, 0,
		  features | FEATURE_VERSION_1);
	add_status(rig, dev, STATUS_FEATURES_OK);
}

void driver_ok(struct rig *rig, uint32_t dev)
{
	add_status(rig, dev, STATUS_DRIVER_OK);
}

struct wanted {
	uint32_t dev;
	char why[200], detail[300];
	bool broken;
	struct device_io io;
};

static void note_info(void *arg, const struct device_info *info)
{
	struct wanted *w = arg;

	if (info->number != w->dev)
		return;
	w->broken = info->needs_reset;
	w->io = info->io;
	snprintf(w->why, sizeof(w->why), "%s", info->why ? info->why : "");
	snprintf(w->detail, sizeof(w->detail), "%s", info->detail);
}

struct device_io io_of(struct rig *rig, uint32_t dev)
{
	struct wanted w = { .dev = dev };

	machine_for_each(rig->m, note_info, &w);
	return w.io;
}

const char *why(struct rig *rig, uint32_t dev)
{
	static struct wanted w;

	w.dev = dev;
	machine_for_each(rig->m, note_info, &w);
	return w.broken ? w.why : NULL;
}

const char *detail(struct rig *rig, uint32_t dev)
{
	static struct wanted w;

	w.dev = dev;
	machine_for_each(rig->m, note_info, &w);
	return w.detail;
}

/* ---- the ring --------------------------------------------------------------- */

static uint16_t load(const uint16_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(uint16_t *p, uint16_t value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static void fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static uint16_t *used_event(struct gring *g)
{
	return &g->avail[2 + g->size];
}

static uint16_t *avail_event(struct gring *g)
{
	return &g->used[2 + 4 * g->size];
}

static void fill_free(struct gring *g)
{
	unsigned int i;

	for (i = 0; i < g->size; i++)
		g->next_free[i] = (uint16_t)(i + 1);
	g->free = 0;
}

static int take_desc(struct gring *g)
{
	int i = g->free;

	if (i < 0)
		return -1;
	g->free = g->next_free[i] == g->size ? -1 : g->next_free[i];
	return i;
}

static void give_desc(struct gring *g, uint16_t i)
{
	g->next_free[i] = g->free < 0 ? g->size : (uint16_t)g->free;
	g->free = i;
}

void gring_init(struct gring *g, struct rig *rig, uint32_t dev, uint32_t index,
		uint16_t size, uint64_t features)
{
	memset(g, 0, sizeof(*g));
	g->rig = rig;
	g->dev = dev;
	g->index = index;
	g->size = size;
	g->event_idx = features & FEATURE_EVENT_IDX;
	g->indirect = features & FEATURE_INDIRECT;
	g->number = (uint32_t)reg_read(rig, dev, CO_DEV_QUEUE_NUMBER, index);
	g->desc_pa = rig_alloc(rig, 16 * size, 4096);
	g->avail_pa = rig_alloc(rig, 6 + 2 * size, 2);
	g->used_pa = rig_alloc(rig, 6 + 8 * size, 4096);
	g->desc = rig_at(rig, g->desc_pa);
	g->avail = rig_at(rig, g->avail_pa);
	g->used = rig_at(rig, g->used_pa);
	fill_free(g);
	reg_write(rig, dev, CO_DEV_QUEUE_SIZE, index, size);
	reg_write(rig, dev, CO_DEV_QUEUE_DESC, index, g->desc_pa);
	reg_write(rig, dev, CO_DEV_QUEUE_AVAIL, index, g->avail_pa);
	reg_write(rig, dev, CO_DEV_QUEUE_USED, index, g->used_pa);
	reg_write(rig, dev, CO_DEV_QUEUE_READY, index, 1);
}

static void set_desc(struct gdesc *d, const struct buffer *b, bool more,
		     uint16_t next)
{
	d->address = b->pa;
	d->size = b->size;
	d->flags = (uint16_t)((b->in ? G_WRITE : 0) | (more ? G_NEXT : 0));
	d->next = more ? next : 0;
}

static int add_indirect(struct gring *g, const struct buffer *b, unsigned int n)
{
	int head = take_desc(g);
	struct gdesc *table;
	unsigned int i;

	if (head < 0)
		return -1;
	if (!g->table[head])
		g->table[head] = rig_alloc(g->rig, 256 * 16, 16);
	table = rig_at(g->rig, g->table[head]);
	for (i = 0; i < n; i++)
		set_desc(&table[i], &b[i], i + 1 < n, (uint16_t)(i + 1));
	g->desc[head] = (struct gdesc){ g->table[head], 16 * n, G_INDIRECT, 0 };
	g->chain_length[head] = 1;
	return head;
}

static unsigned int count_free(struct gring *g)
{
	unsigned int n = 0;
	int i;

	for (i = g->free; i >= 0; n++)
		i = g->next_free[i] == g->size ? -1 : g->next_free[i];
	return n;
}

static int add_direct(struct gring *g, const struct buffer *b, unsigned int n)
{
	int head, at;
	unsigned int i;

	if (count_free(g) < n)
		return -1;
	head = at = take_desc(g);
	for (i = 0; i < n; i++) {
		int next = i + 1 < n ? take_desc(g) : 0;

		set_desc(&g->desc[at], &b[i], i + 1 < n, (uint16_t)next);
		at = next;
	}
	g->chain_length[head] = (uint16_t)n;
	return head;
}

int gring_add(struct gring *g, const struct buffer *b, unsigned int n)
{
	int head = g->indirect && n > 1 ? add_indirect(g, b, n) :
					  add_direct(g, b, n);

	if (head < 0)
		return -1;
	store(&g->avail[2 + (g->avail_idx & (g->size - 1))], (uint16_t)head);
	g->avail_idx++;
	store(&g->avail[1], g->avail_idx);
	return head;
}

static bool wants_kick(struct gring *g)
{
	uint16_t event;

	fence();
	if (!g->event_idx)
		return !(load(&g->used[0]) & 1);
	event = load(avail_event(g));
	return (uint16_t)(g->avail_idx - event - 1) <
	       (uint16_t)(g->avail_idx - g->kicked);
}

void gring_kick(struct gring *g)
{
	int fd = atomic_load(&g->rig->doorbell[g->number]);

	if (!wants_kick(g)) {
		g->spared++;
	} else {
		g->notifies++;
		if (fd >= 0)
			bell_ring(fd);
	}
	g->kicked = g->avail_idx;
}

int gring_get(struct gring *g, uint32_t *written)
{
	const uint32_t *entry;
	uint16_t head, i;
	unsigned int n;

	if (load(&g->used[1]) == g->last_used)
		return -1;
	entry = (const uint32_t *)&g
			->used[2 + 4 * (g->last_used & (g->size - 1))];
	must(entry[0] < g->size, "a used head out of range");
	head = (uint16_t)entry[0];
	*written = entry[1];
	g->last_used++;
	if (g->event_idx)
		store(used_event(g), g->last_used);
	for (i = head, n = g->chain_length[head]; n; n--) {
		uint16_t next = g->desc[i].next;

		give_desc(g, i);
		i = next;
	}
	return head;
}

int gring_await(struct gring *g, uint32_t *written)
{
	int head = gring_get(g, written);

	while (head < 0) {
		if (!rig_wait(g->rig))
			return -1;
		head = gring_get(g, written);
	}
	return head;
}

static bool has_used(void *arg)
{
	struct gring *g = arg;

	return load(&g->used[1]) != g->last_used;
}

int gring_turn(struct gring *g, uint32_t *written)
{
	if (!rig_turn(g->rig, has_used, g))
		return -1;
	return gring_get(g, written);
}
