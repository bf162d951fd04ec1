/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between cobd's device and thread (block.c) and its requests
 * (block_request.c).
 */
#ifndef CO_TOOLS_BLOCK_DEVICE_H
#define CO_TOOLS_BLOCK_DEVICE_H

#include "block.h"
#include "throttle.h"
#include "virtio.h"

#define FEATURE_SEG_MAX	     (1ull << 2)
#define FEATURE_RO	     (1ull << 5)
#define FEATURE_BLK_SIZE     (1ull << 6)
#define FEATURE_FLUSH	     (1ull << 9)
#define FEATURE_DISCARD	     (1ull << 13)
#define FEATURE_WRITE_ZEROES (1ull << 14)

/* The most that one request may zero or discard. Zeroes that the host can't make
 * otherwise are written: one vector of one buffer, again and again. */
#define ZERO_BYTES  65536
#define ZEROES_MAX  ((uint64_t)ZERO_BYTES * QUEUE_SIZE_MAX)
#define DISCARD_MAX (1ull << 30)

struct request {
	struct request *next; /* free ones */
	struct block_io io;
	uint32_t type;
	uint8_t *status;  /* in guest memory */
	uint64_t left;	  /* bytes of READ and WRITE still to do */
	uint32_t written; /* bytes of guest memory that were filled */
	struct iovec *iov;
	unsigned int iov_n;
	struct chain chain;
};

struct block_config {
	uint64_t capacity;
	uint32_t size_max;
	uint32_t seg_max;
	uint32_t geometry;
	uint32_t blk_size;
	uint32_t topology[2];
	uint8_t wce;
	uint8_t unused;
	uint16_t num_queues;
	uint32_t max_discard_sectors;
	uint32_t max_discard_seg;
	uint32_t discard_sector_alignment;
	uint32_t max_write_zeroes_sectors;
	uint32_t max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap;
	uint8_t unused1[3];
	uint32_t reserved;
};
CO_ASSERT_SIZE(struct block_config, 64);
CO_ASSERT_OFFSET(struct block_config, max_discard_sectors, 36);
CO_ASSERT_OFFSET(struct block_config, write_zeroes_may_unmap, 56);

struct block {
	struct device dev;
	struct block_config config;
	struct block_image image;
	char *path;
	bool read_only;
	unsigned int part; /* 0: all of the image */
	struct throttle throttle; /* thread */
	const struct block_engine *engine;
	unsigned int errors; /* since the device was made; under why_lock */
	int last_error;

	/* From start to stop. */
	bool started;
	pthread_t thread;
	void *state; /* of the engine */
	int wake;    /* bell: look at `stopping` */
	atomic_bool stopping;
	atomic_uint under_way;
	/* uv_hrtime() when an operation ended last, or began with none under way, or
	 * the device was to stop: who waits, waits since then. */
	_Atomic uint64_t since;
	struct request *free;
	struct request pool[QUEUE_SIZE_MAX];
};

/* NULL: that device is no cobd. */
struct block *block_of(struct device *dev);

/* All of these in the device's thread. A request that came from the queue: */
void block_begin(struct block *b, struct request *r);
/* Its operation has ended. */
void block_advance(struct block *b, struct request *r);
void block_release(struct block *b, struct request *r);

#endif
