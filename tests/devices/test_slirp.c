/* SPDX-License-Identifier: GPL-2.0 */
/*
 * slirp with a guest that is a script: ARP, DHCP, TCP to a real server and from a
 * real client of the host.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/lib/forward.h"
#include "netguest.h"

/* ---- packets --------------------------------------------------------------- */

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint32_t sum(const uint8_t *p, size_t n, uint32_t s)
{
	for (; n > 1; n -= 2, p += 2)
		s += get16(p);
	return n ? s + ((uint32_t)*p << 8) : s;
}

static unsigned int fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s & 0xffff;
}

static const uint8_t host_mac[6] = { 0x52, 0x55, 10, 0, 2, 2 };

/* Ethernet and IPv4 headers for `n` bytes behind them; returns where those go. */
static uint8_t *ip_packet(struct guest *g, uint8_t *f, const uint8_t *dst_mac,
			  const uint8_t *src, const uint8_t *dst, uint8_t protocol,
			  size_t n)
{
	uint8_t *ip = f + 14;

	memset(f, 0, 14 + 20 + n);
	memcpy(f, dst_mac, 6);
	memcpy(f + 6, g->mac, 6);
	put16(f + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned int)(20 + n));
	ip[8] = 64;
	ip[9] = protocol;
	memcpy(ip + 12, src, 4);
	memcpy(ip + 16, dst, 4);
	put16(ip + 10, fold(sum(ip, 20, 0)));
	return ip + 20;
}

static void finish_l4(uint8_t *f, size_t check_at, size_t n)
{
	uint8_t *ip = f + 14, *l4 = ip + 20;

	put16(l4 + check_at,
	      fold(sum(l4, n, sum(ip + 12, 8, ip[9] + (uint32_t)n))));
}

#define FIN 1
#define SYN 2
#define PSH 8
#define ACK 16

static void send_tcp(struct guest *g, unsigned int from, unsigned int to,
		     uint32_t seq, uint32_t ack, uint8_t flags, const char *text)
{
	uint8_t f[512], *t;
	size_t n = strlen(text);

	t = ip_packet(g, f, host_mac, own_ip, host_ip, 6, 20 + n);
	put16(t, from);
	put16(t + 2, to);
	put32(t + 4, seq);
	put32(t + 8, ack);
	t[12] = 0x50;
	t[13] = flags;
	put16(t + 14, 65535);
	memcpy(t + 20, text, n);
	finish_l4(f, 16, 20 + n);
	send_bytes(g, f, 14 + 20 + 20 + n);
}

static bool is_tcp(const uint8_t *f)
{
	return get16(f + 12) == 0x0800 && f[14 + 9] == 6;
}

static const uint8_t *tcp_of(const uint8_t *f)
{
	return f + 14 + 20;
}

static bool has_text(const uint8_t *f)
{
	const uint8_t *t = tcp_of(f);

	return is_tcp(f) && get16(f + 16) > 20u + (t[12] >> 4) * 4u;
}

/* ---- slirp ------------------------------------------------------------------ */

static int slirp_setup(void **state)
{
	struct guest *g = calloc(1, sizeof(*g));
	struct error *err = NULL;

	guest_init(g, 15);
	guest_connect(g, slirp_open(&g->loop, "box", &err));
	*state = g;
	return 0;
}

static int slirp_teardown(void **state)
{
	guest_end(*state);
	free(*state);
	return 0;
}

static void test_arp(void **state)
{
	struct guest *g = *state;
	uint8_t *f;

	send_arp(g, own_ip, host_ip);
	f = await_frame(g, is_arp);
	assert_non_null(f);
	assert_int_equal(get16(f + 20), 2);
	assert_memory_equal(f + 22, host_mac, 6);
	assert_memory_equal(f + 28, host_ip, 4);
}

static bool is_dhcp(const uint8_t *f)
{
	return get16(f + 12) == 0x0800 && f[14 + 9] == 17 && get16(f + 36) == 68;
}

/* The value of a DHCP option, NULL: not there. */
static const uint8_t *dhcp_option(const uint8_t *f, uint8_t code)
{
	const uint8_t *at = f + 14 + 20 + 8 + 240;

	while (*at != 255 && *at != code)
		at += *at ? at[1] + 2 : 1;
	return *at == code ? at + 2 : NULL;
}

