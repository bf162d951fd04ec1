// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/colinux-snapshot: the processor state of the reading CPU
 * that a guest must leave alone, a line each: MSRs, local APIC, PIC masks, port
 * 61h, control and debug registers, descriptor tables. Two reads on one CPU, one
 * before and one after a guest's life, must be equal.
 */
#include <linux/debugfs.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <asm/apic.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>

/* Those that Linux changes by itself from moment to moment are left out: the
 * TSC and its deadline, GS bases of the running task, performance counters. */
static const u32 msrs[] = {
	0x17, 0x1b, 0x3a, 0x3b, 0x48, 0x8b, 0xce, 0xe1, 0xfe, 0x10a, 0x122,
	0x140, 0x174, 0x175, 0x176, 0x179, 0x17a, 0x199, 0x19a, 0x19b, 0x1a0,
	0x1a4, 0x1b0, 0x1d9, 0x200, 0x201, 0x202, 0x203, 0x250, 0x258, 0x259,
	0x268, 0x26f, 0x277, 0x2ff, 0x38d, 0x38f, 0x3f1, 0x570, 0x600, 0x6a0,
	0x6a2, 0x770, 0xda0, 0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083,
	0xc0000084, 0xc0000103, 0xc0010010, 0xc0010015, 0xc0010114, 0xc0010117,
	0xc0011029, 0xc001011f,
};

static const u32 apic_registers[] = {
	APIC_ID, APIC_LVR, APIC_TASKPRI, APIC_LDR, APIC_DFR, APIC_SPIV,
	APIC_LVTT, APIC_LVTPC, APIC_LVT0, APIC_LVT1, APIC_LVTERR, APIC_TDCR,
};

static void show_msrs(struct seq_file *m)
{
	u64 value;
	int i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		if (rdmsrl_safe(msrs[i], &value))
			seq_printf(m, "msr %x absent\n", msrs[i]);
		else
			seq_printf(m, "msr %x %llx\n", msrs[i], value);
}

/* The kernel's own apic_read() isn't for modules everywhere. */
static u32 read_apic(u32 reg)
{
	return x2apic_enabled() ? native_apic_msr_read(reg) :
				  native_apic_mem_read(reg);
}

static void show_apic(struct seq_file *m)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(apic_registers); i++)
		seq_printf(m, "apic %x %x\n", apic_registers[i],
			   read_apic(apic_registers[i]));
	seq_printf(m, "pic %x %x\nport61 %x\n", inb(0x21), inb(0xa1),
		   inb(0x61) & 0xf);
}

static void show_registers(struct seq_file *m)
{
	struct desc_ptr gdt, idt;
	unsigned long dr7;
	u16 tr, ldt;

	native_store_gdt(&gdt);
	store_idt(&idt);
	store_tr(tr);
	asm volatile("sldt %0" : "=m"(ldt));
	get_debugreg(dr7, 7);
	seq_printf(m, "cr0 %lx\ncr4 %lx\ndr7 %lx\n", read_cr0(), __read_cr4(),
		   dr7);
	seq_printf(m, "gdt %lx %x\nidt %lx %x\ntr %x\nldt %x\n", gdt.address,
		   gdt.size, idt.address, idt.size, tr, ldt);
	if (boot_cpu_has(X86_FEATURE_OSXSAVE))
		seq_printf(m, "xcr0 %llx\n", xgetbv(0));
}

static int snapshot_show(struct seq_file *m, void *unused)
{
	preempt_disable();
	show_msrs(m);
	show_apic(m);
	show_registers(m);
	preempt_enable();
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(snapshot);

static struct dentry *file;

static int __init snapshot_init(void)
{
	file = debugfs_create_file("colinux-snapshot", 0400, NULL, NULL,
				   &snapshot_fops);
	return PTR_ERR_OR_ZERO(file);
}
module_init(snapshot_init);

static void __exit snapshot_exit(void)
{
	debugfs_remove(file);
}
module_exit(snapshot_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What a guest must leave alone on its host");
