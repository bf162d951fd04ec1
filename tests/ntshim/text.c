// SPDX-License-Identifier: GPL-2.0
/* Text and memory functions that drivers import, and the debugger's output. */
#include <linux/ctype.h>
#include <linux/string.h>
#include "shim.h"

/* ---- a printf whose arguments come as Windows passes them --------------------------- */

struct out {
	char *text;
	size_t room, length; /* the length that it would have */
};

static void put(struct out *o, char c)
{
	if (o->length < o->room)
		o->text[o->length] = c;
	o->length++;
}

struct spec {
	bool left, zero, wide;
	int width, precision, longs;
};

static void put_padded(struct out *o, const struct spec *s, const char *text,
		       int length)
{
	int i;

	for (i = length; !s->left && i < s->width; i++)
		put(o, s->zero ? '0' : ' ');
	for (i = 0; i < length; i++)
		put(o, text[i]);
	for (i = length; s->left && i < s->width; i++)
		put(o, ' ');
}

static void put_number(struct out *o, const struct spec *s, char kind, u64 value)
{
	char text[24];
	int n;

	if (kind == 'd' || kind == 'i')
		n = snprintf(text, sizeof(text), "%lld", (s64)value);
	else if (kind == 'u')
		n = snprintf(text, sizeof(text), "%llu", value);
	else
		n = snprintf(text, sizeof(text), kind == 'X' ? "%llX" : "%llx", value);
	put_padded(o, s, text, n);
}

static void put_wide(struct out *o, const u16 *text, size_t n)
{
	size_t i;

	for (i = 0; i < n && text[i]; i++)
		put(o, text[i] < 0x7f ? text[i] : '?');
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
	if (!text)
		text = "(null)";
	put_padded(o, s, text, s->precision < 0 ? strlen(text) :
						  strnlen(text, s->precision));
}

static const char *read_number(const char *p, int *value,
			       __builtin_ms_va_list *args)
{
	if (*p == '*') {
		*value = __builtin_va_arg(*args, int);
		return p + 1;
	}
	for (*value = 0; isdigit(*p); p++)
		*value = *value * 10 + *p - '0';
	return p;
}

static const char *read_spec(const char *p, struct spec *s,
			     __builtin_ms_va_list *args)
{
	*s = (struct spec){ .precision = -1 };
	for (; *p == '-' || *p == '0' || *p == '#'; p++) {
		s->left |= *p == '-';
		s->zero |= *p == '0';
	}
	p = read_number(p, &s->width, args);
	if (*p == '.')
		p = read_number(p + 1, &s->precision, args);
	if (!strncmp(p, "I64", 3)) {
		s->longs = 2;
		p += 3;
	}
	for (; *p == 'l' || *p == 'h' || *p == 'w' || *p == 'z'; p++) {
		s->longs += *p == 'l' ? 1 : *p == 'z' ? 2 : 0;
		s->wide |= *p == 'w' || *p == 'l';
	}
	return p;
}

static u64 integer(const struct spec *s, char kind, __builtin_ms_va_list *args)
{
	u64 value = __builtin_va_arg(*args, u64); /* each has 8 bytes */

	if (s->longs >= 2)
		return value;
	return kind == 'd' || kind == 'i' ? (u64)(s64)(s32)value : (u32)value;
}

static void put_spec(struct out *o, const struct spec *s, char kind,
		     __builtin_ms_va_list *args)
{
	const struct nt_string *counted;

	switch (kind) {
	case 'd': case 'i': case 'u': case 'x': case 'X':
		put_number(o, s, kind, integer(s, kind, args));
		break;
	case 'p':
		put_number(o, s, 'x', __builtin_va_arg(*args, u64));
		break;
	case 'c':
		put(o, __builtin_va_arg(*args, int));
		break;
	case 'S':
		put_wide(o, __builtin_va_arg(*args, u16 *), SIZE_MAX);
		break;
	case 's':
		if (s->wide)
			put_wide(o, __builtin_va_arg(*args, u16 *), SIZE_MAX);
		else
			put_string(o, s, __builtin_va_arg(*args, char *));
		break;
	case 'Z':
		counted = __builtin_va_arg(*args, struct nt_string *);
		if (s->wide)
			put_wide(o, counted->text, counted->length / 2);
		break;
	default:
		put(o, kind);
	}
}

