// SPDX-License-Identifier: GPL-2.0
/*
 * From the host's boot information to a platform without hardware: runs right
 * before start_kernel() and points every hook at something that leaves the
 * machine alone.
 */
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <asm/bios_ebda.h>
#include <asm/e820/api.h>
#include <asm/hypervisor.h>
#include <asm/i8259.h>
#include <asm/io_apic.h>
#include <asm/iommu.h>
#include <asm/setup.h>
#include <asm/tlbflush.h>
#include "colinux.h"

bool colinux_active __ro_after_init;
struct co_boot_info colinux_boot __ro_after_init;
struct co_vcpu_area *colinux_areas __ro_after_init;

static u32 __init colinux_detect(void)
{
	return colinux_guest() ? U32_MAX : 0;
}

/* The highest priority keeps out the probes for whatever the host runs on. */
const struct hypervisor_x86 x86_hyper_colinux __initconst = {
	.name = "colinux",
	.detect = colinux_detect,
	.type = X86_HYPER_COLINUX,
	.ignore_nopv = true,
};

/* memblock grows its lists only when it has memory below 1 MiB, or the direct map
 * is there: neither is the case when it reads this. */
#define EARLY_CHUNKS 100

/* The kernel's own and the first of the others; memory.c adds the rest. */
static bool __init takes_early(const struct co_chunk *chunk, u32 index)
{
	u64 kernel = __pa_symbol(_text);

	return index < EARLY_CHUNKS ||
	       (kernel >= chunk->address && kernel - chunk->address < chunk->size);
}

/* Guest memory is machine memory: the map is the list of our chunks. */
static char * __init colinux_memory_setup(void)
{
	const struct co_chunk *chunks = __va(colinux_boot.chunks);
	u32 i;

	for (i = 0; i < colinux_boot.chunk_count; i++)
		if (takes_early(&chunks[i], i))
			e820__range_add(chunks[i].address, chunks[i].size, E820_TYPE_RAM);
	e820__update_table(e820_table);
	return "colinux";
}

static void __init colinux_arch_setup(void)
{
	memblock_reserve(colinux_boot.reserved_start,
			 colinux_boot.reserved_end - colinux_boot.reserved_start);
}

static void __init colinux_banner(void)
{
	pr_info("colinux: VM '%.64s', %u of %u vCPUs, event vector %#x, TSC %u kHz\n",
		colinux_boot.name, colinux_boot.online, colinux_boot.vcpus,
		colinux_boot.event_vector, colinux_boot.tsc_khz);
}

static unsigned char colinux_no_nmi_reason(void)
{
	return 0;
}

static void __init colinux_hook_init(void)
{
	x86_init.resources.probe_roms = x86_init_noop;
	x86_init.resources.reserve_resources = x86_init_noop;
	x86_init.resources.memory_setup = colinux_memory_setup;
	x86_init.resources.dmi_setup = x86_init_noop;
	x86_init.mpparse.setup_ioapic_ids = x86_init_noop;
	x86_init.irqs.pre_vector_init = x86_init_noop;
	x86_init.irqs.intr_init = colinux_init_irq;
	x86_init.irqs.intr_mode_select = x86_init_noop;
	x86_init.irqs.intr_mode_init = x86_init_noop;
	x86_init.irqs.create_pci_msi_domain = NULL;
	x86_init.oem.arch_setup = colinux_arch_setup;
	x86_init.oem.banner = colinux_banner;
	x86_init.timers.setup_percpu_clockev = x86_init_noop;
	x86_init.timers.wallclock_init = x86_init_noop;
}

static void __init colinux_hook_platform(void)
{
	x86_platform.get_nmi_reason = colinux_no_nmi_reason;
	x86_platform.realmode_reserve = x86_init_noop;
	x86_platform.realmode_init = x86_init_noop;
	x86_platform.legacy.rtc = 0;
	x86_platform.legacy.i8042 = X86_LEGACY_I8042_PLATFORM_ABSENT;
	x86_platform.legacy.warm_reset = 0;
	x86_platform.legacy.no_vga = 1;
	x86_platform.legacy.reserve_bios_regions = 0;
	x86_platform.legacy.devices.pnpbios = 0;
	legacy_pic = &null_legacy_pic;
	/* All devices reach all memory: no bounce buffers below 4 GiB. */
	no_iommu = 1;
}

/* The early page fault handler maps what __va() gives, until the direct map is
 * there. The note promised the core that we'd take what it wrote. */
static void __init colinux_take_boot_info(void)
{
	const struct co_boot_info *info = __va(boot_params.hdr.hardware_subarch_data);

	if (info->magic != CO_BOOT_MAGIC || info->size < sizeof(*info))
		panic("colinux: no boot information at %#llx",
		      boot_params.hdr.hardware_subarch_data);
	colinux_boot = *info;
	colinux_areas = __va(info->areas);
	colinux_active = true;
}

/*
 * The host may be in VMX operation, now or later, where a CR4 without VMXE is
 * #GP. The core keeps the bit in the CR4 that it switches; what this kernel
 * writes comes from its own copy.
 */
static void __init colinux_keep_vmxe(void)
{
	if (cpuid_ecx(1) & BIT(5)) /* VMX; the feature bit is hidden */
		cr4_set_bits(X86_CR4_VMXE);
}

void __init colinux_early_setup(void)
{
	/* Blocks of 2 MiB leave the direct map. */
	direct_gbpages = 0;
	BUILD_BUG_ON(X86_SUBARCH_COLINUX != CO_SUBARCH);

	colinux_take_boot_info();
	colinux_init_console();
	colinux_set_features();
	colinux_keep_vmxe();
	colinux_hook_init();
	colinux_hook_platform();
	colinux_init_smp();
	colinux_init_time();
	colinux_init_reboot();
	colinux_register_nmi();
	colinux_filter_command_line();
}
