// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that lies to every device that it finds: seed=S rounds=N rounds of
 * garbage in rings, descriptors, indices and registers, a reset between. Then it
 * breaks one device after the other for sure, and asks the entropy device each time
 * whether it goes on. At last all are left broken, and it waits for a power-off.
 */
#include "payload.h"

#define QUEUES	  16   /* that get areas of their own; the rest gets garbage */
#define RING	  16   /* entries */
#define AREA	  8192 /* descriptors, then avail at AVAIL_AT, used at USED_AT */
#define AVAIL_AT  0x800
#define USED_AT	  0x1000
#define POOL	  0x100000
#define ID_RNG	  4
#define VERSION_1 (1ULL << 32)

#define ACKNOWLEDGE 1
#define DRIVER	    2
#define DRIVER_OK   4
#define FEATURES_OK 8
#define NEEDS_RESET 0x40

struct desc {
	co_u64 address;
	co_u32 size;
	co_u16 flags, next;
};

static struct {
	co_u8 byte[AREA];
} __attribute__((aligned(4096))) area_of[QUEUES];
static co_u8 pool[POOL] __attribute__((aligned(4096)));
static co_u32 broken[CO_DEVICES_MAX];
static co_u64 state;

static co_u64 next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static co_u64 below(co_u64 n)
{
	return next() % n;
}

/* ---- registers --------------------------------------------------------------- */

static co_u64 get(co_u64 dev, co_u64 reg, co_u64 index)
{
	return call(CO_CALL_DEVICE_READ, dev, reg, index, 8);
}

static void set(co_u64 dev, co_u64 reg, co_u64 index, co_u64 value)
{
	call(CO_CALL_DEVICE_WRITE, dev, reg, index | 8ULL << 32, value);
}

static void add_status(co_u64 dev, co_u64 bits)
{
	set(dev, CO_DEV_STATUS, 0, get(dev, CO_DEV_STATUS, 0) | bits);
}

static void negotiate(co_u64 dev, co_u64 features)
{
	set(dev, CO_DEV_STATUS, 0, 0);
	add_status(dev, ACKNOWLEDGE);
	add_status(dev, DRIVER);
	set(dev, CO_DEV_DRIVER_FEATURES, 0, features);
	add_status(dev, FEATURES_OK);
}

static co_u64 queues_of(co_u64 dev)
{
	co_u64 n = get(dev, CO_DEV_QUEUES, 0);

	return n < QUEUES ? n : QUEUES;
}

static void ring_all(co_u64 dev)
{
	co_u64 q, n = queues_of(dev);

	for (q = 0; q < n; q++)
		call(CO_CALL_NOTIFY, get(dev, CO_DEV_QUEUE_NUMBER, q), 0, 0, 0);
}

static co_u64 ring_size(co_u64 dev, co_u64 q)
{
	co_u64 most = get(dev, CO_DEV_QUEUE_SIZE, q);

	return most < RING ? most : RING;
}

/* The daemon's threads run when we are out. */
static int broke(co_u64 dev)
{
	int i;

	for (i = 0; i < 8; i++) {
		if (get(dev, CO_DEV_STATUS, 0) & NEEDS_RESET)
			return 1;
		call(CO_CALL_YIELD, 0, 0, 0, 0);
	}
	return 0;
}

static const char *name_of(co_u64 dev)
{
	static char name[9];
	co_u64 bytes = get(dev, CO_DEV_NAME, 0);

	memcpy(name, &bytes, 8);
	return name;
}

/* ---- garbage ----------------------------------------------------------------- */

/* Never where this program itself is: devices write there, too. */
static co_u64 garbage_address(void)
{
	switch (below(6)) {
	case 0:
		return next(); /* nobody's */
	case 1:
		return ~0ULL - below(64); /* wraps around */
	case 2:
		return below(0x100000); /* the host's */
	default:
		return pa_of(pool) + below(POOL - 0x20000);
	}
}

static co_u32 garbage_size(void)
{
	switch (below(5)) {
	case 0:
		return (co_u32)next();
	case 1:
		return 0;
	default:
		return (co_u32)below(5000);
	}
}