/* The length that it has, or would have. No NUL where there is no room. */
static size_t format_to(char *out, size_t room, const char *format,
			__builtin_ms_va_list args)
{
	struct out o = { out, room, 0 };
	struct spec s;

	for (; *format; format++) {
		if (*format != '%') {
			put(&o, *format);
			continue;
		}
		format = read_spec(format + 1, &s, &args);
		if (!*format)
			break;
		put_spec(&o, &s, *format, &args);
	}
	if (o.length < room)
		out[o.length] = 0;
	return o.length;
}

static NT int nt_vsnprintf(char *out, size_t room, const char *format,
			   __builtin_ms_va_list args)
{
	size_t n = format_to(out, room, format, args);

	return n > room ? -1 : n;
}

static NT int nt_snprintf(char *out, size_t room, const char *format, ...)
{
	__builtin_ms_va_list args;
	size_t n;

	__builtin_ms_va_start(args, format);
	n = format_to(out, room, format, args);
	__builtin_ms_va_end(args);
	return n > room ? -1 : n;
}

static void debug_line(const char *format, __builtin_ms_va_list args)
{
	char line[256];
	size_t n = format_to(line, sizeof(line) - 1, format, args);

	n = min(n, sizeof(line) - 2);
	while (n && line[n - 1] == '\n')
		n--;
	line[n] = 0;
	pr_info("nt: %s\n", line);
}

static NT u32 DbgPrint(const char *format, ...)
{
	__builtin_ms_va_list args;

	__builtin_ms_va_start(args, format);
	debug_line(format, args);
	__builtin_ms_va_end(args);
	return NT_OK;
}

static NT u32 DbgPrintEx(u32 component, u32 level, const char *format, ...)
{
	__builtin_ms_va_list args;

	__builtin_ms_va_start(args, format);
	debug_line(format, args);
	__builtin_ms_va_end(args);
	return NT_OK;
}

/* ---- strings and memory ---------------------------------------------------------------- */

bool nt_equal(const struct nt_string *string, const char *text)
{
	size_t i;

	if (string->length != 2 * strlen(text))
		return false;
	for (i = 0; text[i]; i++)
		if (string->text[i] != text[i])
			return false;
	return true;
}

static NT void RtlInitUnicodeString(struct nt_string *string, u16 *text)
{
	size_t n = 0;

	while (text && text[n])
		n++;
	string->length = 2 * n;
	string->room = text ? 2 * n + 2 : 0;
	string->text = text;
}

/* Size, major, minor, build; RTL_OSVERSIONINFOW. */
static NT ntstatus RtlGetVersion(u32 *version)
{
	version[1] = nt_version >> 8;
	version[2] = nt_version & 0xff;
	version[3] = nt_version == NT_10 ? 19045 : nt_version == NT_7 ? 7601 : 3790;
	return NT_OK;
}

static NT u8 PsGetVersion(u32 *major, u32 *minor, u32 *build, void *name)
{
	if (major)
		*major = nt_version >> 8;
	if (minor)
		*minor = nt_version & 0xff;
	if (build)
		*build = 0;
	return 0;
}

static NT void *nt_memcpy(void *to, const void *from, size_t n)
{
	return memcpy(to, from, n);
}

static NT void *nt_memmove(void *to, const void *from, size_t n)
{
	return memmove(to, from, n);
}

static NT void *nt_memset(void *to, int byte, size_t n)
{
	return memset(to, byte, n);
}

static NT int nt_memcmp(const void *a, const void *b, size_t n)
{
	return memcmp(a, b, n);
}

static NT size_t nt_strlen(const char *text)
{
	return strlen(text);
}

const struct nt_export text_exports[] = {
	EXPORT(DbgPrint, NT_2003),
	EXPORT(DbgPrintEx, NT_2003),
	{ "_vsnprintf", nt_vsnprintf, NT_2003 },
	{ "_snprintf", nt_snprintf, NT_2003 },
	{ "memcpy", nt_memcpy, NT_2003 },
	{ "memmove", nt_memmove, NT_2003 },
	{ "memset", nt_memset, NT_2003 },
	{ "memcmp", nt_memcmp, NT_2003 },
	{ "strlen", nt_strlen, NT_2003 },
	EXPORT(RtlInitUnicodeString, NT_2003),
	EXPORT(RtlGetVersion, NT_2003),
	EXPORT(PsGetVersion, NT_2003),
	EXPORTS_END
};
