// SPDX-License-Identifier: GPL-2.0
/*
 * What this Windows is and has: functions that Server 2003 didn't export, looked up
 * by name, and security features that keep guests from running.
 */
#include "port.h"
#include "../../core/x86/asm.h"

struct nt_optional nt_optional;
struct nt_version nt_version;

#define OPTIONAL(name) { #name, (void **)&nt_optional.name }
static const struct {
	const char *name;
	void **fn;
} optional[] = {
	OPTIONAL(KeGetCurrentProcessorNumberEx),
	OPTIONAL(KeGetProcessorNumberFromIndex),
	OPTIONAL(KeSetTargetProcessorDpcEx),
	OPTIONAL(KeQueryActiveProcessorCountEx),
	OPTIONAL(KeQueryMaximumProcessorCountEx),
	OPTIONAL(ExAllocateTimer),
	OPTIONAL(ExSetTimer),
	OPTIONAL(ExDeleteTimer),
	OPTIONAL(KeQuerySystemTimePrecise),
	OPTIONAL(PsIsThreadTerminating),
	OPTIONAL(ZwYieldExecution),
	OPTIONAL(HalSendNMI),
	OPTIONAL(KeInitializeAffinityEx),
	OPTIONAL(KeAddProcessorAffinityEx),
};

#define NAME_MAX 40

static void *find(const char *name)
{
	co_u16 wide[NAME_MAX];
	struct nt_string string;
	co_u32 i;

	for (i = 0; name[i] && i < NAME_MAX - 1; i++)
		wide[i] = (co_u8)name[i];
	wide[i] = 0;
	RtlInitUnicodeString(&string, wide);
	return MmGetSystemRoutineAddress(&string);
}

/* Those that are of use together only. */
static void all_or_none(void)
{
	struct nt_optional *o = &nt_optional;

	if (!o->ExAllocateTimer || !o->ExSetTimer || !o->ExDeleteTimer)
		o->ExAllocateTimer = NULL;
	if (!o->KeGetCurrentProcessorNumberEx || !o->KeGetProcessorNumberFromIndex ||
	    !o->KeSetTargetProcessorDpcEx || !o->KeQueryActiveProcessorCountEx)
		o->KeSetTargetProcessorDpcEx = NULL;
	/* Before Windows 7 it took a mask, not an address. */
	if (!nt_is(6, 1) || !o->KeInitializeAffinityEx ||
	    !o->KeAddProcessorAffinityEx)
		o->HalSendNMI = NULL;
}

void nt_optional_init(void)
{
	co_u32 i;

	nt_version.size = sizeof(nt_version);
	RtlGetVersion(&nt_version);
	for (i = 0; i < CO_ARRAY_SIZE(optional); i++)
		*optional[i].fn = find(optional[i].name);
	all_or_none();
}

/* Classes of ZwQuerySystemInformation. A system that doesn't know one hasn't what it
 * tells about. */
#define CODE_INTEGRITY	   103 /* 8 bytes: size, flags */
#define CI_TESTSIGN	   0x2
#define CI_HVCI_KMCI	   0x400
#define ISOLATED_USER_MODE 165 /* 16 bytes: flags first */
#define IUM_SECURE_KERNEL  0x1
#define IUM_HVCI	   0x2
#define KVA_SHADOW	   196 /* 4 bytes */
#define KVA_SHADOW_ON	   0x1

static co_u32 security(void)
{
	co_u32 integrity[2] = { sizeof(integrity), 0 }, isolated[4] = { 0 };
	co_u32 shadow = 0, written, found = 0;

	if (!NT_ERROR(ZwQuerySystemInformation(CODE_INTEGRITY, integrity,
					       sizeof(integrity), &written))) {
		found |= integrity[1] & CI_HVCI_KMCI ? CO_NT_HVCI : 0;
		found |= integrity[1] & CI_TESTSIGN ? CO_NT_TESTSIGN : 0;
	}
	if (!NT_ERROR(ZwQuerySystemInformation(ISOLATED_USER_MODE, isolated,
					       sizeof(isolated), &written))) {
		found |= isolated[0] & IUM_SECURE_KERNEL ? CO_NT_VBS : 0;
		found |= isolated[0] & IUM_HVCI ? CO_NT_HVCI : 0;
	}
	if (!NT_ERROR(ZwQuerySystemInformation(KVA_SHADOW, &shadow, sizeof(shadow),
					       &written)))
		found |= shadow & KVA_SHADOW_ON ? CO_NT_KVA_SHADOW : 0;
	return found;
}

co_u32 nt_flags_found(void)
{
	co_u32 found = security(), r[4];

	co_cpuid(1, 0, r);
	found |= r[2] >> 31 ? CO_NT_HYPERVISOR : 0;
	found |= nt_optional.ExAllocateTimer ? CO_NT_HIGH_TIMERS : 0;
	found |= nt_is(6, 1) ? CO_NT_CHUNKS : 0;
	found |= nt_is(6, 2) ? CO_NT_NX_POOL : 0;
	found |= nt_optional.HalSendNMI ? CO_NT_SEND_NMI : 0;
	found |= nt_optional.KeQuerySystemTimePrecise ? CO_NT_PRECISE : 0;
	found |= nt_optional.KeSetTargetProcessorDpcEx ? CO_NT_GROUPS : 0;
	return found;
}
