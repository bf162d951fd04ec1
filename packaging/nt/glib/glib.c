// SPDX-License-Identifier: GPL-2.0
#include "glib.h"

#include <windows.h>
#include <ntsecapi.h> /* RtlGenRandom() */

#define TEXT_STEP 256u

/* ---- messages ---------------------------------------------------------------- */

static void say(const char *domain, const char *level, const char *format,
		va_list args)
{
	fprintf(stderr, "%s: %s: ", domain, level);
	__mingw_vfprintf(stderr, format, args);
	fputc('\n', stderr);
	fflush(stderr);
}

void glib_say(const char *domain, const char *level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(domain, level, format, args);
	va_end(args);
}

_Noreturn void glib_die(const char *domain, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(domain, "error", format, args);
	va_end(args);
	abort();
}

/* ---- memory ------------------------------------------------------------------ */

gpointer g_realloc(gpointer mem, size_t size)
{
	gpointer new;

	if (!size) {
		free(mem);
		return NULL;
	}
	new = realloc(mem, size);
	if (!new)
		g_error("no memory for %zu bytes", size);
	return new;
}

gpointer g_malloc(size_t size)
{
	return g_realloc(NULL, size);
}

gpointer g_malloc0(size_t size)
{
	gpointer mem = g_malloc(size);

	return mem ? memset(mem, 0, size) : NULL;
}

gpointer glib_array(size_t n, size_t size, bool clear)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all))
		g_error("no memory for %zu times %zu bytes", n, size);
	return clear ? g_malloc0(all) : g_malloc(all);
}

void g_free(gpointer mem)
{
	free(mem);
}

/* ---- text -------------------------------------------------------------------- */

gchar *g_strdup(const gchar *text)
{
	size_t size;

	if (!text)
		return NULL;
	size = strlen(text) + 1;
	return memcpy(g_malloc(size), text, size);
}

size_t g_strlcpy(gchar *to, const gchar *from, size_t room)
{
	size_t length = strlen(from);
	size_t n = length < room ? length : room - 1;

	if (room) {
		memcpy(to, from, n);
		to[n] = 0;
	}
	return length;
}

gchar *g_strstr_len(const gchar *hay, ptrdiff_t length, const gchar *needle)
{
	size_t n = strlen(needle);
	size_t i, room;

	room = length < 0 ? strlen(hay) : strnlen(hay, (size_t)length);
	for (i = 0; i + n <= room; i++)
		if (!memcmp(hay + i, needle, n))
			return (gchar *)hay + i;
	return NULL;
}

gboolean g_str_has_prefix(const gchar *text, const gchar *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

guint g_strv_length(GStrv list)
{
	guint n = 0;

	while (list[n])
		n++;
	return n;
}

void g_strfreev(GStrv list)
{
	size_t i;

	for (i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static void string_need(GString *s, size_t length)
{
	if (length < s->allocated_len)
		return;
	s->allocated_len = length + TEXT_STEP;
	s->str = g_realloc(s->str, s->allocated_len);
}

GString *g_string_new(const gchar *text)
{
	GString *s = g_new0(GString, 1);

	s->len = text ? strlen(text) : 0;
	string_need(s, s->len);
	memcpy(s->str, text ? text : "", s->len + 1);
	return s;
}

void g_string_append_printf(GString *s, const gchar *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = g_vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		g_error("cannot format '%s'", format);
	string_need(s, s->len + (size_t)n);
	va_start(args, format);
	g_vsnprintf(s->str + s->len, (size_t)n + 1, format, args);
	va_end(args);
	s->len += (size_t)n;
}

gchar *g_string_free(GString *s, gboolean with_text)
{
	gchar *text = s->str;

	free(s);
	if (!with_text)
		return text;
	free(text);
	return NULL;
}

static guint word_value(const gchar *word, size_t length, const GDebugKey *keys,
			guint n)
{
	bool all = length == 3 && !strncmp(word, "all", 3);
	guint value = 0;
	guint i;

	for (i = 0; i < n; i++)
		if (all || (strlen(keys[i].key) == length &&
			    !_strnicmp(keys[i].key, word, length)))
			value |= keys[i].value;
	return value;
}

guint g_parse_debug_string(const gchar *text, const GDebugKey *keys, guint n)
{
	static const char between[] = ":;, \t";
	guint value = 0;
	size_t length;

	for (; *text; text += length) {
		text += strspn(text, between);
		length = strcspn(text, between);
		value |= word_value(text, length, keys, n);
	}
	return value;
}

/* ---- random numbers ----------------------------------------------------------- */

struct GRand {
	char nothing; /* the system keeps the state */
};

GRand *g_rand_new(void)
{
	return g_new0(GRand, 1);
}

void g_rand_free(GRand *r)
{
	free(r);
}

int32_t g_rand_int_range(GRand *r, int32_t begin, int32_t end)
{
	uint32_t range = (uint32_t)end - (uint32_t)begin;
	uint32_t most = UINT32_MAX - UINT32_MAX % range;
	uint32_t number;

	(void)r;
	g_assert(begin < end);
	/* Beyond the last whole multiple some numbers would be likelier. */
	do {
		if (!RtlGenRandom(&number, sizeof(number)))
			g_error("the system gives no random number");
	} while (number >= most);
	return (int32_t)((uint32_t)begin + number % range);
}

/* ---- programs ------------------------------------------------------------------ */

static gboolean refuse(GError **err)
{
	*err = g_new0(GError, 1);
	(*err)->message = g_strdup("programs can't be started from here");
	return FALSE;
}

void g_error_free(GError *err)
{
	free(err->message);
	free(err);
}

gboolean g_shell_parse_argv(const gchar *line, gint *argc, gchar ***argv,
			    GError **err)
{
	(void)line;
	(void)argc;
	(void)argv;
	return refuse(err);
}

gboolean g_spawn_async_with_fds(const gchar *directory, gchar **argv,
				gchar **envp, GSpawnFlags flags,
				GSpawnChildSetupFunc setup, gpointer arg,
				GPid *pid, gint in, gint out, gint err_fd,
				GError **err)
{
	(void)directory;
	(void)argv;
	(void)envp;
	(void)flags;
	(void)setup;
	(void)arg;
	(void)pid;
	(void)in;
	(void)out;
	(void)err_fd;
	return refuse(err);
}
