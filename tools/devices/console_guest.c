/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cocon, the guest's side: data queues of the ports and the control protocol of
 * VIRTIO_CONSOLE_F_MULTIPORT (virtio 1.2, 5.3.6).
 *
 * Output is taken as fast as the guest gives it, so that a console no one looks
 * at never stops a guest; only a port that its reader holds has to wait.
 */
#include <errno.h>
#include <string.h>

#include "console.h"

/* Buffers in one turn of the loop: others have their needs, too. */
#define CONSOLE_TURN 64

enum {
	CONTROL_DEVICE_READY,
	CONTROL_PORT_ADD,
	CONTROL_PORT_REMOVE,
	CONTROL_PORT_READY,
	CONTROL_CONSOLE_PORT,
	CONTROL_RESIZE,
	CONTROL_PORT_OPEN,
	CONTROL_PORT_NAME,
};

struct control {
	uint32_t port;
	uint16_t event;
	uint16_t value;
};
CO_ASSERT_SIZE(struct control, 8);

static struct console_device *to_console(struct device *dev)
{
	return container_of(dev, struct console_device, dev);
}

/* ---- control messages to the guest ------------------------------------------ */

/* Builds the next message that the port owes; returns its OWES_ bit. */
static unsigned int next_owed(struct console *c, struct control *msg,
			      const void **more, size_t *more_size)
{
	unsigned int bit = c->owes & -c->owes;

	*msg = (struct control){ .port = c->number, .value = 1 };
	*more_size = 0;
	switch (bit) {
	case OWES_ADD:
		msg->event = CONTROL_PORT_ADD;
		break;
	case OWES_CONSOLE:
		msg->event = CONTROL_CONSOLE_PORT;
		break;
	case OWES_NAME:
		msg->event = CONTROL_PORT_NAME;
		*more = c->name;
		*more_size = strlen(c->name);
		break;
	case OWES_OPEN:
		msg->event = CONTROL_PORT_OPEN;
		msg->value = c->host_open;
		break;
	case OWES_RESIZE: /* followed by columns and rows, as in the config */
		msg->event = CONTROL_RESIZE;
		*more = c->size;
		*more_size = sizeof(c->size);
		break;
	}
	return bit;
}

/* False: the guest has no buffer for it now. */
static bool send_one(struct console *c)
{
	struct console_device *cd = c->device;
	struct chain *chain = &cd->chain;
	const void *more = NULL;
	struct control msg;
	unsigned int bit;
	size_t size, n;

	if (!queue_pop(cd->control_rx, chain))
		return false;
	bit = next_owed(c, &msg, &more, &size);
	n = chain_write(chain, &msg, sizeof(msg));
	n += chain_write(chain, more, size);
	if (n < sizeof(msg) + size) {
		device_break(&cd->dev, "a control buffer with too little room");
		return false;
	}
	queue_push(cd->control_rx, chain->head, (uint32_t)n);
	c->owes &= ~bit;
	return true;
}

void console_send_owed(struct console_device *cd)
{
	unsigned int i = 0;

	if (!console_multiport(cd))
		return;
	while (i < cd->ports) {
		if (!cd->port[i]->owes)
			i++;
		else if (!send_one(cd->port[i]) &&
			 !queue_listen(cd->control_rx))
			break;
	}
	queue_signal(cd->control_rx);
}

/* ---- control messages from the guest ---------------------------------------- */

static void add_ports(struct console_device *cd)
{
	unsigned int i;

	for (i = 0; i < cd->ports; i++)
		cd->port[i]->owes = OWES_ADD;
}

/* The port's driver is there: now it wants to know what the port is. */
static void introduce(struct console *c)
{
	c->introduced = true;
	c->owes |= OWES_OPEN;
	if (c->tty)
		c->owes |= OWES_CONSOLE;
	if (c->name)
		c->owes |= OWES_NAME;
	if (c->tty && c->size[0])
		c->owes |= OWES_RESIZE;
}

static void handle_port(struct console *c, const struct control *msg)
{
	if (msg->event == CONTROL_PORT_READY && msg->value)
		introduce(c);
	else if (msg->event == CONTROL_PORT_OPEN)
		console_set_open(c, msg->value);
}

/* Events that we don't know belong to features that we didn't offer. */
static void handle_control(struct console_device *cd, const struct control *msg)
{
	if (msg->event == CONTROL_DEVICE_READY) {
		if (msg->value)
			add_ports(cd);
	} else if (msg->port < cd->ports) {
		handle_port(cd->port[msg->port], msg);
	} else {
		device_break(&cd->dev, "a control message for port %u of %u",
			     msg->port, cd->ports);
	}
}

static bool take_control(struct console_device *cd)
{
	struct control msg;
	uint16_t head;

	if (!queue_pop(cd->control_tx, &cd->chain))
		return false;
	head = cd->chain.head;
	if (chain_read(&cd->chain, &msg, sizeof(msg)) != sizeof(msg)) {
		device_break(&cd->dev, "a control message that is too short");
		return false;
	}
	handle_control(cd, &msg);
	/* Linux spins until it has its message back, and then goes on, at its start to
	 * an init that wants a console: the answer is there first. */
	console_send_owed(cd);
	queue_push(cd->control_tx, head, 0);
	return true;
}

