// SPDX-License-Identifier: GPL-2.0
#include "../os/doctor.h"

#include <string.h>

#include "../../abi/driver.h"
#include "../os/driver.h"
#include "cli.h"

struct report {
	json_t *findings;
	unsigned int blockers;
};

static void add(void *arg, enum finding_kind kind, const char *name,
		const char *what, const char *way)
{
	static const char *const words[] = { "ok", "note", "blocker" };
	struct report *r = arg;

	if (kind == FINDING_BLOCKER)
		r->blockers++;
	json_array_append_new(r->findings,
			      json_pack("{s:s, s:s, s:s, s:s?}", "kind",
					words[kind], "name", name, "what", what,
					"way", way));
}

static void add_blockers(struct report *r, co_u64 bits)
{
	char what[64];
	int i;

	for (i = 0; i < CO_BLOCK_COUNT; i++)
		if (bits >> i & 1)
			add(r, FINDING_BLOCKER, doctor_block[i].name,
			    doctor_block[i].what, doctor_block[i].way);
	if (bits >> CO_BLOCK_COUNT) {
		snprintf(what, sizeof(what), "the driver says 0x%llx", bits);
		add(r, FINDING_BLOCKER, "unknown", what,
		    "update the tools: they don't know that word");
	}
}

static void add_memory(struct report *r, const struct co_req_check *check)
{
	bool enough = check->memory_free >= CO_LARGE_PAGE * 16;
	char what[128];

	snprintf(what, sizeof(what),
		 "a VM could get %llu MB now; %llu MB stay the host's",
		 check->memory_free >> 20, check->memory_reserve >> 20);
	add(r, enough ? FINDING_OK : FINDING_BLOCKER, "memory", what,
	    enough ? NULL : "end programs, or give the host more memory");
}

/* An NMI from another processor is what gets one back from a guest. */
static void add_watchdog(struct report *r, const struct co_req_check *check)
{
	if (check->cpus > 1)
		return;
	add(r, FINDING_NOTE, "watchdog",
	    "with one processor nothing gets it back from a guest that keeps it with interrupts off",
	    "where that matters, give the host a second processor");
}

static void ask_driver(struct report *r, struct driver *d)
{
	struct co_req_check check = { 0 };
	char what[128];
	int rc = driver_request(d, CO_REQ_CHECK, &check, sizeof(check));

	if (rc) {
		add(r, FINDING_BLOCKER, "driver", strerror(-rc),
		    "the driver can't check this host: see the host's log");
		return;
	}
	snprintf(what, sizeof(what),
		 "loaded; %u CPU(s), TSC %u kHz, CR0 %llx, CR4 %llx, XCR0 %llx, EFER %llx",
		 check.cpus, check.tsc_khz, check.cr0, check.cr4, check.xcr0,
		 check.efer);
	add(r, FINDING_OK, "driver", what, NULL);
	add_watchdog(r, &check);
	add_blockers(r, check.blockers);
	doctor_beside_driver(add, r);
	add_memory(r, &check);
}

static void examine(struct report *r)
{
	struct error *err = NULL;
	struct driver *d = driver_open(&err);

	if (d) {
		ask_driver(r, d);
		driver_close(d);
		return;
	}
	add(r, FINDING_BLOCKER, "driver", err->text, NULL);
	error_free(&err);
	doctor_system(add, r);
}

static void print_findings(json_t *findings)
{
	json_t *f;
	size_t i;

	json_array_foreach(findings, i, f) {
		printf("%-8s %-12s %s\n", text_of(f, "kind"),
		       text_of(f, "name"), text_of(f, "what"));
		if (*text_of(f, "way"))
			printf("%-21s -> %s\n", "", text_of(f, "way"));
	}
}

int verb_doctor(int argc, char **argv, struct error **err)
{
	bool json = false;
	const struct option_spec specs[] = {
		{ .name = "--json", .flag = &json },
		{ 0 },
	};
	struct report r = { 0 };

	if (options_take(argc, argv, specs, 0, 0, false, err) < 0)
		return -1;
	r.findings = json_array();
	examine(&r);
	if (json)
		json_print(r.findings);
	else
		print_findings(r.findings);
	if (!json)
		puts(r.blockers ? "This host can't run a guest now." :
				  "This host can run a guest.");
	json_decref(r.findings);
	return r.blockers ? 1 : 0;
}
