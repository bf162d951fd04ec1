/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs take for granted of a C library and mingw-w64's lacks; it comes
 * before all else (-include). posix.c also has the library's functions that take a
 * path: paths are UTF-8 here, as everywhere in the programs.
 */
#ifndef CO_NT_POSIX_H
#define CO_NT_POSIX_H

#define _POSIX_THREAD_SAFE_FUNCTIONS /* localtime_r() */
#include <errno.h>
#include <fcntl.h>

/* Descriptors are never inherited unless asked for, and never text. */
#define O_CLOEXEC  _O_NOINHERIT
#define O_NONBLOCK 0
#define O_NOCTTY   0

/* Errors without a number in Microsoft's library: above all of its own. */
#define ESTALE	  1116
#define EUCLEAN	  1117
#define EREMOTEIO 1121
#define EDQUOT	  1122
#define ENOTUNIQ  1076

char *strsignal(int number);
char *strndup(const char *s, unsigned long long n);

/* main() gets UTF-8: main.c has the one that the loader calls. */
int utf8_main(int argc, char **argv);
#define main utf8_main

#endif
