// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of tools/os/nt: test_os.exe NAME [FOLDER]. What is wrong is said on standard
 * error; the exit status is 1 then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winsock2.h>
#include <windows.h>
#include <shellapi.h>

#include "../../tools/lib/text.h"
#include "../../tools/net/backend.h"
#include "../../tools/os/bell.h"
#include "../../tools/os/disk_engine.h"
#include "../../tools/os/errors.h"
#include "../../tools/os/nt/disk_file.h"
#include "../../tools/os/nt/serial_end.h"
#include "../../tools/os/nt/spawn.h"
#include "../../tools/os/process.h"
#include "../../tools/os/share.h"
#include "../../tools/share/p9.h"
#include "check.h"

int failures;

bool check(bool good, const char *what, int line)
{
	if (!good) {
		fprintf(stderr, "line %d: not so: %s\n", line, what);
		failures++;
	}
	return good;
}

void check_number(long long is, long long wanted, int line)
{
	if (is == wanted)
		return;
	fprintf(stderr, "line %d: %lld, not %lld\n", line, is, wanted);
	failures++;
}

/* ---- words ------------------------------------------------------------------ */

static void test_words(const char *folder)
{
	char *const argv[] = { "a b", "", "c\\", "d \\\"e\\", "plain", NULL };
	wchar_t *line = spawn_line(argv);
	int i, n = 0;
	wchar_t **back;

	(void)folder;
	back = CommandLineToArgvW(line, &n);
	/* The first word is a program's name, by other rules. */
	EQUAL(n, 5);
	CHECK(!wcscmp(back[0], L"a b"));
	CHECK(!wcscmp(back[1], L""));
	CHECK(!wcscmp(back[2], L"c\\"));
	CHECK(!wcscmp(back[3], L"d \\\"e\\"));
	CHECK(!wcscmp(back[4], L"plain"));
	for (i = 0; i < 134; i++)
		if (errno_to_linux(errno_from_linux(i)) != 5)
			EQUAL(errno_to_linux(errno_from_linux(i)), i);
	EQUAL(errno_to_linux(ENOTEMPTY), 39);
	EQUAL(errno_to_linux(ENAMETOOLONG), 36);
	EQUAL(errno_to_linux(ESTALE), 116);
}

/* ---- bells ------------------------------------------------------------------ */

static int rings;

static void on_ring(void *arg, int status)
{
	EQUAL(status, 0);
	bell_hush(*(int *)arg);
	rings++;
}

static void test_bells(const char *folder)
{
	int bell = bell_open(), other = bell_open();
	const int both[2] = { other, bell };
	struct bell_watch *w;
	uv_loop_t loop;

	(void)folder;
	uv_loop_init(&loop);
	bell_ring(bell);
	bell_wait(both, 60000); /* comes back at once */
	bell_hush(bell);
	bell_wait(both, 20); /* and now after its time */
	w = bell_watch(&loop, bell, on_ring, &bell);
	if (!CHECK(w))
		return;
	while (rings < 3) {
		bell_ring(bell);
		bell_ring(bell);
		uv_run(&loop, UV_RUN_ONCE);
	}
	bell_unwatch(w);
	uv_run(&loop, UV_RUN_DEFAULT);
	EQUAL(uv_loop_close(&loop), 0);
	EQUAL(rings, 3);
	bell_close(bell);
	bell_close(other);
}

/* ---- disks ------------------------------------------------------------------ */

static int64_t do_io(void *state, const struct block_engine *e,
		     struct block_io *io)
{
	struct block_io *done = NULL;

	e->submit(state, io);
	while (!done)
		done = e->wait(state, -1);
	CHECK(done == io && !done->next);
	return io->result;
}

