// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <string.h>

#include "../os/process.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv, struct error **err);
	const char *arguments;
	const char *summary;
	const char *more;
} verbs[] = {
	{ "run", verb_run, "[-v N] [@FILE | NAME=VALUE | WORD]...",
	  "start a VM and stand at its console",
	  "Words are those of colinux.conf(5). Ctrl-] and then d leaves the console, the\n"
	  "VM goes on; Ctrl-] s asks the guest to power off. The exit status is 0 when\n"
	  "the guest powered off, 1 when it ended otherwise.\n" },
	{ "start", verb_start, "[-v N] [-p FILE] [@FILE | NAME=VALUE | WORD]...",
	  "start a VM in the background",
	  "Returns when the guest's kernel runs.\n" },
	{ "list", verb_list, "[--json]", "VMs that run, and those that ended",
	  "Ended VMs stay listed until one of the same name starts.\n" },
	{ "attach", verb_attach, "[--console N] NAME", "stand at a VM's console",
	  "What the console said before comes first. Several may be attached. Ctrl-]\n"
	  "and then d leaves, s asks the guest to power off, k stops the VM at once.\n"
	  "  --console N  another one than the first, 0: see consoles= in colinux.conf(5)\n" },
	{ "stop", verb_stop, "[--force] [--timeout SECONDS] NAME",
	  "ask a VM's guest to power off",
	  "  --force            stop at once; the guest's unwritten data is lost\n"
	  "  --timeout SECONDS  stop by force when it takes longer (60)\n" },
	{ "info", verb_info, "[--json] NAME",
	  "what there is to say about a VM; after its end: why", "" },
	{ "stats", verb_stats, "[--json] [--watch] [--interval SECONDS] [NAME]",
	  "what VMs use: memory, processors, devices",
	  "Rates are since the VM's start, with --watch since the last look. GUEST and\n"
	  "STEAL (waiting for a free CPU of the host) are of one CPU's time.\n"
	  "  --watch             look again and again\n"
	  "  --interval SECONDS  between two looks (1)\n" },
	{ "set", verb_set, "[--json] [--timeout SECONDS] NAME [cpus=N] [mem=SIZE] [pin=LIST]",
	  "change a VM while it runs; without words: what can be changed",
	  "Waits until the guest has followed. What is wrong changes nothing.\n"
	  "  --timeout SECONDS  how long to wait (30)\n" },
	{ "port", verb_port, "[--json] NAME [ethN] [list | add FORWARD | remove FORWARD]",
	  "forward ports of the host to a VM while it runs",
	  "FORWARD is tcp|udp:[ADDRESS:]HOSTPORT:GUESTPORT[:COUNT], as in the configuration;\n"
	  "ADDRESS is the host's, * for all, 127.0.0.1 by default. To remove one, its beginning\n"
	  "up to HOSTPORT is enough. Connections that there are stay.\n" },
	{ "link", verb_link, "NAME ethN [up | down]",
	  "pull a network device's cable, or put it in again", "" },
	{ "capture", verb_capture, "NAME ethN FILE | -",
	  "write all frames of a network device into a pcap file",
	  "Ends with Ctrl-C, or when the VM does. `-` is standard output:\n"
	  "colinux capture NAME eth0 - | tcpdump -r -\n" },
	{ "share", verb_share, "[--json] NAME", "a VM's shared directories",
	  "In the guest: mount -t 9p TAG /DIRECTORY\n" },
	{ "log", verb_log, "[--console N] NAME", "what a VM's console said",
	  "  --console N  another one than the first, 0\n" },
	{ "exec", verb_exec, "[--wait SECONDS] NAME (-- COMMAND [ARG]... | -c TEXT)",
	  "run a command in the guest",
	  "Standard input, output and error are the command's, and so is the exit status\n"
	  "(128 + N for signal N). Needs colinux-agent in the guest.\n"
	  "  -c TEXT         run it with /bin/sh -c\n"
	  "  --wait SECONDS  how long to wait for the agent (30)\n" },
	{ "doctor", verb_doctor, "[--json]",
	  "can this host run a guest? If not: why, and what to do",
	  "The exit status is 0 only if a guest can run.\n" },
	{ "config", verb_config, "check [--json] @FILE | NAME=VALUE... | keys",
	  "check a configuration, or list the keys", "" },
	{ "disk", verb_disk,
	  "resize [--shrink] NAME cobdN SIZE|auto | commit|discard cobdN @FILE | NAME=VALUE...",
	  "give a running VM's disk another size; keep or drop an overlay's changes",
	  "auto: the size that the file or device has got by other hands. commit writes the\n"
	  "changes into the base and empties the overlay, discard removes it; both want the\n"
	  "VM's configuration, and the VM ended.\n"
	  "  --shrink  yes, what lies behind the new end shall be lost\n" },
	{ "image", verb_image,
	  "create [--kernel FILE] [--installer FILE] [--mem SIZE] [--suite NAME]\n"
	  "       [--mirror URL] [--packages A,B] FILE SIZE [ARCHIVE]",
	  "make a disk with a Linux system on it",
	  "A guest does it, so that it's the same on every host: the file is a raw image of one\n"
	  "ext4 file system, for cobd0= and root=/dev/cobd0. ARCHIVE is a root file system\n"
	  "(.tar, .tar.gz, .tar.bz2, .tar.xz, .tar.zst); without one Debian's packages are\n"
	  "fetched. SIZE is in MB, or with K, M or G. Ctrl-C ends it, and nothing is left.\n"
	  "  --kernel FILE     the guest's kernel (vmlinux beside this program)\n"
	  "  --installer FILE  the installer guest (installer.gz beside this program)\n"
	  "  --mem SIZE        memory of that guest (512)\n"
	  "  --suite NAME      which Debian (bookworm)\n"
	  "  --mirror URL      from where (http://deb.debian.org/debian)\n"
	  "  --packages A,B    more packages to install\n" },
	{ "completion", verb_completion, "bash",
	  "what makes a shell complete words for this program",
	  "For bash: source <(colinux completion bash)\n" },
	{ "version", verb_version, "", "versions of tools and driver", "" },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void usage(FILE *f)
{
	size_t i;

	fputs("Usage: colinux VERB [ARGUMENTS]\n\n", f);
	for (i = 0; i < VERBS; i++)
		fprintf(f, "  %-10s  %s\n", verbs[i].name, verbs[i].summary);
	fputs("\n`colinux VERB --help` says more.\n", f);
}

static int verb_help(const struct verb *v)
{
	printf("Usage: colinux %s %s\n%c%s.\n", v->name, v->arguments,
	       v->summary[0] & ~0x20, v->summary + 1);
	if (*v->more)
		printf("\n%s", v->more);
	return 0;
}

static bool wants_help(int argc, char **argv)
{
	return argc > 1 &&
	       (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
}

static const struct verb *find(const char *name)
{
	size_t i;

	for (i = 0; i < VERBS; i++)
		if (!strcmp(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static int run_verb(const struct verb *v, int argc, char **argv)
{
	struct error *err = NULL;
	int status;

	if (wants_help(argc, argv))
		return verb_help(v);
	status = v->run(argc, argv, &err);
	if (status >= 0 && (fflush(stdout) || ferror(stdout)))
		status = error_set(&err, 0, "cannot write to standard output");
	if (status >= 0)
		return status;
	fprintf(stderr, "colinux: %s\n", err->text);
	error_free(&err);
	return 1;
}

int main(int argc, char **argv)
{
	const struct verb *v;

	process_begin();
	if (argc < 2) {
		usage(stderr);
		return 1;
	}
	if (!strcmp(argv[1], "help") || wants_help(argc, argv)) {
		v = argc > 2 ? find(argv[2]) : NULL;
		if (v)
			return verb_help(v);
		usage(stdout);
		return 0;
	}
	v = find(!strcmp(argv[1], "--version") ? "version" : argv[1]);
	if (!v) {
		fprintf(stderr, "colinux: no such verb '%s'; `colinux help` lists them\n",
			argv[1]);
		return 1;
	}
	return run_verb(v, argc - 1, argv + 1);
}
