/* SPDX-License-Identifier: GPL-2.0 */
/*
 * covsock, whose guest finds a service of the host at port 7, and whose host has
 * clients that say anything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../tools/devices/vsock.h"
#include "../../tools/os/local_socket.h"
#include "fuzz.h"

#define CLIENTS 8

static int listener = -1;
static int client[CLIENTS];
static char path[64], service[80];

/* Once for all scripts: the path is a process's own. */
static void listen_once(void)
{
	struct error *err = NULL;

	if (listener >= 0)
		return;
	snprintf(path, sizeof(path), "/tmp/fuzz-vsock-%d", (int)getpid());
	snprintf(service, sizeof(service), "%s_7", path);
	listener = local_listen(service, &err);
	if (listener < 0)
		abort();
}

void target_make(struct rig *rig, uint8_t variant)
{
	/* CID 3 and ports below 256: a script hits them. */
	struct vsock_options opt = { .cid = 3, .path = path };
	struct error *err = NULL;
	unsigned int i;

	(void)variant;
	listen_once();
	for (i = 0; i < CLIENTS; i++)
		client[i] = -1;
	if (!vsock_create(rig->m, "covsock", &opt, &err))
		abort();
}

void target_work(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		uv_run(&rig->loop, UV_RUN_NOWAIT);
}

/* A client connects, or the guest's is accepted. */
static void take(unsigned int i, int fd)
{
	if (client[i] >= 0)
		close(client[i]);
	client[i] = fd;
}

static void say(int fd, const char *text, size_t n)
{
	char bytes[4096];

	if (fd < 0)
		return;
	(void)!send(fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)!recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
}

void target_host(struct rig *rig, uint8_t what)
{
	unsigned int i = what % CLIENTS;
	char line[32];
	int n;

	switch (what >> 5) {
	case 0:
		take(i, local_accept(listener));
		break;
	case 1:
		take(i, local_connect(path));
		n = snprintf(line, sizeof(line), "CONNECT %u\n", what & 0x18u);
		say(client[i], line, (size_t)n);
		break;
	case 2:
		machine_reset(rig->m);
		break;
	case 3:
		if (what & 0x10)
			fuzz_time_pass(what & 8 ? 11000 : 1100);
		else if (client[i] >= 0)
			shutdown(client[i], SHUT_WR);
		break;
	case 4:
		take(i, -1);
		break;
	default:
		say(client[i], "some bytes for the guest", what & 0x18u);
		break;
	}
	target_work(rig);
}

void target_end(void)
{
	unsigned int i;
	int fd;

	for (i = 0; i < CLIENTS; i++)
		take(i, -1);
	while ((fd = local_accept(listener)) >= 0)
		close(fd);
}

/* Ports: 7 is listened on, the host's clients ask for 0, 8, 16 and 24, and the
 * device calls them so. */
static uint32_t some_port(struct dice *dice)
{
	static const uint32_t port[] = { 7, 7, 8, 0, 16, (1u << 30) + 1,
					 (1u << 30) + 2, 1 };

	return port[dice_roll(dice, 8)];
}

void target_head(struct head *h, struct dice *dice)
{
	struct vsock_header v = {
		.src_cid = 3,
		.dst_cid = VSOCK_HOST_CID,
		.src_port = some_port(dice),
		.dst_port = some_port(dice),
		.type = VSOCK_STREAM,
		.op = (uint16_t)(1 + dice_roll(dice, 7)),
		.flags = dice_roll(dice, 4),
		.buf_alloc = dice_roll(dice, 4) * 1024,
		.fwd_cnt = dice_roll(dice, 4) * 16,
	};

	h->queue = (uint8_t)dice_roll(dice, 2);
	if (h->queue == 0) {
		h->room = (uint8_t)(sizeof(v) + dice_roll(dice, 200));
		return;
	}
	if (v.op == VSOCK_RW) {
		h->more = (uint8_t)(1 + dice_roll(dice, 245));
		v.len = h->more < 0xf0 ? h->more : (h->more - 0xefu) * 512;
	}
	memcpy(h->data, &v, sizeof(v));
	h->n = sizeof(v);
}
