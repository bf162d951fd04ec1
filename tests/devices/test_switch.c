/* SPDX-License-Identifier: GPL-2.0 */
/* Switches of several processes; with the word `tap`, as root: taps. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "netguest.h"

/* ---- switch ----------------------------------------------------------------- */

static char parent[32], folder[64];

static int folder_setup(void **state)
{
	(void)state;
	strcpy(parent, "/tmp/switch-XXXXXX");
	if (!mkdtemp(parent))
		return -1;
	snprintf(folder, sizeof(folder), "%s/s", parent);
	return 0;
}

static int folder_teardown(void **state)
{
	(void)state;
	return rmdir(parent); /* what is left in it is an error */
}

static void join(struct guest *g, uint8_t number)
{
	struct error *err = NULL;
	char name[16];

	guest_init(g, number);
	snprintf(name, sizeof(name), "m%u", number);
	guest_connect(g, switch_open(&g->loop, folder, name, &err));
}

static void send_frame(struct guest *g, const uint8_t *to, const char *text)
{
	uint8_t f[64] = { 0 };

	memcpy(f, to, 6);
	memcpy(f + 6, g->mac, 6);
	strcpy((char *)f + 14, text);
	send_bytes(g, f, sizeof(f));
}

static bool any(const uint8_t *f)
{
	(void)f;
	return true;
}

static void expect_text(struct guest *g, const char *text)
{
	uint8_t *f = await_frame(g, any);

	assert_non_null(f);
	assert_string_equal((char *)f + 14, text);
}

static void expect_none(struct guest *g)
{
	turn(g);
	turn(g);
	assert_int_equal(g->n, 0);
}

/* To all until a member was heard, then to it alone. */
static void test_learn(void **state)
{
	static struct guest a, b, c;
	char text[64];

	(void)state;
	join(&a, 1);
	join(&b, 2);
	join(&c, 3);
	send_frame(&a, b.mac, "where");
	expect_text(&b, "where");
	expect_text(&c, "where");
	send_frame(&b, a.mac, "here");
	expect_text(&a, "here");
	expect_none(&c);
	send_frame(&a, b.mac, "fine");
	expect_text(&b, "fine");
	expect_none(&c);
	send_frame(&b, all_mac, "all");
	expect_text(&a, "all");
	expect_text(&c, "all");
	expect_none(&b);
	a.b->ops->describe(a.b, text, sizeof(text));
	assert_non_null(strstr(text, "2 other members"));
	guest_end(&a);
	guest_end(&b);
	guest_end(&c);
}

/* A member that moved (its MAC comes from elsewhere) is followed. */
static void test_move(void **state)
{
	static struct guest a, b, c;

	(void)state;
	join(&a, 1);
	join(&b, 2);
	join(&c, 3);
	send_frame(&b, a.mac, "old place");
	expect_text(&a, "old place");
	c.mac[5] = 2;
	send_frame(&c, a.mac, "new place");
	expect_text(&a, "new place");
	a.n = b.n = c.n = 0;
	turn(&b);
	turn(&c);
	b.n = c.n = 0;
	send_frame(&a, c.mac, "there");
	expect_text(&c, "there");
	expect_none(&b);
	guest_end(&a);
	guest_end(&b);
	guest_end(&c);
}

/* A member in a process of its own: answers what it gets until it's killed, or
 * does nothing at all. */
static pid_t other(uint8_t number, bool answers)
{
	static struct guest g;
	int ready[2];
	pid_t child;
	uint8_t *f;
	char byte;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child) {
		close(ready[1]);
		assert_int_equal(read(ready[0], &byte, 1), 1);
		close(ready[0]);
		return child;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	join(&g, number);
	if (write(ready[1], "r", 1) != 1)
		_exit(1);
	for (;;) {
		f = answers ? await_frame(&g, any) : NULL;
		if (f)
			send_frame(&g, f + 6, "answer");
		else
			usleep(1000);
	}
}

