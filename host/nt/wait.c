// SPDX-License-Identifier: GPL-2.0
/* Waiting, locks, text. */
#include "port.h"

/* ---- waiting ------------------------------------------------------------------ */

struct wait {
	struct nt_event event; /* resets itself: one waits */
	struct nt_dpc dpc;
};
_Static_assert(sizeof(struct wait) <= sizeof(struct host_wait), "raise host_wait");

static struct wait *to_wait(struct host_wait *w)
{
	return (struct wait *)w->storage;
}

static void wake_later(struct nt_dpc *dpc, void *context, void *a, void *b)
{
	struct wait *w = context;

	KeSetEvent(&w->event, 0, 0);
}

void host_wait_init(struct host_wait *w)
{
	KeInitializeEvent(&to_wait(w)->event, EVENT_SYNCHRONIZATION, 0);
	KeInitializeDpc(&to_wait(w)->dpc, wake_later, to_wait(w));
}

/* As a user's wait: the end of the thread, and nothing else of the user's, ends it. */
static bool sleep(struct wait *w)
{
	return KeWaitForSingleObject(&w->event, WAIT_EXECUTIVE, USER_MODE, 0, NULL) ==
	       STATUS_SUCCESS;
}

int host_wait(struct host_wait *w, bool (*ready)(void *arg), void *arg)
{
	struct nt_call *call = nt_call_now();
	int err = 0;

	/* Before the look: who interrupts later wakes us. */
	co_store(&call->wait, w);
	while (!err && !ready(arg))
		if (nt_call_ends(call) || !sleep(to_wait(w)))
			err = -CO_EINTR;
	co_store(&call->wait, NULL);
	/* It may have been a step of the clock, told where the system can't be asked. */
	nt_time_refresh();
	return err;
}

void host_wake(struct host_wait *w)
{
	if (nt_may_call())
		KeSetEvent(&to_wait(w)->event, 0, 0);
	else
		nt_queue_dpc(&to_wait(w)->dpc);
}

/* ---- locks ------------------------------------------------------------------------ */

_Static_assert(sizeof(struct nt_mutex) <= sizeof(struct host_mutex), "raise host_mutex");

void host_mutex_init(struct host_mutex *m)
{
	KeInitializeMutex((struct nt_mutex *)m->storage, 0);
}

void host_mutex_lock(struct host_mutex *m)
{
	KeWaitForSingleObject(m->storage, WAIT_EXECUTIVE, KERNEL_MODE, 0, NULL);
}

void host_mutex_unlock(struct host_mutex *m)
{
	KeReleaseMutex((struct nt_mutex *)m->storage, 0);
}

/* Not the system's spin locks, which raise the IRQL and are no more than that: these
 * are taken in bursts, too. */
void host_lock_init(struct host_lock *l)
{
	co_store(&l->storage[0], 0);
}

co_u64 host_lock(struct host_lock *l)
{
	co_u64 state = nt_irqs_off();

	while (co_exchange(&l->storage[0], 1))
		while (co_load(&l->storage[0]))
			__builtin_ia32_pause();
	return state;
}

void host_unlock(struct host_lock *l, co_u64 state)
{
	co_store(&l->storage[0], 0);
	if (state & FLAGS_IF)
		nt_irqs_on();
}

/* ---- text ----------------------------------------------------------------------------- */

struct out {
	char *at, *end; /* end: where the NUL still fits */
};

static void put(struct out *out, char c)
{
	if (out->at < out->end)
		*out->at++ = c;
}

static void put_number(struct out *out, co_u64 value, co_u32 base)
{
	char digits[20];
	co_u32 n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		put(out, digits[--n]);
}

static void put_signed(struct out *out, int value)
{
	if (value < 0)
		put(out, '-');
	put_number(out, value < 0 ? -(co_u64)value : (co_u64)value, 10);
}

static void put_string(struct out *out, const char *text)
{
	while (*text)
		put(out, *text++);
}

/* The system's own reads %ll differently from version to version. */
int host_vformat(char *buf, co_size size, const char *format,
		 __builtin_va_list args)
{
	struct out out = { buf, buf + size - 1 };

	if (!size)
		return 0;
	for (; *format; format++) {
		bool wide = format[0] == '%' && format[1] == 'l' && format[2] == 'l';

		if (*format != '%') {
			put(&out, *format);
			continue;
		}
		format += wide ? 3 : 1;
		switch (*format) {
		case 's':
			put_string(&out, __builtin_va_arg(args, const char *));
			break;
		case 'd':
			put_signed(&out, __builtin_va_arg(args, int));
			break;
		case 'u':
		case 'x':
			put_number(&out,
				   wide ? __builtin_va_arg(args, co_u64) :
					  __builtin_va_arg(args, co_u32),
				   *format == 'x' ? 16 : 10);
			break;
		case 'c':
			put(&out, (char)__builtin_va_arg(args, int));
			break;
		default:
			put(&out, *format ? *format : '%');
			format -= !*format;
		}
	}
	*out.at = 0;
	return (int)(out.at - buf);
}
