// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../os/background.h"
#include "../os/path.h"
#include "../os/process.h"

char *program_beside(const char *name)
{
	char *self = process_path(), *path;

	if (!self)
		return need_copy(name, strlen(name));
	path = need_format("%.*s%s", (int)(path_base(self) - self), self, name);
	free(self);
	return path;
}

char *daemon_path(void)
{
	char *path = program_beside(DAEMON_PROGRAM);

	if (!access(path, X_OK))
		return path;
	free(path);
	return need_copy(DAEMON_PROGRAM, strlen(DAEMON_PROGRAM));
}

/* Reads "ready NAME"; NULL when the daemon ended instead. */
static char *wait_ready(int fd)
{
	struct text t = { 0 };
	char c;
	ssize_t n;

	do {
		n = read(fd, &c, 1);
		if (n == 1)
			text_add(&t, &c, 1);
	} while ((n < 0 && errno == EINTR) || (n == 1 && c != '\n'));
	if (n == 1 && !strncmp(t.data, "ready ", 6)) {
		t.data[t.length - 1] = 0;
		text_drop(&t, 6);
		return t.data;
	}
	text_free(&t);
	return NULL;
}

static int start(struct background *b, char *const *words, int n,
		 struct error **err)
{
	char **arguments = need(((size_t)n + 3) * sizeof(*arguments));
	int i, rc;

	arguments[0] = daemon_path();
	arguments[1] = "-k";
	for (i = 0; i < n; i++)
		arguments[i + 2] = words[i];
	rc = background_start(b, arguments, err);
	free(arguments[0]);
	free(arguments);
	return rc;
}

#define LOOK_MS 100

/* False: he doesn't want it any more. */
static bool wait_with_user(const struct background *b, struct user *user)
{
	int word = 0;

	while ((!word || word == USER_WINCH) && !background_spoke(b, LOOK_MS))
		word = user_word(user);
	return !word || word == USER_WINCH;
}

int daemon_start(struct background *b, char *const *words, int n,
		 struct user *user, char **name, struct error **err)
{
	if (start(b, words, n, err))
		return -1;
	if (user && !wait_with_user(b, user)) {
		background_kill(b);
		close(b->ready);
		background_wait(b);
		return error_set(err, 0, "it was stopped");
	}
	*name = wait_ready(b->ready);
	close(b->ready);
	return 0;
}
