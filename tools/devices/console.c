/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cocon, the host's side: ports with readers, scrollback, log and input.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"

#define VIRTIO_ID_CONSOLE 3

#define FEATURE_SIZE	    (1ull << 0)
#define FEATURE_MULTIPORT   (1ull << 1)
#define FEATURE_EMERG_WRITE (1ull << 2)

static struct console_device *to_console(struct device *dev)
{
	return container_of(dev, struct console_device, dev);
}

/* ---- the last bytes --------------------------------------------------------- */

static void ring_append(struct byte_ring *r, const uint8_t *data, size_t n)
{
	size_t end, first;

	if (n >= r->size) {
		data += n - r->size;
		n = r->size;
	}
	if (!n)
		return;
	end = (r->start + r->used) % r->size;
	first = n < r->size - end ? n : r->size - end;
	memcpy(r->data + end, data, first);
	memcpy(r->data, data + first, n - first);
	r->used += n;
	if (r->used > r->size) {
		r->start = (r->start + r->used - r->size) % r->size;
		r->used = r->size;
	}
}

static void replay(const struct byte_ring *r, struct console_reader *reader)
{
	size_t first = r->size - r->start;

	first = first < r->used ? first : r->used;
	if (first)
		reader->output(reader, r->data + r->start, first);
	if (r->used > first)
		reader->output(reader, r->data, r->used - first);
}

/* ---- output ----------------------------------------------------------------- */

/* A log that can't be written ends; `colinux info` says so. */
static void end_log(struct console *c, int code)
{
	struct device *dev = &c->device->dev;

	close(c->log_fd);
	c->log_fd = -1;
	pthread_mutex_lock(&dev->why_lock);
	snprintf(dev->detail, sizeof(dev->detail), "log %.180s ended: %.50s",
		 c->log_path, strerror(code));
	pthread_mutex_unlock(&dev->why_lock);
}

static void write_log(struct console *c, const uint8_t *data, size_t n)
{
	while (c->log_fd >= 0 && n) {
		ssize_t done = write(c->log_fd, data, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			end_log(c, errno);
			return;
		}
		data += done;
		n -= (size_t)done;
	}
}

/* A reader may detach itself or another one in its callback: the cursor of the
 * walk is the port's, and console_detach() moves it on. */
void console_output(struct console *c, const uint8_t *data, size_t n)
{
	struct console_reader *r;

	ring_append(&c->scrollback, data, n);
	write_log(c, data, n);
	for (r = c->readers; r; r = c->next_reader) {
		c->next_reader = r->next;
		r->output(r, data, n);
	}
}

static void tell_readers(struct console *c, bool open)
{
	struct console_reader *r;

	c->told_open = open;
	for (r = c->readers; r; r = c->next_reader) {
		c->next_reader = r->next;
		if (r->guest_open)
			r->guest_open(r, open);
	}
}

void console_tell_room(struct console *c)
{
	struct console_reader *r;

	for (r = c->readers; r; r = c->next_reader) {
		c->next_reader = r->next;
		if (r->input_ready)
			r->input_ready(r);
	}
}

/* Closed and opened since the last look: both are told. */
void console_tell_open(struct console *c)
{
	unsigned int closings;
	bool open;

	device_lock(&c->device->dev);
	open = c->guest_open;
	closings = c->closings;
	device_unlock(&c->device->dev);
	if (c->told_open && closings != c->told_closings)
		tell_readers(c, false);
	c->told_closings = closings;
	if (open != c->told_open)
		tell_readers(c, open);
}

/* Input for a guest end that is gone isn't the next one's. */
void console_set_open(struct console *c, bool open)
{
	if (c->guest_open && !open) {
		c->closings++;
		c->input_start = c->input_used = 0;
	}
	c->guest_open = open;
}

/* ---- injected text ---------------------------------------------------------- */

static bool make_room(struct console *c, size_t n)
{
	size_t room = c->inject_room ? c->inject_room : 4096;
	uint8_t *data;

	if (n > CONSOLE_INJECT_MAX - c->inject_used)
		return false;
	while (room < c->inject_used + n)
		room *= 2;
	if (room == c->inject_room)
		return true;
	data = realloc(c->inject, room);
	if (!data)
		return false;
	c->inject = data;
	c->inject_room = room;
	return true;
}

void console_inject(struct console *c, const uint8_t *data, size_t n)
{
	pthread_mutex_lock(&c->inject_lock);
	if (make_room(c, n)) {
		memcpy(c->inject + c->inject_used, data, n);
		c->inject_used += n;
	} else {
		c->inject_lost += n;
	}
	pthread_mutex_unlock(&c->inject_lock);
	uv_async_send(c->device->wake);
}

static void output_injected(struct console *c)
{
	uint8_t *data;
	uint64_t lost;
	char text[64];
	size_t n;

	pthread_mutex_lock(&c->inject_lock);
	data = c->inject;
	n = c->inject_used;
	lost = c->inject_lost;
	c->inject = NULL;
	c->inject_used = c->inject_room = 0;
	c->inject_lost = 0;
	pthread_mutex_unlock(&c->inject_lock);
	if (n)
		console_output(c, data, n);
	free(data);
	if (lost) {
		n = (size_t)snprintf(text, sizeof(text),
				     "\r\n[%" PRIu64 " bytes lost]\r\n", lost);
		console_output(c, (const uint8_t *)text, n);
	}
}

