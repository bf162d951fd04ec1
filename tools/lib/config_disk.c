// SPDX-License-Identifier: GPL-2.0
/* Block devices in the configuration: cobdN=. */
#include "config_keys.h"

#include <stdlib.h>
#include <string.h>

static int disk_option(struct config_disk *disk, const char *option,
		       struct error **err)
{
	if (strcmp(option, "ro"))
		return error_set(err, 0,
				 "unknown option '%s': PATH[,ro]; a path with a comma needs quotes",
				 option);
	disk->read_only = true;
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
	if (rc) {
		free(disk.path);
		return rc;
	}
	free(c->disk[index].path);
	c->disk[index] = disk;
	return 0;
}
