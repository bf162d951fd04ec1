// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's text on standard output. Nobody can ask Windows whether a console or
 * a pipe would take it: a thread writes, and what doesn't fit into its buffer while
 * it stands is left out.
 */
#include "../console_out.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "../../lib/text.h"

#define ROOM (1u << 20)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct text waiting;
static bool started, broken;

static void *print_on(void *arg)
{
	struct text now;

	pthread_mutex_lock(&lock);
	for (;;) {
		while (!waiting.length)
			pthread_cond_wait(&more, &lock);
		now = waiting;
		memset(&waiting, 0, sizeof(waiting));
		pthread_mutex_unlock(&lock);
		if (write_all(STDOUT_FILENO, now.data, now.length))
			broken = true;
		text_free(&now);
		pthread_mutex_lock(&lock);
	}
	return arg;
}

static bool start(void)
{
	pthread_t thread;

	if (!started && !pthread_create(&thread, NULL, print_on, NULL)) {
		pthread_detach(thread);
		started = true;
	}
	return started;
}

void print_console(const uint8_t *data, size_t n)
{
	pthread_mutex_lock(&lock);
	if (!broken && start() && waiting.length + n <= ROOM) {
		text_add(&waiting, data, n);
		pthread_cond_signal(&more);
	}
	pthread_mutex_unlock(&lock);
}
