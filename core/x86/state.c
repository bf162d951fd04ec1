// SPDX-License-Identifier: GPL-2.0
/*
 * Processor state that C code switches, once per burst: system-call MSRs, debug
 * registers, FPU and vector registers. The host's own C code uses none of it
 * while interrupts are off, so it may stay the guest's from call to call; before
 * an interrupt is replayed (whose handler may end in softirqs with interrupts
 * on) everything is the host's again.
 */
#include "x86.h"
#include "asm.h"

#define CR4_VMXE    (1ULL << 13)
#define CR4_OSXSAVE (1ULL << 18)
#define CR4_PKE	    (1ULL << 22)

#define FXSAVE_SIZE 512
#define FPU_ALIGN   64
#define FPU_FCW	    0  /* byte offsets in the FXSAVE image, SDM vol. 1, 10.5.1 */
#define FPU_MXCSR   24
#define XSTATE_BV   512 /* of the XSAVE header, SDM vol. 1, 13.4.2 */

/* When an MSR exists. Reading one that doesn't is #GP on real processors. */
enum msr_need {
	ALWAYS,
	TSC_AUX,   /* RDTSCP or RDPID */
	SPEC_CTRL, /* IBRS, STIBP or SSBD, Intel's or AMD's bits */
	VIRT_SPEC, /* AMD: CPUID 0x80000008 EBX[25] */
	LS_CFG,	   /* AMD 0x15 to 0x17, Hygon 0x18: SSBD without SPEC_CTRL; CPUID
		    * doesn't show it, and most hypervisors have none */
	TSX_CTRL,  /* IA32_ARCH_CAPABILITIES[7] */
	SPLIT_LOCK, /* CPUID 7 EDX[30] and IA32_CORE_CAPABILITIES[5] */
	PERF,	   /* architectural PMU version 2 or later */
	PEBS,	   /* and debug store, with IA32_MISC_ENABLE[12] off */
	PT,	   /* Intel processor trace */
	AMD_PERF,  /* six counters: CPUID 0x80000001 ECX[23] */
	AMD_PERF_2, /* with a global control: CPUID 0x80000022 EAX[0] */
	IBS,	   /* CPUID 0x80000001 ECX[10] */
};

/* What it is in the guest. */
enum msr_kind {
	OWN,	/* what the guest wrote */
	ZERO,	/* 0, whatever it wrote */
	QUIET,	/* 0 in the first steps of a vCPU, for which an NMI is fatal
		 * (watchdog.c), and the host's later */
};

/* Numbers: SDM vol. 4, table 2-2; AMD: APM vol. 2, appendix A. */
static const struct {
	co_u32 msr;
	enum msr_need need;
	enum msr_kind kind;
} msr_table[] = {
	{ 0xc0000102, ALWAYS, OWN }, /* KERNEL_GS_BASE */
	{ 0xc0000081, ALWAYS, OWN }, /* STAR */
	{ 0xc0000082, ALWAYS, OWN }, /* LSTAR */
	{ 0xc0000083, ALWAYS, OWN }, /* CSTAR */
	{ 0xc0000084, ALWAYS, OWN }, /* SFMASK */
	{ 0x174, ALWAYS, OWN },      /* SYSENTER_CS */
	{ 0x175, ALWAYS, OWN },      /* SYSENTER_ESP */
	{ 0x176, ALWAYS, OWN },      /* SYSENTER_EIP */
	{ 0x1d9, ALWAYS, OWN },      /* DEBUGCTL: BTF, LBR, BTS */
	{ 0xc0000103, TSC_AUX, OWN },
	{ 0x48, SPEC_CTRL, OWN },
	{ 0xc001011f, VIRT_SPEC, OWN },
	{ 0xc0011020, LS_CFG, OWN },
	{ 0x122, TSX_CTRL, OWN },
	/* TEST_CTRL: where the host has it on, a split lock traps into the kernel
	 * that runs, and the guest's would turn it off for good. */
	{ 0x33, SPLIT_LOCK, ZERO },
	/* Counters and trace that write by the host's linear addresses must
	 * stand still while these mean something else. PEBS by itself, too: an NMI
	 * in our own code ends with the counters on. */
	{ 0x38f, PERF, ZERO },	/* PERF_GLOBAL_CTRL */
	{ 0x3f1, PEBS, ZERO },	/* PEBS_ENABLE */
	{ 0x570, PT, ZERO },	/* RTIT_CTL */
	/* AMD's write nothing to memory. */
	{ 0xc0000301, AMD_PERF_2, ZERO }, /* PERF_CNTR_GLOBAL_CTL */
	{ 0xc0010200, AMD_PERF, QUIET },  /* PERF_CTL0 */
	{ 0xc0010202, AMD_PERF, QUIET },
	{ 0xc0010204, AMD_PERF, QUIET },
	{ 0xc0010206, AMD_PERF, QUIET },
	{ 0xc0010208, AMD_PERF, QUIET },
	{ 0xc001020a, AMD_PERF, QUIET },
	{ 0xc0011030, IBS, QUIET }, /* IBS_FETCH_CTL */
	{ 0xc0011033, IBS, QUIET }, /* IBS_OP_CTL */
};

