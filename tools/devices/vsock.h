/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of covsock (virtio 1.2, 5.10): the device with its queues and packets
 * (vsock.c), and the connections with their sockets on the host
 * (vsock_connection.c).
 *
 * All is done on the loop's thread with the device's lock held. A reset comes from
 * a vCPU's thread: it counts up, and the loop closes the connections before it does
 * anything else.
 */
#ifndef CO_TOOLS_VSOCK_H
#define CO_TOOLS_VSOCK_H

#include "virtio.h"

/* What a guest may send without being told that it was taken (buffered here), and the
 * largest payload of a packet, to be no more than Linux's. The fuzzers take less, to
 * come to the end of it. */
#ifndef VSOCK_CONNECTIONS
#define VSOCK_CONNECTIONS 256
#define VSOCK_BUFFER	  (128u * 1024)
#define VSOCK_PAYLOAD	  65536u
#endif
/* Answers to packets that no connection stands for. */
#define VSOCK_REPLIES 64
#define VSOCK_QUEUE   128

#define VSOCK_HOST_CID 2
#define VSOCK_STREAM   1

enum vsock_op {
	VSOCK_REQUEST = 1,
	VSOCK_RESPONSE,
	VSOCK_RST,
	VSOCK_SHUTDOWN,
	VSOCK_RW,
	VSOCK_CREDIT_UPDATE,
	VSOCK_CREDIT_REQUEST,
};

/* Flags of VSOCK_SHUTDOWN: what its sender won't do any more. */
#define VSOCK_NO_RECEIVE 1
#define VSOCK_NO_SEND	 2

struct vsock_header {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len;
	uint16_t type, op;
	uint32_t flags;
	uint32_t buf_alloc, fwd_cnt;
} __attribute__((packed));
CO_ASSERT_SIZE(struct vsock_header, 44);

#define VSOCK_HELLO_MAX 32 /* bytes of "CONNECT <port>\n" */

/* A client of ours says where to; the guest has left, and its last bytes are on their
 * way; the guest was asked; bytes flow. The guest knows of the last two. */
enum vsock_state {
	VSOCK_FREE,
	VSOCK_HELLO,
	VSOCK_LEFT,
	VSOCK_ASKED,
	VSOCK_OPEN
};

/* What a connection owes the guest, in the order of sending. */
#define VSOCK_OWES_REQUEST  0x1
#define VSOCK_OWES_RESPONSE 0x2
#define VSOCK_OWES_CREDIT   0x4
#define VSOCK_OWES_SHUTDOWN 0x8
#define VSOCK_OWES_RST	    0x10 /* and then it's free */

struct vsock_connection {
	struct vsock *vs;
	enum vsock_state state;
	uint32_t guest_port, host_port;
	int fd;		 /* -1: closed, only the RST is to be sent */
	uv_poll_t *poll;
	unsigned int owes;
	bool readable;	 /* the socket has something for the guest */
	bool host_ended; /* it never will again */
	unsigned int guest_ended; /* VSOCK_NO_* */
	uint64_t deadline; /* uv_now(), of HELLO and ASKED */
	char hello[VSOCK_HELLO_MAX];
	unsigned int hello_length;

	/* Bytes from the guest for the socket. */
	uint8_t *buffer; /* VSOCK_BUFFER of them, a ring */
	size_t start, used;
	uint32_t taken, told; /* fwd_cnt: now, and as the guest knows it */

	/* Towards the guest: sent, and what it says of its own buffer. */
	uint32_t sent, guest_taken, guest_buffer;
};

struct vsock {
	struct device dev;
	struct {
		uint64_t guest_cid;
	} config;
	struct queue *rx, *tx, *event;
	char *path; /* of the listening socket; PATH_PORT are the host's */
	int listener;
	uv_poll_t *listening;
	uv_timer_t *timer;
	uv_async_t *wake;
	atomic_uint resets;
	unsigned int resets_seen;
	uint32_t next_port;

	struct vsock_connection connection[VSOCK_CONNECTIONS];
	unsigned int cursor; /* whose turn is next */
	unsigned int connections;
	struct vsock_header reply[VSOCK_REPLIES];
	unsigned int replies;

	struct chain out; /* the packet under evaluation */
	struct chain in;  /* a buffer of the guest that waits for a packet */
	bool have_in;
	uint8_t payload[VSOCK_PAYLOAD];
};

/* ---- vsock.c ---------------------------------------------------------------- */

/* Gives the guest what is owed to it, as far as it has buffers. */
void vsock_push(struct vsock *vs);
/* Whoever was connected before a reset isn't any more. Comes first in whatever the
 * loop calls. */
void vsock_see_resets(struct vsock *vs);

/* ---- vsock_connection.c ----------------------------------------------------- */

int vsock_listen(struct vsock *vs, struct error **err);
struct vsock_connection *vsock_find(struct vsock *vs, uint32_t guest_port,
				    uint32_t host_port);
/* A guest's REQUEST; false: nobody there. */
bool vsock_guest_connects(struct vsock *vs, const struct vsock_header *h);
/* Any other packet for a connection; its payload is the rest of vs->out. */
void vsock_packet(struct vsock_connection *c, const struct vsock_header *h);
/* What it owes or has for the guest goes into `h` and `payload` (at most `room`
 * bytes). False: nothing now. */
bool vsock_next(struct vsock_connection *c, struct vsock_header *h,
		uint8_t *payload, size_t room);
/* Gone for the host at once; the guest isn't told. */
void vsock_drop(struct vsock_connection *c);
void vsock_drop_all(struct vsock *vs);
/* Closes what is on the loop. */
void vsock_close(struct vsock *vs);

#endif
