// SPDX-License-Identifier: GPL-2.0
/*
 * The driver on the fake of Windows: requests with all sizes, cancelling, doorbells,
 * the guest's memory, timers, and each allocation failing once.
 */
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- opening ------------------------------------------------------------------------- */

static void only_administrators_open(void **state)
{
	ntstatus status;

	(void)state;
	fake.admin = false;
	assert_null(fake_open(&status));
	assert_equal(status, STATUS_ACCESS_DENIED);
}

/* ---- sizes ----------------------------------------------------------------------------- */

static void wrong_sizes_are_refused(void **state)
{
	static const struct {
		co_u32 code, in, out;
	} own[] = {
		{ CO_NT_MAP, 40, 40 },
		{ CO_NT_UNMAP, 40, 40 },
		{ CO_NT_BELLS, 64, 64 },
		{ CO_NT_FACTS, 0, 48 },
	};
	co_u32 nr, size, i;
	int more;

	(void)state;
	for (nr = 0; nr < 128; nr++) {
		size = (co_u32)co_request_size(nr);
		if (!size || nr == CO_REQ_VM_LOAD) {
			try_sizes(CO_NT_REQUEST(nr), 64, 72,
				  STATUS_INVALID_DEVICE_REQUEST);
			continue;
		}
		for (more = -1; more <= 1; more++) {
			try_sizes(CO_NT_REQUEST(nr), size + (co_u32)more, size,
				  STATUS_INVALID_PARAMETER);
			try_sizes(CO_NT_REQUEST(nr), size, size + 7 + (co_u32)(more + 1) * 2,
				  STATUS_INVALID_PARAMETER);
		}
		try_sizes(CO_NT_REQUEST(nr), 0, size + 8, STATUS_INVALID_PARAMETER);
		try_sizes(CO_NT_REQUEST(nr), size, 0, STATUS_INVALID_PARAMETER);
	}
	for (i = 0; i < CO_ARRAY_SIZE(own); i++)
		for (more = -1; more <= 1; more += 2) {
			try_sizes(own[i].code, own[i].in ? own[i].in + (co_u32)more : 1,
				  own[i].out, STATUS_INVALID_PARAMETER);
			try_sizes(own[i].code, own[i].in, own[i].out + (co_u32)more,
				  STATUS_INVALID_PARAMETER);
		}
}

/* Whatever comes: an answer, and nothing outside the buffers (ASan). */
static void random_requests_do_no_harm(void **state)
{
	unsigned int seed = 1, i, j;
	co_u32 code, in_size, out_size;
	struct fake_irp *r;
	co_u8 *in, *out;

	(void)state;
	for (i = 0; i < 20000; i++) {
		co_u32 nr = (co_u32)rand_r(&seed) % 16;

		code = rand_r(&seed) % 4 ? CO_NT_REQUEST(nr) :
					   CO_NT_CODE(0x880 + nr % 5, nr % 4);
		in_size = rand_r(&seed) % 2 ? (co_u32)co_request_size(nr) :
					      (co_u32)rand_r(&seed) % 128;
		out_size = rand_r(&seed) % 2 ? in_size + 8 :
					       (co_u32)rand_r(&seed) % 128;
		in = malloc(in_size);
		out = malloc(out_size);
		for (j = 0; j < in_size; j++)
			in[j] = (co_u8)rand_r(&seed);
		r = fake_irp(file, code, in, in_size, out, out_size);
		if (fake_send(r) == STATUS_PENDING) {
			fake_cancel(r);
			fake_wait(r);
		}
		fake_free(r);
		free(in);
		free(out);
	}
}

static void version_and_facts_are_told(void **state)
{
	struct co_req_version version;
	struct co_nt_facts facts;

	(void)state;
	memset(&version, 0, sizeof(version));
	assert_equal(ask(CO_REQ_VERSION, &version), 0);
	assert_equal(version.driver_abi, CO_DRIVER_ABI_VERSION);
	assert_string_equal((char *)version.build, "unit test");
	assert_equal(fake_control(file, CO_NT_FACTS, NULL, 0, &facts, sizeof(facts)), 0);
	assert_equal(facts.major, 10);
	assert_equal(facts.flags & (CO_NT_HIGH_TIMERS | CO_NT_CHUNKS | CO_NT_NX_POOL),
		     CO_NT_HIGH_TIMERS | CO_NT_CHUNKS | CO_NT_NX_POOL);
	assert_equal(facts.flags & (CO_NT_HVCI | CO_NT_SEND_NMI), 0);
}

