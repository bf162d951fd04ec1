/* SPDX-License-Identifier: GPL-2.0 */
/* Inside of the 9P server: the fids, and a function for each message. */
#ifndef CO_TOOLS_SHARE_SERVE_H
#define CO_TOOLS_SHARE_SERVE_H

#include "p9.h"
#include "server.h"
#include "span.h"

/* ---- fids ------------------------------------------------------------------- */

/* An extended attribute that is read (found by Txattrwalk), or written
 * (Txattrcreate) and set by Tclunk. */
struct xattr {
	char name[P9_NAME_MAX + 1];
	bool writing;
	uint32_t flags;
	size_t size, written;
	uint8_t *value;
};

struct fid {
	uint32_t id;
	uint32_t uid; /* of the guest's user */
	struct fs_node *node;
	/* Where it was found; NULL for the shared directory itself. */
	struct fs_node *parent;
	char *name;
	struct fs_file *file; /* NULL: not open */
	struct xattr *xattr;  /* NULL: none */
	struct fid *next;
};

#ifndef FID_BUCKETS /* fewer for the fuzzers */
#define FID_BUCKETS 16384
#endif

struct share_server {
	struct fs *fs;
	bool read_only, gone;
	uint32_t message_max; /* agreed upon; 0: no version yet */
	struct fid *bucket[FID_BUCKETS];
	unsigned int fids;
	size_t xattr_bytes;
	uint64_t errors;
	int last_error;
	struct iovec data[SHARE_VECTOR_MAX];
	uint8_t request[SHARE_MESSAGE_MAX], answer[SHARE_MESSAGE_MAX];
};

/* EBADF: there is none; ESTALE: its file is gone. */
int fid_find(struct share_server *s, uint32_t id, struct fid **fid);
/* Takes over both nodes in any case. */
int fid_make(struct share_server *s, uint32_t id, uint32_t uid,
	     struct fs_node *node, struct fs_node *parent, const char *name);
/* The fid is somewhere else now; takes over both nodes in any case. */
int fid_move(struct fid *fid, struct fs_node *node, struct fs_node *parent,
	     const char *name);
bool fid_known(const struct share_server *s, uint32_t id);
void fid_forget(struct share_server *s, struct fid *fid);
void fid_forget_all(struct share_server *s);
struct p9_qid qid_of(const struct fs_node *node);

/* ---- messages --------------------------------------------------------------- */

struct call {
	struct p9_in in;
	struct p9_out out;
	/* Data of Twrite; room for data of Rread, behind its header. */
	struct span source, sink;
	size_t sunk; /* bytes of it that belong to the answer */
	struct share_call *io;
};

/* Each reads its arguments, does it, and puts the answer's; 0 or -errno. */
typedef int message(struct share_server *s, struct call *c);

message serve_version, serve_attach, serve_auth, serve_flush; /* server.c */
message serve_walk, serve_clunk, serve_remove; /* walk.c */
message serve_lopen, serve_lcreate, serve_read, serve_write, serve_fsync,
	serve_readdir, serve_lock, serve_getlock; /* file.c */
message serve_getattr, serve_setattr, serve_statfs, serve_readlink; /* attr.c */
message serve_symlink, serve_mknod, serve_mkdir, serve_link, serve_rename,
	serve_renameat, serve_unlinkat;		    /* names.c */
message serve_xattrwalk, serve_xattrcreate;	    /* xattr.c */
/* For Tread, Twrite and Tclunk of such fids. */
int xattr_read(struct fid *fid, struct call *c, uint64_t offset, size_t n);
int xattr_write(struct fid *fid, struct call *c, uint64_t offset, size_t n);
int xattr_finish(struct fid *fid);
void xattr_free(struct share_server *s, struct fid *fid);

#endif
