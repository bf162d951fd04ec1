// SPDX-License-Identifier: GPL-2.0
/*
 * kexec load|panic KERNEL INITRD COMMAND-LINE: the kernel to go on with, by
 * request or after a panic. kexec exec: goes there at once.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int load(char **argv)
{
	unsigned long flags = strcmp(argv[1], "panic") ? 0 : KEXEC_FILE_ON_CRASH;
	int kernel = open(argv[2], O_RDONLY | O_CLOEXEC);
	int initrd = open(argv[3], O_RDONLY | O_CLOEXEC);

	if (kernel < 0 || initrd < 0)
		return perror("kexec: a file of the two"), 1;
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(argv[4]) + 1,
		    argv[4], flags))
		return perror("kexec: kexec_file_load"), 1;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5)
		return load(argv);
	if (argc == 2 && !strcmp(argv[1], "exec")) {
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			LINUX_REBOOT_CMD_KEXEC, NULL);
		return perror("kexec: reboot"), 1;
	}
	fprintf(stderr, "usage: kexec load|panic KERNEL INITRD COMMAND-LINE | kexec exec\n");
	return 1;
}
