// SPDX-License-Identifier: GPL-2.0
/* Symbolic links in shared directories: those that a guest makes, and the host's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "../../tools/lib/text.h"
#include "../../tools/os/share.h"
#include "../../tools/share/p9.h"
#include "check.h"

static const struct fs_new plain = { .mode = 0100644 };
static struct fs_node *root;

/* ---- the host's side -------------------------------------------------------- */

static const char *place;

static char *path_of(const char *name)
{
	return need_format("%s\\%s", place, name);
}

static void host_write(const char *name, const void *data, size_t n,
		       DWORD attributes)
{
	char *path = path_of(name);
	DWORD done = 0;
	HANDLE h = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
			       FILE_ATTRIBUTE_NORMAL, NULL);

	CHECK(h != INVALID_HANDLE_VALUE &&
	      WriteFile(h, data, (DWORD)n, &done, NULL) && done == n);
	CloseHandle(h);
	CHECK(SetFileAttributesA(path, attributes));
	free(path);
}

#define HOST_WRITE(name, text, attributes) \
	host_write(name, text, sizeof(text) - 1, attributes)

static DWORD host_attributes(const char *name)
{
	char *path = path_of(name);
	DWORD a = GetFileAttributesA(path);

	free(path);
	return a;
}

static size_t host_read(const char *name, void *data, size_t room)
{
	char *path = path_of(name);
	HANDLE h = CreateFileA(path, GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
	DWORD n = 0;

	CHECK(h != INVALID_HANDLE_VALUE && ReadFile(h, data, (DWORD)room, &n, NULL));
	CloseHandle(h);
	free(path);
	return n;
}

/* Wine keeps it in user.DOSATTRIB, and not all file systems have such attributes. */
static bool attribute_holds(void)
{
	HOST_WRITE("probe", "", FILE_ATTRIBUTE_SYSTEM);
	if (host_attributes("probe") & FILE_ATTRIBUTE_SYSTEM)
		return CHECK(!fs_unlink(root, "probe", false));
	fprintf(stderr, "%s: the attribute \"system\" doesn't stay: a file system without "
			"extended attributes \"user.*\"\n", place);
	failures++;
	return false;
}

/* ---- the guest's ------------------------------------------------------------ */

static enum fs_kind kind_of(const char *name)
{
	struct fs_node *node;
	enum fs_kind kind;

	if (!CHECK(!fs_walk(root, name, &node)))
		return FS_OTHER;
	kind = fs_kind(node);
	fs_put(node);
	return kind;
}

static void check_target(const char *name, const char *target)
{
	char back[FS_TARGET_MAX + 1] = "";
	struct fs_node *node;
	struct fs_stat st;

	if (!CHECK(!fs_walk(root, name, &node)))
		return;
	EQUAL(fs_kind(node), FS_SYMLINK);
	EQUAL(fs_stat(node, &st), 0);
	EQUAL(st.mode, 0120777);
	EQUAL(st.size, strlen(target));
	EQUAL(fs_readlink(node, back), strlen(target));
	CHECK(!strcmp(back, target));
	fs_put(node);
}

static void write_file(const char *name, const void *data, size_t n)
{
	struct iovec iov = { (void *)(uintptr_t)data, n };
	struct fs_node *node;
	struct fs_file *file;

	if (!CHECK(!fs_open_new(root, name, P9_O_RDWR, &plain, &node, &file)))
		return;
	EQUAL(fs_write(file, &iov, 1, 0), n);
	fs_close(file);
	fs_put(node);
}

static bool is_there(const char *name)
{
	struct fs_node *node;

	if (fs_walk(root, name, &node))
		return false;
	fs_put(node);
	return true;
}

/* ---- made ------------------------------------------------------------------- */

static void check_exact(void)
{
	static const char *const targets[] = {
		"file", "../../outside", "/etc/passwd", "a\\b:c?", "c:/x", ".",
		"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7", "\xff not UTF-8 \xc3",
		"\xef\x80\xba", "!<symlink>",
	};
	size_t i;

	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		EQUAL(fs_symlink(root, "li:nk", &plain, targets[i]), 0);
		check_target("li:nk", targets[i]);
		EQUAL(fs_unlink(root, "li:nk", false), 0);
		CHECK(!is_there("li:nk"));
	}
}

static void check_on_disk(void)
{
	static const char wanted[] = "!<symlink>\xff\xfe\xe4\0/\0b\0"; /* and a NUL */
	char data[64];

	EQUAL(fs_symlink(root, "link", &plain, "\xc3\xa4/b"), 0);
	CHECK(host_attributes("link") & FILE_ATTRIBUTE_SYSTEM);
	EQUAL(host_read("link", data, sizeof(data)), sizeof(wanted) + 1);
	CHECK(!memcmp(data, wanted, sizeof(wanted)));
	EQUAL(fs_unlink(root, "link", false), 0);
}