static void fill_desc(struct desc *d)
{
	d->address = garbage_address();
	d->size = garbage_size();
	d->flags = (co_u16)(below(8) ? below(4) : next());
	d->next = (co_u16)(below(8) ? below(RING) : next());
}

/* A table of descriptors in the pool. */
static void make_indirect(struct desc *d)
{
	co_u64 at = below(POOL / 4096 - 33) * 4096, n = 1 + below(40), i;

	for (i = 0; i < n; i++)
		fill_desc((struct desc *)(pool + at) + i);
	d->address = pa_of(pool) + at;
	d->size = (co_u32)(below(8) ? 16 * n : next());
	d->flags = (co_u16)(4 | (below(8) ? 0 : next()));
}

/* What a device may take for its own headers and commands. */
static void fill_pool(void)
{
	co_u64 i;

	for (i = 0; i < 2000; i++)
		pool[below(POOL)] = (co_u8)(below(3) ? below(10) : next());
}

static void fill_ring(co_u64 q)
{
	struct desc *d = (struct desc *)area_of[q].byte;
	co_u16 *avail = (co_u16 *)(area_of[q].byte + AVAIL_AT);
	co_u64 i;

	for (i = 0; i < RING; i++) {
		fill_desc(&d[i]);
		if (!below(6))
			make_indirect(&d[i]);
		avail[2 + i] = (co_u16)(below(30) ? below(RING) : next());
	}
	avail[0] = (co_u16)below(2);
	avail[2 + RING] = (co_u16)next();
	__atomic_store_n(&avail[1], (co_u16)(below(10) ? below(RING) : next()),
			 __ATOMIC_RELEASE);
}

static void set_up_queue(co_u64 dev, co_u64 q)
{
	co_u64 pa = pa_of(area_of[q].byte);
	int lie = !below(12);

	set(dev, CO_DEV_QUEUE_SIZE, q, below(12) ? ring_size(dev, q) : next());
	set(dev, CO_DEV_QUEUE_DESC, q, lie ? garbage_address() : pa);
	set(dev, CO_DEV_QUEUE_AVAIL, q, pa + AVAIL_AT + (below(20) ? 0 : 1));
	set(dev, CO_DEV_QUEUE_USED, q, pa + USED_AT);
	set(dev, CO_DEV_QUEUE_READY, q, 1);
}

static void any_register(void)
{
	co_u64 value = below(2) ? below(16) : next();

	call(below(2) ? CO_CALL_DEVICE_WRITE : CO_CALL_DEVICE_READ,
	     below(boot->devices + 1), below(CO_DEV_REGISTERS + 1), next(),
	     value);
}

/* Under the device's eyes. */
static void spoil(co_u64 queues)
{
	co_u64 q = below(queues);
	co_u16 *avail = (co_u16 *)(area_of[q].byte + AVAIL_AT);

	fill_desc((struct desc *)area_of[q].byte + below(RING));
	avail[2 + below(RING)] = (co_u16)below(RING + 1);
	avail[1] += (co_u16)below(4);
}

/* USED is the device's; what lies there from before is garbage enough. */
static void lie_to(co_u64 dev)
{
	co_u64 offered = get(dev, CO_DEV_FEATURES, 0), q, n = queues_of(dev);
	int i;

	negotiate(dev, below(20) ? VERSION_1 | (offered & next()) : next());
	fill_pool();
	for (q = 0; q < n; q++) {
		fill_ring(q);
		set_up_queue(dev, q);
	}
	add_status(dev, DRIVER_OK);
	for (i = 0; i < 3; i++) {
		ring_all(dev);
		spoil(n);
		call(CO_CALL_NOTIFY, below(2) ? next() : below(64), 0, 0, 0);
		call(CO_CALL_YIELD, 0, 0, 0, 0);
	}
	if (broke(dev))
		broken[dev]++;
}

/* ---- for sure ---------------------------------------------------------------- */

static void clean_areas(void)
{
	memset(area_of, 0, sizeof(area_of));
}