_Static_assert(CO_ARRAY_SIZE(msr_table) <= CO_MSR_SLOTS, "raise CO_MSR_SLOTS");

struct cpu_facts {
	bool intel, amd, hypervisor;
	co_u32 family;
	co_u32 basic[4];    /* leaf 7 */
	co_u32 extended[4]; /* 0x80000001 */
	co_u32 sizes[4];    /* 0x80000008 */
	co_u32 perf[4];	    /* 0xa */
	co_u32 amd_perf[4]; /* 0x80000022 */
	co_u32 features[4]; /* 1 */
};

static void leaf_if(co_u32 leaf, co_u32 r[4])
{
	co_u32 top[4];

	co_cpuid(leaf & 0x80000000, 0, top);
	memset(r, 0, 4 * sizeof(*r));
	if (top[0] >= leaf)
		co_cpuid(leaf, 0, r);
}

static void facts_read(struct cpu_facts *f)
{
	co_u32 r[4];

	co_cpuid(0, 0, r);
	f->intel = r[1] == 0x756e6547; /* "Genu" */
	/* "Auth" of AuthenticAMD, "Hygo" of HygonGenuine */
	f->amd = r[1] == 0x68747541 || r[1] == 0x6f677948;
	co_cpuid(1, 0, f->features);
	f->family = (f->features[0] >> 8 & 0xf) + (f->features[0] >> 20 & 0xff);
	f->hypervisor = f->features[2] & 1u << 31;
	leaf_if(7, f->basic);
	leaf_if(0x80000001, f->extended);
	leaf_if(0x80000008, f->sizes);
	leaf_if(0xa, f->perf);
	leaf_if(0x80000022, f->amd_perf);
}

static bool has_pebs(const struct cpu_facts *f)
{
	return f->features[3] & 1u << 21 && !(co_rdmsr(0x1a0) & 1u << 12);
}

static bool msr_exists(const struct cpu_facts *f, enum msr_need need)
{
	switch (need) {
	case ALWAYS:
		return true;
	case TSC_AUX:
		return f->extended[3] & 1u << 27 || f->basic[2] & 1u << 22;
	case SPEC_CTRL:
		return f->basic[3] & (1u << 26 | 1u << 27 | 1u << 31) ||
		       f->sizes[1] & (1u << 14 | 1u << 15 | 1u << 24);
	case VIRT_SPEC:
		return f->sizes[1] & 1u << 25;
	case LS_CFG:
		return f->amd && !f->hypervisor && f->family >= 0x15 &&
		       f->family <= 0x18;
	case TSX_CTRL:
		return f->basic[3] & 1u << 29 && co_rdmsr(0x10a) & 1u << 7;
	case SPLIT_LOCK:
		return f->basic[3] & 1u << 30 && co_rdmsr(0xcf) & 1u << 5;
	case PERF:
		return f->intel && (f->perf[0] & 0xff) >= 2;
	case PEBS:
		return f->intel && (f->perf[0] & 0xff) >= 2 && has_pebs(f);
	case PT:
		return f->intel && f->basic[1] & 1u << 25;
	case AMD_PERF:
		return f->amd && f->extended[2] & 1u << 23;
	case AMD_PERF_2:
		return f->amd && f->amd_perf[0] & 1;
	case IBS:
		return f->amd && f->extended[2] & 1u << 10;
	}
	return false;
}

