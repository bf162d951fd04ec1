/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between guest kernel versions, here and in compat.c and nowhere
 * else in the overlay. Code is written for the newest kernel; what is here for
 * older ones goes with them.
 */
#ifndef _COLINUX_COMPAT_H
#define _COLINUX_COMPAT_H

#include <linux/version.h>

#define CO_BEFORE(major, minor) (LINUX_VERSION_CODE < KERNEL_VERSION(major, minor, 0))

#ifdef __ASSEMBLY__

#if CO_BEFORE(6, 4)
#define UNWIND_HINT_END_OF_STACK UNWIND_HINT_EMPTY
#endif

#else

#include <linux/cpuhotplug.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <asm/apic.h>
#include <asm/cpu.h>
#include <asm/fpu/api.h>
#include <asm/processor.h>
#include <asm/smp.h>
#include <asm/topology.h>

struct task_struct;

/* ---- processors come and go (compat.c) ------------------------------------------- */

/*
 * Sets the smp_ops that start and bury vCPUs. `kick` lets a vCPU run, without
 * waiting for it; 0 or a negative error. `bury` waits until it is off for good.
 * Both may sleep.
 */
void colinux_hook_hotplug(int (*kick)(unsigned int cpu, struct task_struct *idle),
			  void (*bury)(unsigned int cpu));

/* The number of vCPUs is known; hooks into x86_init.mpparse. */
void colinux_hook_firmware(void);

/* On a vCPU that starts, interrupts off: first, and when it is online. */
void colinux_init_cpu(unsigned int cpu);
void colinux_cpu_came(unsigned int cpu);

/* All that came up at boot are there. */
void colinux_count_packages(void);

/* The core's own number, a cache of its own, the last cache for all. */
void colinux_set_topology(struct cpuinfo_x86 *c, unsigned int cpu);

/* What of our driver isn't the same everywhere; makes it the kernel's. */
void colinux_install_apic(struct apic *driver);

/* ---- features that aren't the guest's, and are known since ------------------------- */

#if CO_BEFORE(6, 12)
#define CO_FOREIGN_SINCE
#else
#define CO_FOREIGN_SINCE                                                          \
	/* Gates and stacks that the passage doesn't know. */                     \
	X86_FEATURE_FRED,                                                         \
	/* Shadow stacks: state of XSAVES. */                                     \
	X86_FEATURE_SHSTK, X86_FEATURE_USER_SHSTK,                                \
	/* Switches of the machine's, by MSR. */                                  \
	X86_FEATURE_SRSO_BP_SPEC_REDUCE, X86_FEATURE_HWP_HIGHEST_PERF_CHANGE,     \
	X86_FEATURE_FAST_CPPC, X86_FEATURE_ARCH_PERFMON_EXT, X86_FEATURE_SMBA,    \
	X86_FEATURE_BMEC, X86_FEATURE_SEV_SNP, X86_FEATURE_TDX_HOST_PLATFORM,     \
	X86_FEATURE_AMX_FP16, X86_FEATURE_SGX_EDECCSSA,
#endif

/* ---- idle ---------------------------------------------------------------------------- */

/* Since 6.3 the idle routine comes back with interrupts off. */
static __always_inline void colinux_idle_end(void)
{
	if (!CO_BEFORE(6, 3))
		raw_local_irq_disable();
}

/* ---- memory ---------------------------------------------------------------------------- */

/* Later kernels declare it in mm's own header, or nowhere. */
int __meminit init_per_zone_wmark_min(void);
extern int watermark_boost_factor;

/* ---- shrinkers ------------------------------------------------------------------------- */

#if CO_BEFORE(6, 7)
static inline struct shrinker *shrinker_alloc(unsigned int flags, const char *name)
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);

	if (shrinker)
		shrinker->flags = flags;
	return shrinker;
}

/* Later kernels can't fail here. */
static inline void shrinker_register(struct shrinker *shrinker)
{
	if (register_shrinker(shrinker, "colinux"))
		pr_err("colinux: no memory to register a shrinker: none comes under pressure\n");
}
#endif

/* ---- virtio (compat.c) -------------------------------------------------------------- */

#if CO_BEFORE(6, 11)
/* The drivers give four lists; we work with one. */
struct virtqueue_info {
	const char *name;
	vq_callback_t *callback;
	bool ctx;
};
int colinux_find_vqs_by_lists(struct virtio_device *vdev, unsigned int nvqs,
			      struct virtqueue *vqs[], vq_callback_t *callbacks[],
			      const char *const names[], const bool *ctx,
			      struct irq_affinity *desc);
#define CO_FIND_VQS colinux_find_vqs_by_lists
#else
#define CO_FIND_VQS colinux_find_vqs
#endif

/* virtio_colinux.c */
int colinux_find_vqs(struct virtio_device *vdev, unsigned int nvqs, struct virtqueue *vqs[],
		     struct virtqueue_info infos[], struct irq_affinity *desc);

#endif
#endif
