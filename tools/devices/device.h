/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtio devices of one VM, as the daemon sees them.
 *
 * The daemon makes a `struct machine`, adds devices from the configuration, and
 * hands each CO_EXIT_DEVICE_READ/WRITE of a vCPU to machine_access(). A device
 * is a file: a struct, short callbacks, one const struct device_ops, a create
 * function. The transport (registers, queues, doorbells) is virtio.c; no device
 * knows it.
 *
 * Threads: machine_access() comes from vCPU threads, one at a time per device
 * (virtio.c holds the device's lock). A device with a thread of its own (cobd, cofs)
 * watches its queues' doorbells there; the others have them on the daemon's
 * libuv loop. `stop` returns only when nothing of the device touches guest
 * memory any more.
 */
#ifndef CO_TOOLS_DEVICE_H
#define CO_TOOLS_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "../../abi/driver.h"
#include "../lib/error.h"

/* Guest memory, mapped at one piece: machine address `lowest`, a multiple of 2 MiB,
 * is at `base`. */
struct guest_memory {
	uint8_t *base;
	uint64_t lowest, highest;
	/* Is that the guest's now (CO_REQ_VM_MEMORY)? Any thread. */
	bool (*owned)(void *context, uint64_t pa, uint64_t size);
	void *context;
	uint64_t *known; /* a bit per block: it was found to be the guest's */
};

/* When all but `known` is filled in; false: no memory. */
bool guest_memory_init(struct guest_memory *mem);
void guest_memory_free(struct guest_memory *mem);
/* Address of [pa, pa + size) if all of it is the guest's, else NULL. The border
 * check for every address in a ring. Any thread. */
void *guest_at(const struct guest_memory *mem, uint64_t pa, uint64_t size);

/* What the machine asks of the driver; tests put their own here. Each returns 0
 * or a negative errno. Any thread. */
struct machine_driver {
	void *context;
	uint32_t vcpus; /* that the guest has at most */
	/* set event bits: CO_EVENT_QUEUE with a queue number, ... (CO_REQ_VM_RAISE) */
	int (*raise)(void *context, uint32_t vcpu, uint32_t events, uint64_t value);
	/* bell that a guest's notify rings, -1: none (CO_REQ_DOORBELL) */
	int (*doorbell)(void *context, uint32_t queue, int fd);
};

struct machine;
struct device;

/* `mem` is kept, not copied: it lives as long as the machine, and may be filled
 * in after it was made, up to the first machine_access(). */
struct machine *machine_create(const struct guest_memory *mem,
			       const struct machine_driver *driver,
			       uv_loop_t *loop);
/* Stops and frees all devices; runs on the loop's thread. NULL is allowed. The
 * loop must turn once more afterwards: handles close there. */
void machine_free(struct machine *m);
/* A DEVICE_READ/WRITE exit; returns the guest's answer. */
uint64_t machine_access(struct machine *m, bool write, const uint64_t arg[4]);
uint32_t machine_devices(const struct machine *m); /* highest number + 1 */
/* All devices back to their reset state (guest reboot). */
void machine_reset(struct machine *m);

/* What the guest has had of a device since the VM was started. */
struct device_io {
	uint64_t requests;
	uint64_t read, written; /* bytes of data, by the guest */
};

/* For `colinux info`: calls fn for each device, in order. */
struct device_info {
	uint32_t number;
	const char *name; /* "cobd0" */
	const char *type; /* "block" */
	bool running;	  /* DRIVER_OK */
	bool needs_reset; /* the guest broke the rules; `why` says how */
	const char *why;
	const char *detail; /* e.g. the image's path and size */
	struct device_io io;
};
void machine_for_each(struct machine *m,
		      void (*fn)(void *arg, const struct device_info *info),
		      void *arg);

/* ---- the devices ---------------------------------------------------------- */

struct block_options {
	const char *path; /* regular file or block device; with format: or a URL */
	bool read_only;
	unsigned int part;   /* one partition of a raw image, 0: all of it */
	uint64_t iops, bps;  /* limits per second, 0: none */
	bool direct;	     /* past the host's page cache */
	const char *format;  /* of `path`; NULL: raw */
	const char *overlay; /* qcow2 file that takes the changes, or NULL */
};
/* Opens, checks and locks the image (OFD write lock, or read lock for
 * read-only). The error begins with the path, not with `name`, and tells the
 * holder's pid when it's locked. NULL on error. */
struct device *block_create(struct machine *m, const char *name,
			    const struct block_options *opt,
			    struct error **err);
/* The VM was started: overlays that were made for it stay. Without that the machine's
 * end takes them away again: a start that failed leaves nothing behind. Loop thread. */
void block_keep(struct machine *m);
/*
 * Gives disk `name` another size, 0: the one that its file or device has got by
 * other hands; less only with `shrink`. The guest is told. *now: its size. Loop
 * thread.
 */
int block_resize(struct machine *m, const char *name, uint64_t size, bool shrink,
		 uint64_t *now, struct error **err);

struct device *rng_create(struct machine *m, const char *name,
			  struct error **err);

/* A shared directory (virtio-9p), under `tag` for the guest's mount. */
struct share_options;
#define COFS_TAG_MAX 31
struct device *cofs_create(struct machine *m, const char *name, const char *tag,
			   const struct share_options *opt, struct error **err);
/* For tests: grows when the device's thread has nothing to do any more. */
unsigned int cofs_rests(struct device *dev);

/* The same by virtio-fs, served by a virtiofsd of its own. Its parts are copied. */
struct virtiofs_options {
	const char *path;
	const char *cache; /* virtiofsd's: none, auto, always; NULL: auto */
};
/* Starts virtiofsd from the calling thread, which lives as long as the device. */
struct device *virtiofs_create(struct machine *m, const char *name,
			       const char *tag,
			       const struct virtiofs_options *opt,
			       struct error **err);

struct vsock_options {
	uint32_t cid; /* the guest's address */
	/* Socket for programs of the host that want to the guest; PATH_PORT are the
	 * sockets of those whom the guest reaches. At most 96 bytes, so that any port
	 * fits behind. */
	const char *path;
};
struct device *vsock_create(struct machine *m, const char *name,
			    const struct vsock_options *opt,
			    struct error **err);

/* One virtio-console with several ports. Port 0 is the system console (hvc0);
 * further ports have names (/dev/virtio-ports/<name> in the guest). */
struct console;
struct device *console_create(struct machine *m, const char *name,
			      struct error **err);
/* Returns the port or NULL. `scrollback` bytes of output are kept and replayed
 * to whoever attaches; `log_path` (or NULL) gets all output appended. */
struct console *console_add_port(struct device *dev, const char *port_name,
				 size_t scrollback, const char *log_path,
				 struct error **err);
/* Before the guest starts: the port is a terminal there, the next hvcN in the order
 * of the ports. Port 0 is one by itself. */
void console_make_tty(struct console *c);
/* Is anybody at the host's end of a port? Without a word: yes. A plain port tells
 * its readers in the guest: an end of file. Any thread. */
void console_set_host(struct console *c, bool open);
/* While a port is held its output stays in the guest's ring. Writers to a plain port
 * sleep then; Linux's terminal spins with interrupts off until its text is taken, so
 * those are held for moments only. Loop thread, readers' callbacks included. */
void console_hold(struct console *c, bool hold);
/* A reader attached to a port gets the kept output first, then all that comes;
 * called on the loop's thread. Several may be attached to one port. */
struct console_reader {
	void (*output)(struct console_reader *r, const uint8_t *data, size_t n);
	/* the guest opened (true) or closed its end; may be NULL */
	void (*guest_open)(struct console_reader *r, bool open);
	/* there is room for input again after console_input() took less than it
	 * was given; may be NULL */
	void (*input_ready)(struct console_reader *r);
	struct console_reader *next; /* the port's */
};
void console_attach(struct console *c, struct console_reader *r);
void console_detach(struct console *c, struct console_reader *r);
/* Input for the guest; returns how many bytes were taken (a bounded buffer).
 * Loop thread. */
size_t console_input(struct console *c, const uint8_t *data, size_t n);
void console_resize(struct console *c, unsigned int columns, unsigned int rows);
/* Text that didn't come by the device (early console): into scrollback, log and
 * readers as if it were output. Any thread. */
void console_inject(struct console *c, const uint8_t *data, size_t n);
bool console_guest_open(struct console *c);

#endif
