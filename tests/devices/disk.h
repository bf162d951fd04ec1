/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cobd with an image, an oracle that knows what is in it, and a driver that
 * sends requests; and an engine that fails, shortens and delays.
 */
#ifndef CO_TESTS_DISK_H
#define CO_TESTS_DISK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "driver.h"
#include "../../tools/devices/block.h"

#define SECTORS	 4096
#define BYTES	 ((uint64_t)SECTORS * 512)
#define FLUSH	 (1ull << 9)
#define FEATURES (FLUSH | 1ull << 13 | 1ull << 14)
#define RING	 (FEATURE_EVENT_IDX | FEATURE_INDIRECT)

enum { IN, OUT, T_FLUSH = 4, GET_ID = 8, DISCARD = 11, ZEROES = 13 };
enum { OK, IOERR, UNSUPP, NOTHING = 0xee };

struct hook {
	atomic_uint count[BLOCK_DISCARD + 1];
	atomic_int under_way;
	atomic_uint delay_us; /* of completions */
	int fail;	      /* errno of operations of type fail_op */
	enum block_op fail_op;
	size_t short_bytes; /* READ and WRITE move no more at once */
	struct iovec cut;
	struct block_io *failed; /* done without the real engine */
	/* One operation a wait, and slowly, without the real engine. */
	atomic_bool slow, frozen;
	struct block_io *held;
	int fd;
	/* Order of what was done. */
	enum block_op order[64];
	atomic_uint ordered;
};
extern struct hook hook;
extern const struct block_engine hooked; /* io_uring, but for what `hook` says */

struct disk {
	struct rig rig;
	struct device *dev;
	struct gring g;
	char path[64];
	int fd;
	uint8_t oracle[BYTES];
	bool discards_some; /* what was discarded may be zero, or not */
	uint64_t data;	 /* guest memory for data: 2 MiB */
	uint64_t header; /* 32 bytes of header and status a head */
};

struct disk *disk_new(bool read_only); /* clears `hook` */
/* The same in two steps: image and rig, then the device. */
struct disk *disk_begin(void);
void disk_add(struct disk *d, const struct block_options *opt);
void disk_free(struct disk *d);
void disk_start(struct disk *d, uint16_t size, uint64_t features);
struct disk *hooked_disk(void); /* started */
/* Header, data in `parts` pieces, status; returns the head. Slots are for
 * requests that are under way at once. */
int put(struct disk *d, unsigned int slot, uint32_t type, uint64_t sector,
	uint64_t pa, uint32_t size, unsigned int parts);
uint8_t status_of(struct disk *d, unsigned int slot);
/* One request from start to end; returns its status. */
uint8_t request(struct disk *d, uint32_t type, uint64_t sector, uint64_t pa,
		uint32_t size, unsigned int parts);
/* A DISCARD or WRITE_ZEROES of one range. */
uint8_t range(struct disk *d, uint32_t type, uint64_t sector, uint32_t sectors,
	      uint32_t flags);
void random_data(uint8_t *p, uint32_t n);
/* One random request, checked against the oracle. */
void disk_random(struct disk *d);
/* The image is what the oracle says. */
void check_image(struct disk *d);

/* Runs a shell's command: `format` with up to two %s. */
void disk_shell(const char *format, const char *a, const char *b);
/* The image's path with something behind; four of them are valid at once. */
char *disk_path(const struct disk *d, const char *suffix);
/* Ends the machine, and with it helpers: the image is nobody's then. */
void disk_stop(struct disk *d);
/* No cobd can be made of that, and the error says so. */
void disk_refused(const struct block_options *opt, const char *said);

#endif
