// SPDX-License-Identifier: GPL-2.0
/*
 * TAP adapters: which of them is found, by entries in the registry like those of
 * TAP-Windows6; and frames, over a pipe of messages in an adapter's place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winsock2.h>
#include <windows.h>

#include "../../tools/os/nt/tap_adapter.h"
#include "check.h"

#define CLASS	 L"{4D36E972-E325-11CE-BFC1-08002BE10318}"
#define ADAPTERS L"SYSTEM\\CurrentControlSet\\Control\\Class\\" CLASS L"\\"
#define NAMES	 L"SYSTEM\\CurrentControlSet\\Control\\Network\\" CLASS L"\\"
#define FIRST	 L"{11111111-2222-3333-4444-555555555555}"
#define SECOND	 L"{66666666-7777-8888-9999-000000000000}"
#define PIPE	 L"\\\\.\\pipe\\colinux-test-tap"

/* ---- which there are --------------------------------------------------------- */

static void set(const wchar_t *key, const wchar_t *name, const wchar_t *text)
{
	EQUAL(RegSetKeyValueW(HKEY_LOCAL_MACHINE, key, name, REG_SZ, text,
			      (DWORD)(2 * wcslen(text) + 2)),
	      0);
}

static void set_adapter(const wchar_t *number, const wchar_t *component,
			const wchar_t *guid)
{
	wchar_t key[160];

	_snwprintf(key, 160, ADAPTERS L"%ls", number);
	set(key, L"ComponentId", component);
	set(key, L"NetCfgInstanceId", guid);
}

static void refused(const struct tap_options *opt, const char *text)
{
	struct net_backend *b;
	struct error *err = NULL;
	uv_loop_t loop;

	uv_loop_init(&loop);
	EQUAL(tap_open(&loop, opt, &b, &err), -1);
	if (!CHECK(err && strstr(err->text, text)))
		fprintf(stderr, "said: %s\n", err ? err->text : "nothing");
	error_free(&err);
	EQUAL(uv_loop_close(&loop), 0);
}

static void found(const char *name, unsigned int n, const wchar_t *guid,
		  const char *called)
{
	struct error *err = NULL;
	struct tap_adapter a;

	if (!CHECK(!tap_adapter_find(name, n, &a, &err)))
		return;
	CHECK(!wcscmp(a.guid, guid));
	CHECK(!strcmp(a.name, called));
	free(a.name);
}

static void test_adapters(void)
{
	struct tap_options any = { 0 }, named = { .name = "Ethernet 2" };
	struct tap_options nobody = { .name = "eth1" };

	refused(&any, "no TAP adapter is installed");
	set_adapter(L"0901", L"pci\\ven_8086&dev_100e", L"{a card}");
	refused(&named, "no TAP adapter is installed");
	set_adapter(L"0902", L"tap0901", FIRST);
	set_adapter(L"0903", L"root\\tap0901", SECOND);
	set(NAMES FIRST L"\\Connection", L"Name", L"Ethernet 2");
	found(NULL, 0, FIRST, "Ethernet 2");
	found(NULL, 1, SECOND, "{66666666-7777-8888-9999-000000000000}");
	found("ethernet 2", 0, FIRST, "Ethernet 2");
	refused(&nobody, "no TAP adapter is called 'eth1': there are 'Ethernet 2', '{6");
	/* They are there, but for the system's devices. */
	refused(&named, "tap Ethernet 2: ");
	refused(&any, "tap {66666666-7777-8888-9999-000000000000}: ");
	RegDeleteTreeW(HKEY_LOCAL_MACHINE, ADAPTERS L"0901");
	RegDeleteTreeW(HKEY_LOCAL_MACHINE, ADAPTERS L"0902");
	RegDeleteTreeW(HKEY_LOCAL_MACHINE, ADAPTERS L"0903");
}

/* ---- frames ------------------------------------------------------------------ */

static struct guest {
	struct net_user user;
	unsigned int received, writable;
	bool full, up;
	uint32_t last;
} guest;

static bool on_receive(struct net_user *user, const struct net_header *header,
		       const struct iovec *frame, unsigned int n)
{
	(void)user;
	EQUAL(n, 1);
	EQUAL(header->flags, 0);
	if (guest.full)
		return false;
	EQUAL(frame->iov_len, 60 + guest.received % 1000);
	memcpy(&guest.last, (char *)frame->iov_base + 14, 4);
	EQUAL(guest.last, guest.received);
	guest.received++;
	return true;
}

