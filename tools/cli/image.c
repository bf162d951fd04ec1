// SPDX-License-Identifier: GPL-2.0
/*
 * colinux image create: boots the installer guest (packaging/installer) with the new
 * image as its disk. The guest does all of it, so there is nothing of an operating
 * system here. The image has another name until the guest has said that it's whole.
 */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../os/background.h"
#include "../os/path.h"

#define WORDS_MAX  16
#define SIZE_LEAST (8 << 20) /* a file system with a journal, and a little */
#define LINE_MAX_KEPT 1024

struct creation {
	const char *kernel, *installer, *mem, *suite, *mirror, *packages;
	const char *path;
	char *archive; /* NULL: there is none */
	char *part;    /* the image until it's whole */
	struct user *user;
	char *word[WORDS_MAX];
	int words;
	/* Of what the guest says: */
	struct text line;
	struct text why; /* its last error */
	bool done;
};

/* ---- words for the daemon ------------------------------------------------------ */

/* Takes the word over. */
static void add(struct creation *c, char *word)
{
	c->word[c->words++] = word;
}

/* KEY="PATH"MORE: a quote in a path is doubled. */
static void add_path(struct creation *c, const char *key, const char *path,
		     size_t n, const char *more)
{
	struct text t = { 0 };
	size_t i;

	text_format(&t, "%s=\"", key);
	for (i = 0; i < n; i++)
		text_add(&t, path[i] == '"' ? "\"\"" : &path[i],
			 path[i] == '"' ? 2 : 1);
	text_format(&t, "\"%s", more);
	add(c, t.data);
}

/* The name may hold anything; the guest's command line may not. */
static void add_archive(struct creation *c)
{
	const char *base = path_base(c->archive);
	size_t folder = (size_t)(base - c->archive);
	struct text t = { 0 };

	text_format(&t, "installer.archive=");
	for (; *base; base++)
		text_format(&t, "%02x", (unsigned char)*base);
	add(c, t.data);
	add_path(c, "cofs0", c->archive, folder, ",ro");
}

static void add_option(struct creation *c, const char *name, const char *value)
{
	if (value)
		add(c, need_format("installer.%s=%s", name, value));
}

/* One VM for each image: its name is the image's as far as a VM's may be, and tells
 * those in other folders apart. */
static char *vm_name(const struct creation *c, const char *whole)
{
	char *name = need_format("create-%.32s-%08x", path_base(c->path),
				 text_hash(whole));
	char *p;

	for (p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '.' && *p != '_')
			*p = '-';
	return name;
}

/* As it was named, which may be the only way to it, but so that nothing takes it for the
 * address of a server. */
static void add_disk(struct creation *c)
{
	char *whole = path_real(c->part);
	char *name = vm_name(c, whole ? whole : c->part);
	char *path = need_format("%s%s", strstr(c->part, "://") ? "./" : "",
				 c->part);

	add(c, need_format("name=%s", name));
	add_path(c, "cobd0", path, strlen(path), "");
	free(path);
	free(name);
	free(whole);
}

static void add_words(struct creation *c)
{
	add(c, need_format("mem=%s", c->mem ? c->mem : "512"));
	add_path(c, "kernel", c->kernel, strlen(c->kernel), "");
	add_path(c, "initrd", c->installer, strlen(c->installer), "");
	add(c, need_format("quiet"));
	if (c->archive) {
		add_archive(c);
		return;
	}
	add(c, need_format("eth0=slirp"));
	add_option(c, "suite", c->suite);
	add_option(c, "mirror", c->mirror);
	add_option(c, "packages", c->packages);
}

/* ---- what the guest says --------------------------------------------------------- */

static void end_line(struct creation *c)
{
	static const char error[] = "installer: error: ";
	char *line = c->line.data;

	if (!line)
		return;
	line[strcspn(line, "\r")] = 0;
	if (!strcmp(line, "installer: done"))
		c->done = true;
	if (!strncmp(line, error, sizeof(error) - 1)) {
		c->done = false;
		text_free(&c->why);
		text_format(&c->why, "%s", line + sizeof(error) - 1);
	}
	text_free(&c->line);
}

