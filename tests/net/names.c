// SPDX-License-Identifier: GPL-2.0
/* A name server for the lab host, which has none: every name is 10.0.2.2, and has
 * no IPv6 address. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER 12
#define TYPE_A 1

/* The bytes of the question behind the header, 0: there is none. */
static size_t question(const uint8_t *at, size_t n)
{
	size_t i = 0;

	while (i < n && at[i])
		i += at[i] + 1u;
	return i + 5 <= n ? i + 5 : 0;
}

/* Makes an answer of a query in place; its size, 0: none. */
static size_t answer(uint8_t *b, size_t n)
{
	static const uint8_t record[] = { 0xc0, HEADER, 0, TYPE_A, 0, 1, 0, 0,
					  0, 60, 0, 4, 10, 0, 2, 2 };
	size_t q = n > HEADER ? question(b + HEADER, n - HEADER) : 0;
	uint8_t is_a;

	if (!q)
		return 0;
	is_a = b[HEADER + q - 3] == TYPE_A;
	b[2] = 0x85; /* an answer, authoritative */
	b[3] = 0x80;
	memset(b + 6, 0, 6);
	b[7] = is_a;
	if (!is_a)
		return HEADER + q;
	memcpy(b + HEADER + q, record, sizeof(record));
	return HEADER + q + sizeof(record);
}

int main(void)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct sockaddr_in from;
	socklen_t size;
	uint8_t b[1024];
	size_t n;
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (s < 0 || bind(s, (struct sockaddr *)&own, sizeof(own))) {
		perror("names: port 53");
		return 1;
	}
	for (;;) {
		size = sizeof(from);
		n = (size_t)recvfrom(s, b, 512, 0, (struct sockaddr *)&from, &size);
		n = n > 512 ? 0 : answer(b, n);
		if (n && sendto(s, b, n, 0, (struct sockaddr *)&from, size) < 0)
			perror("names: answer");
	}
}