static void memory_integrity_keeps_guests_away(void **state)
{
	struct co_req_check check;

	(void)state;
	fake.integrity = 0x400;
	memset(&check, 0, sizeof(check));
	assert_equal(ask(CO_REQ_CHECK, &check), 0);
	assert_equal(check.blockers, CO_BLOCK_LOCKDOWN);
	assert_equal(create_vm(VM_SIZE), -CO_ENODEV);
}

static void another_process_gets_nothing(void **state)
{
	struct co_req_vm_info info;
	struct co_nt_map map;

	(void)state;
	assert_equal(create_vm(VM_SIZE), 0);
	map = map_request();
	fake_process = "another";
	memset(&info, 0, sizeof(info));
	assert_equal(ask(CO_REQ_VM_INFO, &info), -CO_EPERM);
	assert_equal(map_vm(&map), -CO_EPERM);
	fake_process = fake_first;
	assert_equal(map_vm(&map), 0);
	fake_process = "another";
	assert_equal(unmap_vm(), -CO_EPERM);
	/* It inherited the handle, and is the last to close it. */
	fake_cleanup(file);
	assert_equal(fake.user_maps, 0);
	fake_close(file);
	file = NULL;
	fake_process = fake_first;
}

/* ---- loading ------------------------------------------------------------------------------ */

static void load_reads_its_buffer_only(void **state)
{
	static const co_u64 outside[] = { sizeof(struct upload), ~0ULL, 1ULL << 63,
					  (co_u64)-8, sizeof(struct upload) - 7 };
	struct upload *up = malloc(sizeof(*up));
	co_u32 i;

	(void)state;
	assert_equal(create_vm(VM_SIZE), 0);
	for (i = 0; i < CO_ARRAY_SIZE(outside); i++) {
		upload_init(up);
		up->head.load.kernel = outside[i];
		assert_true(upload(up) < 0);
		upload_init(up);
		up->head.load.command_line = outside[i];
		up->head.load.command_line_size = 8;
		assert_true(upload(up) < 0);
	}
	upload_init(up);
	up->image.header.e_machine = 3;
	assert_equal(upload(up), -CO_ENOEXEC);
	assert_equal(up->head.load.error, CO_LOAD_MACHINE);
	assert_equal(up->head.load.detail, 3);
	upload_init(up);
	assert_equal(upload(up), 0);
	upload_init(up);
	assert_equal(upload(up), -CO_ENOEXEC);
	assert_equal(up->head.load.error, CO_LOAD_STARTED);
	free(up);
	assert_equal(fake_control(file, CO_NT_LOAD, NULL, 0, NULL, 0),
		     STATUS_INVALID_PARAMETER);
}

/* ---- timers --------------------------------------------------------------------------------------------- */

static co_u64 fired_at;
static co_u32 fired_times;

static void on_time(void *arg)
{
	(void)arg;
	co_store(&fired_at, host_time_ns());
	co_fetch_add(&fired_times, 1);
}

static void set_in_burst(struct host_timer *t, co_u64 when, co_u32 away)
{
	nt_irqs_off();
	host_timer_set(t, when, away);
	nt_irqs_on();
}

static void timers_follow_their_last_setting(void **state)
{
	const co_u64 ms = 1000000;
	struct host_timer t;
	co_u64 begin = host_time_ns();
	co_u32 i;

	(void)state;
	host_timer_init(&t, on_time, NULL);
	for (i = 0; i < 2; i++) {
		co_u32 away = i ? 2 : HOST_CPU_ANY;

		fired_times = 0;
		begin = host_time_ns();
		set_in_burst(&t, begin + 200 * ms, away);
		set_in_burst(&t, begin + 20 * ms, away); /* earlier */
		set_in_burst(&t, begin + 60 * ms, away); /* and later again */
		while (!co_load(&fired_times))
			usleep(1000);
		assert_true(fired_at >= begin + 60 * ms);
		usleep(250000);
		assert_equal(fired_times, 1);
	}
	host_timer_set(&t, host_time_ns() + 5 * ms, HOST_CPU_ANY);
	host_timer_cancel(&t);
	usleep(20000);
	assert_equal(fired_times, 1);
	set_in_burst(&t, host_time_ns() - ms, HOST_CPU_ANY);
	while (co_load(&fired_times) < 2)
		usleep(1000);
	set_in_burst(&t, 1ULL << 62, HOST_CPU_ANY);
	host_timer_cancel(&t);
	assert_true(host_tsc_khz() > 100000);
}

