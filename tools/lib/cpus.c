// SPDX-License-Identifier: GPL-2.0
#include "cpus.h"

#include <string.h>

/* Digits from *at on; they end at anything else. */
static bool take_cpu(const char **at, unsigned int *cpu)
{
	const char *s = *at;

	*cpu = 0;
	while (*s >= '0' && *s <= '9' && *cpu < CPU_LIST_MAX)
		*cpu = *cpu * 10 + (unsigned int)(*s++ - '0');
	if (s == *at || *cpu >= CPU_LIST_MAX)
		return false;
	*at = s;
	return true;
}

static bool add_range(struct cpu_list *list, unsigned int first,
		      unsigned int last)
{
	if (last < first || last - first >= CPU_LIST_MAX - list->n)
		return false;
	for (; first <= last; first++)
		list->cpu[list->n++] = (uint16_t)first;
	return true;
}

bool cpu_list_parse(struct cpu_list *list, const char *s)
{
	unsigned int first, last;

	list->n = 0;
	for (;;) {
		if (!take_cpu(&s, &first))
			return false;
		last = first;
		if (*s == '-' && (s++, !take_cpu(&s, &last)))
			return false;
		if (!add_range(list, first, last))
			return false;
		if (!*s)
			return true;
		if (*s++ != ',')
			return false;
	}
}

void cpu_list_text(const struct cpu_list *list, struct text *out)
{
	unsigned int i, end;

	for (i = 0; i < list->n; i = end) {
		end = i + 1;
		while (end < list->n && list->cpu[end] == list->cpu[end - 1] + 1)
			end++;
		text_format(out, "%s%u", i ? "," : "", list->cpu[i]);
		if (end > i + 1)
			text_format(out, "-%u", list->cpu[end - 1]);
	}
}

bool cpu_list_has(const struct cpu_list *list, unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (list->cpu[i] == cpu)
			return true;
	return false;
}

int pin_parse(struct pin *pin, const char *value, struct error **err)
{
	struct pin new = { .kind = PIN_EACH };

	if (!strcmp(value, "none")) {
		pin->kind = PIN_NONE;
		pin->cpus.n = 0;
		return 0;
	}
	if (!strncmp(value, "all:", 4))
		new.kind = PIN_ALL;
	if (!cpu_list_parse(&new.cpus, value + (new.kind == PIN_ALL ? 4 : 0)))
		return error_set(err, 0,
				 "'%s' is neither none nor a list of CPUs such as 0,2,4-7 or all:0-7 (numbers up to %d)",
				 value, CPU_LIST_MAX - 1);
	*pin = new;
	return 0;
}

char *pin_text(const struct pin *pin)
{
	struct text t = { 0 };

	if (pin->kind == PIN_NONE)
		return need_copy("none", 4);
	if (pin->kind == PIN_ALL)
		text_add(&t, "all:", 4);
	cpu_list_text(&pin->cpus, &t);
	return t.data;
}

void pin_cpus(const struct pin *pin, unsigned int index, struct cpu_list *out)
{
	if (pin->kind == PIN_ALL) {
		*out = pin->cpus;
		return;
	}
	out->n = 1;
	out->cpu[0] = pin->cpus.cpu[index % pin->cpus.n];
}
