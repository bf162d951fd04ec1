/* SPDX-License-Identifier: GPL-2.0 */
/* A directory that is shared, with a client; each test has its own. */
#ifndef CO_TESTS_FIXTURE_H
#define CO_TESTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client.h"

extern char top[64], dir[80]; /* dir is shared, top is what lies around it */
extern struct client *c;

int setup(void **state);
int teardown(void **state);
/* The path of what is shared under that name; four stay good. */
const char *in(const char *name);
/* A shell command in `top`, which must succeed. */
void run(const char *command);
/* XATTRCREATE, the value, and the clunk that sets it. */
int set_xattr(uint32_t fid, const char *name, const void *value,
	      size_t n, uint32_t flags);

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
