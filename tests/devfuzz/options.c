// SPDX-License-Identifier: GPL-2.0
/*
 * An input makes and frees few things: a small quarantine holds all of them, and
 * a large one would only go through fresh memory. Where something was allocated is
 * told by the same input with ASAN_OPTIONS=malloc_context_size=00.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8:thread_local_quarantine_size_kb=256:malloc_context_size=3";
}