static void said(void *arg, const char *data, size_t n)
{
	struct creation *c = arg;
	size_t i;

	for (i = 0; i < n; i++)
		if (data[i] == '\n')
			end_line(c);
		else if (c->line.length < LINE_MAX_KEPT)
			text_add(&c->line, &data[i], 1);
}

/* ---- the installer guest ----------------------------------------------------------- */

/* We can't see it any more: it mustn't go on with a file that goes. */
static void stop(const char *name, const struct background *b)
{
	struct error *err = NULL;
	struct client client;

	if (!client_connect(&client, name, &err)) {
		json_decref(client_request(&client, "stop",
					   json_pack("{s:b}", "force", true), &err));
		client_close(&client);
	}
	if (err)
		background_kill(b);
	error_free(&err);
}

static int cut_off(const struct creation *c, struct error **err)
{
	return error_set(err, 0, "%s: not made: it was stopped", c->path);
}

/* Did the user speak since the guest's end? */
static bool is_stopped(const struct creation *c)
{
	int word;

	do {
		word = user_word(c->user);
	} while (word == USER_WINCH);
	return word;
}

static int watch(struct creation *c, const char *name, struct background *b,
		 struct error **err)
{
	struct client client;
	json_t *verdict = NULL;
	int rc = client_connect_new(&client, name, &verdict, err);

	if (!rc) {
		rc = session_watch(&client, c->user, said, c, &verdict, err);
		client_close(&client);
	}
	if (rc < 0)
		stop(name, b);
	else if (session_verdict(name, verdict))
		c->done = false;
	background_wait(b);
	json_decref(verdict);
	if (rc == SESSION_STOPPED)
		return cut_off(c, err);
	return rc < 0 ? -1 : 0;
}

static int install(struct creation *c, struct error **err)
{
	struct background b;
	char *name;
	int rc;

	if (daemon_start(&b, c->word, c->words, c->user, &name, err))
		return error_wrap(err, "%s: not made", c->path);
	if (!name) {
		background_wait(&b);
		return error_set(err, 0, "%s: no guest, so no image", c->path);
	}
	rc = watch(c, name, &b, err);
	free(name);
	if (rc || c->done)
		return rc;
	return error_set(err, 0, "%s: not made: %s", c->path,
			 c->why.length ? c->why.data :
					 "the installer guest ended before it was done");
}

/* ---- the file ------------------------------------------------------------------------ */

static int make_file(const char *path, uint64_t size, struct error **err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = 0;

	if (fd < 0 && errno == EEXIST)
		return error_set(err, 0,
				 "%s: is there already: another `image create` makes it, or one was cut off: remove it then",
				 path);
	if (fd < 0)
		return error_set(err, errno, "%s: cannot be made", path);
	if (ftruncate(fd, (off_t)size))
		rc = error_set(err, errno, "%s: cannot have %llu bytes", path,
			       (unsigned long long)size);
	close(fd);
	if (rc)
		unlink(path);
	return rc;
}

static int is_free(const char *path, struct error **err)
{
	if (!path_is_taken(path))
		return 0;
	return error_set(err, 0, "%s: is there already, and is left as it is",
			 path);
}

static int make_image(struct creation *c, uint64_t size, struct error **err)
{
	int rc;

	if (is_free(c->path, err) || make_file(c->part, size, err))
		return -1;
	add_words(c);
	add_disk(c);
	rc = install(c, err);
	if (!rc && is_stopped(c))
		rc = cut_off(c, err);
	if (!rc && path_rename_new(c->part, c->path))
		rc = error_set(err, errno, "%s: cannot be renamed to %s", c->part,
			       c->path);
	if (rc && unlink(c->part) && errno != ENOENT)
		error_wrap(err, "%s stays (%s)", c->part, strerror(errno));
	return rc;
}

/* Ctrl-C is for us all the time: there is a file to be taken away. */
static int create(struct creation *c, uint64_t size, struct error **err)
{
	int rc;

	c->user = user_watch(false);
	if (!c->user)
		return error_set(err, errno, "cannot watch signals");
	rc = make_image(c, size, err);
	user_unwatch(c->user);
	return rc;
}

/* ---- the user's words ------------------------------------------------------------------ */

