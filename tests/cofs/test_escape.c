/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client that walks, opens, makes, removes and reads while the host moves
 * directories about and puts symbolic links in their places, in and out of the
 * share. Around the share lies a tree of canaries that nobody may see or touch.
 *
 *	test_escape [SEED [SCHEDULES]]
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define STEPS 60 /* of the client in a schedule */
#define DIRS  4

static char top[64], share[80], outside[80];
static struct client *c;
static unsigned long seed, schedule;
static unsigned long reached, refused;
static dev_t device;
static ino_t forbidden[16];
static unsigned int forbidden_n;

static void fail(const char *what)
{
	printf("not ok - escape: seed %lu, schedule %lu: %s\n", seed, schedule,
	       what);
	exit(1);
}

/* ---- the host --------------------------------------------------------------- */

static pthread_t host;
static atomic_bool stop;
static atomic_ulong swaps;

static unsigned int next(unsigned int *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

static void swap(unsigned int r)
{
	static const char *const targets[] = { "..", "../outside", "../../outside",
					       "/", "../outside/dir", "." };
	char dir[160], away[160], link[160];
	unsigned int i = r % DIRS;

	snprintf(dir, sizeof(dir), "%s/d%u", share, i);
	snprintf(away, sizeof(away), "%s/away%u", share, i);
	snprintf(link, sizeof(link), "%s/d%u/inner", share, (i + 1) % DIRS);
	atomic_fetch_add(&swaps, 1);
	switch (r / DIRS % 4) {
	case 0: /* a directory becomes a link, and again a directory */
		if (!rename(dir, away)) {
			(void)!symlink(targets[r / 16 % 6], dir);
			sched_yield();
			(void)unlink(dir);
			(void)rename(away, dir);
		}
		break;
	case 1: /* what is inside of it does */
		(void)rename(link, away);
		(void)!symlink(targets[r / 16 % 6], link);
		sched_yield();
		(void)unlink(link);
		(void)rename(away, link);
		break;
	case 2: /* deeper and back: ".." would have led elsewhere */
		snprintf(away, sizeof(away), "%s/d%u/moved", share, (i + 2) % DIRS);
		if (!rename(dir, away)) {
			sched_yield();
			(void)rename(away, dir);
		}
		break;
	case 3: /* a file of the share and a link out of it take turns */
		snprintf(link, sizeof(link), "%s/d%u/file", share, i);
		(void)unlink(link);
		(void)!symlink("../../outside/canary", link);
		sched_yield();
		(void)unlink(link);
		close(open(link, O_CREAT | O_WRONLY, 0644));
		break;
	}
}

static void *be_host(void *arg)
{
	unsigned int state = *(unsigned int *)arg;

	while (!atomic_load(&stop))
		swap(next(&state));
	return NULL;
}

/* ---- the client ------------------------------------------------------------- */

/* Whatever a fid is, it isn't one of the canaries. */
static void check_fid(uint32_t fid)
{
	struct attributes a;
	char data[64];
	unsigned int i;
	int n;

	if (get_attributes(c, fid, &a))
		return;
	for (i = 0; i < forbidden_n; i++)
		if (a.qid.path == forbidden[i])
			fail("a walk led outside");
	if (open_fid(c, fid, 0))
		return;
	n = read_fid(c, fid, 0, data, sizeof(data));
	if (n > 0 && memmem(data, (size_t)n, "canary", 6))
		fail("what lies outside was read");
}

static const char *random_path(char to[64])
{
	static const char *const tails[] = { "inner", "file", "inner/file", "moved",
					     "canary", "inner/canary",
					     "outside/canary", "dir/canary",
					     "inner/inner/file", "" };

	snprintf(to, 64, "d%d/%s", rand() % DIRS, tails[rand() % 10]);
	if (to[strlen(to) - 1] == '/')
		to[strlen(to) - 1] = 0;
	return to;
}

static void client_step(void)
{
	struct attributes a = { .mode = 0600, .size = 0 };
	char path[64];
	int rc = walk(c, ROOT, 1, random_path(path));

	if (rc) {
		refused++;
		return;
	}
	reached++;
	switch (rand() % 8) {
	case 0:
		if (!create(c, 1, "file", P9_O_RDWR, 0600))
			write_fid(c, 1, 0, "inside", 6);
		break;
	case 1:
		ask(c, P9_TMKDIR, "dsdd", 1u, "made", 0700u, 0u);
		ask(c, P9_TUNLINKAT, "dsd", 1u, "made", 0x200u);
		break;
	case 2:
		ask(c, P9_TUNLINKAT, "dsd", 1u, "canary", 0u);
		break;
	case 3:
		ask(c, P9_TRENAMEAT, "dsds", 1u, "canary", ROOT, "stolen");
		break;
	case 4:
		if (!get_attributes(c, 1, &a) && S_ISREG(a.mode)) {
			a.mode = 0600;
			a.size = 3;
			set_attributes(c, 1, P9_SET_MODE | P9_SET_SIZE, &a);
		}
		break;
	case 5:
		if (!open_fid(c, 1, P9_O_RDWR | P9_O_TRUNC))
			write_fid(c, 1, 0, "inside", 6);
		break;
	case 6:
		ask(c, P9_TLINK, "dds", ROOT, 1u, "linked");
		ask(c, P9_TUNLINKAT, "dsd", ROOT, "linked", 0u);
		break;
	default:
		check_fid(1);
	}
	clunk(c, 1);
}

/* ---- canaries --------------------------------------------------------------- */

static const char *const canaries[] = { "outside", "outside/canary",
					"outside/dir", "outside/dir/canary",
					"outside/file", "canary" };
#define CANARIES (sizeof(canaries) / sizeof(canaries[0]))
static struct stat before[CANARIES];

static const char *at_top(const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static void make_canary(const char *name)
{
	int fd = open(at_top(name), O_CREAT | O_WRONLY, 0644);

	if (fd < 0 || write(fd, "canary\n", 7) != 7)
		exit(1);
	close(fd);
}

static void note_canaries(void)
{
	size_t i;

	for (i = 0; i < CANARIES; i++) {
		if (lstat(at_top(canaries[i]), &before[i]))
			exit(1);
		forbidden[forbidden_n++] = before[i].st_ino;
	}
	if (lstat(top, &before[0]))
		exit(1);
	forbidden[forbidden_n++] = before[0].st_ino;
	lstat(at_top(canaries[0]), &before[0]);
	lstat("/", &before[CANARIES - 1]);
	forbidden[forbidden_n++] = before[CANARIES - 1].st_ino;
	lstat(at_top("canary"), &before[CANARIES - 1]);
}

/* Content, times, owner, mode, number: as they were. */
static void check_canaries(void)
{
	struct stat st;
	size_t i;

	for (i = 0; i < CANARIES; i++) {
		if (lstat(at_top(canaries[i]), &st) ||
		    st.st_ino != before[i].st_ino ||
		    st.st_size != before[i].st_size ||
		    st.st_mode != before[i].st_mode ||
		    st.st_nlink != before[i].st_nlink ||
		    st.st_ctim.tv_sec != before[i].st_ctim.tv_sec ||
		    st.st_ctim.tv_nsec != before[i].st_ctim.tv_nsec)
			fail(canaries[i]);
	}
}

static void begin(void)
{
	unsigned int i;
	char path[32];

	strcpy(top, "/tmp/cofs-escape-XXXXXX");
	if (!mkdtemp(top) || mkdir(strcpy(share, at_top("share")), 0755))
		exit(1);
	strcpy(outside, at_top("outside"));
	if (mkdir(outside, 0755) || mkdir(at_top("outside/dir"), 0755))
		exit(1);
	for (i = 0; i < DIRS; i++) {
		snprintf(path, sizeof(path), "share/d%u", i);
		mkdir(at_top(path), 0755);
		snprintf(path, sizeof(path), "share/d%u/inner", i);
		mkdir(at_top(path), 0755);
	}
	make_canary("outside/canary");
	make_canary("outside/dir/canary");
	make_canary("outside/file");
	make_canary("canary");
	note_canaries();
	device = before[0].st_dev;
	c = client_new(share, false);
}

int main(int argc, char **argv)
{
	unsigned long schedules = argc > 2 ? strtoul(argv[2], NULL, 0) : 1000;
	unsigned int host_seed;
	char line[128];
	int i;

	seed = argc > 1 ? strtoul(argv[1], NULL, 0) : (unsigned long)time(NULL);
	srand((unsigned int)seed);
	begin();
	for (schedule = 1; schedule <= schedules; schedule++) {
		host_seed = (unsigned int)rand();
		atomic_store(&stop, false);
		if (pthread_create(&host, NULL, be_host, &host_seed))
			exit(1);
		for (i = 0; i < STEPS; i++)
			client_step();
		atomic_store(&stop, true);
		pthread_join(host, NULL);
		check_canaries();
	}
	client_free(c);
	snprintf(line, sizeof(line), "rm -rf %s", top);
	if (system(line))
		return 1;
	printf("# seed %lu, %lu schedules, %lu swaps by the host, %lu walks there, %lu refused\n",
	       seed, schedules, atomic_load(&swaps), reached, refused);
	if (reached < schedules || refused < schedules ||
	    atomic_load(&swaps) < schedules) {
		printf("not ok - escape: too little happened\n");
		return 1;
	}
	printf("ok - escape: no walk, open or change left the directory\n");
	return 0;
}