static void test_dhcp(void **state)
{
	static const uint8_t none[4], all[4] = { 255, 255, 255, 255 };
	static const uint8_t dns[4] = { 10, 0, 2, 3 };
	struct guest *g = *state;
	uint8_t f[600], *u = ip_packet(g, f, all_mac, none, all, 17, 8 + 300), *d;
	const uint8_t *offer;

	put16(u, 68);
	put16(u + 2, 67);
	put16(u + 4, 308);
	d = u + 8;
	memcpy(d, "\1\1\6\0\0\0\0\1", 8);
	memcpy(d + 28, g->mac, 6);
	memcpy(d + 236, "\x63\x82\x53\x63\x35\1\1\xff", 8);
	finish_l4(f, 6, 308);
	send_bytes(g, f, 14 + 20 + 308);
	offer = await_frame(g, is_dhcp);
	assert_non_null(offer);
	assert_memory_equal(offer + 42 + 16, own_ip, 4);
	assert_int_equal(*dhcp_option(offer, 53), 2);
	assert_memory_equal(dhcp_option(offer, 3), host_ip, 4);
	assert_memory_equal(dhcp_option(offer, 6), dns, 4);
	assert_memory_equal(dhcp_option(offer, 12), "box", 3);
}

/* A socket of the host's loopback, at any port. */
static int host_socket(int type, unsigned int *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t n = sizeof(in);
	int s = socket(AF_INET, type | SOCK_NONBLOCK, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(s, (struct sockaddr *)&in, n), 0);
	getsockname(s, (struct sockaddr *)&in, &n);
	*port = ntohs(in.sin_port);
	return s;
}

static void send_udp(struct guest *g, unsigned int from, unsigned int to, const char *text)
{
	uint8_t f[512], *u;
	size_t n = strlen(text);

	u = ip_packet(g, f, host_mac, own_ip, host_ip, 17, 8 + n);
	put16(u, from);
	put16(u + 2, to);
	put16(u + 4, (unsigned int)(8 + n));
	memcpy(u + 8, text, n);
	finish_l4(f, 6, 8 + n);
	send_bytes(g, f, 14 + 20 + 8 + n);
}

static bool is_udp(const uint8_t *f)
{
	return get16(f + 12) == 0x0800 && f[14 + 9] == 17;
}

/* A datagram's answer comes back, also that of the very first one: libslirp's clock
 * stands at zero then, or has stood since the loop went to sleep. The first test, for
 * that clock is the process's. */
static void test_udp_answered(void **state)
{
	struct guest *g = *state;
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	uint64_t end = now_ms() + PATIENCE_MS;
	unsigned int port;
	int s = host_socket(SOCK_DGRAM, &port);
	const uint8_t *f;
	char text[8];
	ssize_t n;

	send_arp(g, own_ip, host_ip);
	send_udp(g, 4100, port, "ping");
	while ((n = recvfrom(s, text, sizeof(text), 0, (struct sockaddr *)&from,
			     &size)) < 0 && now_ms() < end)
		turn(g);
	assert_int_equal(n, 4);
	turn(g);
	assert_int_equal(sendto(s, "pong", 4, 0, (struct sockaddr *)&from, size), 4);
	f = await_frame(g, is_udp);
	assert_non_null(f);
	assert_int_equal(get16(f + 14 + 20 + 2), 4100);
	assert_memory_equal(f + 14 + 20 + 8, "pong", 4);
	close(s);
}

static int listener(unsigned int *port)
{
	int s = host_socket(SOCK_STREAM, port);

	assert_int_equal(listen(s, 4), 0);
	return s;
}

static int await_accept(struct guest *g, int s)
{
	uint64_t end = now_ms() + PATIENCE_MS;
	int fd;

	while ((fd = accept4(s, NULL, NULL, SOCK_NONBLOCK)) < 0 && now_ms() < end)
		turn(g);
	return fd;
}

/* Whoever reads at the other end gets exactly this. */
static void expect_bytes(struct guest *g, int fd, const char *text)
{
	uint64_t end = now_ms() + PATIENCE_MS;
	char got[64];
	ssize_t n;

	while ((n = read(fd, got, sizeof(got))) < 0 && now_ms() < end)
		turn(g);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

/* From the guest's SYN to data both ways, with a server of the host's loopback. */
static void test_tcp_out(void **state)
{
	struct guest *g = *state;
	unsigned int port;
	int s = listener(&port), fd;
	const uint8_t *t;
	uint32_t theirs;

	send_arp(g, own_ip, host_ip);
	send_tcp(g, 4000, port, 100, 0, SYN, "");
	t = tcp_of(await_frame(g, is_tcp));
	assert_int_equal(t[13], SYN | ACK);
	assert_int_equal(get32(t + 8), 101);
	theirs = get32(t + 4) + 1;
	send_tcp(g, 4000, port, 101, theirs, ACK, "");
	fd = await_accept(g, s);
	assert_true(fd >= 0);
	send_tcp(g, 4000, port, 101, theirs, ACK | PSH, "hello");
	expect_bytes(g, fd, "hello");
	assert_int_equal(write(fd, "and back", 8), 8);
	t = tcp_of(await_frame(g, has_text));
	assert_memory_equal(t + (t[12] >> 4) * 4, "and back", 8);
	close(fd);
	close(s);
}

/* A port where nobody listens: the guest hears so. */
static void test_tcp_refused(void **state)
{
	struct guest *g = *state;
	unsigned int port;
	int s = listener(&port);
	const uint8_t *t;

	close(s);
	send_arp(g, own_ip, host_ip);
	send_tcp(g, 4001, port, 100, 0, SYN, "");
	t = tcp_of(await_frame(g, is_tcp));
	assert_int_equal(t[13] & 4, 4); /* RST */
}

static int dial(unsigned int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port) };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!connect(s, (struct sockaddr *)&in, sizeof(in)) || errno == EINPROGRESS)
		return s;
	close(s);
	return -1;
}

