/* SPDX-License-Identifier: GPL-2.0 */
/* A covsock with a driver like Linux's, and programs of the host on the other side. */
#ifndef CO_TESTS_VSOCK_BENCH_H
#define CO_TESTS_VSOCK_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/devices/vsock.h"
#include "../../tools/os/local_socket.h"
#include "driver.h"

#define RING (FEATURE_EVENT_IDX | FEATURE_INDIRECT)
#define CID  42
#define ROOM 4096 /* of a receive buffer */
#define RX   32

struct bench {
	struct rig rig;
	struct vsock *vs;
	char path[64], service[80]; /* the host's port 7 */
	int listener;
	struct gring rx, tx, event;
	uint64_t rx_at, tx_at;
};

int vsock_setup(void **state);
int vsock_teardown(void **state);
void give_rx(struct bench *t, unsigned int n); /* receive buffers */
void start_driver(struct bench *t, unsigned int buffers);

/* ---- packets ---- */
void send_raw(struct bench *t, const void *packet, size_t n);
void send_header(struct bench *t, struct vsock_header h, const void *data);
struct vsock_header header(uint16_t op, uint32_t from, uint32_t to);
void send_op(struct bench *t, uint16_t op, uint32_t from, uint32_t to);
void send_data(struct bench *t, uint32_t from, uint32_t to, const void *data,
	       size_t n);
/* The next packet for the guest; its buffer goes back. */
struct vsock_header receive(struct bench *t, void *data);
struct vsock_header expect_op(struct bench *t, uint16_t op, uint32_t from,
			      uint32_t to);
bool nothing(struct bench *t);

/* ---- programs of the host ---- */
void expect_bytes(struct bench *t, int fd, const void *wanted, size_t n);
void expect_end(struct bench *t, int fd);
/* A guest's connection to port 7; returns the host's descriptor. */
int guest_connects(struct bench *t, uint32_t from);
int host_asks(struct bench *t, const char *line);

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, vsock_setup, vsock_teardown)

#endif