static void check_refused(void)
{
	char target[FS_TARGET_MAX + 2];

	memset(target, 'x', sizeof(target));
	target[FS_TARGET_MAX + 1] = 0;
	EQUAL(fs_symlink(root, "long", &plain, target), -ENAMETOOLONG);
	CHECK(!is_there("long"));
	target[FS_TARGET_MAX] = 0;
	EQUAL(fs_symlink(root, "long", &plain, target), 0);
	check_target("long", target);
	EQUAL(fs_symlink(root, "long", &plain, "other"), -EEXIST);
	check_target("long", target);
	EQUAL(fs_unlink(root, "long", false), 0);
	EQUAL(fs_symlink(root, "empty", &plain, ""), -ENOENT);
	CHECK(!is_there("empty"));
	write_file("file", "content", 7);
	EQUAL(fs_symlink(root, "file", &plain, "x"), -EEXIST);
	EQUAL(kind_of("file"), FS_FILE);
	EQUAL(fs_symlink(root, "\xff", &plain, "x"), -EILSEQ);
}

/* ---- as on Linux ------------------------------------------------------------ */

static void check_open(struct fs_node *link)
{
	struct fs_node *node;
	struct fs_file *file;

	EQUAL(fs_open(link, 0, &file), -ELOOP);
	EQUAL(fs_open(link, P9_O_RDWR | P9_O_TRUNC, &file), -ELOOP);
	EQUAL(fs_open_new(root, "link", P9_O_RDWR, &plain, &node, &file), -ELOOP);
	EQUAL(fs_open_new(root, "link", P9_O_RDWR | P9_O_EXCL, &plain, &node, &file),
	      -EEXIST);
	EQUAL(fs_walk(link, "file", &node), -ENOTDIR);
	EQUAL(fs_symlink(link, "x", &plain, "x"), -ENOTDIR);
	EQUAL(fs_mkdir(root, "link", &plain), -EEXIST);
}

static void check_change(struct fs_node *link)
{
	struct fs_change c = { .set = P9_SET_MODE, .mode = 0444 };
	struct fs_stat st;

	EQUAL(fs_change(link, NULL, &c), -EOPNOTSUPP);
	c = (struct fs_change){ .set = P9_SET_SIZE };
	EQUAL(fs_change(link, NULL, &c), -EINVAL);
	c = (struct fs_change){ .set = P9_SET_UID, .uid = 0 };
	EQUAL(fs_change(link, NULL, &c), 0);
	c = (struct fs_change){ .set = P9_SET_MTIME | P9_SET_MTIME_TO,
				.mtime = { 1000000000, 0 } };
	EQUAL(fs_change(link, NULL, &c), 0);
	EQUAL(fs_stat(link, &st), 0);
	EQUAL(st.mtime.sec, 1000000000);
	check_target("link", "file");
}

/* What it leads to is never meant. (Wine, as older Windows, replaces nothing that is
 * open.) */
static void check_names(void)
{
	check_target("second", "file");
	EQUAL(fs_unlink(root, "second", true), -ENOTDIR);
	EQUAL(fs_rename(root, "link", root, "moved"), 0);
	check_target("moved", "file");
	write_file("victim", "v", 1);
	EQUAL(fs_rename(root, "moved", root, "victim"), 0);
	check_target("victim", "file");
	CHECK(!is_there("moved"));
	EQUAL(fs_symlink(root, "other", &plain, "elsewhere"), 0);
	EQUAL(fs_rename(root, "other", root, "victim"), 0);
	check_target("victim", "elsewhere");
	write_file("fresh", "f", 1);
	EQUAL(fs_rename(root, "fresh", root, "victim"), 0);
	EQUAL(kind_of("victim"), FS_FILE);
	check_target("second", "file");
	EQUAL(fs_unlink(root, "second", false), 0);
	EQUAL(fs_unlink(root, "victim", false), 0);
	EQUAL(kind_of("file"), FS_FILE);
}

static void check_as_linux(void)
{
	struct fs_node *link;

	EQUAL(fs_symlink(root, "link", &plain, "file"), 0);
	if (!CHECK(!fs_walk(root, "link", &link)))
		return;
	check_open(link);
	check_change(link);
	EQUAL(fs_link(root, "second", link), 0);
	fs_put(link);
	check_names();
}

/* ---- the host's own --------------------------------------------------------- */

#define LINK_HEAD "!<symlink>\xff\xfe"
#define LINK_DATA LINK_HEAD "c\0y\0g\0\0"

