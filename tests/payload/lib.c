// SPDX-License-Identifier: GPL-2.0
/* The C half of a payload: boot information, interrupts, calls, text. */
#include "payload.h"

#define DIRECT_MAP 0xffffff8000000000ULL
#define LINK_BASE  0xffffffff80000000ULL
#define SUBARCH_DATA 0x240 /* boot_params.hdr.hardware_subarch_data */
#define CMD_LINE_PTR 0x228 /* boot_params.hdr.cmd_line_ptr */
#define EXT_CMD_LINE 0x0c8 /* boot_params.ext_cmd_line_ptr */

const struct co_boot_info *boot;
struct co_vcpu_area *area;
volatile co_u64 forwarded, nmis;
bool late;
static co_u64 image_base; /* physical address of LINK_BASE */
static co_u64 idt[256][2];
extern const char payload_vectors[];
co_u64 payload_leave(struct co_passage_page *page, const struct co_call *call);

static void *va(co_u64 pa)
{
	return (void *)(DIRECT_MAP + pa);
}

co_u64 pa_of(const void *p)
{
	return (co_u64)p - LINK_BASE + image_base;
}

static co_u64 irq_save(void)
{
	co_u64 flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

static co_u64 leave(co_u64 nr, const co_u64 a[4], co_u64 flags)
{
	struct co_call c = { nr, { a[0], a[1], a[2], a[3] }, flags };
	co_u64 result = payload_leave(&area->passage, &c);
	co_u32 hits = __atomic_exchange_n(&area->passage.nmi_count, 0,
					  __ATOMIC_SEQ_CST);

	if (hits)
		leave(CO_CALL_FORWARD, (co_u64[4]){ CO_VECTOR_NMI }, 0);
	return result;
}

co_u64 call(co_u64 nr, co_u64 a0, co_u64 a1, co_u64 a2, co_u64 a3)
{
	co_u64 flags = irq_save(), result;

	result = leave(nr, (co_u64[4]){ a0, a1, a2, a3 },
		       flags & 0x200 ? CO_CALL_IRQS_ON : 0);
	if (flags & 0x200)
		irq_on();
	return result;
}

void payload_interrupt(co_u64 vector, co_u64 rip);
void payload_interrupt(co_u64 vector, co_u64 rip)
{
	if (vector < 32 && vector != CO_VECTOR_NMI && vector != CO_VECTOR_MCE)
		fail("exception %llu at %llx", vector, rip);
	if (vector == CO_VECTOR_NMI)
		nmis++;
	else
		forwarded++;
	if (late && vector >= 32)
		leave(CO_CALL_YIELD, (co_u64[4]){ 0 }, 0);
	leave(CO_CALL_FORWARD, (co_u64[4]){ vector },
	      vector < 32 ? 0 : CO_CALL_IRQS_ON);
}

/* ---- text -------------------------------------------------------------------- */

static char *number(char *at, co_u64 n, unsigned int base)
{
	char digits[24];
	int i = 0;

	do
		digits[i++] = "0123456789abcdef"[n % base];
	while (n /= base);
	while (i)
		*at++ = digits[--i];
	return at;
}

/* %s %llu %llx */
static co_u64 format_text(char *to, const char *f, __builtin_va_list args)
{
	char *at = to;
	const char *s;

	for (; *f; f++) {
		if (*f != '%') {
			*at++ = *f;
		} else if (f[1] == 's') {
			for (s = __builtin_va_arg(args, const char *); *s; s++)
				*at++ = *s;
			f++;
		} else {
			at = number(at, __builtin_va_arg(args, co_u64),
				    f[3] == 'x' ? 16 : 10);
			f += 3;
		}
	}
	return (co_u64)(at - to);
}

static char text[CO_TEXT_MAX];

void say(const char *f, ...)
{
	__builtin_va_list args;
	co_u64 n;

	__builtin_va_start(args, f);
	n = format_text(text, f, args);
	__builtin_va_end(args);
	text[n++] = '\n';
	call(CO_CALL_CONSOLE, pa_of(text), n, 0, 0);
}

void fail(const char *f, ...)
{
	__builtin_va_list args;
	co_u64 n;

	__builtin_va_start(args, f);
	n = format_text(text, f, args);
	__builtin_va_end(args);
	for (;;)
		call(CO_CALL_STOP, CO_STOP_PANIC, pa_of(text), n, 0);
}

co_u64 word(const char *words, const char *name, co_u64 none)
{
	const char *n;
	co_u64 value = 0;

	for (; *words; words++) {
		for (n = name; *n && *n == *words; n++)
			words++;
		if (*n || *words != '=') {
			while (*words && *words != ' ')
				words++;
			if (!*words)
				break;
			continue;
		}
		for (words++; *words >= '0' && *words <= '9'; words++)
			value = value * 10 + (co_u64)(*words - '0');
		return value;
	}
	return none;
}

/* ---- start -------------------------------------------------------------------- */

static void idt_load(void)
{
	struct __attribute__((packed)) {
		co_u16 limit;
		co_u64 base;
	} pointer = { sizeof(idt) - 1, (co_u64)idt };
	co_u64 target;
	int i;

	for (i = 0; i < 256; i++) {
		target = (co_u64)payload_vectors + (co_u64)i * 16;
		idt[i][0] = (target & 0xffff) | 0x10ULL << 16 | 0x8eULL << 40 |
			    (target >> 16 & 0xffff) << 48;
		idt[i][1] = target >> 32;
	}
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void payload_main(co_u64 params, co_u64 base);
void payload_main(co_u64 params, co_u64 base)
{
	const char *bp = va(params);
	co_u64 line = *(const co_u32 *)(bp + CMD_LINE_PTR) |
		      (co_u64)*(const co_u32 *)(bp + EXT_CMD_LINE) << 32;

	image_base = base;
	boot = va(*(const co_u64 *)(bp + SUBARCH_DATA));
	area = va(boot->areas);
	idt_load();
	program(va(line));
	for (;;)
		call(CO_CALL_STOP, CO_STOP_POWEROFF, 0, 0, 0);
}

void *memcpy(void *dst, const void *src, __SIZE_TYPE__ n)
{
	__asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
	return dst;
}
void *memset(void *dst, int c, __SIZE_TYPE__ n)
{
	void *at = dst;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(c) : "memory");
	return dst;
}
