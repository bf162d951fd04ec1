// SPDX-License-Identifier: GPL-2.0
/*
 * A driver whose guest follows a script, in place of tools/os/linux/driver.c.
 * The script is the file $COLINUX_TEST_SCRIPT; a line `--` begins what the next
 * VM of this process does (after a reboot). Lines:
 *
 *	create ERRNO		VM_CREATE fails
 *	follows [CPUS [MB]]	the guest does what `colinux set` wants, at once, but
 *				brings up no more vCPUs and keeps so much memory;
 *				without that line it doesn't
 *	load CODE DETAIL	VM_LOAD fails with CO_LOAD_*
 *	say TEXT		early console text
 *	sleep MS		runs on; VM_STOP ends it
 *	power			waits for a power event, says which
 *	fail ERRNO		RUN fails
 *	stop CODE TEXT		the verdict
 *	lines N TEXT		early console text, N times, numbered
 *	device N		N accesses to the registers of a device
 *
 * A line is vCPU 0's, one that begins with `@N ` is vCPU N's, which is OFF until
 * the guest has so many online. `create`, `follows` and `load` come first.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../../abi/driver.h"
#include "../../tools/lib/text.h"
#include "../../tools/os/driver.h"

#define LINE_BYTES 256

struct scripted_vcpu {
	const char *at;	     /* the script from here on is to be done */
	char line[LINE_BYTES]; /* the one that is done now */
	unsigned long lines, said; /* of `lines` */
	unsigned long accesses;	   /* to do; its own thread's */
	bool running;
};

struct driver {
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct text script;
	struct scripted_vcpu vcpu[CO_VCPUS_MAX];
	uint32_t vcpus, online;
	uint64_t memory, memory_max, limit;
	bool follows;
	uint32_t follows_cpus;
	uint64_t follows_memory;
	uint64_t runs;
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
	unsigned int i;

	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->change, NULL);
	if (!path || text_file(&d->script, path, 1 << 20)) {
		error_set(err, errno, "script %s", path ? path : "");
		free(d);
		return NULL;
	}
	d->vcpu[0].at = section(d->script.data, boots++);
	for (i = 1; i < CO_VCPUS_MAX; i++)
		d->vcpu[i].at = d->vcpu[0].at;
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

void driver_unmap(struct driver *d, uint8_t *base, uint64_t lowest, uint64_t highest)
{
	(void)d;
	if (base)
		munmap(base, highest - lowest);
}

/* Whose line is it? *text is what is to be done. */
static unsigned long owner(const char *line, const char **text)
{
	unsigned long n;
	char *end;

	*text = line;
	if (*line != '@')
		return 0;
	n = strtoul(line + 1, &end, 10);
	*text = end + 1;
	return n;
}

/* The vCPU's next line without its end; NULL behind the last. */
static char *next_line(struct driver *d, unsigned int vcpu)
{
	struct scripted_vcpu *v = &d->vcpu[vcpu];
	const char *text, *line;
	unsigned long whose;

	while (*v->at) {
		line = v->at;
		v->at = strchr(line, '\n') + 1;
		whose = owner(line, &text);
		if (whose != vcpu)
			continue;
		snprintf(v->line, sizeof(v->line), "%.*s",
			 (int)(v->at - 1 - text), text);
		return v->line;
	}
	return NULL;
}

/* The line's rest if it begins with `word `, and then the line is used up. */
static char *take(struct driver *d, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(d->vcpu[0].at, word, n) || !strchr(" \n", d->vcpu[0].at[n]))
		return NULL;
	return next_line(d, 0) + n;
}

static void take_follows(struct driver *d, char *rest)
{
	d->follows = true;
	d->follows_cpus = (uint32_t)strtoul(rest, &rest, 10);
	d->follows_memory = strtoull(rest, NULL, 10) << 20;
	if (!d->follows_cpus)
		d->follows_cpus = d->vcpus;
}

static int create(struct driver *d, struct co_req_vm_create *req)
{
	char *rest = take(d, "create");

	if (rest)
		return -atoi(rest);
	d->vcpus = req->vcpus;
	d->memory = req->memory;
	d->limit = req->memory_max;
	d->memory_max = req->memory_max;
	d->online = 1;
	rest = take(d, "follows");
	if (rest)
		take_follows(d, rest);
	if (d->follows)
		d->online = req->online;
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

/* Reads and writes of registers that are there and of some that aren't. */
static void access_device(struct scripted_vcpu *v, struct co_req_vcpu_run *run)
{
	unsigned long n = v->accesses--;
	bool write = n % 3 == 0;
	uint32_t reg = n / 3 % CO_DEV_REGISTERS;

	run->exit = write ? CO_EXIT_DEVICE_WRITE : CO_EXIT_DEVICE_READ;
	run->arg[0] = n / 64 % 4;
	run->arg[1] = reg;
	run->arg[2] = write ? (co_u64)8 << 32 : 0;
	/* A reset; a driver that comes up; a queue's address. */
	run->arg[3] = !write ? 8 : reg == CO_DEV_STATUS ? n / 128 % 16 : 0x10000000;
}

static void say_next(struct scripted_vcpu *v, struct co_req_vcpu_run *run)
{
	run->exit = CO_EXIT_CONSOLE;
	run->size = (co_u32)snprintf((char *)run->data, sizeof(run->data),
				     "%s %lu\n", v->line, v->said);
	v->said++;
}

static void lines_begin(struct scripted_vcpu *v, char *rest)
{
	v->said = 0;
	v->lines = strtoul(rest, &rest, 10);
	memmove(v->line, rest + 1, strlen(rest));
}

static int run_line(struct driver *d, struct scripted_vcpu *v, char *line,
		    struct co_req_vcpu_run *run)
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
	else if (!strncmp(line, "lines", 5))
		lines_begin(v, rest);
	else if (!strncmp(line, "device", 6))
		v->accesses = strtoul(rest, NULL, 10);
	return 0;
}

