/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of cocon: the host's side of the ports (console.c: readers,
 * scrollback, log, input buffer), and the guest's (console_guest.c: queues and
 * the control protocol).
 */
#ifndef CO_TOOLS_CONSOLE_H
#define CO_TOOLS_CONSOLE_H

#include "virtio.h"

/* Queues 0 and 1 are port 0's, 2 and 3 the control queues, then two a port. */
#define CONSOLE_PORTS_MAX 42
#define CONSOLE_QUEUE	  128
/* Input that waits for the guest, and the longest output that it may hand over as one
 * buffer. The fuzzers take less, to come to the end of it. */
#ifndef CONSOLE_OUTPUT_MAX
#define CONSOLE_INPUT_MAX  65536
#define CONSOLE_OUTPUT_MAX (1u << 20)
#endif
/* Early text that waits for the loop. */
#define CONSOLE_INJECT_MAX (1u << 20)

/* Control messages that a port owes to the guest, in the order of sending. */
#define OWES_ADD     0x01
#define OWES_CONSOLE 0x02
#define OWES_NAME    0x04
#define OWES_OPEN    0x08
#define OWES_RESIZE  0x10

/* The last `size` bytes of something. */
struct byte_ring {
	uint8_t *data;
	size_t size, start, used;
};

struct console {
	struct console_device *device;
	unsigned int number;
	char *name; /* NULL: none */

	/* Loop thread only. */
	struct byte_ring scrollback;
	char *log_path;
	int log_fd;				      /* -1: none */
	struct console_reader *readers, *next_reader; /* cursor of a walk */
	bool told_open;
	unsigned int told_closings;

	/* Under the device's lock. */
	struct queue *rx, *tx; /* as the guest names them */
	bool tty;	   /* a terminal in the guest (hvcN), else a plain port */
	bool introduced;   /* the guest was told what the port is */
	bool host_open;	   /* somebody is at the host's end */
	uint16_t size[2];  /* columns, rows; 0: the guest's own idea */
	bool held;	   /* its output stays in the ring */
	bool guest_open;
	unsigned int closings; /* how often guest_open went to false */
	unsigned int owes;     /* OWES_* */
	bool refused_input;    /* since the buffer was last emptied */
	uint8_t input[CONSOLE_INPUT_MAX];
	size_t input_start, input_used;

	/* Text that did not come by the device; its own lock, any thread. */
	pthread_mutex_t inject_lock;
	uint8_t *inject;
	size_t inject_used, inject_room;
	uint64_t inject_lost;
};

struct console_config {
	uint16_t columns;
	uint16_t rows;
	uint32_t max_ports;
	uint32_t emergency_write;
};
CO_ASSERT_SIZE(struct console_config, 12);

struct console_device {
	struct device dev;
	struct console_config config;
	uv_async_t *wake; /* the loop's: injected text, guest_open changes */
	struct console *port[CONSOLE_PORTS_MAX];
	unsigned int ports;
	struct queue *control_rx, *control_tx;
	struct chain chain;		    /* under the lock */
	uint8_t output[CONSOLE_OUTPUT_MAX]; /* loop thread */
};

/* Output of a port: kept, logged, and handed to the readers. Loop thread. */
void console_output(struct console *c, const uint8_t *data, size_t n);
/* Tells readers of changes of guest_open. Loop thread, lock not held. */
void console_tell_open(struct console *c);
/* Tells readers that there is room for input again. The same. */
void console_tell_room(struct console *c);
/* The guest opens or closes its end. Lock held. */
void console_set_open(struct console *c, bool open);

/* Is output of the port to be left where it is? Any thread. */
bool console_held(struct console *c);

/* ---- console_guest.c -------------------------------------------------------- */

void console_notify(struct device *dev, struct queue *q);
void console_guest_reset(struct device *dev);
/* Gives waiting input to the guest as far as it has buffers. Lock held. */
void console_push_input(struct console *c);
/* Sends owed control messages as far as the guest has buffers. Lock held. */
void console_send_owed(struct console_device *cd);
bool console_multiport(const struct console_device *cd);

#endif
