// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the guest's table of command-line words: per rule a word that it drops,
 * what happens to it, and why, separated by tabs. A rule that nobody thought of
 * here gets a value of its own accord, so none can be forgotten.
 */
#include <stdio.h>
/* Not linked: the table is static. */
#include "words.c"

/* Values that would show, or do harm, if the word came through. */
static const struct {
	const char *name, *value;
} chosen[] = {
	{ "mem", "48M" },
	{ "memmap", "exactmap" },
	{ "memtest", "1" },
	{ "crashkernel", "16M" },
	{ "initrd", "0x1000000,4096" },
	{ "initrdmem", "0x1000000,4096" },
	{ "reserve", "0x3f8,8" },
	{ "trace_instance", "map@0x10000000:1M" },
	{ "earlyprintk", "serial,ttyS0,115200" },
	{ "earlycon", "uart8250,io,0x3f8" },
	{ "kgdboc", "ttyS0" },
	{ "io_delay", "0x80" },
	{ "apic", "debug" },
	{ "hpet", "force" },
	{ "clocksource", "jiffies" },
	{ "tsc", "unstable" },
	{ "lpj", "12345" },
	{ "tsc_early_khz", "1000" },
	{ "idle", "poll" },
	{ "nmi_watchdog", "panic" },
	{ "acpi", "force" },
	{ "pci", "conf1" },
	{ "swiotlb", "force" },
	{ "reboot", "bios" },
	{ "mce", "off" },
};

static const char *value_of(const struct co_word *rule)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(chosen); i++)
		if (!strcmp(chosen[i].name, rule->name))
			return chosen[i].value;
	return rule->values ? rule->values : "1";
}

int main(void)
{
	char word[128];
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		n = strcspn(table[i].name, "*");
		snprintf(word, sizeof(word), "%.*s%s=%s", (int)n, table[i].name,
			 table[i].name[n] ? "test" : "", value_of(&table[i]));
		/* Of several values, the first. */
		word[strcspn(word, " ")] = 0;
		if (co_word_find(word) != &table[i]) {
			fprintf(stderr,
				"'%s' doesn't reach the rule for '%s'\n", word,
				table[i].name);
			return 1;
		}
		printf("%s\t%s\t%s\n",
		       table[i].action == CO_WORD_REFUSE ? "refused" :
							   "ignored",
		       word, table[i].why);
	}
	return 0;
}