/* ---- text, power, crash ---------------------------------------------------------------------------------- */

static void text_is_formatted(void **state)
{
	char buf[64];

	(void)state;
	assert_equal(co_format(buf, sizeof(buf), "%s %d %u %x|%llx %llu%c%%", "a", -5, 7u,
			       0xbeefu, 0x123456789abULL, ~0ULL, '!'),
		     strlen("a -5 7 beef|123456789ab 18446744073709551615!%"));
	assert_string_equal(buf, "a -5 7 beef|123456789ab 18446744073709551615!%");
	assert_equal(co_format(buf, 4, "%s", "abcdef"), 3);
	assert_string_equal(buf, "abc");
	assert_equal(co_format(buf, sizeof(buf), "%d", (int)-2147483648), 11);
	assert_string_equal(buf, "-2147483648");
}

static void the_dump_tells_of_guests(void **state)
{
	char text[5000];

	(void)state;
	assert_equal(create_vm(VM_SIZE), 0);
	assert_true(fake_crash(text, sizeof(text)) > 20);
	assert_non_null(strstr(text, "VM test: verdict 0x0"));
	assert_non_null(strstr(text, "vCPU 0: out"));
}

static void sleep_and_shutdown_are_told(void **state)
{
	struct co_vcpu *vcpu;

	(void)state;
	run_loaded(1);
	vcpu = &vm()->vcpu[0];
	vcpu->wanted = CO_EVENT_WAKE; /* it sleeps already */
	fake_callback("PowerState", 3, 0);
	assert_true(vcpu->area->event.events & CO_EVENT_SLEEP);
	fake_callback("PowerState", 3, 1);
	assert_true(vcpu->area->event.events & CO_EVENT_WAKE);
	vcpu->area->event.events = 0;
	fake.wall = 77;
	fake_callback("SetSystemTime", 0, 0);
	assert_true(vcpu->area->event.events & CO_EVENT_CLOCK);
	if (!nt_optional.KeQuerySystemTimePrecise)
		assert_true(host_wall_ns(NULL) >= 7700);
	co_vm_stop(vm(), CO_VERDICT_KILLED, "by the test");
	fake_shutdown();
}

/* By its documentation. */
static void power_may_be_told_at_dispatch_level(void **state)
{
	struct co_vcpu *vcpu;
	co_u8 old;

	(void)state;
	run_loaded(1);
	vcpu = &vm()->vcpu[0];
	vcpu->wanted = 0; /* awake: it would have to be waited for */
	old = KfRaiseIrql(DISPATCH_LEVEL);
	fake_callback("PowerState", 3, 0);
	assert_true(vcpu->area->event.events & CO_EVENT_SLEEP);
	fake_callback("PowerState", 3, 1);
	assert_true(vcpu->area->event.events & CO_EVENT_WAKE);
	fake_callback("SetSystemTime", 0, 0);
	KeLowerIrql(old);
	co_vm_stop(vm(), CO_VERDICT_KILLED, "by the test");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_administrators_open),
		TEST(wrong_sizes_are_refused),
		TEST(random_requests_do_no_harm),
		TEST(version_and_facts_are_told),
		TEST(memory_integrity_keeps_guests_away),
		TEST(another_process_gets_nothing),
		TEST(load_reads_its_buffer_only),
		TEST(timers_follow_their_last_setting),
		TEST(text_is_formatted),
		TEST(the_dump_tells_of_guests),
		TEST(sleep_and_shutdown_are_told),
		cmocka_unit_test_setup_teardown(sleep_and_shutdown_are_told, start_7, end),
		TEST(power_may_be_told_at_dispatch_level),
		cmocka_unit_test_setup_teardown(power_may_be_told_at_dispatch_level, start_7,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) || test_memory() || test_vm() || test_pressure();
}
