// SPDX-License-Identifier: GPL-2.0
/*
 * A driver whose guest follows a script, in place of tools/os/linux/driver.c.
 * The script is the file $COLINUX_TEST_SCRIPT; a line `--` begins what the next
 * VM of this process does (after a reboot). Lines:
 *
 *	create ERRNO		VM_CREATE fails
 *	load CODE DETAIL	VM_LOAD fails with CO_LOAD_*
 *	say TEXT		early console text
 *	sleep MS		runs on; VM_STOP ends it
 *	power			waits for a power event, says which
 *	fail ERRNO		RUN fails
 *	stop CODE TEXT		the verdict
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../../abi/driver.h"
#include "../../tools/lib/text.h"
#include "../../tools/os/driver.h"

struct driver {
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct text script;
	char *at;
	uint32_t verdict, power;
	char text[256];
};

static unsigned int boots;

/* The part of the script for the n-th VM; the last one goes for all further. */
static char *section(char *script, unsigned int n)
{
	char *next;

	while (n-- && (next = strstr(script, "\n--\n")))
		script = next + 4;
	next = strstr(script, "\n--\n");
	if (next)
		next[1] = 0;
	return script;
}

struct driver *driver_open(struct error **err)
{
	const char *path = getenv("COLINUX_TEST_SCRIPT");
	struct driver *d = need(sizeof(*d));

	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->change, NULL);
	if (!path || text_file(&d->script, path, 1 << 20)) {
		error_set(err, errno, "script %s", path ? path : "");
		free(d);
		return NULL;
	}
	d->at = section(d->script.data, boots++);
	return d;
}

void driver_close(struct driver *d)
{
	if (!d)
		return;
	text_free(&d->script);
	free(d);
}

uint8_t *driver_map(struct driver *d, uint64_t lowest, uint64_t highest,
		    struct error **err)
{
	void *base = mmap(NULL, highest - lowest, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)d;
	if (base == MAP_FAILED) {
		error_set(err, errno, "mmap");
		return NULL;
	}
	return base;
}

void driver_unmap(uint8_t *base, uint64_t lowest, uint64_t highest)
{
	if (base)
		munmap(base, highest - lowest);
}

/* The next line of the script without its end; NULL behind the last. */
static char *next_line(struct driver *d)
{
	char *line = d->at, *end;

	if (!*line)
		return NULL;
	end = strchr(line, '\n');
	*end = 0;
	d->at = end + 1;
	return line;
}

/* The line's rest if it begins with `word `, and then the line is used up. */
static char *take(struct driver *d, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(d->at, word, n) || !strchr(" \n", d->at[n]))
		return NULL;
	return next_line(d) + n;
}

static int create(struct driver *d, struct co_req_vm_create *req)
{
	char *rest = take(d, "create");

	if (rest)
		return -atoi(rest);
	req->chunks = 2;
	req->lowest = 0x10000000;
	req->highest = req->lowest + req->memory + CO_LARGE_PAGE;
	return 0;
}

static int load(struct driver *d, struct co_req_vm_load *req)
{
	char *rest = take(d, "load");

	if (!rest)
		return 0;
	req->error = (co_u32)strtoul(rest, &rest, 10);
	req->detail = (co_u32)strtoul(rest, NULL, 10);
	return -ENOEXEC;
}

static void set_verdict(struct driver *d, uint32_t verdict, const char *text)
{
	if (d->verdict)
		return;
	d->verdict = verdict;
	snprintf(d->text, sizeof(d->text), "%s", text);
	pthread_cond_broadcast(&d->change);
}

/* Until `ms` have passed (-1: never), a power event or the verdict. */
static void wait_change(struct driver *d, long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	while (!d->verdict && (ms >= 0 || !d->power)) {
		if (ms < 0)
			pthread_cond_wait(&d->change, &d->lock);
		else if (pthread_cond_timedwait(&d->change, &d->lock, &t))
			return;
	}
}

static void say(struct co_req_vcpu_run *run, const char *format, const char *s)
{
	run->exit = CO_EXIT_CONSOLE;
	run->size = (co_u32)snprintf((char *)run->data, sizeof(run->data),
				     format, s);
}

static int power(struct driver *d, struct co_req_vcpu_run *run)
{
	static const char *const names[] = { "none", "off", "reboot", "cad" };

	wait_change(d, -1);
	if (d->power)
		say(run, "power: %s\n", names[d->power & 3]);
	d->power = 0;
	return 0;
}

static void stop_line(struct driver *d, char *rest)
{
	uint32_t verdict = (uint32_t)strtoul(rest, &rest, 0);

	set_verdict(d, verdict, rest + strspn(rest, " "));
}

static int run_line(struct driver *d, char *line, struct co_req_vcpu_run *run)
{
	char *rest = line + strcspn(line, " ");

	run->exit = CO_EXIT_INTR;
	if (*rest)
		rest++;
	if (!strncmp(line, "say", 3))
		say(run, "%s\n", rest);
	else if (!strncmp(line, "sleep", 5))
		wait_change(d, atol(rest));
	else if (!strncmp(line, "power", 5))
		return power(d, run);
	else if (!strncmp(line, "fail", 4))
		return -atoi(rest);
	else if (!strncmp(line, "stop", 4))
		stop_line(d, rest);
	return 0;
}

static int vcpu_run(struct driver *d, struct co_req_vcpu_run *run)
{
	char *line = d->verdict ? NULL : next_line(d);
	int rc = 0;

	if (line)
		rc = run_line(d, line, run);
	else if (!d->verdict)
		wait_change(d, 1000); /* behind its script the guest is idle */
	if (d->verdict)
		run->exit = CO_EXIT_STOP;
	return rc;
}

static void info(struct driver *d, struct co_req_vm_info *info)
{
	info->verdict = d->verdict;
	info->switches = 4711;
	snprintf((char *)info->text, sizeof(info->text), "%s", d->text);
}

static int request(struct driver *d, unsigned int nr, void *buf)
{
	struct co_req_vm_chunk *chunk = buf;
	struct co_req_vm_raise *raise = buf;
	struct co_req_vm_stop *stop = buf;

	switch (nr) {
	case CO_REQ_VM_CREATE:
		return create(d, buf);
	case CO_REQ_VM_CHUNK:
		chunk->chunk.address = 0x10000000 + chunk->index * CO_LARGE_PAGE;
		chunk->chunk.size = CO_LARGE_PAGE;
		return 0;
	case CO_REQ_VM_LOAD:
		return load(d, buf);
	case CO_REQ_VCPU_RUN:
		return vcpu_run(d, buf);
	case CO_REQ_VM_RAISE:
		d->power = (uint32_t)raise->value;
		pthread_cond_broadcast(&d->change);
		return 0;
	case CO_REQ_VM_INFO:
		info(d, buf);
		return 0;
	case CO_REQ_VM_STOP:
		set_verdict(d, stop->verdict, (char *)stop->text);
		return 0;
	default:
		return -EINVAL;
	}
}

int driver_request(struct driver *d, unsigned int nr, void *buf, size_t size)
{
	int rc;

	(void)size;
	pthread_mutex_lock(&d->lock);
	rc = request(d, nr, buf);
	pthread_mutex_unlock(&d->lock);
	return rc;
}
