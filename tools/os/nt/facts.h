/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What doctor asks of Windows, and how. Each fact is one function that reads it from
 * `struct sources`, which are Windows' own calls or, in tests, made up. What can't
 * be asked is FACT_UNKNOWN: an older Windows hasn't it.
 */
#ifndef CO_NT_FACTS_H
#define CO_NT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

enum fact { FACT_NO, FACT_YES, FACT_UNKNOWN };

struct sources {
	/* NtQuerySystemInformation(): 0, or an NTSTATUS. */
	long (*information)(int class, void *data, unsigned long size);
	/* A DWORD below HKEY_LOCAL_MACHINE; false: there is none. */
	bool (*machine_value)(const wchar_t *key, const wchar_t *name,
			      uint32_t *value);
	/* CPUID: eax, ebx, ecx, edx. */
	void (*cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
	uint64_t (*highest_address)(void); /* of a program */
	bool (*elevated)(void);
	/* SERVICE_STOPPED and so on; 0: the driver isn't installed. */
	uint32_t (*driver_state)(void);
	void (*version)(uint32_t *major, uint32_t *minor, uint32_t *build);
	void (*memory)(uint64_t *all, uint64_t *available); /* bytes */
};

extern const struct sources windows_sources;

struct facts {
	uint32_t major, minor, build;
	enum fact code_checked; /* drivers' signatures are looked at */
	enum fact test_signing;
	enum fact secure_boot;
	enum fact vbs;	/* a secure kernel runs */
	enum fact hvci; /* Memory Integrity */
	enum fact kva_shadow;
	enum fact fred; /* the processor has it */
	enum fact la57; /* Windows has it on */
	enum fact old_cpu; /* lacks something that a guest needs */
	enum fact steady_tsc;
	enum fact hypervisor;
	char hypervisor_name[13];
	enum fact elevated;
	uint32_t driver_state;
	uint64_t memory, memory_available;
};

void facts_read(const struct sources *s, struct facts *f);

#endif
