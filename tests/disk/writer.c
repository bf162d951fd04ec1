// SPDX-License-Identifier: GPL-2.0
/*
 * writer: a file of numbered records, each one acknowledged once it is durable.
 *
 *	writer append FILE NAME	appends records for ever: "acked NAME NUMBER"
 *	writer check FILE NUMBER	is every record up to NUMBER there and right?
 *
 * A record's contents follow from its number, so that a record which is old,
 * foreign or torn is noticed. What comes after the last acknowledged record may
 * be torn: append cuts it off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC	 0x636f6264 /* "cobd" */
#define BODY_MAX 2000

struct record {
	uint32_t magic;
	uint32_t length; /* of the body */
	uint64_t number;
	uint64_t sum;
	uint8_t body[BODY_MAX];
};

#define HEADER offsetof(struct record, body)

static void die(const char *what)
{
	fprintf(stderr, "writer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15;
	return x ^ x >> 29;
}

static uint64_t checksum(const struct record *r)
{
	uint64_t sum = mix(r->number ^ (uint64_t)r->length << 40);
	uint32_t i;

	for (i = 0; i < r->length; i++)
		sum = (sum ^ r->body[i]) * 0x100000001b3;
	return sum;
}

static size_t make_record(struct record *r, uint64_t number)
{
	uint64_t seed = mix(number + 1);
	uint32_t i;

	r->magic = MAGIC;
	r->number = number;
	r->length = 1 + (uint32_t)(seed >> 20) % BODY_MAX;
	for (i = 0; i < r->length; i++) {
		seed = mix(seed + i);
		r->body[i] = (uint8_t)seed;
	}
	r->sum = checksum(r);
	return HEADER + r->length;
}

/* The last right record's number, and where it ends. */
static uint64_t last_record(int fd, off_t *end)
{
	struct record want, found;
	uint64_t number = 0;

	*end = 0;
	for (;;) {
		size_t size = make_record(&want, number + 1);
		ssize_t n = pread(fd, &found, size, *end);

		if (n < 0)
			die("reading");
		if ((size_t)n != size || memcmp(&want, &found, size))
			return number;
		*end += n;
		number++;
	}
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags, 0644);

	if (fd < 0)
		die(path);
	return fd;
}

static void append(const char *path, const char *name)
{
	int fd = open_file(path, O_RDWR | O_CREAT);
	struct record r;
	char line[80];
	off_t end;
	uint64_t number = last_record(fd, &end);

	if (ftruncate(fd, end))
		die("truncating");
	for (;;) {
		size_t size = make_record(&r, ++number);
		int n;

		if (pwrite(fd, &r, size, end) != (ssize_t)size)
			die("writing");
		if (fsync(fd))
			die("fsync");
		end += (off_t)size;
		n = snprintf(line, sizeof(line), "acked %s %llu\n", name,
			     (unsigned long long)number);
		if (write(1, line, (size_t)n) != n)
			die("the console");
	}
}

static int check(const char *path, uint64_t acked)
{
	uint64_t last = 0;
	off_t end = 0;
	int fd = open(path, O_RDONLY);

	if (fd < 0 && (errno != ENOENT || acked))
		die(path);
	if (fd >= 0)
		last = last_record(fd, &end);
	printf("writer: %llu acknowledged, %llu there, in %lld bytes\n",
	       (unsigned long long)acked, (unsigned long long)last,
	       (long long)end);
	return last < acked;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr,
			"usage: writer append FILE NAME | check FILE NUMBER\n");
		return 1;
	}
	if (!strcmp(argv[1], "check"))
		return check(argv[2], strtoull(argv[3], NULL, 10));
	append(argv[2], argv[3]);
	return 1;
}
