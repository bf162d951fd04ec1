// SPDX-License-Identifier: GPL-2.0
/*
 * The system sleeps, hibernates, goes down, gets another time, or crashes: what the
 * VMs are told, and how long they are waited for.
 */
#include "port.h"

#define POLL_MS		10
#define SLEEP_WAIT_MS	5000  /* a guest stops its clocks within milliseconds */
#define SHUTDOWN_WAIT_MS 30000
#define UNITS_PER_MS	10000

void nt_tell_all(void (*tell)(struct co_vm *vm))
{
	co_u64 state = host_lock(&nt_files_lock);
	struct nt_file *file;
	struct co_vm *vm;

	nt_for_each_file(file) {
		vm = co_load(&file->core.vm);
		if (vm)
			tell(vm);
	}
	host_unlock(&nt_files_lock, state);
}

static bool all(bool (*is)(struct co_vm *vm))
{
	co_u64 state = host_lock(&nt_files_lock);
	struct nt_file *file;
	struct co_vm *vm;
	bool yes = true;

	nt_for_each_file(file) {
		vm = co_load(&file->core.vm);
		yes &= !vm || is(vm);
	}
	host_unlock(&nt_files_lock, state);
	return yes;
}

static bool wait_for_all(bool (*is)(struct co_vm *vm), co_u32 ms)
{
	co_s64 interval = -(co_s64)POLL_MS * UNITS_PER_MS;
	co_u32 waited;

	for (waited = 0; !all(is); waited += POLL_MS) {
		if (waited >= ms)
			return false;
		KeDelayExecutionThread(KERNEL_MODE, 0, &interval);
	}
	return true;
}

/* Where the system may be asked; else the next request or vCPU that wakes does it. */
static void wall_clock_changed(void)
{
	if (nt_is_at_most(PASSIVE_LEVEL))
		nt_time_refresh();
}

/* ---- sleep -------------------------------------------------------------------- */

#define STATE_LOCK 3 /* PO_CB_SYSTEM_STATE_LOCK: b is 0 before a sleep, 1 behind it */

/* Before any device sleeps, and after all are back. By its documentation it may be at
 * DISPATCH_LEVEL, where nothing can be waited for. */
static void power_changed(void *context, void *a, void *b)
{
	bool asleep;

	if ((co_uptr)a != STATE_LOCK)
		return;
	if (b) {
		nt_time_resumed();
		wall_clock_changed();
		nt_tell_all(co_vm_wake);
		return;
	}
	nt_tell_all(co_vm_sleep);
	asleep = nt_is_at_most(APC_LEVEL) ? wait_for_all(co_vm_asleep, SLEEP_WAIT_MS) :
					    all(co_vm_asleep);
	if (!asleep)
		nt_log("a guest doesn't stop its clocks, they may be wrong after the sleep");
}

static void clock_stepped(void *context, void *a, void *b)
{
	wall_clock_changed();
	nt_tell_all(co_clock_changed);
}

/* ---- shutdown ------------------------------------------------------------------- */

static bool has_ended(struct co_vm *vm)
{
	return co_load(&vm->verdict) != CO_VERDICT_NONE || !co_load(&vm->loaded);
}

static void end_now(struct co_vm *vm)
{
	co_vm_stop(vm, CO_VERDICT_HOST, "the host went down");
}

/* The service has stopped the daemons before, if it could. */
ntstatus nt_shutdown(struct nt_device *device, struct nt_irp *irp)
{
	if (!all(has_ended)) {
		nt_tell_all(co_vm_power_off);
		if (!wait_for_all(has_ended, SHUTDOWN_WAIT_MS))
			nt_log("a guest didn't power off in time");
		nt_tell_all(end_now);
	}
	nt_complete(irp, STATUS_SUCCESS, 0);
	return STATUS_SUCCESS;
}

/* ---- a crash of the system --------------------------------------------------------- */

#define TEXT_SIZE 4096
#define VMS_MAX	  16 /* told about; the list may be what is broken */

static char text[TEXT_SIZE];
static co_u32 text_length;

static void tell(const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	text_length += (co_u32)host_vformat(text + text_length,
					    sizeof(text) - text_length, format, args);
	__builtin_va_end(args);
}

