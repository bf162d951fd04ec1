// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "words.h"

#define MEMORY	"memory is what the host gives"
#define PORTS	"the machine's ports and their devices are the host's"
#define IRQS	"interrupt controllers are the host's"
#define TIMERS	"timers and clocks are the host's"
#define CPUS	"the processor's settings are the host's"
#define ERRORS	"machine errors go to the host"
#define NO_BUS	"there is no such hardware here"
#define IDLE	"idle means: back to the host"
#define OUTER	"what the host itself runs on is not for the guest"

#define REFUSE(name, why)	  { name, CO_WORD_REFUSE, why, NULL }
#define REFUSE_VALUES(name, values, why) { name, CO_WORD_REFUSE, why, values }
#define IGNORE(name, why)	  { name, CO_WORD_IGNORE, why, NULL }

static const struct co_word table[] = {
	/* Memory that isn't ours. */
	REFUSE("mem", MEMORY " (the VM's mem=)"),
	REFUSE("memmap", MEMORY),
	REFUSE("memtest", MEMORY),
	REFUSE("crashkernel", "there is no second kernel to start"),
	REFUSE("elfcorehdr", MEMORY),
	REFUSE("initrd", "the host loads the initrd"),
	REFUSE("initrdmem", "the host loads the initrd"),
	REFUSE("reserve", MEMORY),
	REFUSE("reservelow", MEMORY),
	REFUSE("memory_corruption_check*", MEMORY),
	REFUSE("efi_fake_mem", MEMORY),
	REFUSE("add_efi_memmap", MEMORY),
	REFUSE("phram.*", MEMORY),
	REFUSE("ramoops.*", MEMORY),
	REFUSE("trace_instance", MEMORY "; a buffer can be put anywhere in it"),
	REFUSE("iomem", MEMORY),
	REFUSE("mem_encrypt", MEMORY),

	/* Consoles and debuggers on ports or in video memory. */
	REFUSE("earlyprintk", PORTS "; the log is on the host anyway"),
	REFUSE("earlycon", PORTS "; the log is on the host anyway"),
	REFUSE_VALUES("console", "ttyS uart lp ttyUSB", PORTS ", try console=hvc0"),
	REFUSE("kgdboc", PORTS),
	REFUSE("ekgdboc", PORTS),
	REFUSE("kgdbdbgp", PORTS),
	REFUSE("8250*", PORTS),
	REFUSE("parport*", PORTS),
	REFUSE("i8042.*", PORTS),
	REFUSE("io_delay", PORTS),
	REFUSE("ohci1394_dma", PORTS),
	IGNORE("vga", NO_BUS),
	IGNORE("video", NO_BUS),

	/* Interrupt controllers. */
	REFUSE("lapic", IRQS),
	REFUSE("apic", IRQS),
	REFUSE("x2apic_phys", IRQS),
	REFUSE("lapic_timer_c2_ok", IRQS),
	REFUSE("disable_timer_pin_1", IRQS),
	REFUSE("enable_timer_pin_1", IRQS),
	REFUSE("apicpmtimer", IRQS),
	REFUSE("apicmaintimer", IRQS),
	REFUSE("irqpoll", IRQS),
	REFUSE("irqfixup", IRQS),
	IGNORE("noapic", IRQS),
	IGNORE("nolapic", IRQS),
	IGNORE("nolapic_timer", IRQS),
	IGNORE("nox2apic", IRQS),
	IGNORE("no_timer_check", IRQS),

	/* Clocks. */
	REFUSE("hpet", TIMERS),
	REFUSE("clocksource", TIMERS),
	REFUSE("tsc", TIMERS),
	REFUSE("notsc", TIMERS),
	REFUSE("tsc_early_khz", TIMERS),
	REFUSE("lpj", TIMERS),
	REFUSE("acpi_pm_good", TIMERS),
	REFUSE("pmtmr", TIMERS),

	/* Idle and power. */
	REFUSE("idle", IDLE),
	REFUSE("nohlt", IDLE),
	REFUSE("hlt", IDLE),
	REFUSE("intel_idle.*", IDLE),
	REFUSE("processor.*", IDLE),
	REFUSE("cpuidle*", IDLE),
	REFUSE("cpufreq*", CPUS),
	REFUSE("intel_pstate", CPUS),
	REFUSE("amd_pstate", CPUS),
	REFUSE("intel_epb", CPUS),
	IGNORE("reboot", "a restart is asked of the host"),

	/* Buses and firmware. */
	REFUSE("pci", NO_BUS),
	REFUSE("pcie_*", NO_BUS),
	REFUSE("pci_*", NO_BUS),
	REFUSE("acpi", NO_BUS),
	REFUSE("acpi_*", NO_BUS),
	REFUSE("acpi.*", NO_BUS),
	REFUSE("efi", NO_BUS),
	REFUSE("dmi_*", NO_BUS),
	REFUSE("pnp*", NO_BUS),
	REFUSE("iommu*", NO_BUS),
	REFUSE("intel_iommu", NO_BUS),
	REFUSE("amd_iommu*", NO_BUS),
	REFUSE("intremap", NO_BUS),
	REFUSE("swiotlb", NO_BUS),
	REFUSE("gart_*", NO_BUS),

	/* The processor and its errors. */
	REFUSE("mce", ERRORS),
	REFUSE("mce_*", ERRORS),
	REFUSE("nomce", ERRORS),
	REFUSE("hest_disable", ERRORS),
	REFUSE("nmi_watchdog", ERRORS),
	REFUSE("unknown_nmi_panic", ERRORS),
	REFUSE("no5lvl", "the number of paging levels is the host's"),
	REFUSE("microcode*", CPUS),
	REFUSE("dis_ucode_ldr", CPUS),
	REFUSE("mtrr*", CPUS),
	REFUSE("enable_mtrr_cleanup", CPUS),
	REFUSE("disable_mtrr_cleanup", CPUS),
	REFUSE("nopat", CPUS),
	REFUSE("split_lock_detect", CPUS),
	REFUSE("tsx", CPUS),
	REFUSE("rdt", CPUS),
	REFUSE("ring3mwait", CPUS),
	REFUSE("nosgx", CPUS),
	REFUSE("msr.*", CPUS),
	IGNORE("nokaslr", "there is no KASLR here"),
	IGNORE("kaslr", "there is no KASLR here"),
	IGNORE("nopv", "this is the only way to run"),

	/* Other hypervisors. */
	REFUSE("xen*", OUTER),
	REFUSE("kvm*", OUTER),
	REFUSE("no_kvmclock*", OUTER),
	REFUSE("no_vmw_sched_clock", OUTER),
	REFUSE("hv_*", OUTER),
};