static void msrs_init(struct co_cpu_state *s)
{
	struct cpu_facts facts;
	co_u32 i;

	facts_read(&facts);
	for (i = 0; i < CO_ARRAY_SIZE(msr_table); i++) {
		if (!msr_exists(&facts, msr_table[i].need))
			continue;
		s->msr_present |= 1u << i;
		/* A kernel that starts expects what a boot loader leaves; but
		 * mitigations that are on stay on until it decides. */
		if (msr_table[i].kind == OWN && msr_table[i].need != ALWAYS)
			s->msr[i] = co_rdmsr(msr_table[i].msr);
	}
}

int co_state_init(struct co_cpu_state *s)
{
	co_u32 r[4], size = FXSAVE_SIZE, default_mxcsr = 0x1f80;
	co_u16 default_fcw = 0x37f;

	s->xsave = co_read_cr4() & CR4_OSXSAVE;
	s->pke = co_read_cr4() & CR4_PKE;
	if (s->xsave) {
		co_cpuid(0xd, 0, r);
		size = CO_MIN(r[2], (co_u32)CO_XSTATE_MAX);
		s->xcr0 = co_xgetbv();
	}
	s->fpu_alloc = host_alloc(size + FPU_ALIGN);
	if (!s->fpu_alloc)
		return -CO_ENOMEM;
	s->fpu = (void *)CO_ALIGN_UP((co_uptr)s->fpu_alloc, FPU_ALIGN);
	memcpy((char *)s->fpu + FPU_FCW, &default_fcw, sizeof(default_fcw));
	memcpy((char *)s->fpu + FPU_MXCSR, &default_mxcsr, sizeof(default_mxcsr));
	msrs_init(s);
	return 0;
}

void co_state_free(struct co_cpu_state *s)
{
	host_free(s->fpu_alloc);
	s->fpu_alloc = s->fpu = NULL;
}

/* ---- FPU ------------------------------------------------------------------ */

/* XSAVE leaves the bits of components alone that aren't in XCR0, and XRSTOR
 * faults on them: a guest may have taken some out since the last time. */
static void fpu_save(void *image, bool xsave)
{
	if (!xsave) {
		co_fxsave(image);
		return;
	}
	memset((char *)image + XSTATE_BV, 0, sizeof(co_u64));
	co_xsave(image);
}

static void fpu_load(void *image, bool xsave)
{
	if (xsave)
		co_xrstor(image);
	else
		co_fxrstor(image);
}

/* PKRU is one of XSAVE's components, but each kernel keeps its task's value in
 * the register: the host's is taken before the image is loaded. */
static void fpu_enter(struct co_cpu_state *s)
{
	host_fpu_begin();
	if (s->pke)
		s->host_pkru = co_rdpkru();
	if (s->xsave) {
		s->host_xcr0 = co_xgetbv();
		if (s->host_xcr0 != s->xcr0)
			co_xsetbv(s->xcr0);
	}
	fpu_load(s->fpu, s->xsave);
	if (s->pke)
		co_wrpkru(s->pkru);
}

static void fpu_leave(struct co_cpu_state *s)
{
	if (s->pke)
		s->pkru = co_rdpkru();
	fpu_save(s->fpu, s->xsave);
	if (s->pke)
		co_wrpkru(s->host_pkru);
	if (s->xsave) {
		s->xcr0 = co_xgetbv();
		if (s->host_xcr0 != s->xcr0)
			co_xsetbv(s->host_xcr0);
	}
	host_fpu_end();
}

