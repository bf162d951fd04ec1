/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The daemon of one VM.
 *
 * Threads: the loop's thread does everything but the vCPUs' RUN requests, which
 * have a thread each, one per vCPU that may ever be online (vcpu.c). Any of them
 * may come out at the same time, with any exit. They touch machine_access() (each
 * device has its lock), console_inject(), the kernel's log (under its lock), the
 * atomic counters, what is their own in `vcpu`, and `vcpu_ended`, nothing else.
 */
#ifndef CO_TOOLS_DAEMON_H
#define CO_TOOLS_DAEMON_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "../devices/device.h"
#include "../lib/config.h"
#include "../lib/frame.h"
#include "../lib/json_text.h"
#include "../os/cpus.h"
#include "../os/driver.h"

struct connection;
struct serial;
struct agent;
struct helper;
struct net_card;

struct daemon_options {
	bool background, quiet, help, version;
	int verbose;
	int stop_seconds; /* how long a guest has to power off after SIGTERM */
	int ready_fd; /* gets "ready NAME\n" when the VM runs; -1: none */
	const char *pidfile;
};

/* How far the wish to end the VM has gone. */
enum ending { ENDING_NO, ENDING_ASKED, ENDING_FORCED };

/* What `colinux set` can change; a guest that restarts begins with it. */
struct settings {
	unsigned int cpus; /* that shall be online */
	uint64_t memory;   /* bytes that it may have at most */
	struct pin pin;
};

struct vcpu {
	struct daemon *d;
	unsigned int index;
	pthread_t thread;
	atomic_int number; /* of the thread, for thread_times(); 0: not yet */
	atomic_int error;  /* errno of a RUN that failed */
};

struct log {
	pthread_mutex_t lock;
	struct tail tail;
};

/* A console beside the system's. */
struct more_console {
	struct console *port; /* NULL: not there */
	struct console_reader reader;
	struct log log;
};

struct daemon {
	struct config config;
	struct daemon_options options;
	char *directory; /* runtime directory */
	int lock_fd;
	bool wrote_pidfile;
	bool in_loop; /* the VM was started: its end is a verdict */
	uint64_t started; /* seconds since 1970 */
	uint64_t boot_time; /* of the VM as it is now, uv_hrtime() */
	uint64_t reboots;

	uv_loop_t loop;
	uv_signal_t sigterm, sigint, sighup;
	uv_async_t asked_to_end;
	uv_timer_t ending_timer, drain_timer, linger_timer, helpers_timer;
	uv_async_t vcpu_ended;
	uv_pipe_t listener;
	struct connection *connections;
	unsigned int connection_count;
	enum ending ending;

	struct driver *driver;
	struct guest_memory memory;
	struct machine_driver machine_driver;
	struct machine *machine;
	struct console *console, *agent_port;
	struct more_console more[CONFIG_TERMINALS]; /* from 1 on: hvc1, ... */
	struct serial *line[CONFIG_LINES];
	struct net_card *nets; /* CONFIG_NETS of them, see net.h */
	struct console_reader log_reader;
	struct log log;	       /* of the console */
	struct log kernel_log; /* what the kernel said by CO_CALL_CONSOLE */
	/* Bytes of it that went to the console, and bytes that came out there. */
	_Atomic uint64_t injected, console_bytes;
	struct agent *agent;
	struct helper *helpers; /* the newest first */
	struct settings set;
	struct cpu_list allowed; /* where the daemon itself may run */
	struct vcpu vcpu[CO_VCPUS_MAX];
	unsigned int vcpus; /* threads to be joined */
	atomic_uint vcpus_running;
	char *failure; /* what became of a RUN that failed, or NULL */
	struct co_req_vm_info final; /* the last VM_INFO */
	bool ended; /* final holds the verdict */
};

