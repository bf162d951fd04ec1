// SPDX-License-Identifier: GPL-2.0
/*
 * One partition of an image: MBR with its logical ones, GPT. libblkid reads the
 * tables and checks them (both GPT headers and their sums, chains that loop):
 * the same code that the host's own mount trusts, so none of ours.
 */
#include <blkid/blkid.h>
#include <errno.h>

#include "block.h"

/* libblkid counts in sectors of 512 bytes, whatever the device has. */
static int take_partition(blkid_probe probe, unsigned int number,
			  uint64_t *start, uint64_t *size, struct error **err)
{
	blkid_partlist list = blkid_probe_get_partitions(probe);
	blkid_partition part;

	if (!list || !blkid_partlist_get_table(list))
		return error_set(err, 0,
				 "part=%u: the image has no partition table that is right: leave part= out for all of it",
				 number);
	part = blkid_partlist_get_partition_by_partno(list, (int)number);
	if (!part)
		return error_set(err, 0,
				 "part=%u: there is no such partition; `fdisk -l` lists the %d there are",
				 number, blkid_partlist_numof_partitions(list));
	if (blkid_partition_is_extended(part))
		return error_set(err, 0,
				 "part=%u: is the extended partition, a list of others: the first in it is 5",
				 number);
	*start = (uint64_t)blkid_partition_get_start(part) * SECTOR;
	*size = (uint64_t)blkid_partition_get_size(part) * SECTOR;
	return 0;
}

int partition_find(int fd, unsigned int number, uint64_t *start,
		   uint64_t *size, struct error **err)
{
	blkid_probe probe = blkid_new_probe();
	int rc;

	if (!probe)
		return error_set(err, ENOMEM, "part=%u", number);
	if (blkid_probe_set_device(probe, fd, 0, 0) ||
	    blkid_probe_enable_partitions(probe, 1) ||
	    blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS))
		rc = error_set(err, errno, "part=%u: the table can't be read",
			       number);
	else
		rc = take_partition(probe, number, start, size, err);
	blkid_free_probe(probe);
	return rc;
}
