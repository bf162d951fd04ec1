// SPDX-License-Identifier: GPL-2.0
/* Shared directories in the configuration: cofsN=. */
#include "config_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os/can.h"
#include "../os/path.h"
#include "guest_line.h"

#define SHARE_RULE \
	"PATH[,ro][,tag=NAME][,uid=N][,gid=N][,direct][,cache=none|loose|mmap][,mount=/PATH], or PATH,virtiofs[,tag=NAME][,cache=none|auto|always][,mount=/PATH]; a path with a comma needs quotes"

static bool plain_word(const char *s)
{
	for (; *s; s++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", *s))
			return false;
	return true;
}

static int option_tag(struct config_share *share, const char *value,
		      struct error **err)
{
	size_t n = strlen(value);

	if (!n || n > CONFIG_TAG_MAX || !plain_word(value))
		return error_set(err, 0,
				 "'%s' is no tag: 1 to %d letters, digits, '-', '_' or '.'",
				 value, CONFIG_TAG_MAX);
	free(share->tag);
	share->tag = need_copy(value, n);
	return 0;
}

static int option_id(uint32_t *id, const char *key, const char *value,
		     struct error **err)
{
	uint64_t n;

	if (!text_number(value, UINT32_MAX - 1, &n))
		return error_set(err, 0, "'%s' is no number for %s=", value,
				 key);
	*id = (uint32_t)n;
	return 0;
}

/* Which of them is meant is known when all options are (check_options()). */
static int option_cache(struct config_share *share, const char *value,
			struct error **err)
{
	static const char *const known[] = { "none", "loose", "mmap", "auto",
					     "always" };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(value, known[i]))
			continue;
		share->cache = known[i];
		return 0;
	}
	return error_set(err, 0,
			 "'%s' is none of cache=none, loose, mmap, or with virtiofs none, auto, always",
			 value);
}

/* It goes through the guest's command line, where colons part it. */
static int option_mount(struct config_share *share, const char *value,
			struct error **err)
{
	const char *s;

	for (s = value; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f || strchr(":\"'\\,", *s))
			break;
	if (*value != '/' || !value[1] || *s)
		return error_set(err, 0,
				 "'%s' is no place to mount: an absolute path without spaces, quotes, ':', ',' or '\\'",
				 value);
	free(share->mount);
	share->mount = need_copy(value, strlen(value));
	return 0;
}

static int share_option(struct config_share *share, const char *option,
			struct error **err)
{
	const char *value = strchr(option, '=');

	value = value ? value + 1 : "";
	if (!strcmp(option, "ro"))
		share->read_only = true;
	else if (!strcmp(option, "direct"))
		share->direct = true;
	else if (!strcmp(option, "virtiofs"))
		share->virtiofs = true;
	else if (!strncmp(option, "tag=", 4))
		return option_tag(share, value, err);
	else if (!strncmp(option, "uid=", 4))
		return option_id(&share->uid, "uid", value, err);
	else if (!strncmp(option, "gid=", 4))
		return option_id(&share->gid, "gid", value, err);
	else if (!strncmp(option, "cache=", 6))
		return option_cache(share, value, err);
	else if (!strncmp(option, "mount=", 6))
		return option_mount(share, value, err);
	else
		return error_set(err, 0, "unknown option '%s': " SHARE_RULE,
				 option);
	return 0;
}

/* ---- what goes together ----------------------------------------------------- */

static int check_cache(const struct config_share *share, struct error **err)
{
	const char *cache = share->cache;

	if (!cache || !strcmp(cache, "none"))
		return 0;
	if (share->virtiofs == (!strcmp(cache, "auto") || !strcmp(cache, "always")))
		return 0;
	return error_set(err, 0,
			 share->virtiofs ?
				 "cache=%s is of 9P: with virtiofs it's none, auto or always" :
				 "cache=%s is of virtiofs: without that word it's none, loose or mmap",
			 cache);
}

static int check_virtiofs(const struct config_share *share, struct error **err)
{
	if (share->read_only)
		return error_set(err, 0,
				 "virtiofs and ro: virtiofsd can't share read-only: leave virtiofs out, or share a read-only mount of the host");
	if (share->uid != UINT32_MAX || share->gid != UINT32_MAX)
		return error_set(err, 0,
				 "virtiofs and uid=, gid=: virtiofsd acts for each user of the guest, not for one of the host: leave one of them out");
	if (share->direct)
		return error_set(err, 0,
				 "virtiofs and direct: what goes through virtiofsd isn't aligned as O_DIRECT wants it: leave one of them out");
	return 0;
}

static int check_options(const struct config_share *share, struct error **err)
{
	if (share->virtiofs && check_virtiofs(share, err))
		return -1;
	return check_cache(share, err) ? -1 : can_share(share, err);
}

static int check_path(const char *path, struct error **err)
{
	if (!*path)
		return error_set(err, 0, "no path given: " SHARE_RULE);
	if (!path_is_absolute(path))
		return error_set(err, 0,
				 "%s: the path of a shared directory is absolute, since it's looked up again and again",
				 path);
	return 0;
}

