/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of cobd: the image (block_image.c), the engines that do the I/O
 * (block_uring.c, block_plain.c), and the device that uses them (block.c).
 */
#ifndef CO_TOOLS_BLOCK_H
#define CO_TOOLS_BLOCK_H

#include <sys/uio.h>

#include "device.h"

#define SECTOR 512

/* ---- the image ------------------------------------------------------------ */

struct block_image {
	int fd;
	uint64_t size;	     /* bytes, a multiple of SECTOR */
	uint32_t block_size; /* logical, for the guest */
	bool host_device;    /* a block device of the host */
};

/* Opens, checks and locks. The error begins with the path. */
int block_image_open(struct block_image *image, const char *path,
		     bool read_only, struct error **err);
void block_image_close(struct block_image *image); /* the lock goes with it */

/* ---- one operation -------------------------------------------------------- */

enum block_op {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_WRITE_DURABLE, /* on the medium when done */
	BLOCK_SYNC,  /* fdatasync: all that was done before is on the medium */
	BLOCK_PUNCH, /* zeroes, space given back */
	BLOCK_ZERO,  /* zeroes, space kept */
	BLOCK_DISCARD, /* BLKDISCARD of a host device */
};

struct block_io {
	enum block_op op;
	uint64_t offset;
	uint64_t length;	 /* PUNCH, ZERO, DISCARD */
	const struct iovec *iov; /* READ, WRITE */
	unsigned int iov_n;
	int64_t result; /* bytes (may be fewer than asked), or -errno */
	struct block_io *next;
};

/* ---- engines -------------------------------------------------------------- */

/*
 * How operations are done. One thread uses an engine: it submits, then waits.
 * At most QUEUE_SIZE_MAX operations are under way.
 */
struct block_engine {
	const char *name;
	/* Makes an engine for file `fd`; wait() also ends when one of the two
	 * descriptors `wake` is readable. 0 or -errno. */
	int (*open)(void **state, int fd, const int wake[2]);
	void (*submit)(void *state, struct block_io *io);
	/* Sleeps until an operation is done, or a wake descriptor is readable.
	 * Returns the list of what is done, maybe NULL. */
	struct block_io *(*wait)(void *state);
	void (*close)(void *state); /* nothing is under way */
};

extern const struct block_engine block_uring; /* io_uring */
extern const struct block_engine block_plain; /* preadv, pwritev */

/* Does one operation at once; sets io->result. */
void block_io_now(int fd, struct block_io *io);

/* For tests: the engine from the next start of the device on. */
void block_use_engine(struct device *dev, const struct block_engine *engine);

#endif
