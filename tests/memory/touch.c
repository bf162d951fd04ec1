// SPDX-License-Identifier: GPL-2.0
/*
 * touch MIB [ROUNDS [BYTES]]: memory that is filled with what its addresses say,
 * read again, and read once more the other way round: one word in so many bytes
 * (64, a line of the cache; a page has 4096). Status 1 and the place if a word isn't
 * what was written.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static uint64_t pattern(size_t i, unsigned int round)
{
	return (i ^ (uint64_t)round << 56) * 0x9e3779b97f4a7c15ull;
}

static int wrong(const uint64_t *at, size_t i, unsigned int round)
{
	if (at[i] == pattern(i, round))
		return 0;
	printf("touch: round %u: word %zu is %llx, not %llx\n", round, i,
	       (unsigned long long)at[i],
	       (unsigned long long)pattern(i, round));
	return 1;
}

static int run(uint64_t *at, size_t words, size_t step, unsigned int round)
{
	size_t i;

	for (i = 0; i < words; i += step)
		at[i] = pattern(i, round);
	for (i = 0; i < words; i += step)
		if (wrong(at, i, round))
			return 1;
	for (i = words; i > 0; i -= step)
		if (wrong(at, i - step, round))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoull(argv[1], NULL, 10) << 20 : 0;
	unsigned int rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 1, round;
	size_t step = (argc > 3 ? strtoull(argv[3], NULL, 10) : 64) / sizeof(uint64_t);
	uint64_t *at;

	if (!size || !rounds || !step || (size / sizeof(*at)) % step) {
		fputs("usage: touch MIB [ROUNDS [BYTES]]\n", stderr);
		return 2;
	}
	at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED) {
		perror("touch: mmap");
		return 1;
	}
	for (round = 0; round < rounds; round++)
		if (run(at, size / sizeof(*at), step, round))
			return 1;
	printf("touch: %s MiB passed\n", argv[1]);
	return 0;
}
