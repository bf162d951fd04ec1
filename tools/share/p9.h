/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The messages of 9P2000.L and their bytes.
 *
 * Numbers are those of Linux's include/net/9p/9p.h, their meaning that of diod's
 * protocol.md and of intro(5) of Plan 9. All integers are little-endian; a string
 * is a 16-bit length and that many bytes.
 */
#ifndef CO_TOOLS_SHARE_P9_H
#define CO_TOOLS_SHARE_P9_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request; its answer has the next number. */
enum p9_type {
	P9_RLERROR = 7,
	P9_TSTATFS = 8,
	P9_TLOPEN = 12,
	P9_TLCREATE = 14,
	P9_TSYMLINK = 16,
	P9_TMKNOD = 18,
	P9_TRENAME = 20,
	P9_TREADLINK = 22,
	P9_TGETATTR = 24,
	P9_TSETATTR = 26,
	P9_TXATTRWALK = 30,
	P9_TXATTRCREATE = 32,
	P9_TREADDIR = 40,
	P9_TFSYNC = 50,
	P9_TLOCK = 52,
	P9_TGETLOCK = 54,
	P9_TLINK = 70,
	P9_TMKDIR = 72,
	P9_TRENAMEAT = 74,
	P9_TUNLINKAT = 76,
	P9_TVERSION = 100,
	P9_TAUTH = 102,
	P9_TATTACH = 104,
	P9_TFLUSH = 108,
	P9_TWALK = 110,
	P9_TREAD = 116,
	P9_TWRITE = 118,
	P9_TCLUNK = 120,
	P9_TREMOVE = 122,
};

#define P9_NOFID   UINT32_MAX
#define P9_NO_UID  UINT32_MAX /* of Tattach: only a name was given */
#define P9_WALK_MAX 16	       /* names in one Twalk */
#define P9_HEADER  7	       /* size[4] type[1] tag[2] */
/* Header of Rread and Rreaddir: and count[4]. */
#define P9_DATA_HEADER (P9_HEADER + 4)
/* Header of Twrite: and fid[4] offset[8] count[4]. */
#define P9_WRITE_HEADER (P9_HEADER + 16)
/* Rlerror, which every request must have room for: and ecode[4]. */
#define P9_ERROR_SIZE (P9_HEADER + 4)

#define P9_QID_DIR     0x80
#define P9_QID_SYMLINK 0x02

/* Open flags, whatever the host's are. */
#define P9_O_ACCESS    03
#define P9_O_WRONLY    01
#define P9_O_RDWR      02
#define P9_O_CREATE    0100
#define P9_O_EXCL      0200
#define P9_O_TRUNC     01000
#define P9_O_APPEND    02000
#define P9_O_DSYNC     010000
#define P9_O_DIRECT    040000
#define P9_O_DIRECTORY 0200000
#define P9_O_SYNC      04000000

#define P9_AT_REMOVEDIR 0x200

#define P9_GETATTR_BASIC 0x7ffull
#define P9_GETATTR_BTIME 0x800ull

#define P9_SET_MODE	 0x001
#define P9_SET_UID	 0x002
#define P9_SET_GID	 0x004
#define P9_SET_SIZE	 0x008
#define P9_SET_ATIME	 0x010
#define P9_SET_MTIME	 0x020
#define P9_SET_CTIME	 0x040
#define P9_SET_ATIME_TO	 0x080 /* to the given time, not to now */
#define P9_SET_MTIME_TO	 0x100

#define P9_XATTR_CREATE	 1
#define P9_XATTR_REPLACE 2

#define P9_LOCK_READ	0
#define P9_LOCK_WRITE	1
#define P9_LOCK_UNLOCK	2
#define P9_LOCK_SUCCESS 0
#define P9_LOCK_BLOCKED 1

/* What statfs tells: V9FS_MAGIC. */
#define P9_FS_MAGIC 0x01021997

struct p9_qid {
	uint8_t type;
	uint32_t version;
	uint64_t path;
};
#define P9_QID_SIZE 13

/* ---- what came: a cursor that remembers that it ran past the end ------------ */

struct p9_in {
	const uint8_t *at;
	size_t left;
	bool bad;
};

uint8_t p9_get8(struct p9_in *in);
uint16_t p9_get16(struct p9_in *in);
uint32_t p9_get32(struct p9_in *in);
uint64_t p9_get64(struct p9_in *in);
/* A string of at most `max` bytes into `to`, which has room for max + 1. A longer
 * one gives ENAMETOOLONG, one with a zero byte EINVAL. 0 or a negative errno;
 * nothing is read from a cursor that is bad. */
int p9_get_string(struct p9_in *in, char *to, size_t max);

#define P9_NAME_MAX 255
/* The same for a name in a directory: not empty, no '/', neither "." nor "..". */
int p9_get_name(struct p9_in *in, char name[P9_NAME_MAX + 1]);

/* ---- what goes: a cursor that remembers that there was no room -------------- */

struct p9_out {
	uint8_t *data;
	size_t used, size;
	bool full;
};

void p9_put8(struct p9_out *out, uint8_t value);
void p9_put16(struct p9_out *out, uint16_t value);
void p9_put32(struct p9_out *out, uint32_t value);
void p9_put64(struct p9_out *out, uint64_t value);
void p9_put_bytes(struct p9_out *out, const void *data, size_t n);
void p9_put_string(struct p9_out *out, const char *s, size_t n);
void p9_put_qid(struct p9_out *out, const struct p9_qid *qid);

#endif
