/* SPDX-License-Identifier: GPL-2.0 */
/* For tests of conet's back ends: a guest that keeps what comes. */
#ifndef CO_TESTS_NETGUEST_H
#define CO_TESTS_NETGUEST_H

#include <stdbool.h>

#include "../../tools/net/backend.h"

#define PATIENCE_MS 5000
#define KEPT	    64

struct guest {
	struct net_user user;
	struct net_backend *b;
	uv_loop_t loop;
	struct {
		struct net_header header;
		size_t bytes;
		uint8_t data[2048];
	} got[KEPT];
	unsigned int n, refused, writable;
	bool full, up;
	uint8_t mac[6];
};

void guest_init(struct guest *g, uint8_t number);
/* Connects it to what an open function has returned. */
void guest_connect(struct guest *g, struct net_backend *b);
void guest_end(struct guest *g);
void send_bytes(struct guest *g, const void *data, size_t n);
uint64_t now_ms(void);
/* Lets the back end work for a moment. */
void turn(struct guest *g);
/* Takes the oldest frame of that kind out; NULL after five seconds. */
uint8_t *await_frame(struct guest *g, bool (*wanted)(const uint8_t *data));

void put16(uint8_t *p, unsigned int v);
unsigned int get16(const uint8_t *p);

bool is_arp(const uint8_t *f);
void send_arp(struct guest *g, const uint8_t *src, const uint8_t *dst);

extern const uint8_t own_ip[4], host_ip[4], all_mac[6];

#endif