/* A line on standard error when -v is at least `level`; level 0 always. */
void say(const struct daemon *d, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- options.c ------------------------------------------------------------ */

/* Options and words of the command line, the original's included. */
int options_parse(struct daemon *d, int argc, char **argv, struct error **err);
extern const char daemon_usage[];

/* ---- instance.c ----------------------------------------------------------- */

/* NAME.lock: the only daemon of that name. */
int instance_lock(struct daemon *d, struct error **err);
/* Goes on in another process; this one waits until the VM runs and doesn't return. */
int instance_background(struct daemon *d, int argc, char **argv,
			struct error **err);
/* The VM runs: tells the waiting parent, leaves the terminal. */
int instance_ready(struct daemon *d, struct error **err);
void instance_release(struct daemon *d);
/* DIR/NAME<suffix>, caller frees. */
char *instance_path(const struct daemon *d, const char *suffix);

/* ---- vm.c ----------------------------------------------------------------- */

int vm_start(struct daemon *d, struct error **err);
void vm_free(struct daemon *d);
/* Asks the guest to power off, VM_STOP after `seconds`; asked a second time, or
 * with force: at once. */
void vm_end(struct daemon *d, bool force, unsigned int seconds);
int vm_power(struct daemon *d, unsigned int wish);
/* Tells the guest how many vCPUs or bytes it shall have. 0 or a negative errno. */
int vm_wish_cpus(struct daemon *d, unsigned int cpus);
int vm_wish_memory(struct daemon *d, uint64_t bytes);
/* Fills `info` with what the driver counts; the last known after the end. */
int vm_info(const struct daemon *d, struct co_req_vm_info *info);

/* ---- devices.c ------------------------------------------------------------ */

/* Makes the machine and all that the configuration names. */
int devices_add(struct daemon *d, struct error **err);
/* Sets event bits of the guest's vCPU 0. 0 or a negative errno. Any thread. */
int devices_raise(struct daemon *d, uint32_t events, uint64_t value);

/* ---- shares.c ------------------------------------------------------------- */

int shares_add(struct daemon *d, struct error **err);
json_t *shares_json(const struct daemon *d);
/* ---- consoles.c ----------------------------------------------------------- */

/* Consoles behind the first one, and serial lines: ports of `cocon`, the terminals
 * among them in the order of the guest's hvc1, hvc2, ... */
int consoles_add(struct daemon *d, struct device *cocon, struct error **err);
void consoles_free(struct daemon *d);
/* Console `n`, and what it said last; NULL: there is none. */
struct console *console_of(struct daemon *d, unsigned int n);
struct log *console_log(struct daemon *d, unsigned int n);
json_t *consoles_json(struct daemon *d);
json_t *lines_json(struct daemon *d);
size_t scrollback_bytes(const struct config *c);

/* ---- load.c --------------------------------------------------------------- */

/* Kernel, initrd and command line into the VM. */
int load_guest(struct daemon *d, struct error **err);

/* ---- vcpu.c --------------------------------------------------------------- */

/* A thread for each vCPU. After an error some may run: they end with the VM. */
int vcpus_start(struct daemon *d, struct error **err);
/* Which RUN failed and why; NULL: none. Caller frees. */
char *vcpus_failure(struct daemon *d);
/* Waits for all; the VM must have its verdict. */
void vcpus_join(struct daemon *d);

/* ---- pin.c ---------------------------------------------------------------- */

/* Has the host these CPUs? */
int pin_check(const struct pin *pin, struct error **err);
/* Moves all vCPUs; after an error they are where they were. */
int pin_change(struct daemon *d, const struct pin *pin, struct error **err);
/* The CPUs for vCPU `index`. */
void pin_list(const struct daemon *d, const struct pin *pin, unsigned int index,
	      struct cpu_list *out);
/* The error of a thread that may not run there; returns -1. */
int pin_refused(unsigned int index, const struct cpu_list *cpus,
		struct error **err);

/* ---- log.c ---------------------------------------------------------------- */

#define LOG_KEPT  (256 * 1024)
#define LOG_LINES 40

void log_init(struct log *log);
void log_free(struct log *log);
void log_add(struct log *log, const void *data, size_t n); /* any thread */
void log_copy(struct log *log, struct text *out);
/* The last LOG_LINES lines as a JSON array of valid UTF-8. */
json_t *log_lines(struct log *log);

/* ---- verdict.c ------------------------------------------------------------ */

const char *verdict_name(uint32_t verdict);
/* Did the VM end as its user or guest meant it to? */
bool verdict_good(uint32_t verdict);
/* All that `info` tells, for a living VM and for an ended one. */
json_t *info_json(struct daemon *d);
/* NAME.json. */
int verdict_save(struct daemon *d, struct error **err);
/* Before the VM runs: what stands there if this process never gets to say. */
int verdict_prepare(struct daemon *d, struct error **err);
/* It never ran after all: NAME.json goes. */
void verdict_forget(const struct daemon *d);

/* ---- stats.c -------------------------------------------------------------- */

/* All that the driver counts. */
json_t *counters_json(const struct co_req_vm_info *info);
json_t *devices_json(struct daemon *d);
/* Both, with what the host knows of the threads. NULL and an error. */
json_t *stats_json(struct daemon *d, struct error **err);

/* ---- control.c ------------------------------------------------------------ */

int control_start(struct daemon *d, struct error **err);
/* Tells all clients how the VM ended and closes the socket. */
void control_finish(struct daemon *d);

#endif