/* A client of the host comes to the guest by a forwarded port. */
static void test_forward(void **state)
{
	struct guest *g = *state;
	struct error *err = NULL;
	struct forward f;
	unsigned int port;
	char text[32];
	const uint8_t *t;
	uint32_t theirs, from;
	size_t n;
	int s = listener(&port);

	snprintf(text, sizeof(text), "tcp:%u:80", port);
	assert_int_equal(forward_parse(&f, text, true, &err), 0);
	assert_int_equal(slirp_forward(g->b, &f, &err), -1);
	assert_non_null(strstr(err->text, "Address already in use"));
	error_free(&err);
	close(s);
	send_arp(g, own_ip, host_ip);
	assert_int_equal(slirp_forward(g->b, &f, &err), 0);
	assert_int_equal(slirp_forwards(g->b, &n)[0].guest_port, 80);
	assert_int_equal(n, 1);
	s = dial(port);
	assert_true(s >= 0);
	t = tcp_of(await_frame(g, is_tcp));
	assert_int_equal(t[13], SYN);
	assert_int_equal(get16(t + 2), 80);
	from = get16(t);
	theirs = get32(t + 4) + 1;
	send_tcp(g, 80, from, 500, theirs, SYN | ACK, "");
	assert_non_null(await_frame(g, is_tcp));
	send_tcp(g, 80, from, 501, theirs, ACK | PSH, "served");
	expect_bytes(g, s, "served");
	close(s);
	assert_int_equal(slirp_unforward(g->b, &f, &err), 0);
	assert_int_equal(slirp_unforward(g->b, &f, &err), -1);
	error_free(&err);
	slirp_forwards(g->b, &n);
	assert_int_equal(n, 0);
}

/* What a full guest doesn't take comes when there is room, in order. */
static void test_full(void **state)
{
	struct guest *g = *state;
	const uint8_t *f;
	uint8_t asked;

	g->full = true;
	for (asked = 2; asked < 4; asked++) {
		uint8_t ip[4] = { 10, 0, 2, asked };

		send_arp(g, own_ip, ip);
	}
	turn(g);
	assert_true(g->refused);
	assert_int_equal(g->n, 0);
	g->full = false;
	g->b->ops->ready(g->b);
	for (asked = 2; asked < 4; asked++) {
		f = await_frame(g, is_arp);
		assert_non_null(f);
		assert_int_equal(f[31], asked);
	}
}

/* Garbage is libslirp's to refuse; nothing comes of it. */
static void test_garbage(void **state)
{
	struct guest *g = *state;
	uint8_t f[1500];
	unsigned int i, k;

	srand(1);
	for (i = 0; i < 3000; i++) {
		for (k = 0; k < sizeof(f); k++)
			f[k] = (uint8_t)rand();
		if (i & 1)
			ip_packet(g, f, host_mac, own_ip, host_ip,
				  (uint8_t)(i & 2 ? 6 : 17), 200);
		if (i & 4)
			put16(f + 12, i & 8 ? 0x86dd : 0x0806);
		send_bytes(g, f, 14 + (size_t)rand() % (sizeof(f) - 14));
	}
	for (i = 0; i < 1000; i++) { /* its answers */
		turn(g);
		g->n = 0;
		g->b->ops->ready(g->b);
	}
	g->n = 0;
	test_arp(state);
}

int main(void)
{
#define S(f) cmocka_unit_test_setup_teardown(f, slirp_setup, slirp_teardown)
	const struct CMUnitTest tests[] = {
		S(test_udp_answered), S(test_arp), S(test_dhcp), S(test_tcp_out),
		S(test_tcp_refused), S(test_forward), S(test_full),
		S(test_garbage),
	};

	return cmocka_run_group_tests_name("slirp", tests, NULL, NULL);
}
