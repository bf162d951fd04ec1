/* SPDX-License-Identifier: GPL-2.0 */
/* The program `colinux`: a verb is a file, main.c has the table. */
#ifndef CO_TOOLS_CLI_H
#define CO_TOOLS_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "../lib/error.h"
#include "../lib/frame.h"
#include "../lib/text.h"
#include "../os/peer.h"

/* A verb returns the program's exit status, or -1 with an error (status 1). */
#define VERB(name) int verb_##name(int argc, char **argv, struct error **err)
VERB(run);
VERB(start);
VERB(list);
VERB(attach);
VERB(stop);
VERB(info);
VERB(log);
VERB(set);
VERB(share);
VERB(port);
VERB(link);
VERB(capture);
VERB(stats);
VERB(completion);
VERB(exec);
VERB(doctor);
VERB(config);
VERB(disk);
VERB(image);
VERB(version);

/* ---- options.c ------------------------------------------------------------ */

/* An option of a verb: one of flag, number and text is set. */
struct option_spec {
	const char *name; /* "--json" */
	bool *flag;
	unsigned int *number;
	const char **text;
};

/*
 * Takes options out of argv[1..]; `specs` ends with a NULL name. What is left are
 * positional arguments, between min and max of them, from argv[1] on. "--" ends
 * the options; with `stop_early` the first positional argument, too, then the
 * number isn't checked against max. Returns their number, -1 and an error.
 */
int options_take(int argc, char **argv, const struct option_spec *specs,
		 int min, int max, bool stop_early, struct error **err);

/* ---- client.c ------------------------------------------------------------- */

/* A connection to a VM's daemon. */
struct client {
	char *name;
	struct peer *peer; /* NULL: none */
	bool gone; /* nobody answered, or not any more */
	struct text in; /* bytes not used yet */
	struct frame_reader frames;
};

int client_connect(struct client *c, const char *name, struct error **err);
/* The same for a VM that was just started: 1, it has ended already, and *verdict is
 * what its daemon left. */
int client_connect_new(struct client *c, const char *name, json_t **verdict,
		       struct error **err);
/* Is there a daemon? Like client_connect() without an error. */
bool client_try(struct client *c, const char *name);
void client_close(struct client *c);
/* Sends a request and returns its result, NULL and an error. `args` is taken over
 * and may be NULL. */
json_t *client_request(struct client *c, const char *verb, json_t *args,
		       struct error **err);
/* The first half of it. */
int client_send(struct client *c, const char *verb, json_t *args,
		struct error **err);
int client_frame(struct client *c, enum frame_type type, const void *data,
		 size_t n, struct error **err);
/* Reads what has come (blocks for the first byte) and calls fn for each frame.
 * 1: go on, 0: the daemon closed, -1 and an error. */
int client_frames(struct client *c,
		  bool (*fn)(void *arg, const struct frame *f), void *arg,
		  struct error **err);
/* NAME.json of an ended VM; NULL and an error. */
json_t *client_last(const char *name, struct error **err);
/* Waits until the daemon of that name has let go of its lock; false: it goes on. */
bool client_wait_gone(const char *name);

/* ---- names.c -------------------------------------------------------------- */

/* Calls fn for each VM that runs or has ended, in the order of their names. */
int client_names(void (*fn)(void *arg, const char *name), void *arg,
		 struct error **err);

/* ---- session.c ------------------------------------------------------------ */

enum session_end { SESSION_DETACHED, SESSION_ENDED, SESSION_STOPPED };

/* A console of the VM, 0 is the system's, on this terminal until the user detaches or the VM ends;
 * -1 and an error otherwise. *verdict: how it ended, or NULL. */
int session_run(struct client *c, unsigned int console, json_t **verdict,
		struct error **err);
/* The first console of a VM on standard output until the VM ends, without input.
 * Ctrl-C, or the terminal's end, stops it at once: SESSION_STOPPED then. `said` gets
 * the same bytes, as they come. */
int session_watch(struct client *c, struct user *user,
		  void (*said)(void *arg, const char *data, size_t n), void *arg,
		  json_t **verdict, struct error **err);
/* One line about it on standard error; exit status for a VM that ended so. */
int session_verdict(const char *name, json_t *verdict);

/* ---- terminal.c ----------------------------------------------------------- */

struct terminal {
	bool text, ground, cursor; /* what is not as it was */
};

/* Gives standard output, if it's a terminal, the looks that the answer to `attach`
 * names; and takes them away. */
void terminal_begin(struct terminal *t, json_t *attached);
void terminal_end(const struct terminal *t);

/* ---- daemon.c ------------------------------------------------------------- */

/* A file that came with this program: the path beside it; the name alone if that isn't
 * known. Caller frees. */
char *program_beside(const char *name);
/* Path of colinux-daemon: beside this program, else by PATH. Caller frees. */
char *daemon_path(void);
/* Starts one with these words, in a session of its own (see background_start()), and
 * waits until its VM runs. *name: the VM's, caller frees; NULL: the daemon has said
 * why there is none, and its status is for background_wait(). */
struct background;
/* With a `user` the first word of his ends the waiting, and the daemon; it's gone then. */
int daemon_start(struct background *b, char *const *words, int n,
		 struct user *user, char **name, struct error **err);

/* ---- share.c -------------------------------------------------------------- */

struct config;
/* The shared directories of a configuration, as words and as JSON. */
json_t *shares_json(const struct config *c);

/* ---- table.c -------------------------------------------------------------- */

/* Prints rows of `columns` cells, the first row is the heading. */
void table_print(json_t *rows, size_t columns);
void json_print(json_t *o);
/* "256M", "1.5G" */
char *size_words(uint64_t bytes);
/* Text out of an object, "" if it isn't there. */
const char *text_of(json_t *o, const char *key);

#endif
