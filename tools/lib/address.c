// SPDX-License-Identifier: GPL-2.0
#include "address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

bool address_parse(const char *text, struct in_addr *address, struct in_addr *mask)
{
	size_t n = strcspn(text, "/");
	char *first = need_copy(text, n);
	uint64_t bits = 24;
	bool good = inet_pton(AF_INET, first, address) == 1 &&
		    (!text[n] ||
		     (text_number(text + n + 1, 32, &bits) && bits));

	free(first);
	mask->s_addr = htonl(~(uint32_t)0 << (32 - (good ? bits : 24)));
	return good;
}