static void check_data(void *state, const struct block_engine *e)
{
	static uint8_t a[512], b[70000], back[70512];
	struct iovec out[] = { { a, 512 }, { b, 70000 - 256 } };
	struct iovec in = { back, sizeof(back) };
	struct block_io io = { .op = BLOCK_WRITE, .offset = 1 << 20, .iov = out,
			       .iov_n = 2 };

	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	EQUAL(do_io(state, e, &io), 70256);
	io = (struct block_io){ .op = BLOCK_SYNC };
	EQUAL(do_io(state, e, &io), 0);
	io = (struct block_io){ .op = BLOCK_READ, .offset = 1 << 20, .iov = &in,
				.iov_n = 1 };
	EQUAL(do_io(state, e, &io), sizeof(back));
	CHECK(!memcmp(back, a, 512) && !memcmp(back + 512, b, 69744));
	EQUAL(back[70256], 0);
	io = (struct block_io){ .op = BLOCK_WRITE_DURABLE, .offset = 0,
				.iov = out, .iov_n = 1 };
	EQUAL(do_io(state, e, &io), 512);
	/* At the end there is less, behind it nothing. */
	io = (struct block_io){ .op = BLOCK_READ, .offset = (4 << 20) - 512,
				.iov = &in, .iov_n = 1 };
	EQUAL(do_io(state, e, &io), 512);
	io.offset = 4 << 20;
	EQUAL(do_io(state, e, &io), 0);
}

static void test_disk(const char *folder)
{
	char *path = need_format("%s\\disk \xc3\xa4.img", folder);
	struct block_options opt = { .path = path };
	struct block_image image, second;
	int wake[2] = { bell_open(), bell_open() };
	const struct block_engine *e;
	struct error *err = NULL;
	void *state;

	if (!CHECK(!block_image_open(&image, &opt, &err))) {
		fprintf(stderr, "%s\n", err->text);
		return;
	}
	EQUAL(image.size, 4 << 20);
	CHECK(block_image_open(&second, &opt, &err));
	CHECK(err && strstr(err->text, "another program has it open"));
	error_free(&err);
	e = block_choose(&image, wake[0]);
	EQUAL(e->open(&state, &image, wake), 0);
	check_data(state, e);
	/* A ring ends a wait, each time. */
	while (e->wait(state, 0))
		;
	bell_ring(wake[0]);
	CHECK(!e->wait(state, 60000));
	bell_ring(wake[1]);
	CHECK(!e->wait(state, 60000));
	e->close(state);
	EQUAL(block_image_resize(&image, 8 << 20), 0);
	block_image_close(&image);
	EQUAL(block_image_open(&image, &opt, &err), 0);
	EQUAL(image.size, 8 << 20);
	block_image_close(&image);
	free(path);
}

/* ---- a shared directory ----------------------------------------------------- */

static struct text listed;

static bool list_one(void *arg, const struct fs_entry *e)
{
	(void)arg;
	text_format(&listed, "%s/", e->name);
	return true;
}

static void make_file(struct fs_node *dir, const char *name, const char *content)
{
	struct fs_new new = { .mode = 0100644 };
	struct iovec iov = { (void *)(uintptr_t)content, strlen(content) };
	struct fs_node *node;
	struct fs_file *file;

	if (!CHECK(!fs_open_new(dir, name, P9_O_RDWR | P9_O_CREATE | P9_O_EXCL,
				&new, &node, &file)))
		return;
	EQUAL(fs_write(file, &iov, 1, 0), strlen(content));
	EQUAL(fs_sync(file, false), 0);
	fs_close(file);
	fs_put(node);
}

static void check_content(struct fs_node *dir, const char *name,
			  const char *content)
{
	char back[64] = "";
	struct iovec iov = { back, sizeof(back) };
	struct fs_node *node;
	struct fs_file *file;

	if (!CHECK(!fs_walk(dir, name, &node)) ||
	    !CHECK(!fs_open(node, 0, &file)))
		return;
	EQUAL(fs_read(file, &iov, 1, 0), strlen(content));
	CHECK(!strcmp(back, content));
	fs_close(file);
	fs_put(node);
}

