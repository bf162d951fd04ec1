/* SPDX-License-Identifier: GPL-2.0 */
/* What is wrong is said on standard error, and counted. */
#ifndef CO_TESTS_WINE_CHECK_H
#define CO_TESTS_WINE_CHECK_H

#include <stdbool.h>

extern int failures;

bool check(bool good, const char *what, int line);
void check_number(long long is, long long wanted, int line);

#define CHECK(what)	  check(what, #what, __LINE__)
#define EQUAL(is, wanted) check_number((long long)(is), (long long)(wanted), __LINE__)

/* test_path.c */
void test_path(const char *folder);

/* test_tap.c */
void test_tap(const char *folder);

/* test_link.c */
void test_link(const char *folder);
/* Makes a link where the host may write nothing into files: "half" must not be there
 * afterwards. Says what fs_symlink() did on standard output, if it came back. */
void test_half_link(const char *folder);

#endif