/* A guest's bytes make no link, whatever it does with the file. */
static void check_no_link(void)
{
	struct fs_change c = { .set = P9_SET_MODE, .mode = 0444 };
	struct fs_node *node;

	write_file("bytes", LINK_DATA, sizeof(LINK_DATA));
	EQUAL(kind_of("bytes"), FS_FILE);
	if (!CHECK(!fs_walk(root, "bytes", &node)))
		return;
	EQUAL(fs_change(node, NULL, &c), 0);
	EQUAL(host_attributes("bytes") & FILE_ATTRIBUTE_SYSTEM, 0);
	c.mode = 0644;
	EQUAL(fs_change(node, NULL, &c), 0);
	EQUAL(host_attributes("bytes") & FILE_ATTRIBUTE_SYSTEM, 0);
	EQUAL(kind_of("bytes"), FS_FILE);
	fs_put(node);
}

/* Hidden is what Windows makes of names with a dot before, in some places. */
static void check_host_links(void)
{
	static uint8_t big[16384] = LINK_DATA;

	HOST_WRITE("cyg", LINK_DATA "\0", FILE_ATTRIBUTE_SYSTEM);
	check_target("cyg", "cyg");
	HOST_WRITE("hidden", LINK_DATA "\0", FILE_ATTRIBUTE_SYSTEM | FILE_ATTRIBUTE_HIDDEN |
						 FILE_ATTRIBUTE_READONLY);
	check_target("hidden", "cyg");
	HOST_WRITE("old", "!<symlink>../../out\0", FILE_ATTRIBUTE_SYSTEM);
	check_target("old", "../../out");
	HOST_WRITE("half", LINK_HEAD "h\0a\0", FILE_ATTRIBUTE_SYSTEM);
	EQUAL(kind_of("half"), FS_FILE);
	HOST_WRITE("void", "", FILE_ATTRIBUTE_SYSTEM);
	EQUAL(kind_of("void"), FS_FILE);
	host_write("big", big, sizeof(big), FILE_ATTRIBUTE_SYSTEM);
	EQUAL(kind_of("big"), FS_FILE);
	EQUAL(fs_unlink(root, "hidden", false), 0);
}

/* What the host makes of a link that the guest knows already. */
static void check_changing(void)
{
	char target[FS_TARGET_MAX + 1];
	struct fs_node *node;
	struct fs_file *file;

	if (!CHECK(!fs_walk(root, "cyg", &node)))
		return;
	HOST_WRITE("cyg", "!<symlink>longer than it was\0", FILE_ATTRIBUTE_SYSTEM);
	EQUAL(fs_readlink(node, target), 18);
	HOST_WRITE("cyg", "no link any more", FILE_ATTRIBUTE_NORMAL);
	EQUAL(fs_readlink(node, target), -EINVAL);
	EQUAL(fs_open(node, 0, &file), -ELOOP); /* until it's found anew */
	fs_put(node);
	EQUAL(kind_of("cyg"), FS_FILE);
}

/* ---- listed ----------------------------------------------------------------- */

static struct text listed;

static bool list_one(void *arg, const struct fs_entry *e)
{
	(void)arg;
	text_format(&listed, "%s=%u/", e->name, e->type);
	return true;
}

static void check_list(void)
{
	struct fs_new dir = { .mode = 0040755 };
	struct fs_file *file;

	EQUAL(fs_symlink(root, "li:nk", &plain, "nowhere"), 0);
	EQUAL(fs_mkdir(root, "dir", &dir), 0);
	EQUAL(fs_open(root, P9_O_DIRECTORY, &file), 0);
	EQUAL(fs_list(file, 0, list_one, NULL), 0);
	CHECK(strstr(listed.data, "/li:nk=10/"));
	CHECK(strstr(listed.data, "/old=10/"));
	CHECK(strstr(listed.data, "/half=8/") && strstr(listed.data, "/big=8/"));
	CHECK(strstr(listed.data, "/bytes=8/"));
	CHECK(strstr(listed.data, "/dir=4/"));
	text_free(&listed);
	fs_close(file);
}

static struct fs *open_share(const char *folder)
{
	char *path = need_format("%s\\links", folder);
	struct fs_options opt = { .path = path, .uid = FS_KEEP, .gid = FS_KEEP };
	struct error *err = NULL;
	struct fs *fs = fs_create(&opt, &err);

	place = path;
	if (!CHECK(fs) || !CHECK(!fs_root(fs, &root)))
		exit(1);
	EQUAL(fs_enter(fs), 0);
	return fs;
}

void test_link(const char *folder)
{
	struct fs *fs = open_share(folder);

	if (attribute_holds()) {
		check_exact();
		check_on_disk();
		check_refused();
		check_as_linux();
		check_no_link();
		check_host_links();
		check_list();
		check_changing();
	}
	fs_put(root);
	fs_free(fs);
}

void test_half_link(const char *folder)
{
	struct fs *fs = open_share(folder);

	printf("fs_symlink: %s\n", strerror(-fs_symlink(root, "half link", &plain, "x")));
	fflush(stdout);
	fs_put(root);
	fs_free(fs);
}
