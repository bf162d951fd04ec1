/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cocon with three ports, two of them terminals, and a reader on each.
 */
#include <stdlib.h>

#include "fuzz.h"

#define PORTS 3

static struct console *port[PORTS];
static struct console_reader reader[PORTS];
static bool attached[PORTS];
static uint64_t bytes;

static void on_output(struct console_reader *r, const uint8_t *data, size_t n)
{
	(void)r;
	while (n)
		bytes += data[--n]; /* reads each byte */
}

static void on_open(struct console_reader *r, bool open)
{
	(void)r;
	bytes += open;
}

static void on_room(struct console_reader *r)
{
	(void)r;
	bytes++;
}

void target_make(struct rig *rig, uint8_t variant)
{
	static const char *const name[PORTS] = { NULL, "agent", "third" };
	struct error *err = NULL;
	struct device *dev = console_create(rig->m, "cocon", &err);
	unsigned int i;

	(void)variant;
	for (i = 0; dev && i < PORTS; i++) {
		port[i] = console_add_port(dev, name[i], 100 * i, NULL, &err);
		if (!port[i])
			abort();
		reader[i] = (struct console_reader){ on_output, on_open,
						     on_room, NULL };
		attached[i] = true;
		if (i == 2)
			console_make_tty(port[i]);
		console_attach(port[i], &reader[i]);
	}
}

void target_work(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		uv_run(&rig->loop, UV_RUN_NOWAIT);
}

static void toggle_reader(unsigned int i)
{
	if (attached[i])
		console_detach(port[i], &reader[i]);
	else
		console_attach(port[i], &reader[i]);
	attached[i] = !attached[i];
}

void target_host(struct rig *rig, uint8_t what)
{
	static const uint8_t much[600];
	struct console *c = port[what % PORTS];

	switch (what >> 5) {
	case 0:
		console_resize(c, what, 24);
		break;
	case 1:
		console_inject(c, &what, 1);
		break;
	case 2:
		machine_reset(rig->m);
		break;
	case 3:
		console_hold(c, what & 4);
		break;
	case 4:
		console_set_host(c, what & 4);
		break;
	case 5:
		toggle_reader(what % PORTS);
		bytes += console_guest_open(c);
		break;
	case 6:
		console_input(c, much, sizeof(much));
		break;
	default:
		console_input(c, (const uint8_t *)"input", 5);
		break;
	}
}

void target_end(void)
{
}

/* Mostly control messages: port, event, value. */
void target_head(struct head *h, struct dice *dice)
{
	static const uint8_t queue[] = { 0, 1, 2, 3, 3, 3, 4, 5 };

	h->queue = queue[dice_roll(dice, 8)];
	if (h->queue % 2 == 0) {
		h->room = (uint8_t)dice_roll(dice, 64);
		return;
	}
	h->data[0] = (uint8_t)dice_roll(dice, PORTS);
	h->data[4] = (uint8_t)dice_roll(dice, 8);
	h->data[6] = (uint8_t)dice_roll(dice, 2);
	h->n = 8;
}
