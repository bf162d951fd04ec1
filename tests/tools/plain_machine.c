// SPDX-License-Identifier: GPL-2.0
/*
 * Devices without virtio, for tests of the daemon's own work: the console echoes,
 * and the agent's port is a socket to a real colinux-agent ($COLINUX_TEST_AGENT),
 * started $COLINUX_TEST_AGENT_DELAY ms after the VM. The real devices have their
 * tests in tests/devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tools/devices/device.h"
#include "../../tools/lib/text.h"
#include "../../tools/lib/version.h"

/* What the console takes at once; and each so many calls it takes nothing, so
 * that the daemon has to try again later. */
#define INPUT_ONCE 4000
#define INPUT_FULL 64

struct console {
	struct machine *m;
	struct tail scrollback;
	struct console_reader *readers;
	uv_async_t wake;
	pthread_mutex_t lock;
	struct text injected;
	bool refused; /* input, since its readers were last told of room */
	/* the agent's port */
	uv_timer_t delay;
	uv_poll_t poll;
	int fd;
	pid_t agent;
};

struct machine {
	uv_loop_t *loop;
	struct console *port[64];
	int ports, disks;
	unsigned int columns, rows, resets;
};

/* The daemon closes what is on its loop after the machine is gone, so nothing here
 * is freed; this keeps it in the leak checker's sight. */
static struct machine *volatile kept;

struct machine *machine_create(const struct guest_memory *mem,
			       const struct machine_driver *driver,
			       uv_loop_t *loop)
{
	struct machine *m = need(sizeof(*m));

	(void)mem;
	(void)driver;
	m->loop = loop;
	kept = m;
	return m;
}

static void free_port(struct console *c)
{
	if (c->agent)
		kill(c->agent, SIGKILL);
	if (c->agent)
		waitpid(c->agent, NULL, 0);
	tail_free(&c->scrollback);
	text_free(&c->injected);
}

void machine_free(struct machine *m)
{
	int i;

	for (i = 0; m && i < m->ports; i++)
		free_port(m->port[i]);
}

uint64_t machine_access(struct machine *m, bool write, const uint64_t arg[4])
{
	(void)m;
	(void)write;
	(void)arg;
	return 0;
}

uint32_t machine_devices(const struct machine *m)
{
	return (uint32_t)m->disks + 2;
}

void machine_reset(struct machine *m)
{
	m->resets++;
}

void machine_for_each(struct machine *m,
		      void (*fn)(void *arg, const struct device_info *info),
		      void *arg)
{
	char detail[64];
	struct device_info info = { .name = "cocon", .type = "console",
				    .running = true, .detail = detail,
				    .io = { 3, 1000, 2000 } };

	snprintf(detail, sizeof(detail), "%ux%u, %u resets", m->columns, m->rows,
		 m->resets);
	fn(arg, &info);
}

struct device *block_create(struct machine *m, const char *name,
			    const struct block_options *opt, struct error **err)
{
	(void)name;
	if (access(opt->path, R_OK)) {
		error_set(err, errno, "%s", opt->path);
		return NULL;
	}
	m->disks++;
	return (struct device *)m;
}

struct device *cofs_create(struct machine *m, const char *name, const char *tag,
			   const struct share_options *opt, struct error **err)
{
	(void)name;
	(void)tag;
	(void)opt;
	(void)err;
	return (struct device *)m;
}

struct device *virtiofs_create(struct machine *m, const char *name,
			       const char *tag,
			       const struct virtiofs_options *opt,
			       struct error **err)
{
	(void)name;
	(void)tag;
	(void)opt;
	(void)err;
	return (struct device *)m;
}

void block_keep(struct machine *m)
{
	(void)m;
}

/* The first disk takes any size. */
int block_resize(struct machine *m, const char *name, uint64_t size, bool shrink,
		 uint64_t *now, struct error **err)
{
	(void)m;
	if (strcmp(name, "cobd0"))
		return error_set(err, 0, "%s: the VM has no such disk", name);
	*now = shrink ? size / 2 : size ? size : 12ull << 20;
	return 0;
}

struct device *rng_create(struct machine *m, const char *name,
			  struct error **err)
{
	(void)name;
	(void)err;
	return (struct device *)m;
}

struct device *vsock_create(struct machine *m, const char *name,
			    const struct vsock_options *opt, struct error **err)
{
	(void)name;
	(void)opt;
	(void)err;
	m->disks++;
	return (struct device *)m;
}

struct device *console_create(struct machine *m, const char *name,
			      struct error **err)
{
	(void)name;
	(void)err;
	return (struct device *)m;
}

