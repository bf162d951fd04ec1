/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tap of a Linux host, with virtio's header before each frame, so that
 * checksums and segmentation are left to whoever can do them best. A bridge is a
 * tap that was put into it.
 *
 * Who removes the tap while it's used pulls the guest's cable.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "../lib/address.h"
#include "../lib/text.h"
#include "backend.h"

/* Frames in one turn of the loop: others have their needs, too. */
#define TAP_TURN 128

struct tap {
	struct net_backend b;
	char name[IFNAMSIZ], bridge[IFNAMSIZ];
	int fd;
	int news, lock; /* of the first queue, else -1: netlink, about links of the
			 * host; who holds it has the tap */
	uv_poll_t poll, news_poll;
	uv_async_t wake;
	unsigned int handles;
	bool gone;
	bool full, blocked; /* waits for the guest; for the host */
	/* Vhost-net works on it; the guest doesn't use it, and the tap isn't to
	 * give it frames. */
	atomic_bool hands_off, idle;
	size_t held; /* bytes of a frame that has no room yet, with header */
	uint8_t frame[sizeof(struct net_header) + NET_FRAME_MAX];
};

static struct tap *to_tap(const struct net_backend *b)
{
	return (struct tap *)((char *)b - offsetof(struct tap, b));
}

static void watch(struct tap *t);

/* ---- to the guest ----------------------------------------------------------- */

static bool give(struct tap *t)
{
	struct net_header header;
	struct iovec iov = { t->frame + sizeof(header),
			     t->held - sizeof(header) };

	memcpy(&header, t->frame, sizeof(header));
	if (!t->b.user->ops->receive(t->b.user, &header, &iov, 1))
		return false;
	t->held = 0;
	return true;
}

static void tap_lost(struct tap *t)
{
	t->gone = true;
	t->held = 0;
	watch(t);
	if (t->b.user)
		t->b.user->ops->link(t->b.user, false);
}

/* False: nothing there. */
static bool read_frame(struct tap *t)
{
	ssize_t n = read(t->fd, t->frame, sizeof(t->frame));

	if (n < 0 && errno == EBADFD)
		tap_lost(t);
	if (n < (ssize_t)sizeof(struct net_header) + NET_FRAME_MIN)
		return false;
	t->held = (size_t)n;
	return true;
}

static void take_frames(struct tap *t)
{
	unsigned int left = TAP_TURN;

	while (left-- && !atomic_load(&t->hands_off)) {
		if (!t->held && !read_frame(t))
			break;
		t->full = !give(t);
		if (t->full)
			break;
	}
	t->b.user->ops->flush(t->b.user);
}

static void tap_ready(struct net_backend *b)
{
	struct tap *t = to_tap(b);

	t->full = false;
	take_frames(t);
	watch(t);
}

/* ---- from the guest --------------------------------------------------------- */

static bool tap_send(struct net_backend *b, const struct net_header *header,
		     const struct iovec *frame, unsigned int n)
{
	struct tap *t = to_tap(b);
	struct net_header h = *header;
	struct iovec iov[257];
	ssize_t done;

	iov[0] = (struct iovec){ &h, sizeof(h) };
	memcpy(iov + 1, frame, n * sizeof(*iov));
	done = writev(t->fd, iov, (int)n + 1);
	if (done < 0 && errno == EAGAIN) {
		t->blocked = true;
		watch(t);
		return false;
	}
	if (done < 0)
		b->dropped++; /* the interface is down, or gone */
	return true;
}

static void tap_take(struct net_backend *b, uint32_t offloads)
{
	unsigned int flags = (offloads & NET_OFFLOAD_CSUM ? TUN_F_CSUM : 0) |
			     (offloads & NET_OFFLOAD_TSO4 ? TUN_F_TSO4 : 0) |
			     (offloads & NET_OFFLOAD_TSO6 ? TUN_F_TSO6 : 0);

	/* What a tap that is gone would give doesn't matter. */
	(void)ioctl(to_tap(b)->fd, TUNSETOFFLOAD, flags);
}

