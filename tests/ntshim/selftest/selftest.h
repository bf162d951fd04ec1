/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the test driver share. */
#ifndef NTSHIM_SELFTEST_H
#define NTSHIM_SELFTEST_H

#define NTDDI_VERSION 0x0A000000
#define _WIN32_WINNT  0x0A00
/* The header's own read and write CR8. */
#define KfRaiseIrql	 header_raise
#define KeLowerIrql	 header_lower
#define KeGetCurrentIrql header_current
#include <ntddk.h>
#include "codes.h"

#undef KfRaiseIrql
#undef KeLowerIrql
#undef KeGetCurrentIrql
__declspec(dllimport) KIRQL NTAPI KfRaiseIrql(KIRQL level);
__declspec(dllimport) void NTAPI KeLowerIrql(KIRQL level);
__declspec(dllimport) KIRQL NTAPI KeGetCurrentIrql(void);

#define TAG 0x74736554
#define MIB2 0x200000ull

#define NO_MEMORY 0x80000000u /* instead of a line */
#define EXPECT(what)                   \
	do {                           \
		if (!(what))           \
			return __LINE__; \
	} while (0)

extern PDEVICE_OBJECT device;

static inline LARGE_INTEGER ms(LONG n)
{
	return (LARGE_INTEGER){ .QuadPart = -10000ll * n };
}

/* ntifs.h's. */
__declspec(dllimport) NTSTATUS NTAPI ZwWaitForSingleObject(HANDLE handle, BOOLEAN alertable,
							   PLARGE_INTEGER timeout);

/* families.c: by ASK_*; NULL: it isn't one that is only asked. */
typedef ULONG family(void);
extern family *const families[];
extern const ULONG families_count;
/* What the system has of that name, or NULL. */
PVOID routine(PCWSTR name);
ULONG test_file(PFILE_OBJECT file);
int _snprintf(char *out, size_t room, const char *format, ...);

#endif
