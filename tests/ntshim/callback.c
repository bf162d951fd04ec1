// SPDX-License-Identifier: GPL-2.0
/* What Windows calls a driver for: NMIs, bug checks, power, shutdown. */
#include <linux/irq_work.h>
#include <linux/nmi.h>
#include <linux/notifier.h>
#include <linux/pvclock_gtod.h>
#include <linux/slab.h>
#include <asm/nmi.h>
#include <linux/workqueue.h>
#include "shim.h"

static void time_changed(struct work_struct *work);
static void time_later(struct irq_work *work);
static DECLARE_WORK(time_work, time_changed);
static DEFINE_IRQ_WORK(time_irq, time_later);

/* ---- NMIs --------------------------------------------------------------------------- */

struct nmi_callback {
	NT u8 (*fn)(void *context, u8 handled);
	void *context;
};

static struct nmi_callback nmi;
static unsigned long nmis;

/* IRQL is HIGH_LEVEL meanwhile, for all that the driver asks. */
static int nmi_taken(unsigned int type, struct pt_regs *regs)
{
	struct nmi_callback callback = nmi;

	nmis++;
	if (!callback.fn)
		return NMI_DONE;
	return call_at(HIGH_LEVEL, "an NMI callback", callback.fn, callback.context,
		       NULL, NULL, NULL) & 1 ? NMI_HANDLED : NMI_DONE;
}

static NT void *KeRegisterNmiCallback(void *fn, void *context)
{
	if (!irql_at_most(APC_LEVEL) || fails("NMI callback", CALLER))
		return NULL;
	if (nmi.fn) {
		complain(CALLER, "a second NMI callback, which the shim doesn't have");
		return NULL;
	}
	nmi.context = context;
	smp_wmb();
	nmi.fn = fn;
	if (register_nmi_handler(NMI_LOCAL, nmi_taken, 0, "ntshim")) {
		nmi.fn = NULL;
		return NULL;
	}
	track("NMI callback", &nmi, 0, CALLER);
	return &nmi;
}

static NT ntstatus KeDeregisterNmiCallback(void *handle)
{
	if (!irql_at_most(APC_LEVEL))
		return NT_UNSUCCESSFUL;
	if (untrack("NMI callback", handle, CALLER) < 0)
		return NT_INVALID_HANDLE;
	unregister_nmi_handler(NMI_LOCAL, "ntshim");
	nmi.fn = NULL;
	return NT_OK;
}

/* ---- bug checks ------------------------------------------------------------------------ */

/* KBUGCHECK_CALLBACK_RECORD, and that with a reason, which has one field less. */
struct bug_record {
	struct list_head list;
	void *fn;
	void *buffer;
	u32 length;
	u8 *component;
	u64 checksum;
	u8 state;
};

struct bug_reason_record {
	struct list_head list;
	void *fn;
	u8 *component;
	u64 checksum;
	u32 reason;
	u8 state;
};

static struct bug_record *bug;
static struct bug_reason_record *bug_reason;

static NT u8 KeRegisterBugCheckCallback(struct bug_record *record, void *fn,
					void *buffer, u32 length, u8 *component)
{
	if (bug || fails("bug check callback", CALLER))
		return 0;
	record->fn = fn;
	record->buffer = buffer;
	record->length = length;
	record->component = component;
	record->state = 1;
	bug = record;
	track("bug check callback", record, 0, CALLER);
	return 1;
}

static NT u8 KeDeregisterBugCheckCallback(struct bug_record *record)
{
	if (bug != record)
		return 0;
	untrack("bug check callback", record, CALLER);
	bug = NULL;
	record->state = 0;
	return 1;
}

static NT u8 KeRegisterBugCheckReasonCallback(struct bug_reason_record *record,
					      void *fn, u32 reason, u8 *component)
{
	if (bug_reason || fails("bug check callback", CALLER))
		return 0;
	record->fn = fn;
	record->reason = reason;
	record->component = component;
	record->state = 1;
	bug_reason = record;
	track("bug check callback", record, 0, CALLER);
	return 1;
}