void config_check_shares(struct config *c)
{
	char name[16];
	unsigned int i;
	int code;

	for (i = 0; i < CONFIG_SHARES; i++) {
		if (!c->share[i].path)
			continue;
		snprintf(name, sizeof(name), "cofs%u", i);
		code = path_directory(c->share[i].path);
		if (code)
			config_complain(c, true, name, "%s: %s: %s", name,
					c->share[i].path, strerror(code));
	}
}

static void free_share(struct config_share *share)
{
	free(share->path);
	free(share->tag);
	free(share->mount);
}

int config_parse_cofs(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value, struct error **err)
{
	struct config_share share = { .uid = UINT32_MAX, .gid = UINT32_MAX };
	char *option;
	int rc;

	(void)key;
	share.path = config_next_part(&value);
	rc = check_path(share.path ? share.path : "", err);
	while (!rc && (option = config_next_part(&value))) {
		rc = share_option(&share, option, err);
		free(option);
	}
	if (!rc)
		rc = check_options(&share, err);
	if (rc) {
		free_share(&share);
		return rc;
	}
	if (!share.tag)
		share.tag = need_format("cofs%u", index);
	free_share(&c->share[index]);
	c->share[index] = share;
	return 0;
}

void config_free_shares(struct config *c)
{
	unsigned int i;

	for (i = 0; i < CONFIG_SHARES; i++)
		free_share(&c->share[i]);
}

static void check_tag(struct config *c, unsigned int i)
{
	char name[16];
	unsigned int j;

	snprintf(name, sizeof(name), "cofs%u", i);
	for (j = 0; j < i; j++)
		if (c->share[j].path &&
		    !strcmp(c->share[i].tag, c->share[j].tag))
			config_complain(c, true, name,
					"cofs%u and cofs%u have the same tag '%s': give one another tag=",
					j, i, c->share[i].tag);
}

/* Whether the path `inner` leads through the directory `outer`, as they are written. */
static bool lies_in(const char *inner, const char *outer)
{
	size_t n = strlen(outer);

	while (n && path_is_separator(outer[n - 1]))
		n--;
	if (strncmp(inner, outer, n) || !path_is_separator(inner[n]))
		return false;
	while (path_is_separator(inner[n]))
		n++;
	return inner[n];
}

/* The guest could put a link in place of a directory that lies in one of its shares,
 * and would have what the link leads to when the VM begins the next time. */
static void check_nested(struct config *c, unsigned int inner)
{
	char name[16];
	unsigned int i;

	snprintf(name, sizeof(name), "cofs%u", inner);
	for (i = 0; i < CONFIG_SHARES; i++)
		if (c->share[i].path && !c->share[i].read_only &&
		    lies_in(c->share[inner].path, c->share[i].path))
			config_complain(c, true, name,
					"cofs%u: %s lies in cofs%u, where the guest may put a link to anything in its place: leave it out, or make cofs%u read-only (ro)",
					inner, c->share[inner].path, i, i);
}

/* virtiofs' cache is virtiofsd's business, no option of the mount. */
static char *mount_word(const struct config_share *share)
{
	const char *cache = share->virtiofs ? NULL : share->cache;

	return need_format("colinux.mount=%s:%s%s%s%s%s", share->tag,
			   share->mount, share->read_only ? ":ro" : "",
			   share->virtiofs ? ":virtiofs" : "",
			   cache ? ":cache=" : "", cache ? cache : "");
}

void config_finish_shares(struct config *c)
{
	unsigned int i;
	char *word;

	for (i = 0; i < CONFIG_SHARES; i++) {
		if (!c->share[i].path)
			continue;
		check_tag(c, i);
		check_nested(c, i);
		if (!c->share[i].mount)
			continue;
		word = mount_word(&c->share[i]);
		guest_line_once(&c->command_line, word);
		free(word);
	}
}

static void print_id(struct text *out, const char *key, uint32_t id)
{
	if (id != UINT32_MAX)
		text_format(out, ",%s=%u", key, id);
}

void config_print_shares(const struct config *c, struct text *out)
{
	const struct config_share *s;

	for (s = c->share; s < c->share + CONFIG_SHARES; s++) {
		if (!s->path)
			continue;
		text_format(out, "cofs%d=", (int)(s - c->share));
		config_quote(out, s->path);
		text_format(out, "%s%s,tag=%s", s->virtiofs ? ",virtiofs" : "",
			    s->read_only ? ",ro" : "", s->tag);
		print_id(out, "uid", s->uid);
		print_id(out, "gid", s->gid);
		text_format(out, "%s%s%s%s", s->direct ? ",direct" : "",
			    s->cache ? ",cache=" : "", s->cache ? s->cache : "",
			    s->mount ? ",mount=" : "");
		if (s->mount)
			config_quote(out, s->mount);
		text_add(out, "\n", 1);
	}
}
