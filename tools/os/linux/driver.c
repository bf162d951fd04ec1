// SPDX-License-Identifier: GPL-2.0
/* The driver of a Linux host: /dev/colinux. */
#include "../driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../abi/driver.h"
#include "../../lib/text.h"

struct driver {
	int fd;
};

static int open_error(int code, struct error **err)
{
	switch (code) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return error_set(err, 0,
				 CO_DEVICE_PATH ": the module colinux isn't loaded: run `modprobe colinux` (or `insmod colinux.ko`) as root; `colinux doctor` says whether this host can");
	case EACCES:
		return error_set(err, 0,
				 CO_DEVICE_PATH ": no permission: run as root, for a guest kernel runs with the host kernel's rights");
	case EPERM:
		return error_set(err, 0,
				 CO_DEVICE_PATH ": the driver refuses: starting a guest needs CAP_SYS_MODULE in the initial namespace (a container doesn't have it)");
	case EMFILE:
	case ENFILE:
		return error_set(err, code, CO_DEVICE_PATH ": too many open files");
	default:
		return error_set(err, code, CO_DEVICE_PATH ": cannot open");
	}
}

struct driver *driver_open(struct error **err)
{
	struct driver *d = need(sizeof(*d));

	d->fd = open(CO_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (d->fd < 0) {
		open_error(errno, err);
		free(d);
		return NULL;
	}
	if (driver_check_version(d, CO_DEVICE_PATH,
				 ", then `rmmod colinux` and `modprobe colinux`",
				 err)) {
		driver_close(d);
		return NULL;
	}
	return d;
}

void driver_close(struct driver *d)
{
	if (!d)
		return;
	close(d->fd);
	free(d);
}

int driver_request(struct driver *d, unsigned int nr, void *buf, size_t size)
{
	unsigned long request =
		_IOC(_IOC_READ | _IOC_WRITE, CO_IOC_MAGIC, nr, size);

	return ioctl(d->fd, request, buf) < 0 ? -errno : 0;
}

uint8_t *driver_map(struct driver *d, uint64_t lowest, uint64_t highest,
		    struct error **err)
{
	size_t size = highest - lowest;
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd,
			  (off_t)lowest);

	if (base == MAP_FAILED) {
		error_set(err, errno,
			  "cannot map guest memory 0x%llx-0x%llx of " CO_DEVICE_PATH,
			  (unsigned long long)lowest,
			  (unsigned long long)highest);
		return NULL;
	}
	if (madvise(base, size, MADV_DONTFORK) ||
	    madvise(base, size, MADV_DONTDUMP)) {
		error_set(err, errno, "cannot keep guest memory to ourselves");
		munmap(base, size);
		return NULL;
	}
	return base;
}

void driver_unmap(struct driver *d, uint8_t *base, uint64_t lowest, uint64_t highest)
{
	(void)d;
	if (base)
		munmap(base, highest - lowest);
}