static NT u8 KeDeregisterBugCheckReasonCallback(struct bug_reason_record *record)
{
	if (bug_reason != record)
		return 0;
	untrack("bug check callback", record, CALLER);
	bug_reason = NULL;
	record->state = 0;
	return 1;
}

#define REASON_SECONDARY_DATA 2
#define DUMP_MAX 4096

/* KBUGCHECK_SECONDARY_DUMP_DATA */
struct secondary {
	void *in, *reserved;
	u32 in_length, max_length;
	u8 guid[16];
	void *out;
	u32 out_length;
};

static void show(const char *what, const void *data, u32 length)
{
	pr_info("ntshim: %s: %.*s\n", what, (int)min(length, 256u), (char *)data);
}

/* As in a bug check: interrupts off, at HIGH_LEVEL. The machine lives on. */
static int bug_check(void)
{
	u8 *page = kzalloc(DUMP_MAX, GFP_KERNEL);
	struct secondary s = { .in = page, .in_length = DUMP_MAX,
			       .max_length = DUMP_MAX };
	u8 old;

	if (!page)
		return -ENOMEM;
	old = irql_raise(HIGH_LEVEL);
	if (bug)
		nt_call(bug->fn, bug->buffer, (void *)(long)bug->length, NULL, NULL);
	if (bug_reason)
		nt_call(bug_reason->fn, (void *)(long)bug_reason->reason, bug_reason,
			&s, (void *)sizeof(s));
	irql_lower(old);
	if (bug)
		show("bug check data", bug->buffer, bug->length);
	if (s.out)
		show("secondary dump data", s.out, s.out_length);
	kfree(page);
	return 0;
}

/* ---- callback objects -------------------------------------------------------------------- */

static struct callback {
	const char *name;
	void *fn, *context;
} callbacks[] = {
	{ .name = "\\Callback\\PowerState" },
	{ .name = "\\Callback\\SetSystemTime" },
};

#define power	 callbacks[0]
#define set_time callbacks[1]

bool callback_is(const void *object)
{
	return object == &power || object == &set_time;
}

static NT ntstatus ExCreateCallback(void **object, const void **attributes,
				    u8 create, u8 multiple)
{
	/* OBJECT_ATTRIBUTES: length, root, name. */
	const struct nt_string *name = attributes[2];
	int i;

	if (!irql_at_most(PASSIVE_LEVEL) || fails("callback object", CALLER))
		return NT_NO_RESOURCES;
	for (i = 0; i < ARRAY_SIZE(callbacks); i++) {
		if (!nt_equal(name, callbacks[i].name))
			continue;
		*object = &callbacks[i];
		track("reference", *object, 0, CALLER);
		return NT_OK;
	}
	return NT_NOT_FOUND;
}

static NT void *ExRegisterCallback(struct callback *object, void *fn, void *context)
{
	if (!irql_at_most(APC_LEVEL) || !callback_is(object) || object->fn ||
	    fails("callback", CALLER))
		return NULL;
	object->context = context;
	object->fn = fn;
	track("callback", object, 0, CALLER);
	return object;
}

/* Afterwards its function neither runs nor will. */
static NT void ExUnregisterCallback(struct callback *object)
{
	irql_at_most(APC_LEVEL);
	untrack("callback", object, CALLER);
	object->fn = NULL;
	flush_work(&time_work);
}

/* Whoever sets the clock: Windows tells its drivers at once, maybe at DISPATCH_LEVEL. */
static void time_changed(struct work_struct *work)
{
	void *fn = READ_ONCE(set_time.fn);
	u8 old = irql_raise(DISPATCH_LEVEL);

	if (fn)
		call_driver("the callback for SetSystemTime", fn, set_time.context,
			    NULL, NULL, NULL);
	irql_lower(old);
}