/* ---- debug registers, MSRs -------------------------------------------------- */

static void dr_read(co_u64 dr[4], co_u64 *dr6)
{
	dr[0] = CO_READ_DR(0);
	dr[1] = CO_READ_DR(1);
	dr[2] = CO_READ_DR(2);
	dr[3] = CO_READ_DR(3);
	*dr6 = CO_READ_DR(6);
}

/* Writing one is slow, and they hardly ever differ. DR7 is off in both sides'
 * passage and kept there. */
static void dr_write(const co_u64 now[4], co_u64 now6, const co_u64 dr[4],
		     co_u64 dr6)
{
	if (dr[0] != now[0])
		CO_WRITE_DR(0, dr[0]);
	if (dr[1] != now[1])
		CO_WRITE_DR(1, dr[1]);
	if (dr[2] != now[2])
		CO_WRITE_DR(2, dr[2]);
	if (dr[3] != now[3])
		CO_WRITE_DR(3, dr[3]);
	if (dr6 != now6)
		CO_WRITE_DR(6, dr6);
}

/* Is this one switched in this burst? */
static bool msr_switched(const struct co_cpu_state *s, co_u32 i)
{
	return s->msr_present & 1u << i &&
	       (s->quiet || msr_table[i].kind != QUIET);
}

static void msrs_enter(struct co_cpu_state *s)
{
	co_u32 i;

	for (i = 0; i < CO_ARRAY_SIZE(msr_table); i++) {
		if (!msr_switched(s, i))
			continue;
		s->host_msr[i] = co_rdmsr(msr_table[i].msr);
		if (s->host_msr[i] != s->msr[i])
			co_wrmsr(msr_table[i].msr, s->msr[i]);
	}
}

static void msrs_leave(struct co_cpu_state *s)
{
	co_u64 value;
	co_u32 i;

	for (i = 0; i < CO_ARRAY_SIZE(msr_table); i++) {
		if (!msr_switched(s, i))
			continue;
		value = co_rdmsr(msr_table[i].msr);
		if (msr_table[i].kind == OWN)
			s->msr[i] = value;
		if (value != s->host_msr[i])
			co_wrmsr(msr_table[i].msr, s->host_msr[i]);
	}
}

/*
 * In VMX operation CR4.VMXE can't be cleared: that is #GP, for which the passage
 * has no gate. A host that turned VMX on since the guest left (KVM does with its
 * first machine) has it set, and so must the guest's CR4 be.
 */
static void vmx_keep(struct co_vcpu *vcpu)
{
	vcpu->passage.guest->save.cr4 |= co_read_cr4() & CR4_VMXE;
}

#define DR7_ENABLED 0xffULL
#define DR7_NONE    0x400ULL /* reserved bit 10 */

void co_burst_begin(struct co_vcpu *vcpu)
{
	struct co_cpu_state *s = &vcpu->state;

	vmx_keep(vcpu);
	fpu_enter(s);
	/* A breakpoint of the host must not fire on the guest's addresses that
	 * we load here, nor between. */
	s->host_dr7 = CO_READ_DR(7);
	if (s->host_dr7 & DR7_ENABLED)
		CO_WRITE_DR(7, DR7_NONE);
	dr_read(s->host_dr, &s->host_dr6);
	dr_write(s->host_dr, s->host_dr6, s->dr, s->dr6);
	s->quiet = !co_load(&vcpu->watch.began);
	msrs_enter(s);
}

void co_burst_end(struct co_vcpu *vcpu)
{
	struct co_cpu_state *s = &vcpu->state;

	msrs_leave(s);
	dr_read(s->dr, &s->dr6);
	dr_write(s->dr, s->dr6, s->host_dr, s->host_dr6);
	if (s->host_dr7 & DR7_ENABLED)
		CO_WRITE_DR(7, s->host_dr7);
	fpu_leave(s);
}
