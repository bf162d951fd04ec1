/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What libslirp 4.7.0 uses of glib, for Windows, where glib would bring ten
 * libraries along. Names, arguments and results are glib's (its reference manual);
 * what libslirp doesn't use isn't here. Memory that can't be had ends the program,
 * as in glib. Threads: a GRand or GString belongs to one at a time.
 */
#ifndef CO_PACKAGING_NT_GLIB_H
#define CO_PACKAGING_NT_GLIB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef char gchar;
typedef int gint;
typedef unsigned int guint;
typedef int gboolean;
typedef void *gpointer;
typedef gchar **GStrv;

#define FALSE 0
#define TRUE  1

#define G_OS_WIN32	     1
#define GLIB_SIZEOF_VOID_P   8
#define G_LITTLE_ENDIAN	     1234
#define G_BIG_ENDIAN	     4321
#define G_BYTE_ORDER	     G_LITTLE_ENDIAN

#define GUINT16_FROM_BE(n) __builtin_bswap16(n)
#define GUINT16_TO_BE(n)   __builtin_bswap16(n)
#define GINT16_FROM_BE(n)  ((int16_t)__builtin_bswap16((uint16_t)(n)))
#define GINT16_TO_BE(n)	   ((int16_t)__builtin_bswap16((uint16_t)(n)))
#define GUINT32_FROM_BE(n) __builtin_bswap32(n)
#define GUINT32_TO_BE(n)   __builtin_bswap32(n)
#define GINT32_FROM_BE(n)  ((int32_t)__builtin_bswap32((uint32_t)(n)))
#define GINT32_TO_BE(n)	   ((int32_t)__builtin_bswap32((uint32_t)(n)))

/* libslirp asks for 2.58, below which it brings a replacement of its own. */
#define GLIB_CHECK_VERSION(major, minor, micro) ((major) == 2 && (minor) <= 58)

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define G_N_ELEMENTS(array)	       (sizeof(array) / sizeof((array)[0]))
#define G_SIZEOF_MEMBER(type, member)  sizeof(((type *)0)->member)
#define G_STATIC_ASSERT(condition)     _Static_assert(condition, #condition)
#define G_UNLIKELY(condition)	       __builtin_expect(!!(condition), 0)
#define G_GNUC_PRINTF(text, first) \
	__attribute__((format(gnu_printf, text, first)))

/* ---- messages, to stderr; an error ends the program -------------------------- */

#ifndef G_LOG_DOMAIN
#define G_LOG_DOMAIN ""
#endif

void glib_say(const char *domain, const char *level, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
_Noreturn void glib_die(const char *domain, const char *format, ...)
	G_GNUC_PRINTF(2, 3);

#define g_debug(...)	glib_say(G_LOG_DOMAIN, "debug", __VA_ARGS__)
#define g_warning(...)	glib_say(G_LOG_DOMAIN, "warning", __VA_ARGS__)
#define g_critical(...) glib_say(G_LOG_DOMAIN, "critical", __VA_ARGS__)
#define g_error(...)	glib_die(G_LOG_DOMAIN, __VA_ARGS__)

#define g_assert(condition)                                               \
	((condition) ? (void)0 :                                          \
		       glib_die(G_LOG_DOMAIN, "%s:%d: not so: %s",        \
				__FILE__, __LINE__, #condition))
#define g_assert_not_reached() \
	glib_die(G_LOG_DOMAIN, "%s:%d: reached", __FILE__, __LINE__)
#define g_warn_if_fail(condition)                                         \
	((condition) ? (void)0 :                                          \
		       g_warning("%s:%d: not so: %s", __FILE__, __LINE__, \
				 #condition))
#define g_warn_if_reached() g_warning("%s:%d: reached", __FILE__, __LINE__)
#define g_return_if_fail(condition)                                           \
	do {                                                                  \
		if (!(condition)) {                                           \
			g_critical("%s: not so: %s", __func__, #condition);   \
			return;                                               \
		}                                                             \
	} while (0)
#define g_return_val_if_fail(condition, value)                                \
	do {                                                                  \
		if (!(condition)) {                                           \
			g_critical("%s: not so: %s", __func__, #condition);   \
			return value;                                         \
		}                                                             \
	} while (0)

/* ---- memory ------------------------------------------------------------------ */

/* 0 bytes: NULL, which all of them take. */
gpointer g_malloc(size_t size);
gpointer g_malloc0(size_t size);
gpointer g_realloc(gpointer mem, size_t size);
void g_free(gpointer mem);

#define g_new(type, n)	((type *)glib_array(n, sizeof(type), false))
#define g_new0(type, n) ((type *)glib_array(n, sizeof(type), true))
gpointer glib_array(size_t n, size_t size, bool clear);

/* ---- text -------------------------------------------------------------------- */

gchar *g_strdup(const gchar *text); /* NULL: NULL */
size_t g_strlcpy(gchar *to, const gchar *from, size_t room);
gchar *g_strstr_len(const gchar *hay, ptrdiff_t length, const gchar *needle);
gboolean g_str_has_prefix(const gchar *text, const gchar *prefix);
guint g_strv_length(GStrv list);
void g_strfreev(GStrv list);

#define g_strerror strerror
#define g_getenv   getenv
/* mingw's own, which count as C99 says, unlike msvcrt's. */
#define g_snprintf  __mingw_snprintf
#define g_vsnprintf __mingw_vsnprintf

typedef struct {
	gchar *str;
	size_t len, allocated_len;
} GString;

GString *g_string_new(const gchar *text);
void g_string_append_printf(GString *s, const gchar *format, ...)
	G_GNUC_PRINTF(2, 3);
gchar *g_string_free(GString *s, gboolean with_text);

typedef struct {
	const gchar *key;
	guint value;
} GDebugKey;

/* The values of the words, which stand between any of ":;, \t"; "all": of all. */
guint g_parse_debug_string(const gchar *text, const GDebugKey *keys, guint n);

/* ---- random numbers, the system's --------------------------------------------- */

typedef struct GRand GRand;

GRand *g_rand_new(void);
void g_rand_free(GRand *r);
/* begin <= number < end */
int32_t g_rand_int_range(GRand *r, int32_t begin, int32_t end);

/* ---- programs: refused --------------------------------------------------------- */

typedef struct {
	int code;
	gchar *message;
} GError;
typedef void *GPid;
typedef void (*GSpawnChildSetupFunc)(gpointer arg);
typedef enum { G_SPAWN_SEARCH_PATH = 4 } GSpawnFlags;

void g_error_free(GError *err);
/* libslirp starts a program only for slirp_add_exec(), of which nobody here makes
 * use: an error, always. */
gboolean g_shell_parse_argv(const gchar *line, gint *argc, gchar ***argv,
			    GError **err);
gboolean g_spawn_async_with_fds(const gchar *directory, gchar **argv,
				gchar **envp, GSpawnFlags flags,
				GSpawnChildSetupFunc setup, gpointer arg,
				GPid *pid, gint in, gint out, gint err_fd,
				GError **err);

#endif
