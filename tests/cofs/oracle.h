/* SPDX-License-Identifier: GPL-2.0 */
/* Between the random operations (test_oracle.c) and the look at what became of them
 * (oracle_compare.c). */
#ifndef CO_TESTS_ORACLE_H
#define CO_TESTS_ORACLE_H

#define FILE_MAX 70000

extern char mine[80], theirs[80]; /* by system calls; by the server */

/* Ends the test with what differs, unless a == b. */
void same(const char *what, const char *path, long a, long b);
/* The number of entries below ("" is the whole tree); both sides have the same. */
unsigned int compare(const char *path);

#endif
