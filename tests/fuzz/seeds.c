// SPDX-License-Identifier: GPL-2.0
/*
 * Writes images that load, or nearly, into the folder named by the argument:
 * where the fuzzer starts from. Made, not kept, so that they follow the ABI's
 * version.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/unit.h"

static const char *folder;

static void seed(const char *name, const struct image *image)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "wb");
	if (!f || fwrite(image, sizeof(*image), 1, f) != 1 || fclose(f)) {
		perror(path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct image image;

	if (argc != 2) {
		fprintf(stderr, "usage: seeds FOLDER\n");
		return 1;
	}
	folder = argv[1];
	image_init(&image);
	seed("linux", &image);
	image.data[sizeof(image.data) - 1] = 0;
	seed("four-levels", &image);
	image.header.e_type = ET_DYN;
	image.header.e_entry = LINK_VA;
	seed("virtual-entry", &image);
	image.segment[SEG_PERCPU].p_type = PT_NULL;
	image.segment[SEG_DATA].p_type = PT_NULL;
	seed("one-segment", &image);
	image.notes.note.abi_version++;
	seed("later-version", &image);
	return 0;
}
