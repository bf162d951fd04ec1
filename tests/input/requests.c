// SPDX-License-Identifier: GPL-2.0
/*
 * What only a program can ask wrongly:
 *
 *	requests driver KERNEL		wrong requests to the driver, as TAP
 *	requests as UID|powerless COMMAND...	run it as a user, or as a root that
 *					may load no modules
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../abi/driver.h"

static int device;
static bool failed;

/* 0 or an errno, as the driver's interface counts them. */
static int request(unsigned int nr, void *data, size_t size)
{
	return ioctl(device,
		     _IOC(_IOC_READ | _IOC_WRITE, CO_IOC_MAGIC, nr, size),
		     data) ?
		       errno :
		       0;
}

static void is(const char *name, int got, int wanted)
{
	if (got == wanted) {
		printf("ok - %s\n", name);
	} else {
		printf("not ok - %s\n# '%s' instead of '%s'\n", name,
		       strerror(got), strerror(wanted));
		failed = true;
	}
	fflush(stdout);
}

static void die(const char *what)
{
	fprintf(stderr, "requests: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int create(co_u32 abi, co_u32 vcpus, co_u64 memory)
{
	struct co_req_vm_create vm = { .driver_abi = abi,
				       .vcpus = vcpus,
				       .online = 1,
				       .memory = memory,
				       .memory_max = memory,
				       .devices = 1,
				       .name = "requests" };

	return request(CO_REQ_VM_CREATE, &vm, sizeof(vm));
}

static struct co_req_vm_load image(const char *path, const char *words)
{
	struct co_req_vm_load req = { .command_line = (uintptr_t)words,
				      .command_line_size = strlen(words) };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	req.kernel_size = (co_u64)st.st_size;
	req.kernel = (uintptr_t)mmap(NULL, req.kernel_size, PROT_READ,
				     MAP_PRIVATE, fd, 0);
	return req;
}

static int run(co_u32 vcpu, co_u32 *exit)
{
	struct co_req_vcpu_run req = { .vcpu = vcpu };
	int error;

	do {
		error = request(CO_REQ_VCPU_RUN, &req, sizeof(req));
	} while (!error && req.exit != CO_EXIT_STOP);
	*exit = req.exit;
	return error;
}

static void *run_to_end(void *arg)
{
	co_u32 exit;

	*(int *)arg = run(0, &exit);
	return NULL;
}

static int run_elsewhere(void)
{
	int status;
	co_u32 why;
	pid_t pid = fork();

	if (!pid)
		_exit(run(0, &why));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die("fork");
	return WEXITSTATUS(status);
}

static void before_the_vm(void)
{
	co_u32 exit;

	is("a VM for tools of another version: EPROTO",
	   create(CO_DRIVER_ABI_VERSION + 1, 1, 32 << 20), EPROTO);
	is("a VM without memory: EINVAL", create(CO_DRIVER_ABI_VERSION, 1, 0),
	   EINVAL);
	is("a VM with more memory than there is: E2BIG",
	   create(CO_DRIVER_ABI_VERSION, 1, 1ULL << 50), E2BIG);
	is("a VM with more processors than there can be: EINVAL",
	   create(CO_DRIVER_ABI_VERSION, CO_VCPUS_MAX + 1, 32 << 20), EINVAL);
	is("RUN without a VM: ENXIO", run(0, &exit), ENXIO);
	is("and after all that a VM",
	   create(CO_DRIVER_ABI_VERSION, 1, 32 << 20), 0);
	is("a second VM on the same file: EBUSY",
	   create(CO_DRIVER_ABI_VERSION, 1, 32 << 20), EBUSY);
	is("RUN before a kernel is loaded: EINVAL", run(0, &exit), EINVAL);
}

static void load(const char *kernel)
{
	static char words[CO_COMMAND_LINE_MAX + 1];
	struct co_req_vm_load req;

	memset(words, 'x', CO_COMMAND_LINE_MAX);
	req = image(kernel, words);
	is("a command line that is one byte too long: ENOEXEC",
	   request(CO_REQ_VM_LOAD, &req, sizeof(req)), ENOEXEC);
	is("and the structure says that it is that",
	   req.error == CO_LOAD_COMMAND_LINE &&
			   req.detail == CO_COMMAND_LINE_MAX ?
		   0 :
		   EINVAL,
	   0);
	/* More round trips than this test takes: it ends by STOP. */
	req = image(kernel, "calls=1000000000000");
	is("and after that a kernel is loaded",
	   request(CO_REQ_VM_LOAD, &req, sizeof(req)), 0);
	is("a second kernel: ENOEXEC",
	   request(CO_REQ_VM_LOAD, &req, sizeof(req)), ENOEXEC);
}

/* Until it has made some round trips. */
static void wait_running(void)
{
	struct co_req_vm_info info;
	int tries;

	for (tries = 0; tries < 500; tries++) {
		memset(&info, 0, sizeof(info));
		if (request(CO_REQ_VM_INFO, &info, sizeof(info)))
			die("info");
		if (info.switches > 1000)
			return;
		usleep(20000);
	}
	fprintf(stderr, "requests: the guest doesn't run\n");
	exit(1);
}

static void while_it_runs(void)
{
	struct co_req_vm_stop stop = { .verdict = CO_VERDICT_KILLED,
				       .text = "enough" };
	pthread_t thread;
	int error = -1;
	co_u32 exit;

	if (pthread_create(&thread, NULL, run_to_end, &error))
		die("thread");
	wait_running();
	is("a second RUN of the same vCPU: EBUSY", run(0, &exit), EBUSY);
	is("a RUN of a vCPU that it hasn't: EINVAL", run(1, &exit), EINVAL);
	is("a RUN from another process: EPERM", run_elsewhere(), EPERM);
	is("the VM goes on, and stops when it is told to",
	   request(CO_REQ_VM_STOP, &stop, sizeof(stop)), 0);
	pthread_join(thread, NULL);
	is("and the first RUN never failed", error, 0);
}

static int driver(const char *kernel)
{
	device = open(CO_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (device < 0)
		die(CO_DEVICE_PATH);
	before_the_vm();
	load(kernel);
	while_it_runs();
	return failed;
}

static void drop_module_right(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3,
						 0 };
	struct __user_cap_data_struct data[2];

	if (prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE) ||
	    syscall(SYS_capget, &head, data))
		die("capabilities");
	data[0].effective &= ~(1u << CAP_SYS_MODULE);
	data[0].permitted &= ~(1u << CAP_SYS_MODULE);
	data[0].inheritable = 0;
	if (syscall(SYS_capset, &head, data))
		die("capabilities");
}

static int as(const char *whom, char **command)
{
	uid_t id = (uid_t)atoi(whom);

	if (!strcmp(whom, "powerless"))
		drop_module_right();
	else if (setgroups(0, NULL) || setgid(id) || setuid(id))
		die(whom);
	execvp(command[0], command);
	die(command[0]);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "driver"))
		return driver(argv[2]);
	if (argc > 3 && !strcmp(argv[1], "as"))
		return as(argv[2], argv + 3);
	fprintf(stderr, "usage: requests driver KERNEL | as WHO COMMAND...\n");
	return 1;
}
