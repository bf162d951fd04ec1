/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of host CPUs as users and the kernel write them ("0,2,4-7"), and where
 * the vCPUs shall run.
 */
#ifndef CO_TOOLS_CPUS_H
#define CO_TOOLS_CPUS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "text.h"

#define CPU_LIST_MAX 1024 /* entries, and CPU numbers below it: glibc's cpu_set_t */

struct cpu_list {
	unsigned int n;
	uint16_t cpu[CPU_LIST_MAX]; /* in the order in which they were written */
};

/* Numbers and ascending ranges with commas between them, nothing else. */
bool cpu_list_parse(struct cpu_list *list, const char *s);
/* Appends it; neighbours that ascend become a range. */
void cpu_list_text(const struct cpu_list *list, struct text *out);
bool cpu_list_has(const struct cpu_list *list, unsigned int cpu);

enum pin_kind {
	PIN_NONE, /* wherever the daemon may run */
	PIN_EACH, /* vCPU i on the i-th CPU of the list, which begins again at its end */
	PIN_ALL	  /* each vCPU on any CPU of the list */
};

struct pin {
	enum pin_kind kind;
	struct cpu_list cpus;
};

/* "none", "0,2,4-7" or "all:0-7". */
int pin_parse(struct pin *pin, const char *value, struct error **err);
/* The same back; caller frees. */
char *pin_text(const struct pin *pin);
/* The CPUs on which vCPU `index` may run; not for PIN_NONE. */
void pin_cpus(const struct pin *pin, unsigned int index, struct cpu_list *out);

#endif
