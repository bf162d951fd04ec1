/* SPDX-License-Identifier: GPL-2.0 */
/* The far end of a serial line: a COM port, a named pipe, standard input and output. */
#ifndef CO_NT_SERIAL_END_H
#define CO_NT_SERIAL_END_H

#include <stdbool.h>
#include <uv.h>

#include "../../lib/config_serial.h"
#include "../../lib/error.h"

struct serial_end;

/* `wake` is sent to whenever something below has changed. NULL and an error: what
 * the user wrote can't be right; who isn't there yet may come later. */
struct serial_end *serial_end_open(const struct config_serial *line,
				   uv_async_t *wake, struct error **err);
void serial_end_close(struct serial_end *e); /* NULL is allowed */

/* All on the loop's thread. */
bool serial_end_connected(struct serial_end *e);
const char *serial_end_why(struct serial_end *e); /* it isn't; or "" */
/* Bytes that came, until they were taken. */
size_t serial_end_input(struct serial_end *e, const uint8_t **data);
void serial_end_taken(struct serial_end *e, size_t n);
/* False: there is no room for it. *kept: what waits now. */
bool serial_end_write(struct serial_end *e, const void *data, size_t n,
		      size_t *kept);
size_t serial_end_kept(struct serial_end *e);

#endif
