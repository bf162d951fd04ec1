// SPDX-License-Identifier: GPL-2.0
/*
 * noise PERCENT: others on a host, who hold so much of its memory in pieces of
 * random sizes and again and again let go of one and take another. Each page is
 * filled with what tells its owner, and looked at before it goes. Runs until it is
 * killed; says "done" for each hundred pieces, and what was wrong, with status 1.
 */
#define _GNU_SOURCE /* sysconf names, MAP_ANONYMOUS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PIECES 64
#define PAGE   4096

static struct piece {
	char *at;
	size_t pages;
	uint64_t mark;
} pieces[PIECES];

static uint64_t *word(const struct piece *p, size_t i)
{
	return (uint64_t *)(p->at + i * PAGE + (i * 40) % PAGE);
}

static int take(struct piece *p, size_t pages, uint64_t mark)
{
	size_t i;

	p->at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->at == MAP_FAILED) {
		perror("noise: mmap");
		return 1;
	}
	p->pages = pages;
	p->mark = mark;
	for (i = 0; i < pages; i++)
		*word(p, i) = mark + i;
	return 0;
}

static int let_go(struct piece *p)
{
	size_t i;

	for (i = 0; i < p->pages; i++) {
		if (*word(p, i) == p->mark + i)
			continue;
		printf("noise: page %zu of %zu is %llx, not %llx\n", i, p->pages,
		       (unsigned long long)*word(p, i),
		       (unsigned long long)(p->mark + i));
		return 1;
	}
	munmap(p->at, p->pages * PAGE);
	p->pages = 0;
	return 0;
}

int main(int argc, char **argv)
{
	long percent = argc > 1 ? atol(argv[1]) : 0;
	size_t most = sysconf(_SC_PHYS_PAGES) / 100 * percent / PIECES * 2;
	uint64_t n;
	size_t i;

	if (percent < 1 || percent > 90) {
		fputs("usage: noise PERCENT\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	srandom(percent);
	for (n = 0;; n++) {
		i = n < PIECES ? n : (size_t)random() % PIECES;
		if (pieces[i].pages && let_go(&pieces[i]))
			return 1;
		if (take(&pieces[i], 1 + random() % most, n << 32))
			return 1;
		if (n % 100 == 99)
			puts("done");
		if (n >= PIECES)
			usleep(200000);
	}
}