static void on_wake(uv_async_t *wake)
{
	struct console_device *cd = wake->data;
	unsigned int i;

	for (i = 0; i < cd->ports; i++) {
		output_injected(cd->port[i]);
		console_tell_open(cd->port[i]);
	}
}

/* ---- what the daemon calls -------------------------------------------------- */

void console_attach(struct console *c, struct console_reader *r)
{
	r->next = c->readers;
	c->readers = r;
	replay(&c->scrollback, r);
}

void console_detach(struct console *c, struct console_reader *r)
{
	struct console_reader **p = &c->readers;

	while (*p && *p != r)
		p = &(*p)->next;
	if (!*p)
		return;
	*p = r->next;
	if (c->next_reader == r)
		c->next_reader = r->next;
}

size_t console_input(struct console *c, const uint8_t *data, size_t n)
{
	size_t end, room, first;

	device_lock(&c->device->dev);
	room = CONSOLE_INPUT_MAX - c->input_used;
	if (n > room) {
		c->refused_input = true;
		n = room;
	}
	end = (c->input_start + c->input_used) % CONSOLE_INPUT_MAX;
	first = CONSOLE_INPUT_MAX - end;
	first = first < n ? first : n;
	memcpy(c->input + end, data, first);
	memcpy(c->input, data + first, n - first);
	c->input_used += n;
	console_push_input(c);
	device_unlock(&c->device->dev);
	return n;
}

void console_make_tty(struct console *c)
{
	c->tty = true;
}

void console_set_host(struct console *c, bool open)
{
	struct console_device *cd = c->device;

	device_lock(&cd->dev);
	if (c->host_open != open) {
		c->host_open = open;
		/* Before that the guest learns it with the port itself. */
		if (c->introduced)
			c->owes |= OWES_OPEN;
		console_send_owed(cd);
	}
	device_unlock(&cd->dev);
}

void console_hold(struct console *c, bool hold)
{
	bool released;

	device_lock(&c->device->dev);
	released = c->held && !hold;
	c->held = hold;
	device_unlock(&c->device->dev);
	if (released)
		queue_ring(c->tx);
}

bool console_held(struct console *c)
{
	bool held;

	device_lock(&c->device->dev);
	held = c->held;
	device_unlock(&c->device->dev);
	return held;
}

/* Port 0's is in the config space, too, for drivers without MULTIPORT. */
static void set_size(struct console *c, unsigned int columns, unsigned int rows)
{
	struct console_config *config = &c->device->config;

	c->size[0] = (uint16_t)(columns < UINT16_MAX ? columns : UINT16_MAX);
	c->size[1] = (uint16_t)(rows < UINT16_MAX ? rows : UINT16_MAX);
	if (c->number)
		return;
	config->columns = c->size[0];
	config->rows = c->size[1];
	device_config_changed(&c->device->dev);
}

/* Only terminals have a size. */
void console_resize(struct console *c, unsigned int columns, unsigned int rows)
{
	struct console_device *cd = c->device;

	if (!c->tty)
		return;
	device_lock(&cd->dev);
	set_size(c, columns, rows);
	if (c->guest_open)
		c->owes |= OWES_RESIZE;
	console_send_owed(cd);
	device_unlock(&cd->dev);
}

bool console_guest_open(struct console *c)
{
	bool open;

	device_lock(&c->device->dev);
	open = c->guest_open;
	device_unlock(&c->device->dev);
	return open;
}

/* ---- making and freeing ----------------------------------------------------- */

static void free_port(struct console *c)
{
	if (c->log_fd >= 0)
		close(c->log_fd);
	pthread_mutex_destroy(&c->inject_lock);
	free(c->inject);
	free(c->scrollback.data);
	free(c->log_path);
	free(c->name);
	free(c);
}

static int open_log(struct console *c, const char *path, struct error **err)
{
	c->log_path = strdup(path);
	if (!c->log_path)
		return error_set(err, ENOMEM, "%s", path);
	c->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (c->log_fd < 0)
		return error_set(err, errno, "cannot open the log %s", path);
	return 0;
}

static int fill_port(struct console *c, const char *name, size_t scrollback,
		     const char *log_path, struct error **err)
{
	c->name = name && *name ? strdup(name) : NULL;
	c->scrollback.size = scrollback;
	c->scrollback.data = scrollback ? malloc(scrollback) : NULL;
	if ((scrollback && !c->scrollback.data) || (name && *name && !c->name))
		return error_set(err, ENOMEM, "cannot make a port");
	return log_path ? open_log(c, log_path, err) : 0;
}

