/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A 9P2000.L server for one directory and one client, by messages in memory.
 *
 * It knows neither where messages come from (tools/devices/share.c) nor how the
 * host keeps files (tools/os/share.h). A client that lies gets an error as the
 * answer, or what it sent is no message at all.
 */
#ifndef CO_TOOLS_SHARE_SERVER_H
#define CO_TOOLS_SHARE_SERVER_H

#include <sys/uio.h>

#include "../os/share.h"

/* The largest message. Linux's driver has 128 places for pages of a message and
 * keeps some: it asks for 500 KiB at most. (The fuzzers: less, to reach it.) */
#ifndef SHARE_MESSAGE_MAX
#define SHARE_MESSAGE_MAX (512u << 10)
#endif
/* fids at a time, each with a descriptor of the host as long as it's another file */
#define SHARE_FIDS_MAX (256u << 10)
/* Bytes of extended attributes under way. */
#define SHARE_XATTRS_MAX (8u << 20)
/* Entries in a vector of a message. */
#define SHARE_VECTOR_MAX 256

struct share_options {
	struct fs_options fs;
	bool read_only;
};

struct share_server;

struct share_server *share_create(const struct share_options *opt,
				  struct error **err);
void share_free(struct share_server *s); /* NULL is allowed */

/* All from here on in one thread, until it says that it's done. First: */
int share_enter(struct share_server *s);

/* One request and the room for its answer; both vectors are used up. */
struct share_call {
	struct iovec *request, *answer;
	unsigned int request_n, answer_n;
	size_t request_size, answer_size;
	/* filled in: bytes of files */
	uint64_t read, written;
};

/* The length of the answer. 0: the request is none, and *rule says why. */
size_t share_serve(struct share_server *s, struct share_call *call,
		   const char **rule);
/* Looks whether the directory is still in its place, and if not lets it go: the
 * client gets ESTALE for all that it knows of, until it attaches anew. Costs a
 * system call; once a second is plenty. */
void share_look(struct share_server *s);
/* The client is gone, its fids too. */
void share_reset(struct share_server *s);

/* What there is to tell. */
struct share_state {
	bool gone; /* the directory isn't where it was */
	unsigned int fids;
	uint64_t errors; /* of the host, not of the request */
	int last_error;
};
void share_get_state(const struct share_server *s, struct share_state *state);

#endif
