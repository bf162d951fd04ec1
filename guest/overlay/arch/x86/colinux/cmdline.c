// SPDX-License-Identifier: GPL-2.0
/*
 * The command line before the kernel reads it: dangerous words out (words.c),
 * the names that users know translated to those of the kernel.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/virtio_ids.h>
#include <asm/setup.h>
#include "colinux.h"
#include "words.h"

static void __init report(const char *word, const struct co_word *rule)
{
	pr_warn("colinux: command line: '%s' %s: %s\n", word,
		rule->action == CO_WORD_REFUSE ? "refused" : "ignored", rule->why);
}

/*
 * virtio_blk names its disks in the order of their device numbers. Returns the
 * letter's index of the disk that the VM calls `name`, or -1.
 */
static int __init disk_index(const char *name, size_t length)
{
	char found[COLINUX_NAME_MAX];
	int index = 0;
	u32 device;

	for (device = 0; device < colinux_boot.devices; device++) {
		if (colinux_device_read(device, CO_DEV_ID, 0, 8) != VIRTIO_ID_BLOCK)
			continue;
		colinux_device_name(device, found);
		if (strlen(found) == length && !strncmp(found, name, length))
			return index;
		index++;
	}
	return -1;
}

/* /dev/cobd0p1 is /dev/vda1: shorter, so it fits where it was. `name` is what
 * follows "root=/dev/". */
static void __init translate_disk(char *name)
{
	char *end, *rest;
	int index;

	if (strncmp(name, "cobd", 4))
		return;
	end = name + 4;
	end += strspn(end, "0123456789");
	index = disk_index(name, end - name);
	if (index < 0 || index > 25) {
		pr_err("colinux: command line: the VM has no disk '%.*s'\n",
		       (int)(end - name), name);
		return;
	}
	rest = end + (end[0] == 'p' && end[1] >= '0' && end[1] <= '9');
	name[0] = 'v';
	name[1] = 'd';
	name[2] = 'a' + index;
	memmove(name + 3, rest, strlen(rest) + 1);
}

/* Each word root=; what follows the word "--" is init's. */
static void __init translate_root(char *line)
{
	static const char root[] = "root=/dev/";
	char *word = line;

	while (*word && strncmp(word, "-- ", 3)) {
		if (!strncmp(word, root, strlen(root)))
			translate_disk(word + strlen(root));
		word += strcspn(word, " ");
		word += strspn(word, " ");
	}
}

void __init colinux_filter_command_line(void)
{
	co_words_filter(boot_command_line, report);
	translate_root(boot_command_line);
}
