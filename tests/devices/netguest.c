/* SPDX-License-Identifier: GPL-2.0 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "netguest.h"

/* ---- a user that keeps what comes ------------------------------------------- */

static bool on_receive(struct net_user *user, const struct net_header *header,
		       const struct iovec *frame, unsigned int n)
{
	struct guest *g = (struct guest *)user;

	assert_int_equal(n, 1);
	if (g->full || g->n == KEPT) {
		g->refused++;
		return false;
	}
	g->got[g->n].header = *header;
	g->got[g->n].bytes = frame->iov_len;
	memcpy(g->got[g->n].data, frame->iov_base,
	       frame->iov_len < 2048 ? frame->iov_len : 2048);
	g->n++;
	return true;
}

static void on_flush(struct net_user *user)
{
	(void)user;
}

static void on_writable(struct net_user *user)
{
	((struct guest *)user)->writable++;
}

static void on_link(struct net_user *user, bool up)
{
	((struct guest *)user)->up = up;
}

static const struct net_user_ops ops = { on_receive, on_flush, on_writable, on_link };

void guest_init(struct guest *g, uint8_t number)
{
	memset(g, 0, sizeof(*g));
	g->user.ops = &ops;
	g->up = true;
	memcpy(g->mac, "\2\0\0\0\0", 6);
	g->mac[5] = number;
	uv_loop_init(&g->loop);
}

void guest_connect(struct guest *g, struct net_backend *b)
{
	assert_non_null(b);
	g->b = b;
	b->user = &g->user;
}

void guest_end(struct guest *g)
{
	if (g->b)
		g->b->ops->close(g->b);
	uv_run(&g->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&g->loop), 0);
}

void send_bytes(struct guest *g, const void *data, size_t n)
{
	static const struct net_header plain;
	struct iovec iov[2] = { { (void *)(uintptr_t)data, 10 },
				{ (char *)(uintptr_t)data + 10, n - 10 } };

	assert_true(g->b->ops->send(g->b, &plain, iov, 2));
}

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void turn(struct guest *g)
{
	uv_run(&g->loop, UV_RUN_NOWAIT);
	usleep(500);
}

/* Takes the oldest frame of that kind out; NULL after five seconds. */
uint8_t *await_frame(struct guest *g, bool (*wanted)(const uint8_t *data))
{
	static uint8_t frame[2048];
	uint64_t end = now_ms() + PATIENCE_MS;
	unsigned int i;

	while (now_ms() < end) {
		for (i = 0; i < g->n; i++) {
			if (!wanted(g->got[i].data))
				continue;
			memcpy(frame, g->got[i].data, sizeof(frame));
			g->n--;
			memmove(&g->got[i], &g->got[i + 1],
				(g->n - i) * sizeof(g->got[0]));
			return frame;
		}
		turn(g);
	}
	return NULL;
}

/* ---- packets ---------------------------------------------------------------- */

void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

unsigned int get16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

const uint8_t own_ip[4] = { 10, 0, 2, 15 }, host_ip[4] = { 10, 0, 2, 2 };
const uint8_t all_mac[6] = { 255, 255, 255, 255, 255, 255 };

bool is_arp(const uint8_t *f)
{
	return get16(f + 12) == 0x0806;
}

void send_arp(struct guest *g, const uint8_t *src, const uint8_t *dst)
{
	uint8_t f[60] = { 0 };

	memcpy(f, all_mac, 6);
	memcpy(f + 6, g->mac, 6);
	put16(f + 12, 0x0806);
	memcpy(f + 14, "\0\1\10\0\6\4\0\1", 8);
	memcpy(f + 22, g->mac, 6);
	memcpy(f + 28, src, 4);
	memcpy(f + 38, dst, 4);
	send_bytes(g, f, sizeof(f));
}
