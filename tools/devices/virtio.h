/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the devices and their transport; no one else includes this.
 *
 * A device embeds a struct device, fills ops, features and config, and calls
 * device_add(). From then on it is the machine's.
 */
#ifndef CO_TOOLS_VIRTIO_H
#define CO_TOOLS_VIRTIO_H

#include <pthread.h>
#include <stdatomic.h>

#include "device.h"
#include "queue.h"

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr)-offsetof(type, member)))

/* Device status (virtio 1.2, 2.1). */
#define STATUS_ACKNOWLEDGE 0x01
#define STATUS_DRIVER	   0x02
#define STATUS_DRIVER_OK   0x04
#define STATUS_FEATURES_OK 0x08
#define STATUS_NEEDS_RESET 0x40
#define STATUS_FAILED	   0x80

/* Features of ring and transport; every device offers these three. */
#define FEATURE_INDIRECT  (1ull << 28)
#define FEATURE_EVENT_IDX (1ull << 29)
#define FEATURE_VERSION_1 (1ull << 32)
#define FEATURES_COMMON \
	(FEATURE_INDIRECT | FEATURE_EVENT_IDX | FEATURE_VERSION_1)

#define DEVICE_NAME_MAX	  32
#define DEVICE_QUEUES_MAX 96

struct device_ops {
	uint32_t id; /* virtio device id */
	const char *type;
	/*
	 * start: DRIVER_OK is set, or a queue became ready since; stop: nothing
	 * of the device touches guest memory after it. Both with the device's
	 * lock held, from any thread, and possibly twice in a row. A device that
	 * works only in `notify` under the lock needs neither.
	 */
	void (*start)(struct device *dev);
	void (*stop)(struct device *dev);
	/* A queue's doorbell rang. Loop thread, lock not held. NULL: the device
	 * watches its doorbells itself. */
	void (*notify)(struct device *dev, struct queue *q);
	/* The guest wrote into the config space (may be NULL). Lock held.
	 * False: no register there. */
	bool (*config_write)(struct device *dev, uint32_t offset,
			     uint64_t value, uint32_t bytes);
	/* Brings `detail` up to date (may be NULL). Loop thread, lock not held. */
	void (*describe)(struct device *dev);
	/* After a reset: forget what the guest said (may be NULL). Lock held. */
	void (*reset)(struct device *dev);
	/* Frees the structure. Loop thread; stopped before. */
	void (*free)(struct device *dev);
};

struct device {
	const struct device_ops *ops;
	struct machine *machine;
	char name[DEVICE_NAME_MAX];
	uint32_t number;
	uint64_t features; /* offered; device_add() adds the common ones */
	void *config;
	uint32_t config_size;
	char detail[256]; /* for device_info */

	pthread_mutex_t lock;
	uint64_t driver_features;
	atomic_uint status;
	atomic_uint generation;
	struct queue *queue[DEVICE_QUEUES_MAX];
	unsigned int queues;

	/* As in struct device_io; each number for itself is never torn. */
	atomic_uint_fast64_t requests, read, written;

	pthread_mutex_t why_lock; /* innermost: any thread may break a device */
	char why[160];
};

/* Enters the device into the machine under `name`. On error nothing was done,
 * and the structure is still the caller's. */
int device_add(struct machine *m, struct device *dev, const char *name,
	       struct error **err);
/* Makes the next queue of the device; NULL on error. Loop thread. */
struct queue *device_add_queue(struct device *dev, uint16_t size_max,
			       struct error **err);

/* The guest broke a rule: DEVICE_NEEDS_RESET, with the rule in words. */
void device_break(struct device *dev, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Is the guest's driver at work with it, and keeps the rules? */
bool device_running(const struct device *dev);
bool device_has(const struct device *dev, uint64_t feature);
/* A request was served: so many bytes of data went to and came from the guest.
 * Any thread. */
void device_count(struct device *dev, uint64_t read, uint64_t written);
/* The config space has changed: new generation, and the guest is told. */
void device_config_changed(struct device *dev);
/* Lets the guest ring `fd` instead of the queue's doorbell, -1: that again. Lock
 * held, the queue is ready. 0 or a negative errno. */
int device_redirect_doorbell(struct queue *q, int fd);
/* Interrupts the guest for that queue. Any thread. */
void device_raise_queue(struct queue *q);
const struct guest_memory *device_memory(const struct device *dev);
uv_loop_t *device_loop(const struct device *dev);

/* A thread of a device's own: signals are for the daemon's loop, but for the fault
 * that means memory which the guest gave back (tools/os/fault.h). 0 or an errno. */
int device_thread(pthread_t *thread, void *(*work)(void *arg), void *arg);

void device_lock(struct device *dev);
void device_unlock(struct device *dev);

/* registers.c calls these of virtio.c; lock held. start: does nothing for a
 * device that isn't running. open_queue: false if the guest broke a rule. */
void device_start(struct device *dev);
void device_stop(struct device *dev);
bool device_open_queue(struct queue *q);
void device_close_queue(struct queue *q);

/* machine.c calls these of registers.c and virtio.c. */
uint64_t device_access(struct device *dev, bool write, const uint64_t arg[4]);
void device_reset(struct device *dev);
/* Stops the device, takes its doorbells from the loop, frees it. Loop thread. */
void device_free(struct device *dev);
void device_describe(struct device *dev,
		     void (*fn)(void *arg, const struct device_info *info),
		     void *arg);

/* virtio.c calls these of machine.c. */
int machine_enter(struct machine *m, struct device *dev, struct error **err);
int machine_take_queue_number(struct machine *m, uint32_t *number,
			      struct error **err);
void machine_each(struct machine *m, void (*fn)(struct device *dev, void *arg),
		  void *arg);
struct device *machine_find(const struct machine *m, const char *name);
const struct machine_driver *machine_driver_of(const struct machine *m);
const struct guest_memory *machine_memory(const struct machine *m);
uv_loop_t *machine_loop(const struct machine *m);

#endif