/* Names that Windows has other ideas about, and those that would lead out. */
static void check_names(struct fs_node *root)
{
	static const char *const names[] = {
		"plain", "a:b", "con", "nul.txt", "dot.", "space ", "que?stion",
		"back\\slash", "..\\..\\out", "\xc3\xa4\xe2\x82\xac",
	};
	struct fs_node *node;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		make_file(root, names[i], names[i]);
		check_content(root, names[i], names[i]);
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		EQUAL(fs_unlink(root, names[i], false), 0);
	EQUAL(fs_walk(root, "\xff", &node), -EILSEQ);
	EQUAL(fs_walk(root, "c:", &node), -ENOENT);
	EQUAL(fs_walk(root, "..\\outside", &node), -ENOENT);
}

static void check_moves(struct fs_node *root)
{
	struct fs_new new = { .mode = 0040755 };
	struct fs_node *dir, *node;

	EQUAL(fs_mkdir(root, "dir", &new), 0);
	EQUAL(fs_mkdir(root, "dir", &new), -EEXIST);
	EQUAL(fs_walk(root, "dir", &dir), 0);
	make_file(root, "one", "1");
	make_file(dir, "two", "22");
	EQUAL(fs_rename(root, "one", dir, "two"), 0); /* over what is there */
	check_content(dir, "two", "1");
	EQUAL(fs_walk(root, "one", &node), -ENOENT);
	EQUAL(fs_unlink(root, "dir", true), -ENOTEMPTY);
	EQUAL(fs_unlink(root, "dir", false), -EISDIR);
	EQUAL(fs_unlink(dir, "two", true), -ENOTDIR);
	EQUAL(fs_unlink(dir, "two", false), 0);
	fs_put(dir);
	EQUAL(fs_unlink(root, "dir", true), 0);
}

static void check_attributes(struct fs_node *root)
{
	struct fs_change c = { .set = P9_SET_MODE, .mode = 0444 };
	struct fs_node *node;
	struct fs_stat st;

	make_file(root, "modes", "content");
	EQUAL(fs_walk(root, "modes", &node), 0);
	EQUAL(fs_stat(node, &st), 0);
	EQUAL(st.mode, 0100755);
	EQUAL(st.size, 7);
	EQUAL(fs_change(node, NULL, &c), 0);
	fs_stat(node, &st);
	EQUAL(st.mode, 0100555);
	c.mode = 0644;
	EQUAL(fs_change(node, NULL, &c), 0);
	c = (struct fs_change){ .set = P9_SET_SIZE | P9_SET_MTIME | P9_SET_MTIME_TO,
				.size = 3, .mtime = { 1000000000, 500 } };
	EQUAL(fs_change(node, NULL, &c), 0);
	fs_stat(node, &st);
	EQUAL(st.size, 3);
	EQUAL(st.mtime.sec, 1000000000);
	EQUAL(st.mtime.nsec, 500);
	c = (struct fs_change){ .set = P9_SET_UID, .uid = 1000 };
	EQUAL(fs_change(node, NULL, &c), -EPERM);
	fs_put(node);
	EQUAL(fs_unlink(root, "modes", false), 0);
}

static void check_list(struct fs_node *root)
{
	struct fs_file *file;

	make_file(root, "b", "");
	make_file(root, "nul", "");
	EQUAL(fs_open(root, P9_O_DIRECTORY, &file), 0);
	EQUAL(fs_list(file, 0, list_one, NULL), 0);
	CHECK(strstr(listed.data, "./") == listed.data);
	CHECK(strstr(listed.data, "/b/") && strstr(listed.data, "/nul/"));
	text_free(&listed);
	EQUAL(fs_list(file, 2, list_one, NULL), 0);
	CHECK(listed.data && !strstr(listed.data, "./"));
	text_free(&listed);
	fs_close(file);
	fs_unlink(root, "b", false);
	fs_unlink(root, "nul", false);
}

