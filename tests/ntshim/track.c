// SPDX-License-Identifier: GPL-2.0
/* What the driver holds, what it does wrong, and the memory that it doesn't get. */
#include <linux/hashtable.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include "shim.h"

struct item {
	struct hlist_node node;
	const char *kind;
	const void *object;
	size_t size;
	unsigned long site;
};

static DEFINE_HASHTABLE(items, 10);
static DEFINE_SPINLOCK(lock); /* of all that is here; interrupts off */
static unsigned int held, complaints, asked, failed;

static unsigned long fail_nth; /* counts down; 0: none */
static u32 fail_one_in;	       /* 0: none */
static struct rnd_state fail_state;

void complain_at(unsigned long site, const char *format, ...)
{
	struct va_format text = { .fmt = format };
	va_list args;

	va_start(args, format);
	text.va = &args;
	/* The first word is one that the lab listens to. */
	pr_warn("WARNING: ntshim: colinux.sys+0x%lx: %pV",
		pe_offset((void *)site), &text);
	va_end(args);
	complaints++;
}

void track(const char *kind, const void *object, size_t size,
	   unsigned long site)
{
	struct item *item = kmalloc(sizeof(*item), GFP_ATOMIC);
	unsigned long flags;

	if (!item) {
		complain(site, "the shim has no memory to remember a %s", kind);
		return;
	}
	item->kind = kind;
	item->object = object;
	item->size = size;
	item->site = site;
	spin_lock_irqsave(&lock, flags);
	hash_add(items, &item->node, (unsigned long)object);
	held++;
	spin_unlock_irqrestore(&lock, flags);
}

/* Under the lock. */
static struct item *find(const char *kind, const void *object)
{
	struct item *item;

	hash_for_each_possible(items, item, node, (unsigned long)object)
		if (item->object == object && !strcmp(item->kind, kind))
			return item;
	return NULL;
}

ssize_t untrack(const char *kind, const void *object, unsigned long site)
{
	unsigned long flags;
	struct item *item;
	ssize_t size = -1;

	spin_lock_irqsave(&lock, flags);
	item = find(kind, object);
	if (item) {
		hash_del(&item->node);
		size = item->size;
		held--;
	}
	spin_unlock_irqrestore(&lock, flags);
	if (!item)
		complain(site, "gives back a %s that it doesn't have: %px",
			 kind, object);
	kfree(item);
	return size;
}

bool tracked(const char *kind, const void *object)
{
	unsigned long flags;
	bool found;

	spin_lock_irqsave(&lock, flags);
	found = find(kind, object);
	spin_unlock_irqrestore(&lock, flags);
	return found;
}

void track_report(void)
{
	struct hlist_node *next;
	struct item *item;
	int bucket;

	hash_for_each_safe(items, bucket, next, item, node) {
		complain(item->site, "leaked: %s of %zu bytes", item->kind,
			 item->size);
		hash_del(&item->node);
		kfree(item);
	}
	pr_info("ntshim: %u allocations, %u failed on purpose, %u complaints\n",
		asked, failed, complaints);
}

bool fails(const char *kind, unsigned long site)
{
	unsigned long flags;
	bool fail = false;

	spin_lock_irqsave(&lock, flags);
	asked++;
	if (fail_nth && !--fail_nth)
		fail = true;
	if (fail_one_in && !(prandom_u32_state(&fail_state) % fail_one_in))
		fail = true;
	failed += fail;
	spin_unlock_irqrestore(&lock, flags);
	if (fail)
		pr_info("ntshim: a %s fails at colinux.sys+0x%lx\n", kind,
			pe_offset((void *)site));
	return fail;
}

/* Words part by spaces, or by commas in insmod's. */
int fail_command(const char *command)
{
	unsigned int seed = 0, one_in = 0;
	unsigned long flags, nth = 0;
	char text[40];
	int err = 0;

	strscpy(text, command, sizeof(text));
	strreplace(text, ',', ' ');
	spin_lock_irqsave(&lock, flags);
	if (sscanf(text, "nth %lu", &nth) == 1) {
		fail_nth = nth;
	} else if (sscanf(text, "random %u %u", &seed, &one_in) == 2) {
		prandom_seed_state(&fail_state, seed);
		fail_one_in = one_in;
	} else if (!strncmp(text, "off", 3)) {
		fail_nth = fail_one_in = 0;
	} else {
		err = -EINVAL;
	}
	spin_unlock_irqrestore(&lock, flags);
	return err;
}

int track_status(char *text, size_t room)
{
	return scnprintf(text, room,
			 "held %u\nallocations %u\nfailed %u\ncomplaints %u\n",
			 held, asked, failed, complaints);
}
