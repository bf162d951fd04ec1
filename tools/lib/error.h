/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Errors of the programs carry their context outward: the function where the
 * trouble is born says what and why, each caller that knows more wraps it:
 *
 *	cannot start debian: cobd0: /x.img: locked by process 41
 *
 * A function that can fail takes `struct error **err` as its last argument; NULL
 * in *err is success. Nobody prints but main(), which ends with status 1.
 */
#ifndef CO_TOOLS_ERROR_H
#define CO_TOOLS_ERROR_H

struct error {
	int code; /* an errno, or 0 */
	char text[];
};

/* Sets *err (which must be NULL) to the formatted text; with an errno other than
 * 0 ": " and its meaning are appended. Returns -1, so that it can be returned. */
int error_set(struct error **err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before *err's text. Returns -1. */
int error_wrap(struct error **err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void error_free(struct error **err); /* and sets it to NULL */

#endif