/* ---- the loop --------------------------------------------------------------- */

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct tap *t = poll->data;

	/* POLLERR is how a tap says that it was removed. */
	if (status < 0) {
		tap_lost(t);
		return;
	}
	if ((events & UV_WRITABLE) && t->blocked) {
		t->blocked = false;
		t->b.user->ops->writable(t->b.user);
	}
	if (events & UV_READABLE)
		take_frames(t);
	if (!t->gone)
		watch(t);
}

/* The end of the tap is waited for always. */
static void watch(struct tap *t)
{
	int events = UV_DISCONNECT;

	if (!t->full && !atomic_load(&t->hands_off) && !atomic_load(&t->idle))
		events |= UV_READABLE;
	if (t->blocked)
		events |= UV_WRITABLE;
	if (t->gone)
		uv_poll_stop(&t->poll);
	else if (uv_poll_start(&t->poll, events, on_event))
		tap_lost(t);
}

/* While vhost-net works on the tap its own descriptor doesn't tell of its end. */
static void on_news(uv_poll_t *poll, int status, int events)
{
	struct tap *t = poll->data;
	struct ifreq ifr;
	char message[8192];

	(void)status;
	(void)events;
	while (recv(t->news, message, sizeof(message), MSG_DONTWAIT) > 0)
		;
	if (!t->gone && ioctl(t->fd, TUNGETIFF, &ifr) < 0 && errno == EBADFD)
		tap_lost(t);
}

static void on_wake(uv_async_t *wake)
{
	watch(wake->data);
}

static int tap_descriptor(struct net_backend *b)
{
	return to_tap(b)->fd;
}

static void tap_hands_off(struct net_backend *b, bool off)
{
	struct tap *t = to_tap(b);

	atomic_store(&t->hands_off, off);
	uv_async_send(&t->wake);
}

/* The host spreads its frames over the queues that are attached. */
static void tap_use(struct net_backend *b, bool used)
{
	struct tap *t = to_tap(b);
	struct ifreq ifr = {
		.ifr_flags = used ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE,
	};

	if (used == !atomic_exchange(&t->idle, !used))
		return;
	/* A tap that is gone says so to the first queue, which is always used. */
	(void)ioctl(t->fd, TUNSETQUEUE, &ifr);
	uv_async_send(&t->wake);
}

static void tap_describe(const struct net_backend *b, char *text, size_t room)
{
	const struct tap *t = to_tap(b);

	snprintf(text, room, "tap %s%s%s%s", t->name, *t->bridge ? " in bridge " : "",
		 t->bridge, t->gone ? ", which was removed" : "");
}

static void free_tap(struct tap *t)
{
	const int fd[] = { t->news, t->lock, t->fd };
	unsigned int i;

	for (i = 0; i < sizeof(fd) / sizeof(fd[0]); i++)
		if (fd[i] >= 0)
			close(fd[i]);
	free(t);
}

static void closed(uv_handle_t *handle)
{
	struct tap *t = handle->data;

	if (!--t->handles)
		free_tap(t);
}

static void tap_close(struct net_backend *b)
{
	struct tap *t = to_tap(b);

	uv_close((uv_handle_t *)&t->poll, closed);
	if (t->news >= 0)
		uv_close((uv_handle_t *)&t->news_poll, closed);
	uv_close((uv_handle_t *)&t->wake, closed);
}

static const struct net_backend_ops tap_ops = {
	.send = tap_send,
	.ready = tap_ready,
	.take = tap_take,
	.descriptor = tap_descriptor,
	.hands_off = tap_hands_off,
	.use = tap_use,
	.describe = tap_describe,
	.close = tap_close,
};

/* ---- making: the interface --------------------------------------------------- */

/* A request about the interface. */
static int ask(int s, unsigned long request, struct ifreq *ifr, const char *name)
{
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
	return ioctl(s, request, ifr) < 0 ? errno : 0;
}

static bool driven_by(int s, const char *name, const char *driver)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { .ifr_data = (char *)&info };

	return !ask(s, SIOCETHTOOL, &ifr, name) && !strcmp(info.driver, driver);
}

static bool is_tap(const char *name)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool tap = s >= 0 && driven_by(s, name, "tun");

	if (s >= 0)
		close(s);
	return tap;
}

