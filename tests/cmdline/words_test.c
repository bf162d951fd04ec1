// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's table of command-line words, word by word. "words_test LINE"
 * prints what the filter leaves of LINE instead.
 */
#include <stdio.h>
/* Not linked: the test looks at the table itself. */
#include "words.c"

static int number, failures, dropped;

static void check(bool ok, const char *name)
{
	number++;
	failures += !ok;
	printf("%s %d - %s\n", ok ? "ok" : "not ok", number, name);
}

static void count(const char *word, const struct co_word *rule)
{
	(void)word;
	dropped += rule->why && rule->why[0];
}

static bool filters(const char *line, const char *rest, int drops)
{
	char copy[512];

	strcpy(copy, line);
	dropped = 0;
	co_words_filter(copy, count);
	if (strcmp(copy, rest) || dropped != drops)
		printf("# '%s' became '%s', %d dropped\n", line, copy, dropped);
	return !strcmp(copy, rest) && dropped == drops;
}

/* Alone, in front of others, after others, between others. */
static void check_dropped(const char *word)
{
	char line[256], name[300];
	bool ok = filters(word, "", 1);

	snprintf(line, sizeof(line), "%s quiet", word);
	ok &= filters(line, "quiet", 1);
	snprintf(line, sizeof(line), "quiet %s", word);
	ok &= filters(line, "quiet", 1);
	snprintf(line, sizeof(line), "quiet %s ro", word);
	ok &= filters(line, "quiet ro", 1);
	snprintf(name, sizeof(name), "dropped: %s", word);
	check(ok, name);
}

static void check_kept(const char *line)
{
	char name[300];

	snprintf(name, sizeof(name), "kept: %s", line);
	check(filters(line, line, 0), name);
}

static const char *const dangerous[] = {
	"mem=1G", "memmap=64M$0x10000000", "memmap=exactmap", "memtest", "memtest=4",
	"crashkernel=128M", "elfcorehdr=0x1000", "initrd=0x1000000,65536",
	"initrdmem=0x1000000,65536", "reserve=0x60,16", "reservelow=640",
	"memory_corruption_check=1", "memory-corruption-check-size=64K",
	"efi_fake_mem=1M@0:1", "add_efi_memmap", "phram.phram=x,0,4096",
	"ramoops.mem_address=0x1000000", "trace_instance=map@0x10000000:1M", "iomem=relaxed", "mem_encrypt=on",
	"earlyprintk=serial,ttyS0,115200", "earlyprintk=vga", "earlycon",
	"earlycon=uart8250,io,0x3f8", "console=ttyS0,115200", "console=uart,io,0x3f8",
	"console=lp0", "console=ttyUSB0", "\"console=ttyS0\"", "console=\"ttyS0\"",
	"kgdboc=ttyS0", "ekgdboc=kbd", "kgdbdbgp=0", "8250.nr_uarts=4", "8250_core.x=1",
	"parport=0x378", "i8042.nomux", "io_delay=0x80", "ohci1394_dma=early",
	"vga=791", "video=vesafb", "lapic", "lapic=notscdeadline", "apic=debug",
	"x2apic_phys", "lapic_timer_c2_ok", "disable_timer_pin_1",
	"enable_timer_pin_1", "apicpmtimer", "apicmaintimer", "irqpoll", "irqfixup",
	"noapic", "nolapic", "nolapic_timer", "nox2apic", "no_timer_check",
	"hpet=force", "hpet=verbose", "clocksource=hpet", "clocksource=acpi_pm",
	"tsc=unstable", "notsc", "tsc_early_khz=1000000", "lpj=100", "acpi_pm_good",
	"pmtmr=0x408", "idle=mwait", "idle=poll", "idle=halt", "nohlt", "hlt",
	"intel_idle.max_cstate=1", "processor.max_cstate=1", "cpuidle.off=1",
	"cpufreq.off=1", "intel_pstate=passive", "amd_pstate=active", "intel_epb=0",
	"reboot=bios", "pci=conf1", "pcie_aspm=off", "pci_hp=1", "acpi=force",
	"acpi_rsdp=0xe0000", "acpi.debug_level=1", "acpi-osi=Linux", "efi=debug",
	"dmi_scan=1", "pnpbios=on", "iommu=force", "iommu.passthrough=1",
	"intel_iommu=on", "amd_iommu=fullflush", "intremap=on", "swiotlb=force",
	"gart_fix_e820=on", "mce=2", "mce_ignore_ce", "nomce", "hest_disable",
	"nmi_watchdog=1", "unknown_nmi_panic", "no5lvl", "microcode.x=1",
	"dis_ucode_ldr", "mtrr_gran_size=1M", "enable_mtrr_cleanup",
	"disable_mtrr_cleanup", "nopat", "split_lock_detect=fatal", "tsx=on",
	"rdt=cmt", "ring3mwait=disable", "nosgx", "msr.allow_writes=on", "nokaslr",
	"kaslr", "nopv", "xen_nopv", "xen-fbfront.video=1", "kvm-intel.nested=1",
	"no_kvmclock", "no-kvmclock-vsyscall", "no_vmw_sched_clock", "hv_nopvspin",
};

static const char *const harmless[] = {
	"root=/dev/vda ro quiet", "console=hvc0", "console=tty0", "init=/bin/sh",
	"panic=5", "memcg=x", "mem_sleep_default=s2idle", "systemd.unit=rescue.target",
	"mitigations=off", "pti=on", "nosmp", "maxcpus=1", "loglevel=7", "apparmor=0",
	"rootflags=subvol=x", "memoryhog", "tscx=1", "memory", "foo=mem=1G", "",
	"word=\"mem=1G idle=poll\"",
};

static bool is_tested(const struct co_word *rule)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dangerous); i++)
		if (co_word_find(dangerous[i]) == rule)
			return true;
	return false;
}

static void check_table(void)
{
	bool all = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (!is_tested(&table[i])) {
			printf("# no test reaches the rule for '%s'\n", table[i].name);
			all = false;
		}
	check(all, "each rule of the table is tested");
}

int main(int argc, char **argv)
{
	char line[2048];
	size_t i;

	if (argc == 2) {
		snprintf(line, sizeof(line), "%s", argv[1]);
		co_words_filter(line, count);
		puts(line);
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(dangerous); i++)
		check_dropped(dangerous[i]);
	for (i = 0; i < ARRAY_SIZE(harmless); i++)
		check_kept(harmless[i]);
	check(filters("  a   b\tc ", "a b c", 0), "blanks shrink");
	check(filters("a mem=1G -- mem=1G idle=poll", "a -- mem=1G idle=poll", 1),
	      "what follows -- is init's");
	check(filters("mem=1G mem=2G hpet=force a memmap=1", "a", 4), "many at once");
	check_table();
	printf("1..%d\n", number);
	return failures ? 1 : 0;
}
