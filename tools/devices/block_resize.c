// SPDX-License-Identifier: GPL-2.0
/* A disk that gets another size while the guest has it. */
#include "../os/disk_engine.h"
#include "block_device.h"

static int check_kind(const struct block *b, uint64_t size, struct error **err)
{
	if (b->image.storage)
		return error_set(err, 0,
				 "%s: only raw images change their size while a VM runs; for others: `qemu-img resize` when it has ended",
				 b->path);
	if (b->part)
		return error_set(err, 0,
				 "%s: is part=%u of an image: its size is in the partition table",
				 b->path, b->part);
	if (size && b->image.host_device)
		return error_set(err, 0,
				 "%s: is a device of the host: change it there, then say `auto`",
				 b->path);
	if (size && b->read_only)
		return error_set(err, 0, "%s: is read-only here", b->path);
	return 0;
}

static int check_size(const struct block *b, uint64_t size, bool shrink,
		      struct error **err)
{
	unsigned long long was = b->image.size, is = size;

	if (!size || size % SECTOR)
		return error_set(err, 0,
				 "%s: a size of %llu bytes is no multiple of %d",
				 b->path, is, SECTOR);
	if (size % b->image.block_size)
		return error_set(err, 0,
				 "%s: a size of %llu bytes is no multiple of its blocks of %u",
				 b->path, is, b->image.block_size);
	if (is < was && !shrink)
		return error_set(err, 0,
				 "%s: %llu bytes are less than the %llu it has: what lies behind would be lost; shrink file system and partitions first, then say --shrink",
				 b->path, is, was);
	return 0;
}

static int resize(struct block *b, uint64_t size, bool shrink,
		  struct error **err)
{
	bool set = size;
	int code;

	if (check_kind(b, size, err) ||
	    (!size && block_image_size(&b->image, b->path, &size, err)) ||
	    check_size(b, size, shrink, err))
		return -1;
	code = set ? block_image_resize(&b->image, size) : 0;
	if (code)
		return error_set(err, code, "%s: cannot get %llu bytes",
				 b->path, (unsigned long long)size);
	b->image.size = size;
	device_lock(&b->dev);
	b->config.capacity = size / SECTOR;
	device_unlock(&b->dev);
	device_config_changed(&b->dev);
	return 0;
}

int block_resize(struct machine *m, const char *name, uint64_t size, bool shrink,
		 uint64_t *now, struct error **err)
{
	struct device *dev = machine_find(m, name);
	struct block *b = dev ? block_of(dev) : NULL;

	if (!b)
		return error_set(err, 0, "%s: the VM has no such disk", name);
	if (resize(b, size, shrink, err))
		return error_wrap(err, "%s", name);
	*now = b->image.size;
	return 0;
}
