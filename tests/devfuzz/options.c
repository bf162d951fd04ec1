// SPDX-License-Identifier: GPL-2.0
/*
 * A script makes and frees few things: a small quarantine holds all of them, and
 * a large one would only go through fresh memory.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8:thread_local_quarantine_size_kb=256:malloc_context_size=8";
}