static void on_flush(struct net_user *user)
{
	(void)user;
}

static void on_writable(struct net_user *user)
{
	(void)user;
	guest.writable++;
}

static void on_link(struct net_user *user, bool up)
{
	(void)user;
	guest.up = up;
}

static const struct net_user_ops ops = { on_receive, on_flush, on_writable, on_link };

static void tick(uv_timer_t *timer)
{
	(void)timer;
}

/* Turns the loop until there are so many, or for some seconds. */
static void await(uv_loop_t *loop, const unsigned int *count, unsigned int wanted)
{
	unsigned int tries;

	for (tries = 0; tries < 500 && *count < wanted; tries++)
		uv_run(loop, UV_RUN_ONCE);
	EQUAL(*count, wanted);
}

static HANDLE make_pipe(HANDLE *other)
{
	DWORD mode = PIPE_READMODE_MESSAGE;
	HANDLE h = CreateNamedPipeW(PIPE, PIPE_ACCESS_DUPLEX,
				    PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE |
					    PIPE_WAIT,
				    1, 1 << 20, 1 << 20, 0, NULL);

	*other = CreateFileW(PIPE, GENERIC_READ | GENERIC_WRITE, 0, NULL,
			     OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
	CHECK(h != INVALID_HANDLE_VALUE && *other != INVALID_HANDLE_VALUE);
	CHECK(SetNamedPipeHandleState(*other, &mode, NULL, NULL));
	return h;
}

static void frames_in(HANDLE end, uint32_t first, uint32_t n)
{
	uint8_t frame[1100] = { 2 };
	uint32_t i;
	DWORD done;

	for (i = first; i < first + n; i++) {
		memcpy(frame + 14, &i, 4);
		CHECK(WriteFile(end, frame, 60 + i % 1000, &done, NULL));
	}
}

static void frame_out(struct net_backend *b, HANDLE end, uv_loop_t *loop)
{
	static const struct net_header header;
	char text[200] = "", data[] = "a frame in two pieces of a guest's memory";
	struct iovec iov[2] = { { data, 10 }, { data + 10, sizeof(data) - 10 } };
	unsigned int tries;
	DWORD done = 0;

	for (tries = 0; tries < 500 && !b->ops->send(b, &header, iov, 2); tries++)
		uv_run(loop, UV_RUN_ONCE);
	CHECK(ReadFile(end, text, sizeof(text), &done, NULL));
	EQUAL(done, sizeof(data));
	CHECK(!strcmp(text, data));
}

static void converse(struct net_backend *b, HANDLE end, uv_loop_t *loop)
{
	unsigned int tries;
	char text[100];
	DWORD done;

	frames_in(end, 0, 1);
	await(loop, &guest.received, 1);
	CHECK(WriteFile(end, "short", 5, &done, NULL)); /* no frame at all */
	frames_in(end, 1, 300);
	await(loop, &guest.received, 301);
	for (tries = 0; tries < 5; tries++)
		frame_out(b, end, loop);
	guest.full = true;
	frames_in(end, 301, 2);
	for (tries = 0; tries < 20; tries++)
		uv_run(loop, UV_RUN_ONCE);
	EQUAL(guest.received, 301);
	guest.full = false;
	b->ops->ready(b);
	await(loop, &guest.received, 303);
	CloseHandle(end);
	for (tries = 0; tries < 500 && guest.up; tries++)
		uv_run(loop, UV_RUN_ONCE);
	CHECK(!guest.up);
	b->ops->describe(b, text, sizeof(text));
	CHECK(!strcmp(text, "tap Ethernet 2, which is disabled or was removed"));
}

static void test_frames(void)
{
	struct error *err = NULL;
	struct net_backend *b;
	uv_timer_t timer;
	HANDLE end, ours;
	uv_loop_t loop;

	uv_loop_init(&loop);
	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, tick, 20, 20);
	end = make_pipe(&ours);
	b = tap_frames(&loop, ours, "Ethernet 2", 0, &err);
	if (!CHECK(b))
		return;
	guest.user.ops = &ops;
	guest.up = true;
	b->user = &guest.user;
	converse(b, end, &loop);
	b->ops->close(b);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	EQUAL(uv_loop_close(&loop), 0);
}

void test_tap(const char *folder)
{
	(void)folder;
	test_adapters();
	test_frames();
}
