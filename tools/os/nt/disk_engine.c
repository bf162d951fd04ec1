// SPDX-License-Identifier: GPL-2.0
/*
 * cobd's engine on Windows: overlapped reads and writes, told of by a completion
 * port, to which the bells' rings come, too.
 *
 * Windows reads into one piece of memory: an operation on several goes piece by
 * piece, each beginning when the one before is done. Disks want whole blocks at
 * places of theirs: a piece that isn't aligned goes through a buffer.
 */
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winioctl.h>

#include "disk_file.h"
#include "wide.h"

#define BOUNCE 65536u

/* One operation under way. The guest has at most QUEUE_SIZE_MAX. */
struct piece {
	OVERLAPPED o; /* first: the port gives its address */
	struct overlapped *e;
	struct block_io *io;
	unsigned int at;  /* of the vector */
	size_t done;	  /* of this entry */
	int64_t total;
	uint8_t *bounce; /* or NULL */
	DWORD bytes;	 /* asked for */
	struct piece *next;
};

struct overlapped {
	HANDLE file, port;
	uint32_t align;
	HANDLE bell[2], wait[2];
	struct piece *free;
	struct block_io *now; /* done without the port */
};

/* ---- ends ------------------------------------------------------------------- */

static struct piece *piece_new(struct overlapped *e, struct block_io *io)
{
	struct piece *p = e->free;

	if (p)
		e->free = p->next;
	else
		p = malloc(sizeof(*p));
	if (p)
		*p = (struct piece){ .e = e, .io = io };
	return p;
}

static void finish(struct piece *p, int64_t result)
{
	struct overlapped *e = p->e;

	p->io->result = result;
	p->io->next = e->now;
	e->now = p->io;
	free(p->bounce);
	p->next = e->free;
	e->free = p;
}

/* Windows tells the end of a file as an error. */
static int64_t failure(const struct piece *p, DWORD error)
{
	if (error == ERROR_HANDLE_EOF || p->total)
		return p->total;
	return -errno_of(error);
}

/* ---- pieces ----------------------------------------------------------------- */

static bool is_write(const struct piece *p)
{
	return p->io->op != BLOCK_READ;
}

static uint8_t *place(const struct piece *p)
{
	return (uint8_t *)p->io->iov[p->at].iov_base + p->done;
}

static size_t left(const struct piece *p)
{
	return p->io->iov[p->at].iov_len - p->done;
}

/* How many bytes of the vector there are from here on, up to `max`; copied in or
 * out of the buffer. */
static size_t move(const struct piece *p, size_t max, bool out)
{
	unsigned int at = p->at;
	size_t skip = p->done, n, sum = 0;

	for (; at < p->io->iov_n && sum < max; at++, skip = 0) {
		uint8_t *guest = (uint8_t *)p->io->iov[at].iov_base + skip;

		n = p->io->iov[at].iov_len - skip;
		n = n < max - sum ? n : max - sum;
		if (out)
			memcpy(guest, p->bounce + sum, n);
		else if (is_write(p))
			memcpy(p->bounce + sum, guest, n);
		sum += n;
	}
	return sum;
}

static bool aligned(const struct piece *p)
{
	uint32_t mask = p->e->align - 1;

	return !((uintptr_t)place(p) & mask) && !(left(p) & mask);
}

/* VirtualAlloc()'s pages would do, too; this is aligned enough for any disk. */
static bool take_bounce(struct piece *p)
{
	if (!p->bounce)
		p->bounce = malloc(BOUNCE + 4096);
	return p->bounce;
}

static uint8_t *buffer(struct piece *p)
{
	uint64_t left_now = left(p);

	if (p->e->align == 1 || aligned(p)) {
		p->bytes = (DWORD)(left_now < 0x40000000 ? left_now : 0x40000000);
		free(p->bounce);
		p->bounce = NULL;
		return place(p);
	}
	if (!take_bounce(p))
		return NULL;
	p->bytes = (DWORD)move(p, BOUNCE, false);
	return p->bounce;
}

static void skip(struct piece *p, size_t n)
{
	size_t part;

	p->total += (int64_t)n;
	while (n) {
		part = n < left(p) ? n : left(p);
		p->done += part;
		n -= part;
		if (!left(p)) {
			p->at++;
			p->done = 0;
		}
	}
}

/* Whether its end comes by the port: it does, even if it's there at once, also of a
 * request that ended with a warning (NTSTATUS 0x8...), as "media changed"; not of one
 * that was refused. (Wine's comes then, too, as on a full disk: it isn't for use.) */
static bool began(const struct piece *p, BOOL done)
{
	return done || GetLastError() == ERROR_IO_PENDING ||
	       (DWORD)p->o.Internal >> 30 == 2;
}

static void begin(struct piece *p)
{
	uint64_t offset = p->io->offset + (uint64_t)p->total;
	uint8_t *at = buffer(p);

	if (!at) {
		finish(p, -ENOMEM);
		return;
	}
	memset(&p->o, 0, sizeof(p->o));
	p->o.Offset = (DWORD)offset;
	p->o.OffsetHigh = (DWORD)(offset >> 32);
	if (!began(p, is_write(p) ? WriteFile(p->e->file, at, p->bytes, NULL, &p->o) :
				    ReadFile(p->e->file, at, p->bytes, NULL, &p->o)))
		finish(p, failure(p, GetLastError()));
}