static void output(struct console *c, const uint8_t *data, size_t n)
{
	struct console_reader *r, *next;

	if (c->scrollback.room)
		tail_add(&c->scrollback, data, n);
	for (r = c->readers; r; r = next) {
		next = r->next;
		r->output(r, data, n);
	}
}

static void tell_room(struct console *c)
{
	struct console_reader *r, *next;

	c->refused = false;
	for (r = c->readers; r; r = next) {
		next = r->next;
		if (r->input_ready)
			r->input_ready(r);
	}
}

static void on_wake(uv_async_t *wake)
{
	struct console *c = wake->data;
	struct text t;

	pthread_mutex_lock(&c->lock);
	t = c->injected;
	memset(&c->injected, 0, sizeof(c->injected));
	pthread_mutex_unlock(&c->lock);
	if (t.length)
		output(c, (uint8_t *)t.data, t.length);
	text_free(&t);
	if (c->refused)
		tell_room(c);
}

static void agent_open(struct console *c, bool open)
{
	if (c->readers && c->readers->guest_open)
		c->readers->guest_open(c->readers, open);
}

static void from_agent(uv_poll_t *poll, int status, int events)
{
	struct console *c = poll->data;
	uint8_t buffer[65536];
	ssize_t n = read(c->fd, buffer, sizeof(buffer));

	(void)status;
	(void)events;
	if (n > 0) {
		output(c, buffer, (size_t)n);
		return;
	}
	uv_poll_stop(poll);
	agent_open(c, false);
}

static void start_agent(uv_timer_t *timer)
{
	struct console *c = timer->data;
	const char *path = getenv("COLINUX_TEST_AGENT");
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		abort();
	c->agent = fork();
	if (!c->agent) {
		dup2(fd[1], 3);
		execl(path, path, "-fd:3", NULL);
		_exit(127);
	}
	close(fd[1]);
	c->fd = fd[0];
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	agent_open(c, true);
	uv_poll_init(c->m->loop, &c->poll, c->fd);
	c->poll.data = c;
	uv_poll_start(&c->poll, UV_READABLE, from_agent);
}

struct console *console_add_port(struct device *dev, const char *port_name,
				 size_t scrollback, const char *log_path,
				 struct error **err)
{
	struct machine *m = (struct machine *)dev;
	struct console *c = need(sizeof(*c));
	const char *delay = getenv("COLINUX_TEST_AGENT_DELAY");

	(void)log_path;
	(void)err;
	c->m = m;
	m->port[m->ports++] = c;
	if (scrollback)
		tail_init(&c->scrollback, scrollback);
	pthread_mutex_init(&c->lock, NULL);
	uv_async_init(m->loop, &c->wake, on_wake);
	c->wake.data = c;
	if (port_name && !strcmp(port_name, COLINUX_AGENT_PORT) &&
	    getenv("COLINUX_TEST_AGENT")) {
		uv_timer_init(m->loop, &c->delay);
		c->delay.data = c;
		uv_timer_start(&c->delay, start_agent,
			       delay ? strtoul(delay, NULL, 10) : 0, 0);
	}
	return c;
}

void console_attach(struct console *c, struct console_reader *r)
{
	struct text t = { 0 };

	r->next = c->readers;
	c->readers = r;
	if (c->scrollback.room)
		tail_copy(&c->scrollback, &t);
	if (t.length)
		r->output(r, (uint8_t *)t.data, t.length);
	text_free(&t);
}

void console_detach(struct console *c, struct console_reader *r)
{
	struct console_reader **at = &c->readers;

	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
}

size_t console_input(struct console *c, const uint8_t *data, size_t n)
{
	static unsigned int calls;
	ssize_t done;

	if (++calls % INPUT_FULL == 0 || n > INPUT_ONCE) {
		c->refused = true;
		uv_async_send(&c->wake);
	}
	if (calls % INPUT_FULL == 0)
		return 0;
	if (n > INPUT_ONCE)
		n = INPUT_ONCE;
	if (c->agent) {
		done = write(c->fd, data, n);
		return done < 0 ? 0 : (size_t)done;
	}
	output(c, data, n);
	return n;
}

void console_make_tty(struct console *c)
{
	(void)c;
}

void console_set_host(struct console *c, bool open)
{
	(void)c;
	(void)open;
}

void console_hold(struct console *c, bool hold)
{
	(void)c;
	(void)hold;
}

void console_resize(struct console *c, unsigned int columns, unsigned int rows)
{
	c->m->columns = columns;
	c->m->rows = rows;
}

void console_inject(struct console *c, const uint8_t *data, size_t n)
{
	pthread_mutex_lock(&c->lock);
	text_add(&c->injected, data, n);
	pthread_mutex_unlock(&c->lock);
	uv_async_send(&c->wake);
}

bool console_guest_open(struct console *c)
{
	(void)c;
	return false;
}
