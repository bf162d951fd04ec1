// SPDX-License-Identifier: GPL-2.0
/* A command in the guest with our standard input, output and error. */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct command {
	struct client *c;
	uint32_t window; /* bytes of input that may still be sent */
	bool input_open;
	struct user *user;
	bool done;
	int status;
	struct error **err;
};

static int send_u32(struct command *x, enum frame_type type, uint32_t value)
{
	uint8_t frame[FRAME_HEADER + 4];

	frame_put_u32(frame, type, 0, value);
	return client_frame(x->c, type, frame + FRAME_HEADER, 4, x->err);
}

static bool output(struct command *x, int fd, const struct frame *f)
{
	struct error *late = NULL;

	if (write_all(fd, f->data, f->length)) {
		error_set(x->err, errno, "cannot write the command's output");
		return false;
	}
	/* When the command has ended meanwhile its frames are on their way. */
	x->err = &late;
	send_u32(x, FRAME_WINDOW, f->length);
	error_free(&late);
	return true;
}

static bool from_daemon(void *arg, const struct frame *f)
{
	struct command *x = arg;
	struct error **err = x->err;
	bool good = true;

	switch (f->type) {
	case FRAME_OUTPUT:
		good = output(x, STDOUT_FILENO, f);
		break;
	case FRAME_ERRORS:
		good = output(x, STDERR_FILENO, f);
		break;
	case FRAME_WINDOW:
		x->window += frame_u32(f);
		break;
	case FRAME_EXIT:
		x->done = true;
		x->status = (int)(frame_u32(f) & 0xff);
		break;
	case FRAME_FAIL:
		error_set(err, 0, "%s: %.*s", x->c->name, (int)f->length,
			  (const char *)f->data);
		good = false;
		break;
	case FRAME_END:
		error_set(err, 0, "%s has ended: `colinux info %s` says why",
			  x->c->name, x->c->name);
		good = false;
		break;
	default:
		break;
	}
	x->err = err;
	return good;
}

static int from_input(struct command *x)
{
	uint8_t buffer[FRAME_MAX];
	size_t max = x->window < sizeof(buffer) ? x->window : sizeof(buffer);
	ssize_t n = user_read(x->user, buffer, max);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0) {
		x->input_open = false;
		return client_frame(x->c, FRAME_INPUT_END, NULL, 0, x->err);
	}
	x->window -= (uint32_t)n;
	return client_frame(x->c, FRAME_INPUT, buffer, (size_t)n, x->err);
}

static int take_word(struct command *x)
{
	int word = user_word(x->user);

	return word ? send_u32(x, FRAME_SIGNAL, (uint32_t)word) : 0;
}

static int read_daemon(struct command *x)
{
	int rc = client_frames(x->c, from_daemon, x, x->err);

	if (rc < 0)
		return -1;
	if (!rc && !x->done)
		return error_set(x->err, 0, "%s: its daemon is gone",
				 x->c->name);
	return 0;
}

static int step(struct command *x)
{
	bool input = x->input_open && x->window;
	/* What the command said comes before what we would tell it. */
	int ready = x->c->in.length ? USER_PEER :
				      user_wait(x->user, x->c->peer, input);

	if (ready < 0)
		return error_set(x->err, errno, "cannot wait");
	if (ready & USER_PEER)
		return read_daemon(x);
	if (ready & USER_WORD && take_word(x))
		return -1;
	return ready & USER_INPUT ? from_input(x) : 0;
}

static int run(struct client *c, json_t *args, struct error **err)
{
	struct command x = { .c = c, .input_open = true, .err = err };
	json_t *result = client_request(c, "exec", args, err);
	int rc = 0;

	if (!result)
		return -1;
	x.window = (uint32_t)json_integer_value(json_object_get(result, "window"));
	json_decref(result);
	x.user = user_watch(true);
	if (!x.user)
		return error_set(err, errno, "cannot watch signals");
	while (!rc && !x.done)
		rc = step(&x);
	user_unwatch(x.user);
	return rc ? -1 : x.status;
}

static json_t *arguments(const char *shell, int n, char **words,
			 unsigned int wait)
{
	json_t *args = json_pack("{s:i}", "wait", (int)wait);
	json_t *argv = json_array();
	int i;

	for (i = 0; i < n; i++)
		json_array_append_new(argv, json_string(words[i]));
	if (shell)
		json_object_set_new(args, "shell", json_string(shell));
	else
		json_object_set(args, "argv", argv);
	json_decref(argv);
	return args;
}

/* Options stand before NAME or behind it; "--" ends them. Returns the number of
 * the command's words, which are at argv[2]. */
static int split(int argc, char **argv, const char **shell, unsigned int *wait,
		 struct error **err)
{
	const struct option_spec specs[] = {
		{ .name = "-c", .text = shell },
		{ .name = "--wait", .number = wait },
		{ 0 },
	};
	int n = options_take(argc, argv, specs, 1, 0, true, err);
	char *name = argv[1];

	if (n < 0)
		return n;
	argv[1] = argv[0];
	n = options_take(n, argv + 1, specs, 0, 0, true, err);
	argv[1] = name;
	return n;
}

int verb_exec(int argc, char **argv, struct error **err)
{
	const char *shell = NULL;
	unsigned int wait = 30;
	struct client c;
	int n, rc;

	n = split(argc, argv, &shell, &wait, err);
	if (n < 0)
		return -1;
	if (!n == !shell)
		return error_set(err, 0,
				 "exec: needs NAME and either -- COMMAND or -c TEXT; see `colinux exec --help`");
	if (client_connect(&c, argv[1], err))
		return -1;
	rc = run(&c, arguments(shell, n, argv + 2, wait), err);
	client_close(&c);
	return rc;
}
