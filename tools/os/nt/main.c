// SPDX-License-Identifier: GPL-2.0
/* The loader's main(): words of the command line are UTF-16, ours UTF-8. */
#include <stdlib.h>
#include <windows.h>
#include <shellapi.h>

#include "../../lib/text.h"
#include "wide.h"

#undef main

int main(void)
{
	int argc = 0, i;
	wchar_t **words = CommandLineToArgvW(GetCommandLineW(), &argc);
	char **argv;

	if (!words)
		return 1;
	argv = need(((size_t)argc + 1) * sizeof(*argv));
	for (i = 0; i < argc; i++)
		argv[i] = narrow(words[i]);
	LocalFree(words);
	return utf8_main(argc, argv);
}