static unsigned int sockets(void)
{
	DIR *dir = opendir(folder);
	unsigned int n = 0;
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		n += e->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

/* One that sleeps and one that died don't keep the others from talking. */
static void test_processes(void **state)
{
	static struct guest a;
	pid_t awake = other(2, true), asleep = other(3, false), dead = other(4, true);
	uint64_t begin;
	unsigned int i;

	(void)state;
	join(&a, 1);
	send_frame(&a, all_mac, "who");
	expect_text(&a, "answer");
	expect_text(&a, "answer");
	kill(dead, SIGKILL);
	waitpid(dead, NULL, 0);
	assert_int_equal(sockets(), 4);
	begin = now_ms();
	for (i = 0; i < 3000; i++)
		send_frame(&a, all_mac, "much");
	assert_true(now_ms() - begin < PATIENCE_MS);
	assert_true(a.b->dropped > 0); /* what the sleeper had no room for */
	assert_int_equal(sockets(), 3); /* the dead one's is gone */
	expect_text(&a, "answer");
	kill(awake, SIGKILL);
	kill(asleep, SIGKILL);
	waitpid(awake, NULL, 0);
	waitpid(asleep, NULL, 0);
	send_frame(&a, all_mac, "nobody");
	assert_int_equal(sockets(), 1);
	guest_end(&a);
	assert_int_equal(access(folder, F_OK), -1);
}

static void test_switch_full(void **state)
{
	static struct guest a, b;

	(void)state;
	join(&a, 1);
	join(&b, 2);
	b.full = true;
	send_frame(&a, b.mac, "one");
	send_frame(&a, b.mac, "two");
	turn(&b);
	assert_true(b.refused);
	b.full = false;
	b.b->ops->ready(b.b);
	expect_text(&b, "one");
	expect_text(&b, "two");
	guest_end(&a);
	guest_end(&b);
}

/* What comes from outside the folder, or is no frame, isn't taken. */
static void test_stranger(void **state)
{
	static struct guest a;
	struct sockaddr_un { sa_family_t family; char path[108]; } to = { AF_UNIX, "" };
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	char frame[64] = "stranger";

	(void)state;
	join(&a, 1);
	snprintf(to.path, sizeof(to.path), "%s/m1", folder);
	assert_int_equal(sendto(s, frame, 64, 0, (void *)&to, sizeof(to)), 64);
	expect_none(&a);
	send_frame(&a, all_mac, "x");
	close(s);
	guest_end(&a);
}

static void test_long_path(void **state)
{
	struct error *err = NULL;
	uv_loop_t loop;
	char name[120];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	uv_loop_init(&loop);
	assert_null(switch_open(&loop, folder, name, &err));
	assert_non_null(strstr(err->text, "File name too long"));
	error_free(&err);
	uv_loop_close(&loop);
}

/* ---- tap: as root, in a network of its own ---------------------------------- */

static void command(const char *text)
{
	assert_int_equal(system(text), 0);
}

static struct net_backend *one_tap(uv_loop_t *loop, struct tap_options *opt,
				   struct error **err)
{
	struct net_backend *b;

	opt->queues = 1;
	return tap_open(loop, opt, &b, err) ? NULL : b;
}

static void test_tap(void **state)
{
	static struct guest g;
	struct tap_options opt = { .name = "cotest0", .address = "10.77.0.1/24" };
	static const uint8_t guest_ip[4] = { 10, 77, 0, 2 }, tap_ip[4] = { 10, 77, 0, 1 };
	struct error *err = NULL;
	uint64_t end;
	char text[100];
	uint8_t *f;

	(void)state;
	guest_init(&g, 2);
	guest_connect(&g, one_tap(&g.loop, &opt, &err));
	assert_int_equal(g.b->mtu, 1500);
	assert_int_equal(g.b->offloads, NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO4 | NET_OFFLOAD_TSO6);
	g.b->ops->take(g.b, NET_OFFLOAD_CSUM);
	send_arp(&g, guest_ip, tap_ip);
	f = await_frame(&g, is_arp);
	assert_non_null(f);
	assert_memory_equal(f + 28, tap_ip, 4);
	/* As long as vhost-net has it nothing is read here. */
	g.b->ops->hands_off(g.b, true);
	turn(&g);
	g.n = 0;
	send_arp(&g, guest_ip, tap_ip);
	turn(&g);
	turn(&g);
	assert_int_equal(g.n, 0);
	g.b->ops->hands_off(g.b, false);
	assert_non_null(await_frame(&g, is_arp));
	/* A guest without room doesn't lose what waits. */
	g.full = true;
	send_arp(&g, guest_ip, tap_ip);
	turn(&g);
	turn(&g);
	g.full = false;
	g.b->ops->ready(g.b);
	assert_non_null(await_frame(&g, is_arp));
	assert_null(one_tap(&g.loop, &opt, &err));
	assert_non_null(strstr(err->text, "tap cotest0 has a user already"));
	error_free(&err);
	/* With vhost-net or without: the end of the tap is seen. */
	g.b->ops->hands_off(g.b, true);
	turn(&g);
	command("ip link del cotest0");
	for (end = now_ms() + PATIENCE_MS; g.up && now_ms() < end;)
		turn(&g);
	assert_false(g.up);
	g.b->ops->describe(g.b, text, sizeof(text));
	assert_string_equal(text, "tap cotest0, which was removed");
	send_arp(&g, guest_ip, tap_ip);
	assert_int_equal(g.b->dropped, 1);
	guest_end(&g);
}

static void no_tap(const char *name, unsigned int queues, const char *text)
{
	struct tap_options opt = { .name = name, .queues = queues };
	struct net_backend *b[2] = { NULL };
	struct error *err = NULL;
	uv_loop_t loop;

	uv_loop_init(&loop);
	assert_int_equal(tap_open(&loop, &opt, b, &err), -1);
	assert_non_null(strstr(err->text, text));
	error_free(&err);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* The answer comes to the queue that asked, while it's used. */
static void test_tap_queues(void **state)
{
	static struct guest g, h;
	struct tap_options opt = { .name = "cotest1", .address = "10.78.0.1/24",
				   .queues = 2 };
	static const uint8_t guest_ip[4] = { 10, 78, 0, 2 }, tap_ip[4] = { 10, 78, 0, 1 };
	struct net_backend *b[2];
	struct error *err = NULL;
	uint64_t end;

	(void)state;
	guest_init(&g, 2);
	guest_init(&h, 2);
	assert_int_equal(tap_open(&g.loop, &opt, b, &err), 0);
	guest_connect(&g, b[0]);
	guest_connect(&h, b[1]);
	no_tap("cotest1", 1, "cotest1 was made for several queues");
	no_tap("cotest1", 2, "tap cotest1 has a user already");
	no_tap("lo", 1, "lo is no tap of this host");
	no_tap("lo", 2, "lo is no tap of this host");
	b[1]->ops->use(b[1], false);
	b[1]->ops->use(b[1], false);
	send_arp(&g, guest_ip, tap_ip);
	assert_non_null(await_frame(&g, is_arp));
	g.n = h.n = 0;
	b[1]->ops->use(b[1], true);
	turn(&g);
	send_arp(&h, guest_ip, tap_ip);
	for (end = now_ms() + PATIENCE_MS; !h.n && now_ms() < end;)
		turn(&g);
	assert_int_not_equal(h.n, 0);
	b[1]->ops->use(b[1], false);
	turn(&g);
	g.n = h.n = 0;
	send_arp(&g, guest_ip, tap_ip);
	assert_non_null(await_frame(&g, is_arp));
	/* What a queue that isn't used sends goes, and is answered elsewhere. */
	send_arp(&h, guest_ip, tap_ip);
	assert_non_null(await_frame(&g, is_arp));
	assert_int_equal(h.n, 0);
	assert_int_equal(h.b->dropped, 0);
	assert_true(g.up && h.up);
	command("ip link del cotest1");
	for (end = now_ms() + PATIENCE_MS; g.up && now_ms() < end;)
		turn(&g);
	assert_false(g.up);
	b[1]->ops->use(b[1], true);
	b[1]->ops->close(b[1]);
	h.b = NULL;
	guest_end(&g);
	guest_end(&h);
}

static void test_tap_of_one_queue(void **state)
{
	(void)state;
	command("ip tuntap add cotest2 mode tap");
	no_tap("cotest2", 2, "cotest2 was made for one queue");
	command("ip link del cotest2");
}

static void test_bridge(void **state)
{
	static struct guest a, b;
	struct tap_options opt = { .bridge = "cotestbr" };
	struct error *err = NULL;

	(void)state;
	if (system("ip link add cotestbr mtu 1400 type bridge 2>/dev/null")) {
		print_message("# this machine's kernel has no bridge: the lab tries it\n");
		skip();
	}
	command("ip link set cotestbr up");
	guest_init(&a, 1);
	guest_connect(&a, one_tap(&a.loop, &opt, &err));
	guest_init(&b, 2);
	guest_connect(&b, one_tap(&b.loop, &opt, &err));
	assert_int_equal(a.b->mtu, 1400);
	usleep(200000);
	a.n = b.n = 0;
	send_arp(&a, own_ip, host_ip);
	assert_non_null(await_frame(&b, is_arp));
	guest_end(&a);
	guest_end(&b);
}

static void test_no_bridge(void **state)
{
	struct tap_options opt = { .bridge = "lo" };
	struct error *err = NULL;
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	assert_null(one_tap(&loop, &opt, &err));
	assert_non_null(strstr(err->text, "lo is no bridge of this host"));
	error_free(&err);
	uv_loop_close(&loop);
}

int main(int argc, char **argv)
{
#define F(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
	const struct CMUnitTest anywhere[] = {
		F(test_learn),	   F(test_move),
		F(test_processes), F(test_switch_full), F(test_stranger),
		F(test_long_path),
	};
	const struct CMUnitTest taps[] = {
		cmocka_unit_test(test_tap),
		cmocka_unit_test(test_tap_queues),
		cmocka_unit_test(test_tap_of_one_queue),
		cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_no_bridge),
	};

	if (argc > 1 && !strcmp(argv[1], "tap"))
		return cmocka_run_group_tests_name("taps", taps, NULL, NULL);
	return cmocka_run_group_tests_name("switch", anywhere, NULL, NULL);
}
