// SPDX-License-Identifier: GPL-2.0
/* What can be done to network devices while the VM runs: port, link, capture. */
#include "net.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "control.h"

static const char *text_arg(json_t *args, const char *key)
{
	return json_string_value(json_object_get(args, key));
}

static struct net_card *card_arg(struct connection *c, json_t *args,
				 struct error **err)
{
	const char *name = text_arg(args, "device");

	if (name)
		return net_find(c->d, name, err);
	error_set(err, 0, "args.device is missing: eth0, ...");
	return NULL;
}

/* ---- port ------------------------------------------------------------------- */

static void add_forwards(json_t *all, const char *device,
			 const struct net_card *card)
{
	const struct forward *f;
	struct text t = { 0 };
	size_t n, i;

	f = slirp_forwards(card->backend, &n);
	for (i = 0; i < n; i++) {
		t.length = 0;
		forward_text(&f[i], &t);
		json_array_append_new(all, json_pack("{s:s, s:s}", "device", device,
						     "forward", t.data));
	}
	text_free(&t);
}

/* Of that device, or of all. */
static json_t *forwards_json(struct daemon *d, const struct net_card *only)
{
	json_t *all = json_array();
	char name[16];
	unsigned int i;

	for (i = 0; i < CONFIG_NETS; i++) {
		snprintf(name, sizeof(name), "eth%u", i);
		if (d->nets[i].device && d->nets[i].kind == NET_SLIRP &&
		    (!only || only == &d->nets[i]))
			add_forwards(all, name, &d->nets[i]);
	}
	return json_pack("{s:o}", "forwards", all);
}

/* The device that is named, else the first one that can forward. */
static struct net_card *slirp_card(struct connection *c, json_t *args,
				   struct error **err)
{
	struct net_card *card;

	if (json_object_get(args, "device"))
		card = card_arg(c, args, err);
	else
		card = net_first(c->d, NET_SLIRP);
	if (card && card->kind == NET_SLIRP)
		return card;
	if (!*err)
		error_set(err, 0, "only ports of a slirp device are forwarded: ethN=slirp");
	return NULL;
}

int verb_port(struct connection *c, json_t *id, json_t *args, struct error **err)
{
	const char *add = text_arg(args, "add"), *remove = text_arg(args, "remove");
	bool named = json_object_get(args, "device");
	struct net_card *card = NULL;
	struct forward f;

	if (add && remove)
		return error_set(err, 0, "args.add and args.remove exclude each other");
	if (add || remove || named) {
		card = slirp_card(c, args, err);
		if (!card)
			return -1;
	}
	if ((add || remove) && forward_parse(&f, add ? add : remove, add, err))
		return -1;
	if (add && slirp_forward(card->backend, &f, err))
		return -1;
	if (remove && slirp_unforward(card->backend, &f, err))
		return error_wrap(err, "%s", remove);
	reply(c, id, forwards_json(c->d, named ? card : NULL));
	return 0;
}

/* ---- link ------------------------------------------------------------------- */

int verb_link(struct connection *c, json_t *id, json_t *args, struct error **err)
{
	json_t *up = json_object_get(args, "up");
	struct net_card *card = card_arg(c, args, err);

	if (!card)
		return -1;
	if (up && !json_is_boolean(up))
		return error_set(err, 0, "args.up is neither true nor false");
	if (up)
		net_set_cable(card->device, json_is_true(up));
	reply(c, id, json_pack("{s:b}", "up", net_link_up(card->device)));
	return 0;
}

/* ---- capture ---------------------------------------------------------------- */

/* Bytes that a client may leave unread; then frames are left out. */
#define CAPTURE_QUEUE_MAX (WRITE_QUEUE_MAX / 2)

/* The format of libpcap's files: magic for microseconds, version 2.4. */
struct pcap_file {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, longest, link;
};
struct pcap_record {
	uint32_t seconds, microseconds, kept, bytes;
};
CO_ASSERT_SIZE(struct pcap_file, 24);
CO_ASSERT_SIZE(struct pcap_record, 16);

struct capture {
	struct net_watcher watcher;
	struct connection *c;
	struct device *device;
	uint64_t left_out;
};

static void tell_left_out(struct capture *p)
{
	char text[80];
	int n;

	if (!p->left_out)
		return;
	n = snprintf(text, sizeof(text), "%llu frames are left out here: not read in time\n",
		     (unsigned long long)p->left_out);
	p->left_out = 0;
	connection_frame(p->c, FRAME_ERRORS, text, (size_t)n);
}

static void send_record(struct capture *p, const struct iovec *iov,
			unsigned int n, size_t bytes)
{
	struct timeval now;
	struct pcap_record *r = need(sizeof(*r) + bytes);
	uint8_t *at = (uint8_t *)(r + 1);
	unsigned int i;

	gettimeofday(&now, NULL);
	r->seconds = (uint32_t)now.tv_sec;
	r->microseconds = (uint32_t)now.tv_usec;
	r->kept = r->bytes = (uint32_t)bytes;
	for (i = 0; i < n; i++) {
		memcpy(at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	connection_frame(p->c, FRAME_OUTPUT, r, sizeof(*r) + bytes);
	free(r);
}

static void on_frame(struct net_watcher *w, const struct iovec *iov,
		     unsigned int n, size_t bytes)
{
	struct capture *p = (struct capture *)w;
	struct connection *c = p->c;
	uv_stream_t *pipe = (uv_stream_t *)&c->pipe;

	if (uv_stream_get_write_queue_size(pipe) + bytes > CAPTURE_QUEUE_MAX) {
		p->left_out++;
		return;
	}
	tell_left_out(p);
	if (c->capture) /* a write that fails ends it */
		send_record(p, iov, n, bytes);
}

static bool capture_frame(struct connection *c, const struct frame *f)
{
	(void)c;
	(void)f;
	return false; /* a client only listens */
}

static void capture_closed(struct connection *c)
{
	net_unwatch(c->capture->device, &c->capture->watcher);
	free(c->capture);
	c->capture = NULL;
}

static const struct stream_ops capture_ops = {
	.frame = capture_frame,
	.closed = capture_closed,
};

int verb_capture(struct connection *c, json_t *id, json_t *args,
		 struct error **err)
{
	static const struct pcap_file head = {
		.magic = 0xa1b2c3d4,
		.major = 2,
		.minor = 4,
		.longest = 262144,
		.link = 1, /* Ethernet */
	};
	struct net_card *card = card_arg(c, args, err);

	if (!card)
		return -1;
	reply(c, id, NULL);
	if (!connection_stream(c, &capture_ops))
		return 0;
	c->capture = need(sizeof(*c->capture));
	c->capture->watcher.frame = on_frame;
	c->capture->c = c;
	c->capture->device = card->device;
	net_watch(card->device, &c->capture->watcher);
	/* Last: a client that doesn't read may lose its connection by it. */
	connection_frame(c, FRAME_OUTPUT, &head, sizeof(head));
	return 0;
}
