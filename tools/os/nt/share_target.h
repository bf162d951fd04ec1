/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Targets of symbolic links, as files of Windows keep them. Bytes only, nothing of an
 * operating system: the tests run it on Linux, too.
 *
 * Of our own making is Cygwin's and MSYS2's file: "!<symlink>", a byte order mark,
 * UTF-16, and a NUL. What isn't UTF-8 in a target goes byte by byte to U+F080 and
 * up, as Cygwin does it; and so do the bytes of U+F000 to U+F0FF themselves. So
 * each target comes back as it was.
 */
#ifndef CO_NT_SHARE_TARGET_H
#define CO_NT_SHARE_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "../share.h"

#define TARGET_HEAD 10 /* "!<symlink>" */
/* Bytes of the longest such file: one unit of UTF-16 for each byte, at most. */
#define TARGET_FILE_MAX (TARGET_HEAD + 2 + 2 * FS_TARGET_MAX + 2)

/* The file's content; its bytes. `target` is NUL-terminated and has FS_TARGET_MAX
 * bytes at most, `file` has room for TARGET_FILE_MAX. */
size_t target_to_file(const char *target, uint8_t *file);

/* The target's bytes, 1 to FS_TARGET_MAX; `target` has room for a NUL behind them.
 * -EINVAL: these n bytes are no link, or one that can't be told. Of a file with the
 * attribute "system": what is above, and Cygwin's older form, bytes without a mark. */
int target_of_file(const uint8_t *file, size_t n, char *target);

/* What FSCTL_GET_REPARSE_POINT gives: WSL's links, and Windows' own if they're
 * relative, with slashes then. Others are no links for a guest, which has no drives. */
#define TARGET_TAG_WINDOWS 0xa000000cu
#define TARGET_TAG_WSL	   0xa000001du
int target_of_reparse(const uint8_t *data, size_t n, char *target);

#endif
