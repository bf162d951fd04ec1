// SPDX-License-Identifier: GPL-2.0
/*
 * A fuzzer's target without the fuzzer, which Windows hasn't: each file of a folder.
 *
 *	replay FOLDER
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void fail(const char *path)
{
	perror(path);
	exit(1);
}

/* In memory of exactly its size, as the fuzzer has it. */
static void replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	long size = f && !fseek(f, 0, SEEK_END) ? ftell(f) : -1;
	unsigned char *data = size >= 0 ? malloc((size_t)size + 1) : NULL;

	if (!data)
		fail(path);
	rewind(f);
	if (fread(data, 1, (size_t)size, f) != (size_t)size)
		fail(path);
	fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	unsigned int n = 0;
	char path[512];

	if (!folder)
		fail(argc == 2 ? argv[1] : "usage: replay FOLDER");
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	while ((entry = readdir(folder))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		replay(path);
		n++;
	}
	closedir(folder);
	printf("%u inputs\n", n);
	return n ? 0 : 1;
}