static void test_share(const char *folder)
{
	char *path = need_format("%s\\shared", folder);
	struct fs_options opt = { .path = path, .uid = FS_KEEP, .gid = FS_KEEP };
	struct error *err = NULL;
	struct fs *fs = fs_create(&opt, &err);
	struct fs_node *root;
	struct fs_room room;

	if (!CHECK(fs) || !CHECK(!fs_root(fs, &root)))
		return;
	EQUAL(fs_enter(fs), 0);
	check_names(root);
	check_moves(root);
	check_attributes(root);
	check_list(root);
	EQUAL(fs_room(root, &room), 0);
	CHECK(room.blocks && room.block_size);
	CHECK(fs_in_place(fs));
	fs_abandon(fs);
	CHECK(fs_stale(root));
	fs_put(root);
	fs_free(fs);
	free(path);
}

/* ---- serial lines ----------------------------------------------------------- */

static void on_wake(uv_async_t *wake)
{
	(void)wake; /* it ends a turn of the loop */
}

static HANDLE dial(void)
{
	return CreateFileA("\\\\.\\pipe\\colinux test line",
			   GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
			   0, NULL);
}

/* The one before has only just gone, perhaps. */
static HANDLE dial_patiently(void)
{
	HANDLE h = dial();
	int tries;

	for (tries = 0; h == INVALID_HANDLE_VALUE && tries < 100; tries++) {
		Sleep(50);
		h = dial();
	}
	return h;
}

static void talk(struct serial_end *e, uv_loop_t *loop)
{
	const uint8_t *data;
	char back[8] = "";
	size_t n = 0, kept;
	HANDLE h = dial_patiently();
	DWORD done;

	if (!CHECK(h != INVALID_HANDLE_VALUE))
		return;
	CHECK(WriteFile(h, "hello", 5, &done, NULL));
	while (!(n = serial_end_input(e, &data)))
		uv_run(loop, UV_RUN_ONCE);
	CHECK(serial_end_connected(e));
	CHECK(n == 5 && !memcmp(data, "hello", 5));
	serial_end_taken(e, n);
	CHECK(dial() == INVALID_HANDLE_VALUE); /* one at a time */
	CHECK(serial_end_write(e, "world", 5, &kept));
	CHECK(ReadFile(h, back, 5, &done, NULL));
	CHECK(!strcmp(back, "world"));
	CloseHandle(h);
	while (serial_end_connected(e))
		uv_run(loop, UV_RUN_ONCE);
}

