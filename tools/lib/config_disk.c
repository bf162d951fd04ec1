// SPDX-License-Identifier: GPL-2.0
/* Block devices in the configuration: cobdN=. */
#include "config_keys.h"

#include <stdlib.h>
#include <string.h>

#include "../os/can.h"

#define PART_MAX 128
#define RATE_MAX (UINT64_C(1) << 50)

/* What an image may be in; all but raw is qemu-storage-daemon's. */
static const char *const formats[] = { "raw",  "qcow2", "vmdk",
				       "vhdx", "vdi",	"vpc" };
#define FORMATS "raw, qcow2, vmdk, vhdx, vdi or vpc"

void config_disk_clear(struct config_disk *disk)
{
	free(disk->path);
	free(disk->format);
	free(disk->overlay);
	memset(disk, 0, sizeof(*disk));
}

/* ---- one option -------------------------------------------------------------- */

static int take_ro(struct config_disk *disk, const char *value,
		   struct error **err)
{
	(void)err;
	(void)value;
	disk->read_only = true;
	return 0;
}

static int take_part(struct config_disk *disk, const char *value,
		     struct error **err)
{
	uint64_t n;

	if (!text_number(value, PART_MAX, &n) || !n)
		return error_set(err, 0, "part=%s is no partition: 1 to %d",
				 value, PART_MAX);
	disk->part = (unsigned int)n;
	return 0;
}

static int take_format(struct config_disk *disk, const char *value,
		       struct error **err)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(value, formats[i]))
			continue;
		free(disk->format);
		disk->format = need_copy(value, strlen(value));
		return 0;
	}
	return error_set(err, 0, "format=%s is none of " FORMATS, value);
}

static int take_overlay(struct config_disk *disk, const char *value,
			struct error **err)
{
	if (!*value)
		return error_set(err, 0,
				 "overlay= needs the path of the file that takes the changes");
	free(disk->overlay);
	disk->overlay = need_copy(value, strlen(value));
	return 0;
}

static int take_rate(uint64_t *rate, const char *name, const char *value,
		     struct error **err)
{
	if (text_size(value, 1, rate) && *rate && *rate <= RATE_MAX)
		return 0;
	return error_set(err, 0,
			 "%s=%s is no number per second from 1 on, maybe with K, M or G",
			 name, value);
}

static int take_iops(struct config_disk *disk, const char *value,
		     struct error **err)
{
	return take_rate(&disk->iops, "iops", value, err);
}

static int take_bps(struct config_disk *disk, const char *value,
		    struct error **err)
{
	return take_rate(&disk->bps, "bps", value, err);
}

static int take_cache(struct config_disk *disk, const char *value,
		      struct error **err)
{
	disk->direct = !strcmp(value, "none");
	if (disk->direct || !strcmp(value, "writeback"))
		return 0;
	return error_set(err, 0, "cache=%s is neither writeback nor none",
			 value);
}

static const struct disk_option {
	const char *name; /* with its '=' */
	int (*take)(struct config_disk *disk, const char *value,
		    struct error **err);
} options[] = {
	{ "ro", take_ro },	     { "part=", take_part },
	{ "format=", take_format },  { "overlay=", take_overlay },
	{ "iops=", take_iops },	     { "bps=", take_bps },
	{ "cache=", take_cache },
};

static int disk_option(struct config_disk *disk, const char *word,
		       struct error **err)
{
	size_t i, n;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		n = strlen(options[i].name);
		if (options[i].name[n - 1] == '=' ?
			    !strncmp(word, options[i].name, n) :
			    !strcmp(word, options[i].name))
			return options[i].take(disk, word + n, err);
	}
	return error_set(err, 0,
			 "unknown option '%s': ro, part=N, format=F, overlay=PATH, iops=N, bps=N and cache=none are; a path with a comma needs quotes",
			 word);
}

/* ---- the word ----------------------------------------------------------------- */

static int check_together(const struct config_disk *disk, struct error **err)
{
	bool raw = !disk->format || !strcmp(disk->format, "raw");

	if (disk->part && (!raw || disk->overlay))
		return error_set(err, 0,
				 "part= is for raw images without overlay alone: in others the guest finds the partitions itself");
	if (disk->direct && config_disk_is_url(disk))
		return error_set(err, 0,
				 "cache=none is for files and devices of this host: an NBD server has a cache of its own");
	return 0;
}

int config_parse_cobd(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value, struct error **err)
{
	struct config_disk disk = { 0 };
	char *option;
	int rc = 0;

	(void)key;
	disk.path = config_next_part(&value);
	if (!disk.path || !*disk.path)
		rc = error_set(err, 0, "no path given");
	while (!rc && (option = config_next_part(&value))) {
		rc = disk_option(&disk, option, err);
		free(option);
	}
	if (!rc)
		rc = check_together(&disk, err);
	if (!rc)
		rc = can_disk(&disk, err);
	if (rc) {
		config_disk_clear(&disk);
		return rc;
	}
	config_disk_clear(&c->disk[index]);
	c->disk[index] = disk;
	return 0;
}

/* ---- and back ------------------------------------------------------------------ */

void config_disk_text(const struct config_disk *disk, struct text *out)
{
	config_quote(out, disk->path);
	if (disk->read_only)
		text_format(out, ",ro");
	if (disk->part)
		text_format(out, ",part=%u", disk->part);
	if (disk->format)
		text_format(out, ",format=%s", disk->format);
	if (disk->overlay) {
		text_format(out, ",overlay=");
		config_quote(out, disk->overlay);
	}
	if (disk->iops)
		text_format(out, ",iops=%llu", (unsigned long long)disk->iops);
	if (disk->bps)
		text_format(out, ",bps=%llu", (unsigned long long)disk->bps);
	if (disk->direct)
		text_format(out, ",cache=none");
}

bool config_disk_is_url(const struct config_disk *disk)
{
	return !strncmp(disk->path, "nbd://", 6) ||
	       !strncmp(disk->path, "nbd+unix://", 11);
}
