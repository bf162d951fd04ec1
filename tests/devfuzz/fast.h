/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What makes the fuzzers fast: the kernel's part of a device's life, in memory of
 * this process. The linker puts these functions (__wrap_*) into the place of those
 * that the devices call; `real_*` are the same targets without them.
 *
 * Descriptors of this kind are never the kernel's, are never given out twice in a
 * row, and must be closed when a script has ended: a device that closes one twice,
 * uses a closed one or loses one is found, which the kernel's wouldn't tell.
 */
#ifndef CO_TESTS_FAST_H
#define CO_TESTS_FAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much a socket holds for its reader: little, so that it's full now and then. */
#define FAKE_STREAM  1024
#define FAKE_WAITING 16

enum fake_kind { FAKE_CLOSED, FAKE_EVENT, FAKE_SOCKET, FAKE_LISTENER };

struct fake {
	enum fake_kind kind;
	uint64_t count; /* an event's */
	/* A socket's: */
	struct fake *peer; /* NULL: gone */
	uint8_t *data;
	size_t used;
	bool no_receive, no_send; /* nothing will come, may go */
	bool broken;		  /* its peer went and hadn't read all */
	/* A listener's: */
	char path[100];
	int waiting[FAKE_WAITING];
	unsigned int waiters;
};

/* Aborts with that text: the device, or the target, did what it may not. */
void fake_must(bool truth, const char *what);
int fake_open(enum fake_kind kind, struct fake **f);
/* NULL: the descriptor is the kernel's. */
struct fake *fake_find(int fd);
struct fake *fake_listener(const char *path);
void fake_socket_close(struct fake *f);
/* POLLIN, POLLOUT, POLLHUP, POLLERR. */
short fake_events(const struct fake *f);

/* A device's thread, as a routine that runs when it is let. */
bool fake_in_thread(void);
void fake_yield(void); /* in it: back to whoever let it run */

#endif