static int clock_updated(struct notifier_block *nb, unsigned long stepped,
			 void *timekeeper)
{
	if (stepped)
		irq_work_queue(&time_irq);
	return NOTIFY_DONE;
}

/* The timekeeper is being written when it tells. */
static void time_later(struct irq_work *work)
{
	schedule_work(&time_work);
}

static struct notifier_block clock_block = { .notifier_call = clock_updated };

/* ---- the ends of processes ------------------------------------------------------------ */

static void *process_fn;

static NT ntstatus PsSetCreateProcessNotifyRoutine(void *fn, u8 remove)
{
	if (!irql_at_most(PASSIVE_LEVEL))
		return NT_INVALID_PARAMETER;
	if (remove) {
		if (process_fn != fn)
			return NT_INVALID_PARAMETER;
		untrack("process notification", fn, CALLER);
		process_fn = NULL;
		return NT_OK;
	}
	if (process_fn || fails("process notification", CALLER))
		return NT_INVALID_PARAMETER;
	process_fn = fn;
	track("process notification", fn, 0, CALLER);
	return NT_OK;
}

/* Its beginning, which Windows tells in the process that it's a child of, is told here,
 * too: the driver may do nothing then. */
void callback_process_ends(void)
{
	void *id = (void *)(long)task_tgid_nr(current);
	void *fn = READ_ONCE(process_fn);

	if (!fn)
		return;
	call_driver("the notification of a process' child", fn, id, NULL, (void *)1, NULL);
	call_driver("the notification of a process' end", fn, NULL, id, NULL, NULL);
}

/* PO_CB_SYSTEM_STATE_LOCK is 3; 0: the machine is about to sleep, 1: it's back. */
static int power_changes(bool back)
{
	if (!power.fn)
		return -ENOENT;
	call_driver("the power callback", power.fn, power.context, (void *)3,
		    (void *)(long)back, NULL);
	return 0;
}

int callback_command(const char *text)
{
	if (!strncmp(text, "bugcheck", 8))
		return bug || bug_reason ? bug_check() : -ENOENT;
	if (!strncmp(text, "power sleep", 11))
		return power_changes(false);
	if (!strncmp(text, "power back", 10))
		return power_changes(true);
	if (!strncmp(text, "memory ", 7)) {
		event_low_memory(!strncmp(text + 7, "low", 3));
		return 0;
	}
	if (!strncmp(text, "shutdown", 8))
		return tracked("shutdown notification", nt_device) &&
				       !NT_ERROR(request_simple(NULL, IRP_MJ_SHUTDOWN)) ?
			       0 : -ENOENT;
	return -EINVAL;
}

int callback_status(char *text, size_t room)
{
	return scnprintf(text, room, "nmis %lu\n", nmis);
}

void callback_init(void)
{
	pvclock_gtod_register_notifier(&clock_block);
}

/* A driver that failed to load may have left it. */
void callback_exit(void)
{
	pvclock_gtod_unregister_notifier(&clock_block);
	irq_work_sync(&time_irq);
	flush_work(&time_work);
	if (nmi.fn)
		unregister_nmi_handler(NMI_LOCAL, "ntshim");
}

const struct nt_export callback_exports[] = {
	EXPORT(KeRegisterNmiCallback, NT_2003),
	EXPORT(KeDeregisterNmiCallback, NT_2003),
	EXPORT(KeRegisterBugCheckCallback, NT_2003),
	EXPORT(KeDeregisterBugCheckCallback, NT_2003),
	EXPORT(KeRegisterBugCheckReasonCallback, NT_2003),
	EXPORT(KeDeregisterBugCheckReasonCallback, NT_2003),
	EXPORT(ExCreateCallback, NT_2003),
	EXPORT(ExRegisterCallback, NT_2003),
	EXPORT(ExUnregisterCallback, NT_2003),
	EXPORT(PsSetCreateProcessNotifyRoutine, NT_2003),
	EXPORTS_END
};