static int64_t flush(HANDLE file)
{
	return FlushFileBuffers(file) ? 0 : -errno_of(GetLastError());
}

static void piece_ended(struct piece *p, DWORD n, DWORD error)
{
	bool whole = n == p->bytes;

	if (error) {
		finish(p, failure(p, error));
		return;
	}
	if (p->bounce && !is_write(p))
		move(p, n, true);
	skip(p, n);
	if (whole && p->at < p->io->iov_n)
		begin(p);
	else if (p->io->op == BLOCK_WRITE_DURABLE && flush(p->e->file))
		finish(p, -EIO);
	else
		finish(p, p->total);
}

/* ---- the rest --------------------------------------------------------------- */

/* Of a sparse file the space is given back, of any other zeroes are written. */
static int64_t zero(struct overlapped *e, const struct block_io *io)
{
	FILE_ZERO_DATA_INFORMATION z;

	z.FileOffset.QuadPart = (LONGLONG)io->offset;
	z.BeyondFinalZero.QuadPart = (LONGLONG)(io->offset + io->length);
	if (disk_control(e->file, FSCTL_SET_ZERO_DATA, &z, sizeof(z), NULL, 0))
		return 0;
	return GetLastError() == ERROR_DISK_FULL ? -ENOSPC : -EOPNOTSUPP;
}

static int64_t other(struct overlapped *e, const struct block_io *io)
{
	switch (io->op) {
	case BLOCK_SYNC:
		return flush(e->file);
	case BLOCK_PUNCH:
	case BLOCK_ZERO:
		return zero(e, io);
	default:
		return -EOPNOTSUPP;
	}
}

static void overlapped_submit(void *state, struct block_io *io)
{
	struct overlapped *e = state;
	struct piece *p = NULL;
	bool data = io->op == BLOCK_READ || io->op == BLOCK_WRITE ||
		    io->op == BLOCK_WRITE_DURABLE;

	if (data)
		p = piece_new(e, io);
	if (p) {
		begin(p);
		return;
	}
	io->result = data ? -ENOMEM : other(e, io);
	io->next = e->now;
	e->now = io;
}

/* ---- waiting ---------------------------------------------------------------- */

static VOID CALLBACK on_ring(PVOID arg, BOOLEAN timed_out)
{
	(void)timed_out;
	PostQueuedCompletionStatus(((struct overlapped *)arg)->port, 0, 1, NULL);
}

static void forget_wait(struct overlapped *e, int i)
{
	if (e->wait[i])
		UnregisterWaitEx(e->wait[i], INVALID_HANDLE_VALUE);
	e->wait[i] = NULL;
}

/* Registered anew for each time: an event that is set would call again at once. */
static bool listen_on(struct overlapped *e, int i)
{
	forget_wait(e, i);
	ResetEvent(e->bell[i]);
	if (RegisterWaitForSingleObject(&e->wait[i], e->bell[i], on_ring, e,
					INFINITE,
					WT_EXECUTEONLYONCE |
						WT_EXECUTEINWAITTHREAD))
		return true;
	e->wait[i] = NULL;
	return false;
}

/* The caller looks at its queue behind this: no ring is lost. */
static void hear(struct overlapped *e)
{
	int i;

	for (i = 0; i < 2; i++)
		if (WaitForSingleObject(e->bell[i], 0) == WAIT_OBJECT_0)
			listen_on(e, i);
}

static struct block_io *overlapped_wait(void *state, int ms)
{
	struct overlapped *e = state;
	DWORD n, wait = e->now ? 0 : ms < 0 ? INFINITE : (DWORD)ms;
	struct block_io *done;
	OVERLAPPED *o;
	ULONG_PTR key;
	BOOL good;

	for (;;) {
		o = NULL;
		key = 0;
		good = GetQueuedCompletionStatus(e->port, &n, &key, &o, wait);
		if (o)
			piece_ended((struct piece *)o, n,
				    good ? 0 : GetLastError());
		else if (key)
			hear(e);
		else
			break; /* time is over */
		wait = 0;
	}
	done = e->now;
	e->now = NULL;
	return done;
}

static void overlapped_close(void *state)
{
	struct overlapped *e = state;
	struct piece *p;

	forget_wait(e, 0);
	forget_wait(e, 1);
	while ((p = e->free)) {
		e->free = p->next;
		free(p);
	}
	free(e);
}

/* A handle is of one port for all its life: the image's. */
static int overlapped_open(void **state, const struct block_image *image,
			   const int wake[2])
{
	struct overlapped *e = calloc(1, sizeof(*e));
	int i;

	if (!e)
		return -ENOMEM;
	e->file = image->file->handle;
	e->port = image->file->port;
	e->align = image->file->align;
	for (i = 0; i < 2; i++)
		e->bell[i] = (HANDLE)(intptr_t)wake[i];
	if (listen_on(e, 0) && listen_on(e, 1)) {
		/* What rang before we listened. */
		PostQueuedCompletionStatus(e->port, 0, 1, NULL);
		*state = e;
		return 0;
	}
	overlapped_close(e);
	return -ENOMEM;
}

const struct block_engine block_overlapped = {
	.name = "overlapped",
	.open = overlapped_open,
	.submit = overlapped_submit,
	.wait = overlapped_wait,
	.close = overlapped_close,
};