static void start(co_u64 dev, co_u64 features, co_u16 avail_idx)
{
	co_u64 q, n = queues_of(dev), pa;

	negotiate(dev, VERSION_1 | features);
	for (q = 0; q < n; q++) {
		pa = pa_of(area_of[q].byte);
		*(volatile co_u16 *)(area_of[q].byte + AVAIL_AT + 2) = avail_idx;
		set(dev, CO_DEV_QUEUE_SIZE, q, ring_size(dev, q));
		set(dev, CO_DEV_QUEUE_DESC, q, pa);
		set(dev, CO_DEV_QUEUE_AVAIL, q, pa + AVAIL_AT);
		set(dev, CO_DEV_QUEUE_USED, q, pa + USED_AT);
		set(dev, CO_DEV_QUEUE_READY, q, 1);
	}
	add_status(dev, DRIVER_OK);
	ring_all(dev);
}

/* More entries than the ring has, in all queues: one of them is looked at. */
static void break_surely(co_u64 dev)
{
	int i;

	clean_areas();
	start(dev, get(dev, CO_DEV_FEATURES, 0) & 0xffffff, 30000);
	for (i = 0; i < 1000; i++)
		if (broke(dev))
			return;
	fail("%s took 30000 entries in a ring of 16", name_of(dev));
}

/* As a good driver asks: 64 bytes. */
static void check_entropy(co_u64 rng, const char *meanwhile)
{
	struct desc *d = (struct desc *)area_of[0].byte;
	volatile co_u16 *used = (co_u16 *)(area_of[0].byte + USED_AT);
	co_u64 sum = 0;
	int i;

	clean_areas();
	memset(pool, 0, 64);
	d->address = pa_of(pool);
	d->size = 64;
	d->flags = 2;
	start(rng, 0, 1);
	for (i = 0; i < 100000 && !used[1]; i++)
		call(CO_CALL_YIELD, 0, 0, 0, 0);
	for (i = 0; i < 64; i++)
		sum += pool[i];
	if (!used[1] || !sum)
		fail("no entropy while %s is broken", meanwhile);
	say("liar: entropy flows while %s is broken", meanwhile);
}

static void one_by_one(void)
{
	co_u64 dev, rng = CO_DEVICES_MAX;

	for (dev = 0; dev < boot->devices; dev++)
		if (get(dev, CO_DEV_ID, 0) == ID_RNG)
			rng = dev;
	if (rng == CO_DEVICES_MAX)
		fail("there is no entropy device");
	for (dev = 0; dev < boot->devices; dev++) {
		if (dev == rng || !get(dev, CO_DEV_ID, 0))
			continue;
		break_surely(dev);
		check_entropy(rng, name_of(dev));
	}
	break_surely(rng);
}

/* ---- all --------------------------------------------------------------------- */

static void report(co_u64 rounds)
{
	co_u64 dev;

	for (dev = 0; dev < boot->devices; dev++)
		if (get(dev, CO_DEV_ID, 0))
			say("liar: %s broke in %llu of %llu rounds",
			    name_of(dev), (co_u64)broken[dev], rounds);
}

static void reset_all(void)
{
	co_u64 dev;

	for (dev = 0; dev < boot->devices; dev++)
		set(dev, CO_DEV_STATUS, 0, 0);
}

void program(const char *words)
{
	co_u64 rounds = word(words, "rounds", 10), i, dev;

	state = word(words, "seed", 1) * 0x9e3779b97f4a7c15ULL | 1;
	irq_on();
	for (i = 0; i < rounds; i++) {
		for (dev = 0; dev < boot->devices; dev++)
			if (get(dev, CO_DEV_ID, 0))
				lie_to(dev);
		any_register();
		reset_all();
	}
	report(rounds);
	one_by_one();
	say("liar: done");
	while (!(__atomic_load_n(&area->event.events, __ATOMIC_SEQ_CST) &
		 CO_EVENT_POWER))
		call(CO_CALL_IDLE, CO_EVENT_POWER, 0, 0, 0);
}