static void tell_vm(const struct co_vm *vm)
{
	co_u32 i;

	tell("VM %s: verdict 0x%x %s, %llu switches, %llu NMIs\n", vm->name,
	     vm->verdict, vm->text, vm->stats.switches, vm->stats.nmis);
	for (i = 0; i < vm->vcpus; i++)
		tell(" vCPU %u: %s, CPU %u\n", i,
		     vm->vcpu[i].mode == CO_VCPU_IN_GUEST ? "in the guest" : "out",
		     vm->vcpu[i].cpu);
}

/* At HIGH_LEVEL, the other CPUs stand still: no lock. It's called twice, for the
 * size and for the data. */
static void crashed(co_u32 reason, struct nt_bug_record *record,
		    struct nt_bug_data *data, co_u32 size)
{
	struct nt_file *file;
	co_u32 vms = 0;

	text_length = 0;
	tell("colinux " CO_VERSION "\n");
	nt_for_each_file(file) {
		if (++vms > VMS_MAX)
			break;
		if (file->core.vm)
			tell_vm(file->core.vm);
	}
	if (text_length > data->most)
		return;
	data->out = text;
	data->out_size = text_length;
}

/* In a dump, `.enumtag` shows the data by this one. */
static const co_u8 dump_id[16] = { 0x6c, 0x6f, 0x43, 0x78, 0x75, 0x6e, 0x36, 0x4d,
				   0xa4, 0x36, 0x64, 0x75, 0x6d, 0x70, 0x30, 0x31 };

static void crashed_named(co_u32 reason, struct nt_bug_record *record,
			  struct nt_bug_data *data, co_u32 size)
{
	memcpy(data->guid, dump_id, sizeof(dump_id));
	crashed(reason, record, data, size);
}

/* ---- life -------------------------------------------------------------------------------- */

struct callback {
	const co_u16 *name;
	nt_callback_fn *fn;
	void *object, *handle;
};

static const co_u16 power_name[] = u"\\Callback\\PowerState";
static const co_u16 clock_name[] = u"\\Callback\\SetSystemTime";
static struct callback callbacks[] = {
	{ power_name, power_changed, NULL, NULL },
	{ clock_name, clock_stepped, NULL, NULL },
};

static struct nt_bug_record bug_record;
static bool bug_registered, shutdown_registered;
static struct nt_device *shutdown_device;

static bool callback_add(struct callback *c)
{
	struct nt_string name;
	struct nt_attributes attributes = { sizeof(attributes), NULL, &name,
					    OBJ_CASE_INSENSITIVE, NULL, NULL };

	RtlInitUnicodeString(&name, c->name);
	if (NT_ERROR(ExCreateCallback(&c->object, &attributes, 0, 1))) {
		c->object = NULL;
		return false;
	}
	c->handle = ExRegisterCallback(c->object, c->fn, NULL);
	return c->handle;
}

void nt_life_init(struct nt_device *device)
{
	co_u32 i;

	for (i = 0; i < CO_ARRAY_SIZE(callbacks); i++)
		if (!callback_add(&callbacks[i]))
			nt_log(i ? "no callback for steps of the clock: guests follow late" :
				   "no callback for sleep: guests' clocks may be wrong after it");
	bug_registered = KeRegisterBugCheckReasonCallback(&bug_record, crashed_named,
							  BUG_SECONDARY_DATA, "colinux");
	if (!bug_registered)
		nt_log("no callback for crashes: dumps won't tell about guests");
	shutdown_device = device;
	shutdown_registered = !NT_ERROR(IoRegisterShutdownNotification(device));
	if (!shutdown_registered)
		nt_log("no notification of the shutdown: guests are killed by it");
}

void nt_life_exit(void)
{
	co_u32 i;

	if (shutdown_registered)
		IoUnregisterShutdownNotification(shutdown_device);
	if (bug_registered)
		KeDeregisterBugCheckReasonCallback(&bug_record);
	for (i = 0; i < CO_ARRAY_SIZE(callbacks); i++) {
		if (callbacks[i].handle)
			ExUnregisterCallback(callbacks[i].handle);
		if (callbacks[i].object)
			ObfDereferenceObject(callbacks[i].object);
		callbacks[i].handle = callbacks[i].object = NULL;
	}
}
