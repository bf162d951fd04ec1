/* SPDX-License-Identifier: GPL-2.0 */
/* Behind tools/os/nt/posix.h: a test's main() is its own, without arguments. */
#undef main
