/* SPDX-License-Identifier: GPL-2.0 */
/*
 * corng: entropy for the guest from the host's generator.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os/process.h"
#include "virtio.h"

#define VIRTIO_ID_RNG 4
#define RNG_QUEUE     8
/* Of one request; getrandom() gives that much without a pause. */
#define RNG_BYTES 256
/* Requests in one turn of the loop: others have their needs, too. */
#define RNG_TURN 64

struct rng {
	struct device dev;
	struct chain chain;
};

/* Only a kernel without the call, or too early in boot, fails here. */
static bool serve(struct rng *rng, struct queue *q)
{
	uint8_t bytes[RNG_BYTES];
	size_t n;

	if (!rng->chain.in_size) {
		device_break(&rng->dev, "a request with no room for an answer");
		return false;
	}
	if (!random_bytes(bytes, sizeof(bytes))) {
		device_break(&rng->dev, "the host has no entropy");
		return false;
	}
	n = chain_write(&rng->chain, bytes, sizeof(bytes));
	device_count(&rng->dev, n, 0);
	queue_push(q, rng->chain.head, (uint32_t)n);
	return true;
}

static void rng_notify(struct device *dev, struct queue *q)
{
	struct rng *rng = container_of(dev, struct rng, dev);
	unsigned int left = RNG_TURN;
	bool more = true;

	device_lock(dev);
	queue_quiet(q);
	while (left && queue_pop(q, &rng->chain) && serve(rng, q))
		left--;
	queue_signal(q);
	more = !left || queue_listen(q);
	device_unlock(dev);
	if (more)
		queue_ring(q);
}

static void rng_free(struct device *dev)
{
	free(container_of(dev, struct rng, dev));
}

static const struct device_ops rng_ops = {
	.id = VIRTIO_ID_RNG,
	.type = "rng",
	.notify = rng_notify,
	.free = rng_free,
};

static int rng_add(struct machine *m, struct rng *rng, const char *name,
		   struct error **err)
{
	rng->dev.ops = &rng_ops;
	strcpy(rng->dev.detail, "the host's getrandom()");
	if (device_add(m, &rng->dev, name, err)) {
		free(rng);
		return -1;
	}
	/* From here on the machine frees it, with its devices. */
	return device_add_queue(&rng->dev, RNG_QUEUE, err) ? 0 : -1;
}

struct device *rng_create(struct machine *m, const char *name,
			  struct error **err)
{
	struct rng *rng = calloc(1, sizeof(*rng));

	if (!rng)
		error_set(err, ENOMEM, "cannot be made");
	if (rng && !rng_add(m, rng, name, err))
		return &rng->dev;
	error_wrap(err, "%s", name);
	return NULL;
}
