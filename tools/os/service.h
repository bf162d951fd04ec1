/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The daemon in the system's hands: installed as a service that starts a VM without
 * a user, and told by the system that it shall end. On Linux both are others' work:
 * systemd starts it and sends SIGTERM.
 *
 * How main() uses it:
 *
 *	status = service_switch(argc, argv, &program);
 *	if (status >= 0)
 *		return status;
 *	...
 *	ending_watch(ask, arg);		behind uv_loop_init()
 *	ending_ready();			the VM runs
 *	...				the loop, until the VM has ended
 *	ending_watch(NULL, NULL);
 *	ending_done();			all is written and closed
 */
#ifndef CO_TOOLS_OS_SERVICE_H
#define CO_TOOLS_OS_SERVICE_H

#include "../lib/error.h"

struct service_program {
	/* Would these words start a VM? argv[0] is the program. -1 and an error. */
	int (*check)(int argc, char **argv, struct error **err);
	/* The program itself, from the beginning: the exit status. One call in a
	 * process, on another thread than main()'s. */
	int (*run)(int argc, char **argv);
};

/* Does what the original's switch argv[1] says, and prints what there is to say:
 *
 *	--install-service [NAME] WORD...	--remove-service [NAME]
 *	--install-driver	--remove-driver		--status-driver
 *
 * The exit status; -1: argv[1] is no such switch, or there is none. NAME is what the
 * first word is if it's neither an option, nor @FILE, nor NAME=VALUE. */
int service_switch(int argc, char **argv, const struct service_program *program);
#define SERVICE_NAME "Cooperative Linux" /* the original's, if none is given */

/* Exit statuses of --status-driver, the original's. */
#define DRIVER_STATUS_OK      0 /* it runs, and these tools are its own */
#define DRIVER_STATUS_VERSION 3 /* it runs, but is of another make */
#define DRIVER_STATUS_NONE    14 /* not installed */
#define DRIVER_STATUS_ELSE    255 /* installed but not running, or not to be asked */

/* From here on the system's wish that this process ends (service stop, log-off,
 * shutdown, a console that is closed) calls ask(arg), once, on any thread, and
 * the system is kept waiting until ending_done(). NULL: it isn't asked any more, but the
 * system waits on. */
void ending_watch(void (*ask)(void *arg), void *arg);
/* The VM runs: so does the service, for who waits for its start. */
void ending_ready(void);
/* The system need not wait any more. Also when there was no ending_watch(). */
void ending_done(void);

#endif
