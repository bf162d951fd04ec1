/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The client's fids: numbers of its choice for files.
 */
#include "serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Linux counts fids up from 0 and takes the lowest free one. */
static struct fid **bucket_of(struct share_server *s, uint32_t id)
{
	return &s->bucket[id % FID_BUCKETS];
}

static struct fid *look_up(const struct share_server *s, uint32_t id)
{
	struct fid *fid = s->bucket[id % FID_BUCKETS];

	while (fid && fid->id != id)
		fid = fid->next;
	return fid;
}

bool fid_known(const struct share_server *s, uint32_t id)
{
	return look_up(s, id);
}

int fid_find(struct share_server *s, uint32_t id, struct fid **fid)
{
	*fid = look_up(s, id);
	if (!*fid)
		return -EBADF;
	return fs_stale((*fid)->node) ? -ESTALE : 0;
}

int fid_move(struct fid *fid, struct fs_node *node, struct fs_node *parent,
	     const char *name)
{
	char *copy = name ? strdup(name) : NULL;

	if (name && !copy) {
		fs_put(node);
		fs_put(parent);
		return -ENOMEM;
	}
	fs_put(fid->node);
	fs_put(fid->parent);
	free(fid->name);
	fid->node = node;
	fid->parent = parent;
	fid->name = copy;
	return 0;
}

int fid_make(struct share_server *s, uint32_t id, uint32_t uid,
	     struct fs_node *node, struct fs_node *parent, const char *name)
{
	struct fid **bucket = bucket_of(s, id), *fid = NULL;
	int rc = -ENFILE;

	if (id != P9_NOFID && s->fids < SHARE_FIDS_MAX) {
		fid = calloc(1, sizeof(*fid));
		rc = -ENOMEM;
	}
	if (!fid) {
		fs_put(node);
		fs_put(parent);
		return rc;
	}
	rc = fid_move(fid, node, parent, name);
	if (rc) {
		free(fid);
		return rc;
	}
	fid->id = id;
	fid->uid = uid;
	fid->next = *bucket;
	*bucket = fid;
	s->fids++;
	return 0;
}

void fid_forget(struct share_server *s, struct fid *fid)
{
	struct fid **at = bucket_of(s, fid->id);

	while (*at != fid)
		at = &(*at)->next;
	*at = fid->next;
	s->fids--;
	fs_close(fid->file);
	xattr_free(s, fid);
	fs_put(fid->node);
	fs_put(fid->parent);
	free(fid->name);
	free(fid);
}

void fid_forget_all(struct share_server *s)
{
	size_t i;

	for (i = 0; s->fids && i < FID_BUCKETS; i++)
		while (s->bucket[i])
			fid_forget(s, s->bucket[i]);
}

struct p9_qid qid_of(const struct fs_node *node)
{
	struct p9_qid qid = { 0, fs_version(node), fs_number(node) };

	if (fs_kind(node) == FS_DIRECTORY)
		qid.type = P9_QID_DIR;
	if (fs_kind(node) == FS_SYMLINK)
		qid.type = P9_QID_SYMLINK;
	return qid;
}