static struct console *make_port(const char *name, size_t scrollback,
				 const char *log_path, struct error **err)
{
	struct console *c = calloc(1, sizeof(*c));

	if (!c) {
		error_set(err, ENOMEM, "cannot make a port");
		return NULL;
	}
	c->log_fd = -1;
	c->host_open = true;
	pthread_mutex_init(&c->inject_lock, NULL);
	if (!fill_port(c, name, scrollback, log_path, err))
		return c;
	free_port(c);
	return NULL;
}

/* Port 0 and the control queues have theirs from the beginning. */
static int give_queues(struct console_device *cd, struct console *c,
		       struct error **err)
{
	struct device *dev = &cd->dev;

	if (c->number == 0) {
		c->rx = dev->queue[0];
		c->tx = dev->queue[1];
		return 0;
	}
	c->rx = device_add_queue(dev, CONSOLE_QUEUE, err);
	c->tx = c->rx ? device_add_queue(dev, CONSOLE_QUEUE, err) : NULL;
	return c->tx ? 0 : -1;
}

/* The guest asks for the number of ports once. */
static int may_add(struct console_device *cd, struct error **err)
{
	if (cd->ports == CONSOLE_PORTS_MAX)
		return error_set(err, 0, "more than %d ports",
				 CONSOLE_PORTS_MAX);
	if (atomic_load(&cd->dev.status))
		return error_set(err, 0,
				 "a port can't be added to a running guest");
	return 0;
}

static struct console *add_port(struct console_device *cd, const char *name,
				size_t scrollback, const char *log_path,
				struct error **err)
{
	struct console *c;

	if (may_add(cd, err))
		return NULL;
	c = make_port(name, scrollback, log_path, err);
	if (!c)
		return NULL;
	c->device = cd;
	c->number = cd->ports;
	c->tty = !c->number;
	if (give_queues(cd, c, err)) {
		free_port(c);
		return NULL;
	}
	device_lock(&cd->dev);
	cd->port[cd->ports++] = c;
	cd->config.max_ports = cd->ports;
	device_unlock(&cd->dev);
	return c;
}

struct console *console_add_port(struct device *dev, const char *port_name,
				 size_t scrollback, const char *log_path,
				 struct error **err)
{
	struct console *c =
		add_port(to_console(dev), port_name, scrollback, log_path, err);

	if (!c)
		error_wrap(err, "%s: port %s", dev->name,
			   port_name ? port_name : "0");
	return c;
}

/* The console of last resort: one character a write. */
static bool console_config_write(struct device *dev, uint32_t offset,
				 uint64_t value, uint32_t bytes)
{
	struct console_device *cd = to_console(dev);
	uint8_t character = (uint8_t)value;

	if (offset != offsetof(struct console_config, emergency_write) ||
	    bytes > 4 || !cd->ports)
		return false;
	console_inject(cd->port[0], &character, 1);
	return true;
}

static void free_wake(uv_handle_t *handle)
{
	free(handle);
}

static void console_free(struct device *dev)
{
	struct console_device *cd = to_console(dev);

	while (cd->ports)
		free_port(cd->port[--cd->ports]);
	if (cd->wake)
		uv_close((uv_handle_t *)cd->wake, free_wake);
	free(cd);
}

static const struct device_ops console_ops = {
	.id = VIRTIO_ID_CONSOLE,
	.type = "console",
	.notify = console_notify,
	.config_write = console_config_write,
	.reset = console_guest_reset,
	.free = console_free,
};

static int make_wake(struct console_device *cd, uv_loop_t *loop,
		     struct error **err)
{
	uv_async_t *wake = malloc(sizeof(*wake));
	int rc;

	if (!wake)
		return error_set(err, ENOMEM, "cannot be made");
	rc = uv_async_init(loop, wake, on_wake);
	if (rc) {
		free(wake);
		return error_set(err, -rc, "cannot be made");
	}
	wake->data = cd;
	cd->wake = wake;
	return 0;
}

static int add_first_queues(struct console_device *cd, struct error **err)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		if (!device_add_queue(&cd->dev, CONSOLE_QUEUE, err))
			return -1;
	cd->control_rx = cd->dev.queue[2];
	cd->control_tx = cd->dev.queue[3];
	return 0;
}

static int init_console(struct machine *m, struct console_device *cd,
			const char *name, struct error **err)
{
	cd->dev.ops = &console_ops;
	cd->dev.features = FEATURE_SIZE | FEATURE_MULTIPORT |
			   FEATURE_EMERG_WRITE;
	cd->dev.config = &cd->config;
	cd->dev.config_size = sizeof(cd->config);
	if (make_wake(cd, machine_loop(m), err) ||
	    device_add(m, &cd->dev, name, err)) {
		console_free(&cd->dev);
		return -1;
	}
	/* From here on the machine frees it, with its devices. */
	return add_first_queues(cd, err);
}

struct device *console_create(struct machine *m, const char *name,
			      struct error **err)
{
	struct console_device *cd = calloc(1, sizeof(*cd));

	if (!cd)
		error_set(err, ENOMEM, "cannot be made");
	if (cd && !init_console(m, cd, name, err))
		return &cd->dev;
	error_wrap(err, "%s", name);
	return NULL;
}
