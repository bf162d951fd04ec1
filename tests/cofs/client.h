/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A 9P client for tests: one message at a time, straight into the server. Messages
 * and answers lie in pieces of random sizes.
 */
#ifndef CO_TESTS_CLIENT_H
#define CO_TESTS_CLIENT_H

#include "../../tools/share/p9.h"
#include "../../tools/share/server.h"

#define ROOT 0 /* the fid of the shared directory */
#define ANSWER_MAX SHARE_MESSAGE_MAX

struct client {
	struct share_server *s;
	uint8_t request[SHARE_MESSAGE_MAX + 64], answer[ANSWER_MAX];
	size_t room; /* for answers */
	struct p9_in in; /* the answer's body */
	uint64_t read, written; /* of the last request, as the server counts */
	const char *rule; /* that a request broke, or NULL */
};

/* Attached as user 0; the directory must be there. */
struct client *client_new(const char *path, bool read_only);
struct client *client_with(const struct share_options *opt);
void client_free(struct client *c);
/* Sends `n` bytes as they are; the length of the answer, 0: it was no message. */
size_t client_raw(struct client *c, const void *data, size_t n);
/*
 * Sends a message: b, w, d, q are integers of 1, 2, 4 and 8 bytes (int, int,
 * unsigned int, uint64_t), s is a string, D are bytes (pointer, size_t) without a
 * length. 0, or the answer's error, negative; then `in` is the answer's body.
 */
int ask(struct client *c, enum p9_type type, const char *format, ...);

/* ---- messages that many need ------------------------------------------------ */

/* By a path of names, "" for a copy of the fid. -ENOENT: not all the way. */
int walk(struct client *c, uint32_t fid, uint32_t new, const char *path);
int open_fid(struct client *c, uint32_t fid, uint32_t flags);
int create(struct client *c, uint32_t fid, const char *name, uint32_t flags,
	   uint32_t mode);
int clunk(struct client *c, uint32_t fid);
/* Bytes, or negative. */
int read_fid(struct client *c, uint32_t fid, uint64_t offset, void *data,
	     uint32_t n);
int write_fid(struct client *c, uint32_t fid, uint64_t offset,
	      const void *data, uint32_t n);

struct attributes {
	struct p9_qid qid;
	uint32_t mode, uid, gid;
	uint64_t valid, links, rdev, size, block_size, blocks;
	uint64_t atime[2], mtime[2], ctime[2], btime[2];
};
int get_attributes(struct client *c, uint32_t fid, struct attributes *a);
int set_attributes(struct client *c, uint32_t fid, uint32_t set,
		   const struct attributes *a);
void get_qid(struct p9_in *in, struct p9_qid *qid);

#endif
