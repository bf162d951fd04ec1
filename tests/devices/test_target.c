/* SPDX-License-Identifier: GPL-2.0 */
/* Targets of symbolic links as Windows keeps them, well formed and not. Each buffer is
 * memory of just its length, so that the sanitizer sees a byte too far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/os/nt/share_target.h"

#define HEAD "!<symlink>"
#define MARK "\xff\xfe"

static char target[FS_TARGET_MAX + 1];

static int parse(int (*how)(const uint8_t *, size_t, char *), const void *data,
		 size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	char *room = malloc(FS_TARGET_MAX + 1);
	int rc;

	assert_non_null(copy);
	assert_non_null(room);
	if (n)
		memcpy(copy, data, n);
	rc = how(copy, n, room);
	*target = 0;
	if (rc > 0) {
		assert_in_range(rc, 1, FS_TARGET_MAX);
		assert_int_equal(strlen(room), rc);
		strcpy(target, room);
	}
	free(room);
	free(copy);
	return rc;
}

/* ---- Cygwin's files --------------------------------------------------------- */

static int file(const void *data, size_t n)
{
	return parse(target_of_file, data, n);
}

#define FILE_OF(text) file(text, sizeof(text) - 1)

static void check_there_and_back(const char *text)
{
	uint8_t *data = malloc(TARGET_FILE_MAX);
	size_t n;

	assert_non_null(data);
	n = target_to_file(text, data);
	assert_in_range(n, TARGET_HEAD + 4, TARGET_FILE_MAX);
	assert_int_equal(file(data, n), strlen(text));
	assert_string_equal(target, text);
	free(data);
}

static void test_exact(void **state)
{
	static const char *const targets[] = {
		"a", "../x/y", "/", "/etc/passwd", "a\\b:c|d*e?f\"<>", ".", "..", " ",
		"\xc3\xa4\xe2\x82\xac", "\xf0\x9f\x90\xa7", /* 2, 3 and 4 bytes */
		"\xf4\x8f\xbf\xbf", "\xef\xbf\xbf", "\x01\x7f",
		"\xff", "x\x80\xfey", "\xc3", "\xe2\x82", "\xf0\x9f\x90", /* not UTF-8 */
		"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", /* too long for it */
		"\xed\xa0\x80\xed\xb0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
		"\xef\x80\x80", "\xef\x80\xaf", "\xef\x82\x80", "\xef\x83\xbf", /* U+F000.. */
		"\xef\x84\x80", "\xee\xbf\xbf", "\xef\xbb\xbf", "!<symlink>",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		check_there_and_back(targets[i]);
}

static void test_any_bytes(void **state)
{
	char text[FS_TARGET_MAX + 1];
	unsigned int seed = 1, n, i, turn;

	(void)state;
	for (turn = 0; turn < 2000; turn++) {
		n = turn % 100 ? 1 + turn % 40 : FS_TARGET_MAX;
		for (i = 0; i < n; i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = (char)(seed >> 16 & 0xff ? seed >> 16 : 1);
		}
		text[n] = 0;
		check_there_and_back(text);
	}
	memset(text, 0xff, FS_TARGET_MAX);
	check_there_and_back(text);
}

static void test_as_cygwin(void **state)
{
	static const char file_of[] = HEAD MARK "a\0/\0\xe4\0\x3d\xd8\x27\xdc\0"; /* and a NUL */
	uint8_t data[TARGET_FILE_MAX];

	(void)state;
	assert_int_equal(target_to_file("a/\xc3\xa4\xf0\x9f\x90\xa7", data),
			 sizeof(file_of));
	assert_memory_equal(data, file_of, sizeof(file_of));
	/* A byte that is no UTF-8. */
	assert_int_equal(target_to_file("\xff", data), 16);
	assert_memory_equal(data + 12, "\xff\xf0\0\0", 4);
	/* Its form of old, and characters that Windows doesn't allow in names. */
	assert_int_equal(FILE_OF(HEAD "old/\xff\0"), 5);
	assert_string_equal(target, "old/\xff");
	assert_int_equal(FILE_OF(HEAD MARK "x\0\x3a\xf0\0\0"), 2);
	assert_string_equal(target, "x:");
	assert_int_equal(FILE_OF(HEAD MARK "x\0\0\0behind"), 1);
	/* Half a pair, and U+F000, which is no byte. */
	assert_int_equal(FILE_OF(HEAD MARK "\x3d\xd8x\0\x27\xdc\0\0"), 7);
	assert_string_equal(target, "\xef\xbf\xbdx\xef\xbf\xbd");
	assert_int_equal(FILE_OF(HEAD MARK "\0\xf0\0\0"), 3);
	assert_string_equal(target, "\xef\x80\x80");
}

static void test_no_file(void **state)
{
	static const char whole[] = HEAD MARK "a\0b\0\0"; /* and a NUL */
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(whole); n++)
		assert_int_equal(file(whole, n), -EINVAL);
	assert_int_equal(file(whole, sizeof(whole)), 2);
	assert_int_equal(FILE_OF(HEAD "\0"), -EINVAL);
	assert_int_equal(FILE_OF(HEAD "\0\0"), -EINVAL);
	assert_int_equal(FILE_OF(HEAD "half"), -EINVAL);
	assert_int_equal(FILE_OF(HEAD MARK "\0\0"), -EINVAL);
	assert_int_equal(FILE_OF(HEAD MARK "a\0\0"), -EINVAL);
	assert_int_equal(FILE_OF(HEAD "\xff\0"), 1); /* no mark */
	assert_int_equal(FILE_OF("!<symlinK>a\0\0"), -EINVAL);
	assert_int_equal(FILE_OF("!<socket >a\0\0"), -EINVAL);
}