static void test_serial(const char *folder)
{
	struct config_serial line = { .kind = SERIAL_LISTEN,
				      .path = "colinux test line" };
	struct config_serial wrong = { .kind = SERIAL_DEVICE, .path = "COM77" };
	struct error *err = NULL;
	struct serial_end *e;
	uv_async_t wake;
	uv_loop_t loop;

	(void)folder;
	uv_loop_init(&loop);
	uv_async_init(&loop, &wake, on_wake);
	e = serial_end_open(&line, &wake, &err);
	if (!CHECK(e))
		return;
	talk(e, &loop);
	talk(e, &loop); /* and the next one */
	CHECK(!serial_end_open(&line, &wake, &err)); /* it's taken */
	error_free(&err);
	serial_end_close(e);
	CHECK(!serial_end_open(&wrong, &wake, &err));
	CHECK(err && strstr(err->text, "COM77"));
	error_free(&err);
	uv_close((uv_handle_t *)&wake, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
}

/* ---- slirp ------------------------------------------------------------------ */

/* A guest that announces itself, and sends a datagram to the host (10.0.2.2). */
static const uint8_t announcement[] = {
	255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6, /* Ethernet, ARP */
	0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 2, 15,
	0, 0, 0, 0, 0, 0, 10, 0, 2, 2,
};
static uint8_t datagram[] = {
	0x52, 0x55, 10, 0, 2, 2, 2, 0, 0, 0, 0, 1, 8, 0, /* Ethernet, IPv4 */
	0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2,
	0x12, 0x34, 0, 0, 0, 12, 0, 0, 'p', 'i', 'n', 'g', /* UDP, no sum */
};
static bool told_address; /* it said where 10.0.2.2 is */
static bool answered;	  /* the datagram's answer came */

static bool receive(struct net_user *user, const struct net_header *header,
		    const struct iovec *frame, unsigned int n)
{
	const uint8_t *f = frame->iov_base;

	(void)user;
	(void)header;
	EQUAL(n, 1);
	told_address |= frame->iov_len >= 42 && f[12] == 8 && f[13] == 6 &&
			f[21] == 2 && !memcmp(f + 28, "\12\0\2\2", 4);
	answered |= frame->iov_len >= 46 && f[12] == 8 && f[13] == 0 &&
		    f[23] == 17 && !memcmp(f + 42, "pong", 4);
	return true;
}

static void flush(struct net_user *user)
{
	(void)user;
}

static void send_frame(struct net_backend *b, const uint8_t *frame, size_t n)
{
	static const struct net_header header;
	struct iovec iov = { (void *)(uintptr_t)frame, n };

	CHECK(b->ops->send(b, &header, &iov, 1));
}

static void sum_up(uint8_t *ip)
{
	uint32_t sum = 0;
	int i;

	for (i = 0; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	ip[10] = (uint8_t)(~sum >> 8);
	ip[11] = (uint8_t)~sum;
}

static SOCKET host_socket(uint8_t port[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
	int size = sizeof(a);
	u_long on = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(!bind(s, (struct sockaddr *)&a, sizeof(a)));
	getsockname(s, (struct sockaddr *)&a, &size);
	memcpy(port, &a.sin_port, 2);
	ioctlsocket(s, FIONBIO, &on);
	return s;
}

static void tick(uv_timer_t *timer)
{
	(void)timer; /* the loop turns, so that the socket is looked at */
}

static void exchange(struct net_backend *b, uv_loop_t *loop, SOCKET s)
{
	struct sockaddr_in from;
	char text[8] = "";
	int size = sizeof(from), tries;

	send_frame(b, announcement, sizeof(announcement));
	send_frame(b, datagram, sizeof(datagram));
	for (tries = 0; tries < 500 && !*text; tries++) {
		uv_run(loop, UV_RUN_ONCE);
		recvfrom(s, text, 4, 0, (struct sockaddr *)&from, &size);
	}
	CHECK(!strcmp(text, "ping"));
	CHECK(told_address);
	EQUAL(sendto(s, "pong", 4, 0, (struct sockaddr *)&from, size), 4);
	for (tries = 0; tries < 500 && !answered; tries++)
		uv_run(loop, UV_RUN_ONCE);
	CHECK(answered);
}

static void test_slirp(const char *folder)
{
	static const struct net_user_ops ops = { .receive = receive,
						 .flush = flush };
	struct net_user user = { &ops };
	struct error *err = NULL;
	struct net_backend *b;
	uv_timer_t timer;
	uv_loop_t loop;
	SOCKET s;

	(void)folder;
	uv_loop_init(&loop);
	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, tick, 20, 20);
	b = slirp_open(&loop, "test", &err);
	if (!CHECK(b))
		return;
	b->user = &user;
	s = host_socket(datagram + 36);
	sum_up(datagram + 14);
	exchange(b, &loop, s);
	closesocket(s);
	b->ops->close(b);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	EQUAL(uv_loop_close(&loop), 0);
}

static const struct {
	const char *name;
	void (*run)(const char *folder);
} tests[] = {
	{ "words", test_words },   { "path", test_path },
	{ "bells", test_bells },
	{ "disk", test_disk },	   { "share", test_share },
	{ "serial", test_serial }, { "slirp", test_slirp },
	{ "tap", test_tap },	   { "link", test_link },
	{ "halflink", test_half_link },
};

int main(int argc, char **argv)
{
	size_t i;

	process_begin();
	for (i = 0; argc == 3 && i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (strcmp(argv[1], tests[i].name))
			continue;
		tests[i].run(argv[2]);
		return failures ? 1 : 0;
	}
	fputs("usage: test_os NAME FOLDER\n", stderr);
	return 2;
}
