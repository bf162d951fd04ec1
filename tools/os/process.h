/* SPDX-License-Identifier: GPL-2.0 */
/* This process: how a program of ours begins, and what the host gives it. */
#ifndef CO_TOOLS_OS_PROCESS_H
#define CO_TOOLS_OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#ifndef PROGRAM_SUFFIX /* of the makefile */
#define PROGRAM_SUFFIX ""
#endif

/* Comes first in main(): a reader that goes away is an error of write(), and what
 * this process makes is for its user alone. */
void process_begin(void);
/* The path of this program; NULL: not known. Caller frees. */
char *process_path(void);
/* "NAME=VALUE" and so on, NULL behind the last; UTF-8. */
char **process_environment(void);
/* False: the host has no random numbers yet. */
bool random_bytes(void *data, size_t n);
/* A descriptor that was inherited by this number; -1: there is none. */
int inherited_descriptor(int number);

/* The daemon's file, which lies beside the other programs. */
#define DAEMON_PROGRAM "colinux-daemon" PROGRAM_SUFFIX

#endif