static void notify_control(struct console_device *cd)
{
	unsigned int left = CONSOLE_TURN, i;
	bool more;

	device_lock(&cd->dev);
	queue_quiet(cd->control_tx);
	while (left && take_control(cd))
		left--;
	queue_signal(cd->control_tx);
	more = !left || queue_listen(cd->control_tx);
	console_send_owed(cd);
	for (i = 0; i < cd->ports; i++)
		console_push_input(cd->port[i]);
	device_unlock(&cd->dev);
	if (more)
		queue_ring(cd->control_tx);
	for (i = 0; i < cd->ports; i++)
		console_tell_open(cd->port[i]);
}

/* ---- output ----------------------------------------------------------------- */

/* Copies the next buffer out; false: none there. */
static bool take_output(struct console *c, size_t *n)
{
	struct console_device *cd = c->device;
	bool there;

	device_lock(&cd->dev);
	there = queue_pop(c->tx, &cd->chain);
	if (there && cd->chain.out_size > CONSOLE_OUTPUT_MAX) {
		device_break(&cd->dev, "port %u: output of %llu bytes at once",
			     c->number, (unsigned long long)cd->chain.out_size);
		there = false;
	}
	if (there) {
		*n = chain_read(&cd->chain, cd->output, CONSOLE_OUTPUT_MAX);
		device_count(&cd->dev, 0, *n);
		queue_push(c->tx, cd->chain.head, 0);
		queue_signal(c->tx);
	}
	device_unlock(&cd->dev);
	return there;
}

static bool listen_locked(struct queue *q)
{
	bool more;

	device_lock(q->dev);
	more = queue_listen(q);
	device_unlock(q->dev);
	return more;
}

static void notify_output(struct console *c)
{
	unsigned int left = CONSOLE_TURN;
	size_t n = 0;

	if (console_held(c))
		return;
	device_lock(&c->device->dev);
	queue_quiet(c->tx);
	device_unlock(&c->device->dev);
	while (left && take_output(c, &n)) {
		console_output(c, c->device->output, n);
		left--;
		if (console_held(c))
			return;
	}
	if (!left || listen_locked(c->tx))
		queue_ring(c->tx);
}

/* ---- input ------------------------------------------------------------------ */

/* One buffer's worth; false: no buffer, or nothing to give. */
static bool push_some(struct console *c)
{
	struct chain *chain = &c->device->chain;
	size_t done = 0;

	if (!c->input_used || !queue_pop(c->rx, chain))
		return false;
	while (c->input_used && chain->in_size) {
		size_t n = CONSOLE_INPUT_MAX - c->input_start;

		n = n < c->input_used ? n : c->input_used;
		n = chain_write(chain, c->input + c->input_start, n);
		c->input_start = (c->input_start + n) % CONSOLE_INPUT_MAX;
		c->input_used -= n;
		done += n;
	}
	if (!done) {
		device_break(&c->device->dev,
			     "port %u: an input buffer of no size", c->number);
		return false;
	}
	device_count(&c->device->dev, done, 0);
	queue_push(c->rx, chain->head, (uint32_t)done);
	return true;
}

/* A guest that hasn't opened its end throws input away: it waits here. */
void console_push_input(struct console *c)
{
	if (!c->guest_open)
		return;
	do {
		queue_quiet(c->rx);
		while (push_some(c))
			;
	} while (c->input_used && queue_listen(c->rx));
	queue_signal(c->rx);
}

static void notify_input(struct console *c)
{
	bool ready;

	device_lock(&c->device->dev);
	/* Without MULTIPORT there is no message "open", but a buffer says it. */
	if (!console_multiport(c->device) && device_running(&c->device->dev))
		console_set_open(c, true);
	console_push_input(c);
	ready = c->refused_input && c->input_used < CONSOLE_INPUT_MAX;
	if (ready)
		c->refused_input = false;
	device_unlock(&c->device->dev);
	console_tell_open(c);
	if (ready)
		console_tell_room(c);
}

/* ---- device ----------------------------------------------------------------- */

bool console_multiport(const struct console_device *cd)
{
	return device_has(&cd->dev, 1ull << 1);
}

void console_notify(struct device *dev, struct queue *q)
{
	struct console_device *cd = to_console(dev);
	struct console *c;

	if (q == cd->control_tx) {
		notify_control(cd);
	} else if (q == cd->control_rx) {
		device_lock(dev);
		console_send_owed(cd);
		device_unlock(dev);
	} else {
		c = cd->port[q->index < 2 ? 0 : q->index / 2 - 1];
		if (q == c->tx)
			notify_output(c);
		else
			notify_input(c);
	}
}

void console_guest_reset(struct device *dev)
{
	struct console_device *cd = to_console(dev);
	unsigned int i;

	for (i = 0; i < cd->ports; i++) {
		console_set_open(cd->port[i], false);
		cd->port[i]->owes = 0;
		cd->port[i]->introduced = false;
	}
	uv_async_send(cd->wake);
}