/* What a tap that isn't to be had most often lacks. */
static const char *no_tap(const char *name, int code, bool several)
{
	if (code == EBUSY)
		return "tap %s has a user already";
	if (code == EPERM && several)
		return "tap %s: making one needs CAP_NET_ADMIN; root can make it for you: ip tuntap add NAME mode tap multi_queue user YOU";
	if (code == EPERM)
		return "tap %s: making one needs CAP_NET_ADMIN; root can make it for you: ip tuntap add NAME mode tap user YOU";
	if (code == EINVAL && !is_tap(name))
		return "%s is no tap of this host";
	if (code == EINVAL && several)
		return "tap %s was made for one queue; leave out queues=, or root can make it anew: ip tuntap add NAME mode tap multi_queue user YOU";
	if (code == EINVAL)
		return "tap %s was made for several queues: add queues=2 or more";
	return "tap %s can't be had";
}

static int open_tap(struct tap *t, const char *name, bool several,
		    struct error **err)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int size = sizeof(struct net_header), code;

	t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0)
		return error_set(err, errno,
				 "/dev/net/tun: load the host's module tun, or ask for the right to open it");
	if (several)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name ? name : "conet%d");
	if (ioctl(t->fd, TUNSETIFF, &ifr) < 0) {
		code = errno;
		return error_set(err, code, no_tap(ifr.ifr_name, code, several),
				 ifr.ifr_name);
	}
	memcpy(t->name, ifr.ifr_name, sizeof(t->name));
	if (ioctl(t->fd, TUNSETVNETHDRSZ, &size) < 0)
		return error_set(err, errno, "tap %s: no virtio header", t->name);
	t->b.offloads = NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO4 | NET_OFFLOAD_TSO6;
	return 0;
}

static int bring_up(struct tap *t, int s, struct error **err)
{
	struct ifreq ifr = { 0 };
	int code = ask(s, SIOCGIFFLAGS, &ifr, t->name);

	if (code || (ifr.ifr_flags & IFF_UP))
		return code ? error_set(err, code, "tap %s", t->name) : 0;
	ifr.ifr_flags |= IFF_UP;
	code = ask(s, SIOCSIFFLAGS, &ifr, t->name);
	return code ? error_set(err, code,
				"tap %s can't be brought up; root can: ip link set %s up",
				t->name, t->name) : 0;
}

static void set_in(struct ifreq *ifr, struct in_addr address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = address };

	memset(ifr, 0, sizeof(*ifr));
	memcpy(&ifr->ifr_addr, &in, sizeof(in));
}

/* The configuration has checked its form. */
static int set_address(struct tap *t, int s, const char *text, struct error **err)
{
	struct in_addr in = { 0 }, mask;
	struct ifreq ifr;
	int code;

	address_parse(text, &in, &mask);
	set_in(&ifr, in);
	code = ask(s, SIOCSIFADDR, &ifr, t->name);
	if (!code) {
		set_in(&ifr, mask);
		code = ask(s, SIOCSIFNETMASK, &ifr, t->name);
	}
	return code ? error_set(err, code, "tap %s can't get address %s",
				t->name, text) : 0;
}

static int into_bridge(struct tap *t, int s, const char *bridge,
		       struct error **err)
{
	struct ifreq ifr = { 0 };
	int code;

	if (!driven_by(s, bridge, "bridge"))
		return error_set(err, 0,
				 "%s is no bridge of this host; root can make one: ip link add %s type bridge",
				 bridge, bridge);
	snprintf(t->bridge, sizeof(t->bridge), "%s", bridge);
	/* Frames of the bridge's own size shall get through. */
	code = ask(s, SIOCGIFMTU, &ifr, bridge);
	if (!code)
		code = ask(s, SIOCSIFMTU, &ifr, t->name);
	ifr.ifr_ifindex = (int)if_nametoindex(t->name);
	if (!code)
		code = ask(s, SIOCBRADDIF, &ifr, bridge);
	return code ? error_set(err, code, "tap %s can't be put into bridge %s",
				t->name, bridge) : 0;
}

static int set_up(struct tap *t, int s, const struct tap_options *opt,
		  struct error **err)
{
	struct ifreq ifr = { 0 };
	int code;

