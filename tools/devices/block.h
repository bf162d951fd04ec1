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

struct storage;

/* ---- the image ------------------------------------------------------------ */

struct block_image {
	int fd;		       /* -1: `storage` or `file` has it */
	int direct_fd;	       /* past the page cache, or -1 */
	uint32_t direct_align; /* a power of two */
	uint64_t start;	       /* bytes of the file before the guest's first one */
	_Atomic uint64_t size; /* bytes for the guest, a multiple of SECTOR */
	uint32_t block_size;   /* logical, for the guest */
	bool host_device;      /* a block device of the host */
	struct storage *storage; /* the helper that serves it (storage.h), or NULL */
	struct disk_file *file;	 /* what else this host has of it */
};

/* Opens, checks and locks. The error begins with the path. */
int block_image_open(struct block_image *image, const struct block_options *opt,
		     struct error **err);
void block_image_close(struct block_image *image); /* the lock goes with it */

/*
 * partition.c: where partition `number` (as the kernel counts: 5 is the first
 * logical one of an MBR) of the image lies, in bytes.
 */
int partition_find(int fd, unsigned int number, uint64_t *start,
		   uint64_t *size, struct error **err);

struct block_io;

/* block_direct.c: opens image->direct_fd. The error begins with the path. */
int block_direct_open(struct block_image *image, const char *path,
		      bool read_only, struct error **err);
/* The descriptor for an operation. */
int block_fd_for(const struct block_image *image, const struct block_io *io);

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
	/* Makes an engine for an image; wait() also ends when somebody has
	 * rung one of the two bells `wake`. 0 or -errno. */
	int (*open)(void **state, const struct block_image *image,
		    const int wake[2]);
	void (*submit)(void *state, struct block_io *io);
	/* Sleeps until an operation is done, a wake descriptor was written to,
	 * or `ms` milliseconds are over (-1: without end); empties the
	 * descriptors, if that is needed to notice the next time. Returns the
	 * list of what is done, maybe NULL. */
	struct block_io *(*wait)(void *state, int ms);
	/* All that is under way fails at once, whoever does it: the device stops and
	 * has waited long enough. NULL: what this engine began can't be let go of, the
	 * host writes into memory by itself. */
	void (*give_up)(void *state);
	void (*close)(void *state); /* nothing is under way */
};

extern const struct block_engine block_uring; /* io_uring */
extern const struct block_engine block_plain; /* preadv, pwritev */
extern const struct block_engine block_vhost; /* image.storage */

/* Does one operation at once on a descriptor; sets io->result. */
void block_io_now(int fd, struct block_io *io);

/* For Linux's engines: hushes a bell. */
void block_hush(int fd);

/* For tests: the engine from the next start of the device on. */
void block_use_engine(struct device *dev, const struct block_engine *engine);

#endif
