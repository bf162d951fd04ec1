// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID isn't trapped: the guest sees the machine's processor and must be told
 * what of it isn't its own. Each feature here keeps some code away from MSRs,
 * ports or the local APIC.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include "colinux.h"
#include "compat.h"

static const u16 foreign[] __initconst = {
	/* Interrupt controller and its timer. */
	X86_FEATURE_APIC, X86_FEATURE_X2APIC, X86_FEATURE_EXTAPIC,
	X86_FEATURE_TSC_DEADLINE_TIMER, X86_FEATURE_ARAT,
	/* Clock: written by tsc_sync.c. */
	X86_FEATURE_TSC_ADJUST,
	/* Machine checks belong to the host; CR4.MCE stays, vector 18 forwards. */
	X86_FEATURE_MCE, X86_FEATURE_MCA,
	/* Memory types: the host's PAT and MTRRs are taken as they are. */
	X86_FEATURE_MTRR,
	/* Waiting in ring 3 or 0 behind the host's back. */
	X86_FEATURE_MWAIT, X86_FEATURE_MWAITX, X86_FEATURE_WAITPKG,
	X86_FEATURE_RING3MWAIT,
	/* A switch of the machine's, set per task: MISC_FEATURES_ENABLES. */
	X86_FEATURE_CPUID_FAULT,
	/* Counters and traces, which write by the host's linear addresses. */
	X86_FEATURE_ARCH_PERFMON, X86_FEATURE_PERFCTR_CORE, X86_FEATURE_PERFCTR_NB,
	X86_FEATURE_PERFCTR_LLC, X86_FEATURE_PERFMON_V2, X86_FEATURE_ARCH_LBR,
	X86_FEATURE_LBRV, X86_FEATURE_IBS, X86_FEATURE_INTEL_PT, X86_FEATURE_DS,
	X86_FEATURE_DSCPL, X86_FEATURE_BTS, X86_FEATURE_PEBS, X86_FEATURE_PDCM,
	X86_FEATURE_APERFMPERF, X86_FEATURE_IRPERF,
	/* Address masks of breakpoints: MSRs that the switch leaves alone. */
	X86_FEATURE_BPEXT,
	/* Power and heat. */
	X86_FEATURE_ACPI, X86_FEATURE_ACC, X86_FEATURE_EST, X86_FEATURE_TM2,
	X86_FEATURE_DTHERM, X86_FEATURE_PTS, X86_FEATURE_PLN, X86_FEATURE_HFI,
	X86_FEATURE_HWP, X86_FEATURE_HWP_NOTIFY, X86_FEATURE_HWP_ACT_WINDOW,
	X86_FEATURE_HWP_EPP, X86_FEATURE_HWP_PKG_REQ, X86_FEATURE_EPB,
	X86_FEATURE_CPB, X86_FEATURE_HW_PSTATE, X86_FEATURE_CPPC,
	X86_FEATURE_PROC_FEEDBACK,
	/* Partitioning of caches and bandwidth. */
	X86_FEATURE_RDT_A, X86_FEATURE_CAT_L3, X86_FEATURE_CAT_L2,
	X86_FEATURE_CDP_L3, X86_FEATURE_CDP_L2, X86_FEATURE_MBA, X86_FEATURE_CQM,
	X86_FEATURE_CQM_LLC, X86_FEATURE_CQM_OCCUP_LLC,
	X86_FEATURE_CQM_MBM_TOTAL, X86_FEATURE_CQM_MBM_LOCAL,
	/* Virtual machines, enclaves, encryption. */
	X86_FEATURE_VMX, X86_FEATURE_SVM, X86_FEATURE_SGX, X86_FEATURE_SGX_LC,
	X86_FEATURE_SME, X86_FEATURE_SEV, X86_FEATURE_SEV_ES, X86_FEATURE_TME,
	X86_FEATURE_PCONFIG,
	/* State that the switch doesn't carry. */
	X86_FEATURE_XSAVES, X86_FEATURE_XFD, X86_FEATURE_AMX_TILE,
	X86_FEATURE_AMX_INT8, X86_FEATURE_AMX_BF16, X86_FEATURE_IBT,
	X86_FEATURE_ENQCMD, X86_FEATURE_BUS_LOCK_DETECT,
	X86_FEATURE_SPLIT_LOCK_DETECT,
	/* Serial numbers that must be switched on by MSR. */
	X86_FEATURE_INTEL_PPIN, X86_FEATURE_AMD_PPIN,
	CO_FOREIGN_SINCE
};

/* The frequency comes from the host, which refuses to run us on a TSC that
 * isn't stable. HYPERVISOR keeps vendor code off MSRs that it'd own otherwise. */
static const u16 forced[] __initconst = {
	X86_FEATURE_HYPERVISOR, X86_FEATURE_TSC_KNOWN_FREQ, X86_FEATURE_TSC_RELIABLE,
	X86_FEATURE_CONSTANT_TSC, X86_FEATURE_NONSTOP_TSC,
};

void __init colinux_set_features(void)
{
	unsigned int i;
	u64 efer;

	/* A bit of EFER, which both share: where the host has left it off it stays off. */
	rdmsrl(MSR_EFER, efer);
	if (!(efer & EFER_AUTOIBRS))
		setup_clear_cpu_cap(X86_FEATURE_AUTOIBRS);
	for (i = 0; i < ARRAY_SIZE(foreign); i++)
		setup_clear_cpu_cap(foreign[i]);
	for (i = 0; i < ARRAY_SIZE(forced); i++)
		setup_force_cpu_cap(forced[i]);
}