/* A file that came with this program, unless the user names one. Caller frees. */
static char *program_file(const char *given, const char *name)
{
	return given ? need_copy(given, strlen(given)) : program_beside(name);
}

static int check_file(const char *path, const char *what, struct error **err)
{
	if (!path_directory(path))
		return error_set(err, 0, "%s: is a directory; %s was expected",
				 path, what);
	if (access(path, R_OK))
		return error_set(err, errno, "%s: cannot read %s", path, what);
	return 0;
}

/* It becomes a word of the kernel's command line, and a shell reads it there. */
static int check_word(const char *option, const char *value,
		      struct error **err)
{
	const char *p;

	for (p = value; p && *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("+-.,:/_~[]@%", *p))
			return error_set(err, 0,
					 "option %s: '%s': letters, digits and +-.,:/_~[]@%% only",
					 option, value);
	if (value && (!*value || *value == '-'))
		return error_set(err, 0, "option %s: '%s' is empty, or an option",
				 option, value);
	return 0;
}

/* A share is an absolute path, and the guest is not to follow links in it. */
static int take_archive(struct creation *c, const char *path, struct error **err)
{
	if (check_file(path, "an archive", err))
		return -1;
	c->archive = path_real(path);
	return c->archive ? 0 : error_set(err, errno, "%s", path);
}

static int check(const struct creation *c, struct error **err)
{
	if (!*path_base(c->path))
		return error_set(err, 0, "'%s' names no file", c->path);
	if (check_file(c->kernel, "the guest's kernel (--kernel FILE names it)", err) ||
	    check_file(c->installer, "the installer guest (--installer FILE names it)", err) ||
	    check_word("--suite", c->suite, err) ||
	    check_word("--mirror", c->mirror, err) ||
	    check_word("--packages", c->packages, err))
		return -1;
	if (c->archive && (c->suite || c->mirror || c->packages))
		return error_set(err, 0,
				 "image: --suite, --mirror and --packages are Debian's, which doesn't go with an archive");
	return 0;
}

static int take_size(const char *word, uint64_t *size, struct error **err)
{
	if (text_size(word, 1 << 20, size) && *size >= SIZE_LEAST &&
	    *size <= INT64_MAX && !(*size % 512))
		return 0;
	return error_set(err, 0,
			 "'%s' is no size: a number of megabytes from 8 on, or one with K, M or G",
			 word);
}

static void let_go(struct creation *c, char *kernel, char *installer)
{
	while (c->words)
		free(c->word[--c->words]);
	text_free(&c->line);
	text_free(&c->why);
	free(c->part);
	free(c->archive);
	free(kernel);
	free(installer);
}

int verb_image(int argc, char **argv, struct error **err)
{
	struct creation c = { 0 };
	const struct option_spec specs[] = {
		{ .name = "--kernel", .text = &c.kernel },
		{ .name = "--installer", .text = &c.installer },
		{ .name = "--mem", .text = &c.mem },
		{ .name = "--suite", .text = &c.suite },
		{ .name = "--mirror", .text = &c.mirror },
		{ .name = "--packages", .text = &c.packages },
		{ 0 },
	};
	char *kernel, *installer;
	uint64_t size;
	int n = options_take(argc, argv, specs, 3, 4, false, err), rc;

	if (n < 0)
		return -1;
	if (strcmp(argv[1], "create"))
		return error_set(err, 0,
				 "image: there is only `image create`, not '%s'",
				 argv[1]);
	c.kernel = kernel = program_file(c.kernel, "vmlinux");
	c.installer = installer = program_file(c.installer, "installer.gz");
	c.path = argv[2];
	c.part = need_format("%s.new", c.path);
	rc = take_size(argv[3], &size, err) ||
			     (n > 3 && take_archive(&c, argv[4], err)) ||
			     check(&c, err) ?
		     -1 :
		     create(&c, size, err);
	if (!rc)
		printf("%s: made; colinux run \"kernel=%s\" \"cobd0=%s\" root=/dev/cobd0 eth0=slirp\n",
		       c.path, c.kernel, c.path);
	let_go(&c, kernel, installer);
	return rc;
}