static void test_long_file(void **state)
{
	static uint8_t data[TARGET_FILE_MAX + 2];
	size_t i;

	(void)state;
	memcpy(data, HEAD MARK, 12);
	for (i = 12; i < sizeof(data); i += 2)
		data[i] = 'x';
	data[12 + 2 * FS_TARGET_MAX] = 0;
	assert_int_equal(file(data, sizeof(data)), FS_TARGET_MAX);
	data[12] = 0xe4; /* two bytes in UTF-8 */
	assert_int_equal(file(data, sizeof(data)), -EINVAL);
	data[12] = 'x';
	data[12 + 2 * FS_TARGET_MAX] = 'x';
	assert_int_equal(file(data, sizeof(data)), -EINVAL);
	memset(data + 10, 'x', sizeof(data) - 10);
	data[10 + FS_TARGET_MAX] = 0;
	assert_int_equal(file(data, sizeof(data)), FS_TARGET_MAX);
	data[10 + FS_TARGET_MAX] = 'x';
	data[11 + FS_TARGET_MAX] = 0;
	assert_int_equal(file(data, sizeof(data)), -EINVAL);
}

/* ---- reparse points --------------------------------------------------------- */

static int reparse(const void *data, size_t n)
{
	return parse(target_of_reparse, data, n);
}

#define REPARSE(text) reparse(text, sizeof(text) - 1)
#define WSL	 "\x1d\0\0\xa0"
#define WINDOWS	 "\x0c\0\0\xa0"
#define JUNCTION "\x03\0\0\xa0"

static void test_wsl(void **state)
{
	static const char whole[] = WSL "\x09\0\0\0\2\0\0\0a/\xff\xc3\xa4";
	size_t n;

	(void)state;
	assert_int_equal(REPARSE(whole), 5);
	assert_string_equal(target, "a/\xff\xc3\xa4");
	for (n = 0; n < sizeof(whole) - 1; n++)
		assert_int_equal(reparse(whole, n), -EINVAL);
	assert_int_equal(reparse(whole, sizeof(whole)), 5); /* more than its length */
	assert_int_equal(REPARSE(WSL "\x04\0\0\0\2\0\0\0"), -EINVAL);
	assert_int_equal(REPARSE(WSL "\x03\0\0\0\2\0\0\0"), -EINVAL);
	assert_int_equal(REPARSE(WSL "\0\0\0\0"), -EINVAL);
	assert_int_equal(REPARSE(WSL "\x05\0\0\0\1\0\0\0a"), -EINVAL);
	assert_int_equal(REPARSE(WSL "\x07\0\0\0\2\0\0\0a\0b"), -EINVAL);
	assert_int_equal(REPARSE(WSL "\xff\xff\0\0\2\0\0\0abc"), -EINVAL);
}

/* A link of Windows' with "b\c" at `at` of its names, and a print name before. */
static size_t make_windows(uint8_t *to, unsigned int at, unsigned int length,
			   unsigned int flags)
{
	static const uint8_t names[] = "p\0b\0\\\0c\0";

	memcpy(to, WINDOWS "\x14\0\0\0\0\0\0\0\0\0\2\0\0\0\0\0", 20);
	to[8] = (uint8_t)at;
	to[9] = (uint8_t)(at >> 8);
	to[10] = (uint8_t)length;
	to[11] = (uint8_t)(length >> 8);
	to[16] = (uint8_t)flags;
	memcpy(to + 20, names, 8);
	return 28;
}