/* What an idle vCPU does: nothing, until something changes. */
static void idle(struct driver *d)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec++;
	pthread_cond_timedwait(&d->change, &d->lock, &t);
}

static int run_on(struct driver *d, struct scripted_vcpu *v,
		  struct co_req_vcpu_run *run)
{
	char *line;

	run->exit = CO_EXIT_INTR;
	while (!d->verdict && run->vcpu >= d->online)
		pthread_cond_wait(&d->change, &d->lock); /* OFF */
	if (d->verdict)
		return 0;
	if (v->said < v->lines) {
		say_next(v, run);
		return 0;
	}
	line = next_line(d, run->vcpu);
	if (line)
		return run_line(d, v, line, run);
	idle(d);
	return 0;
}

static int vcpu_run(struct driver *d, struct co_req_vcpu_run *run)
{
	struct scripted_vcpu *v = &d->vcpu[run->vcpu];
	int rc;

	if (run->vcpu >= d->vcpus)
		return -EINVAL;
	if (v->running)
		return -EBUSY;
	v->running = true;
	d->runs++;
	rc = run_on(d, v, run);
	v->running = false;
	if (d->verdict)
		run->exit = CO_EXIT_STOP;
	return rc;
}

static int change(struct driver *d, const struct co_req_vm_raise *raise)
{
	uint64_t bound;

	if (raise->events == CO_EVENT_POWER)
		d->power = (uint32_t)raise->value;
	if (raise->events == CO_EVENT_CPUS) {
		if (!raise->value || raise->value > d->vcpus)
			return -EINVAL;
		bound = raise->value < d->follows_cpus ? raise->value :
							 d->follows_cpus;
		if (d->follows)
			d->online = (uint32_t)bound;
	}
	if (raise->events == CO_EVENT_MEMORY) {
		if (d->follows_memory == 1 << 20)
			return -EOPNOTSUPP; /* `follows N 1`: it refuses */
		bound = raise->value > d->follows_memory ? raise->value :
							   d->follows_memory;
		d->limit = raise->value;
		if (d->follows && d->memory > bound)
			d->memory = bound;
	}
	pthread_cond_broadcast(&d->change);
	return 0;
}

static void info(struct driver *d, struct co_req_vm_info *info)
{
	info->verdict = d->verdict;
	info->vcpus = d->vcpus;
	info->online = d->online;
	info->memory = d->memory;
	info->memory_max = d->memory_max;
	info->memory_limit = d->limit;
	info->memory_free = d->memory / 4;
	info->memory_returned = 32 << 20;
	info->switches = 4711 + d->runs;
	info->guest_ns = d->runs * 1000;
	snprintf((char *)info->text, sizeof(info->text), "%s", d->text);
}

static int request(struct driver *d, unsigned int nr, void *buf)
{
	struct co_req_vm_chunk *chunk = buf;
	struct co_req_vm_stop *stop = buf;
	struct co_req_check *check = buf;

	switch (nr) {
	case CO_REQ_CHECK:
		check->memory_reserve = 256 << 20;
		return 0;
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
		return change(d, buf);
	case CO_REQ_VM_INFO:
		info(d, buf);
		return 0;
	case CO_REQ_VM_STOP:
		set_verdict(d, stop->verdict, (char *)stop->text);
		return 0;
	case CO_REQ_DOORBELL:
		return 0;
	default:
		return -EINVAL;
	}
}

int driver_request(struct driver *d, unsigned int nr, void *buf, size_t size)
{
	struct co_req_vcpu_run *run = buf;
	int rc;

	(void)size;
	/* Without the lock, which would order what the daemon must order itself. */
	if (nr == CO_REQ_VCPU_RUN && d->vcpu[run->vcpu].accesses) {
		access_device(&d->vcpu[run->vcpu], run);
		return 0;
	}
	pthread_mutex_lock(&d->lock);
	rc = request(d, nr, buf);
	pthread_mutex_unlock(&d->lock);
	return rc;
}
