// SPDX-License-Identifier: GPL-2.0
/* Reads kernel and initrd, hands them to the driver, says what it minds. */
#include "daemon.h"
#include "../os/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_MAX (UINT64_C(2) << 30)

/* `key` is the configuration's word for it. */
static int read_image(struct text *t, const char *key, const char *path,
		      struct error **err)
{
	int code = 0;

	if (!path_directory(path))
		code = EISDIR;
	else if (text_file(t, path, IMAGE_MAX))
		code = errno;
	if (code)
		return error_set(err, 0,
				 "cannot read %s %s: %s: %s= must name a file that can be read",
				 key, path, strerror(code), key);
	if (!t->length)
		return error_set(err, 0,
				 "%s %s is empty: copy or build it again", key,
				 path);
	return 0;
}

/* The driver counts program headers; some errors are of no single one. */
static int bad_segment(const char *kernel, const char *what, co_u32 segment,
		       struct error **err)
{
	char where[32] = "";

	if (segment < 0xffff)
		snprintf(where, sizeof(where), " (segment %u)", segment);
	return error_set(err, 0,
			 "kernel %s: %s%s: the file is damaged, copy or build it again",
			 kernel, what, where);
}

/* What the driver said about the file, in words; 0: nothing about that. */
static int kernel_error(const char *kernel, const struct co_req_vm_load *req,
			struct error **err)
{
	switch (req->error) {
	case CO_LOAD_NOT_ELF:
		return error_set(err, 0,
				 "kernel %s: not an ELF file: take the vmlinux of a guest kernel build, not bzImage",
				 kernel);
	case CO_LOAD_MACHINE:
		return error_set(err, 0,
				 "kernel %s: not a 64-bit x86 kernel (ELF machine %u): take the vmlinux of a guest kernel build",
				 kernel, req->detail);
	case CO_LOAD_TRUNCATED:
		return bad_segment(kernel, "cut off", req->detail, err);
	case CO_LOAD_NO_NOTE:
		return error_set(err, 0,
				 "kernel %s: no colinux note: not a cooperative kernel; build one with guest/build",
				 kernel);
	case CO_LOAD_ABI:
		return error_set(err, 0,
				 "kernel %s: made for guest ABI %u, the driver has %d: rebuild the guest kernel or install the driver of its release",
				 kernel, req->detail, CO_GUEST_ABI_VERSION);
	case CO_LOAD_OVERLAP:
		return bad_segment(kernel, "two segments overlap", req->detail,
				   err);
	case CO_LOAD_OUTSIDE:
		return bad_segment(kernel,
				   "a segment, the entry or the switch code lies out of range",
				   req->detail, err);
	case CO_LOAD_LEVELS:
		return error_set(err, 0,
				 "kernel %s: the host has 5-level paging on and this kernel can't (CONFIG_X86_5LEVEL): rebuild it, or boot the host with no5lvl",
				 kernel);
	default:
		return 0;
	}
}

static int load_error(const struct daemon *d, const struct co_req_vm_load *req,
		      int code, struct error **err)
{
	if (kernel_error(d->config.kernel, req, err))
		return -1;
	switch (req->error) {
	case CO_LOAD_TOO_SMALL:
		return error_set(err, 0,
				 "mem=%llu: kernel %s and its initrd need %u MB in one piece: give the VM more memory",
				 (unsigned long long)d->config.memory >> 20,
				 d->config.kernel, req->detail);
	case CO_LOAD_COMMAND_LINE:
		return error_set(err, 0,
				 "the guest's command line has %u bytes, it can hold %d: remove words from the configuration",
				 req->detail, CO_COMMAND_LINE_MAX - 1);
	default:
		return error_set(err, code, "kernel %s: the driver can't load it",
				 d->config.kernel);
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