static void test_windows(void **state)
{
	uint8_t data[32];
	size_t n = make_windows(data, 2, 6, 1), i;

	(void)state;
	assert_int_equal(reparse(data, n), 3);
	assert_string_equal(target, "b/c");
	for (i = 0; i < n; i++)
		assert_int_equal(reparse(data, i), -EINVAL);
	assert_int_equal(reparse(data, make_windows(data, 2, 6, 0)), -EINVAL);
	assert_int_equal(reparse(data, make_windows(data, 4, 4, 1)), -EINVAL);
	assert_int_equal(reparse(data, make_windows(data, 0, 8, 1)), 4);
	assert_int_equal(reparse(data, make_windows(data, 0, 10, 1)), -EINVAL);
	assert_int_equal(reparse(data, make_windows(data, 2, 8, 1)), -EINVAL);
	assert_int_equal(reparse(data, make_windows(data, 2, 5, 1)), -EINVAL);
	assert_int_equal(reparse(data, make_windows(data, 2, 0, 1)), -EINVAL);
	assert_int_equal(reparse(data, make_windows(data, 65534, 6, 1)), -EINVAL);
	assert_int_equal(reparse(data, make_windows(data, 2, 65534, 1)), -EINVAL);
	assert_int_equal(reparse(data, make_windows(data, 65535, 65535, 1)), -EINVAL);
	n = make_windows(data, 2, 6, 1);
	data[4] = 11; /* shorter than the places of the names */
	assert_int_equal(reparse(data, n), -EINVAL);
	data[4] = 19;
	assert_int_equal(reparse(data, n), -EINVAL);
	data[4] = 20;
	data[5] = 0xff;
	assert_int_equal(reparse(data, n), -EINVAL);
	/* A name that has a NUL, one that was moved, and bytes that Cygwin moves. */
	n = make_windows(data, 2, 6, 1);
	data[22] = 0;
	assert_int_equal(reparse(data, n), -EINVAL);
	data[22] = 0x3a;
	data[23] = 0xf0;
	data[26] = 0x80;
	data[27] = 0xf0;
	assert_int_equal(reparse(data, n), 5);
	assert_string_equal(target, ":/\xef\x82\x80");
}

static void test_other_tags(void **state)
{
	(void)state;
	assert_int_equal(REPARSE(JUNCTION "\x0c\0\0\0\0\0\2\0\4\0\0\0x\0\0\0"), -EINVAL);
	assert_int_equal(REPARSE("\x1a\x90\0\x90\4\0\0\0aaaa"), -EINVAL);
	assert_int_equal(REPARSE("\x14\0\0\x80\4\0\0\0aaaa"), -EINVAL);
}

static void test_long_reparse(void **state)
{
	static uint8_t data[16384];
	size_t n;

	(void)state;
	memset(data, 'x', sizeof(data));
	memcpy(data, WSL "\0\0\0\0\2\0\0", 12);
	for (n = FS_TARGET_MAX; n <= FS_TARGET_MAX + 1; n++) {
		data[4] = (uint8_t)(n + 4);
		data[5] = (uint8_t)((n + 4) >> 8);
		assert_int_equal(reparse(data, sizeof(data)),
				 n == FS_TARGET_MAX ? FS_TARGET_MAX : -EINVAL);
	}
	memset(data, 0x20, sizeof(data)); /* U+2020: 3 bytes each */
	make_windows(data, 0, 1365 * 2, 1);
	memset(data + 20, 0x20, 8);
	data[4] = 0;
	data[5] = 0x20;
	assert_int_equal(reparse(data, sizeof(data)), FS_TARGET_MAX);
	data[10] = (uint8_t)(1366 * 2);
	data[11] = (uint8_t)(1366 * 2 >> 8);
	assert_int_equal(reparse(data, sizeof(data)), -EINVAL);
}

/* Whatever a disk says, nothing is read or written where it shouldn't be. */
static void test_garbage(void **state)
{
	static const char *const begin[] = { HEAD MARK, HEAD, WSL, WINDOWS };
	static const size_t length[] = { 12, 10, 4, 4 };
	uint8_t data[96];
	unsigned int seed = 7, turn, i, k;

	(void)state;
	for (turn = 0; turn < 20000; turn++) {
		k = turn % 4;
		for (i = 0; i < sizeof(data); i++) {
			seed = seed * 1103515245 + 12345;
			data[i] = (uint8_t)(seed >> 16);
		}
		memcpy(data, begin[k], length[k]);
		if (k > 1) { /* numbers of a likely size, for all that are looked at */
			data[5] = 0;
			data[4] %= 100;
			memset(data + 8, 0, 12);
			data[8] = k == 2 ? 2 : (uint8_t)(seed >> 8 & 0x7f);
			data[10] = k == 2 ? 0 : (uint8_t)(seed >> 4 & 0x7f);
			data[16] = 1;
		}
		file(data, turn / 4 % (sizeof(data) + 1));
		reparse(data, turn / 4 % (sizeof(data) + 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_as_cygwin),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_long_file),
		cmocka_unit_test(test_wsl),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_other_tags),
		cmocka_unit_test(test_long_reparse),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests_name("targets of links", tests, NULL, NULL);
}
