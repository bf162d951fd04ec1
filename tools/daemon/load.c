// SPDX-License-Identifier: GPL-2.0
/* Reads kernel and initrd, hands them to the driver, says what it minds. */
#include "daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define IMAGE_MAX (UINT64_C(2) << 30)

static int read_image(struct text *t, const char *what, const char *path,
		      struct error **err)
{
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return error_set(err, EISDIR, "cannot read %s %s", what, path);
	if (text_file(t, path, IMAGE_MAX))
		return error_set(err, errno, "cannot read %s %s", what, path);
	if (!t->length)
		return error_set(err, 0, "%s %s is empty", what, path);
	return 0;
}

/* What the driver said about the image, in words. */
static int load_error(const struct daemon *d, const struct co_req_vm_load *req,
		      int code, struct error **err)
{
	const char *kernel = d->config.kernel;
	unsigned int detail = req->detail;

	switch (req->error) {
	case CO_LOAD_NOT_ELF:
		return error_set(err, 0,
				 "kernel %s: not an ELF file: take the vmlinux of a guest kernel build, not bzImage",
				 kernel);
	case CO_LOAD_MACHINE:
		return error_set(err, 0,
				 "kernel %s: not a 64-bit x86 kernel (ELF machine %u)",
				 kernel, detail);
	case CO_LOAD_TRUNCATED:
		return error_set(err, 0,
				 "kernel %s: the file is cut off (segment %u)",
				 kernel, detail);
	case CO_LOAD_NO_NOTE:
		return error_set(err, 0,
				 "kernel %s: no colinux note: not a cooperative kernel; build one with guest/build",
				 kernel);
	case CO_LOAD_ABI:
		return error_set(err, 0,
				 "kernel %s: made for guest ABI %u, the driver has %d: rebuild the guest kernel or install the driver of its release",
				 kernel, detail, CO_GUEST_ABI_VERSION);
	case CO_LOAD_OVERLAP:
		return error_set(err, 0, "kernel %s: segment %u overlaps another",
				 kernel, detail);
	case CO_LOAD_OUTSIDE:
		return error_set(err, 0,
				 "kernel %s: segment %u, entry or switch code lies out of range",
				 kernel, detail);
	case CO_LOAD_TOO_SMALL:
		return error_set(err, 0,
				 "mem=%llu: kernel and initrd need %u MB in one piece; give the VM more memory",
				 (unsigned long long)d->config.memory >> 20,
				 detail);
	case CO_LOAD_COMMAND_LINE:
		return error_set(err, 0,
				 "the guest's command line has %u bytes, it can hold %d",
				 detail, CO_COMMAND_LINE_MAX - 1);
	case CO_LOAD_LEVELS:
		return error_set(err, 0,
				 "kernel %s: the host has 5-level paging on and this kernel can't (CONFIG_X86_5LEVEL): rebuild it, or boot the host with no5lvl",
				 kernel);
	default:
		return error_set(err, code, "kernel %s: the driver can't load it",
				 kernel);
	}
}

static uint64_t address(const struct text *t)
{
	return t->length ? (uint64_t)(uintptr_t)t->data : 0;
}

static int load(struct daemon *d, const struct text *kernel,
		const struct text *initrd, struct error **err)
{
	const struct text *line = &d->config.command_line;
	struct co_req_vm_load req = {
		.kernel = address(kernel),
		.kernel_size = kernel->length,
		.initrd = address(initrd),
		.initrd_size = initrd->length,
		.command_line = address(line),
		.command_line_size = line->length,
	};
	int rc = driver_request(d->driver, CO_REQ_VM_LOAD, &req, sizeof(req));

	return rc ? load_error(d, &req, -rc, err) : 0;
}

int load_guest(struct daemon *d, struct error **err)
{
	struct text kernel = { 0 }, initrd = { 0 };
	int rc = read_image(&kernel, "kernel", d->config.kernel, err);

	if (!rc && d->config.initrd)
		rc = read_image(&initrd, "initrd", d->config.initrd, err);
	if (!rc)
		rc = load(d, &kernel, &initrd, err);
	text_free(&kernel);
	text_free(&initrd);
	return rc;
}