/* The kernel takes '-' for '_' in names; so must who filters them. */
static char fold(char c)
{
	return c == '-' ? '_' : c;
}

static bool name_matches(const char *pattern, const char *word, size_t length)
{
	size_t i;

	for (i = 0; i < length && pattern[i] && pattern[i] != '*'; i++)
		if (fold(pattern[i]) != fold(word[i]))
			return false;
	return pattern[i] == '*' || (i == length && !pattern[i]);
}

static bool value_matches(const char *values, const char *value)
{
	size_t length;

	for (; *values; values += length + (values[length] == ' ')) {
		length = strcspn(values, " ");
		if (!strncmp(values, value, length))
			return true;
	}
	return false;
}

const struct co_word *co_word_find(const char *word)
{
	size_t skip = word[0] == '"';
	size_t length = strcspn(word + skip, "=\"");
	const char *value = word + skip + length;
	size_t i;

	value += *value == '=';
	value += *value == '"';
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (!name_matches(table[i].name, word + skip, length))
			continue;
		if (!table[i].values || value_matches(table[i].values, value))
			return &table[i];
	}
	return NULL;
}

/* Length of the word at `s`: blanks within double quotes belong to it. */
static size_t word_length(const char *s)
{
	bool quoted = false;
	size_t n;

	for (n = 0; s[n] && (quoted || !strchr(" \t\n", s[n])); n++)
		quoted ^= s[n] == '"';
	return n;
}

/* `from` walks the words as they were, `to` puts down those that stay. */
void co_words_filter(char *line, co_word_report report)
{
	const struct co_word *rule;
	char *from = line, *to = line;
	bool done = false;
	size_t n;
	char end;

	for (from += strspn(from, " \t\n"); *from; from += strspn(from, " \t\n")) {
		n = word_length(from);
		end = from[n];
		from[n] = 0;
		done |= !strcmp(from, "--");
		rule = done ? NULL : co_word_find(from);
		if (rule) {
			report(from, rule);
		} else {
			if (to != line)
				*to++ = ' ';
			memmove(to, from, n);
			to += n;
		}
		from += n;
		if (end)
			from++;
	}
	*to = 0;
}