	if (opt->bridge && into_bridge(t, s, opt->bridge, err))
		return -1;
	if (opt->address && set_address(t, s, opt->address, err))
		return -1;
	code = ask(s, SIOCGIFMTU, &ifr, t->name);
	if (code)
		return error_set(err, code, "tap %s has no MTU", t->name);
	t->b.mtu = (uint16_t)ifr.ifr_mtu;
	return bring_up(t, s, err);
}

/* A tap of several queues has as many users as like, for the kernel: a name of this
 * network namespace keeps other guests away. */
static int lock_tap(struct tap *t, const char *name, struct error **err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int n = snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "colinux/tap/%s",
			 name);

	t->lock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (t->lock < 0 ||
	    bind(t->lock, (struct sockaddr *)&un,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) +
			 (socklen_t)n) < 0)
		return error_set(err, errno == EADDRINUSE ? 0 : errno,
				 "tap %s has a user already", name);
	return 0;
}

static int make(struct tap *t, const struct tap_options *opt, bool first,
		struct error **err)
{
	bool several = opt->queues > 1;
	int s, rc;

	/* Before it's opened: that takes frames from those who have it. */
	if (first && several && opt->name && lock_tap(t, opt->name, err))
		return -1;
	if (open_tap(t, opt->name, several, err))
		return -1;
	if (first && several && !opt->name && lock_tap(t, t->name, err))
		return -1;
	if (first)
		tap_take(&t->b, 0);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return error_set(err, errno, "tap %s: no socket", t->name);
	rc = set_up(t, s, opt, err);
	close(s);
	return rc;
}

static int subscribe(struct tap *t, struct error **err)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK,
				  .nl_groups = RTMGRP_LINK };

	t->news = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			 NETLINK_ROUTE);
	if (t->news < 0 || bind(t->news, (struct sockaddr *)&nl, sizeof(nl)) < 0)
		return error_set(err, errno,
				 "tap %s: the host doesn't tell about its links",
				 t->name);
	return 0;
}

/* The tap is the loop's from here on: an error closes what was opened there. */
static int begin(struct tap *t, uv_loop_t *loop, struct error **err)
{
	int rc;

	uv_async_init(loop, &t->wake, on_wake);
	t->wake.data = t->poll.data = t->news_poll.data = t;
	t->handles = 1;
	rc = uv_poll_init(loop, &t->poll, t->fd);
	t->handles += !rc;
	if (!rc && t->news >= 0) {
		rc = uv_poll_init(loop, &t->news_poll, t->news);
		t->handles += !rc;
		if (!rc)
			rc = uv_poll_start(&t->news_poll, UV_READABLE, on_news);
	}
	if (!rc) {
		watch(t);
		return 0;
	}
	error_set(err, -rc, "tap %s can't be watched", t->name);
	uv_close((uv_handle_t *)&t->wake, closed);
	if (t->handles > 1)
		uv_close((uv_handle_t *)&t->poll, closed);
	if (t->handles > 2)
		uv_close((uv_handle_t *)&t->news_poll, closed);
	return -1;
}

static struct net_backend *open_queue(uv_loop_t *loop,
				      const struct tap_options *opt, bool first,
				      struct error **err)
{
	struct tap *t = need(sizeof(*t));

	t->b.ops = &tap_ops;
	t->fd = t->news = t->lock = -1;
	if (make(t, opt, first, err) || (first && subscribe(t, err))) {
		free_tap(t);
		return NULL;
	}
	return begin(t, loop, err) ? NULL : &t->b;
}

/* The first one makes the tap and sets it up, the others join it by its name. */
int tap_open(uv_loop_t *loop, const struct tap_options *opt,
	     struct net_backend **queue, struct error **err)
{
	struct tap_options join = { .queues = opt->queues };
	unsigned int i;

	for (i = 0; i < opt->queues; i++) {
		queue[i] = open_queue(loop, i ? &join : opt, !i, err);
		if (!queue[i])
			break;
		join.name = to_tap(queue[0])->name;
	}
	if (i == opt->queues)
		return 0;
	while (i)
		tap_close(queue[--i]);
	return -1;
}
