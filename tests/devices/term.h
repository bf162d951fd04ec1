/* SPDX-License-Identifier: GPL-2.0 */
/* A cocon of two ports with a driver like Linux's, and readers at the host's end. */
#ifndef CO_TESTS_TERM_H
#define CO_TESTS_TERM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "driver.h"

#define MULTIPORT (1ull << 1)
#define RING	  (FEATURE_EVENT_IDX | FEATURE_INDIRECT)
#define KEPT	  1000

enum { READY, ADD, REMOVE, PORT_READY, CONSOLE, RESIZE, OPEN, NAME };

struct reader {
	struct console_reader r;
	char text[1 << 18];
	size_t n;
	char opens[16]; /* 'o' and 'c' as they came */
	unsigned int ready;
	struct console *leave; /* detach at the first output */
	struct reader *drop;   /* and this one with it */
};

struct term {
	struct rig rig;
	struct device *dev;
	struct console *port[2];
	char log[64];
	struct gring q[6];
	uint64_t buffer; /* guest memory: 64 KiB per queue */
};

int term_setup(void **state);
int term_teardown(void **state);
/* free() is the caller's. */
struct reader *reader_new(void);
uint64_t buffer_of(struct term *t, unsigned int q);
void give_buffers(struct term *t, unsigned int q, unsigned int n);
void start(struct term *t, uint64_t features);
/* Output of the guest by queue `q`. */
void write_out(struct term *t, unsigned int q, const void *data, size_t n);
/* A control message of the guest. */
void control(struct term *t, uint32_t port, uint16_t event, uint16_t value);
/* The next control message must be this one; `more` follows it. */
void expect_control(struct term *t, uint32_t port, uint16_t event,
		    uint16_t value, const void *more, size_t n);
/* Linux's probe: buffers, DEVICE_READY, PORT_READY and OPEN for each port. */
void probe(struct term *t, uint64_t features);
void expect_text(struct reader *r, const char *text);

#define T(name) cmocka_unit_test_setup_teardown(name, term_setup, term_teardown)

#endif
